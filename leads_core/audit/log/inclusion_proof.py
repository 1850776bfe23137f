"""The proof of one entry: a text that stands alone, C2SP tlog-proof@v1. Pure: no database, no settings.

https://c2sp.org/tlog-proof. Its extra line is the base64 of canon({"record": R, "parts": the parts that are shown}):
R holds the digest of every part, so each is shown or withheld alone, and the checksum over R is the log's leaf.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leads_core.audit.record import entry, merkle, signed_note
from leads_core.audit.record.canonical import NotCanonical, canon
from leads_core.audit.record.signed_note import BadNote, Checkpoint, VerifierKey

FIRST_LINE = "c2sp.org/tlog-proof@v1"
#: R beside its version and its parts: a proof with a key more or less is none.
RECORD_KEYS = {
    *("id", "subject_kind", "subject_id", "seq", "action", "actor_kind", "actor_id", "channel", "request_id"),
    *("task_id", "occurred_at"),
}
#: A block holds 256 nodes of the level below it.
_BLOCK = 256
_HASH = 32
_INDEX = re.compile(r"0|[1-9][0-9]{0,18}")

Node = tuple[int, int]
"""(level, index): level 0 is a leaf, level k the block of 256^k leaves from index * 256^k on."""


class BadProof(ValueError):
    """The text is no proof of an entry, or proves nothing under the given keys. The message says why."""


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """What a proof that holds shows: the record R, the content of the parts it discloses, and who vouches for it."""

    record: Mapping[str, Any]
    shown: Mapping[str, Mapping[str, Any]]
    withheld: tuple[str, ...]
    index: int
    checkpoint: Checkpoint
    signed_by: tuple[VerifierKey, ...]


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """One entry, its place in the log, the hashes from there to the root, and the note that signs the root."""

    record: Mapping[str, Any]
    parts: Mapping[str, list[Any]]
    index: int
    hashes: tuple[bytes, ...]
    note: str

    def text(self) -> str:
        """The proof as a file holds it."""
        extra = b64encode(canon({"record": dict(self.record), "parts": dict(self.parts)})).decode()
        lines = [FIRST_LINE, f"extra {extra}", f"index {self.index}", *(b64encode(one).decode() for one in self.hashes)]
        return "\n".join(lines) + "\n\n" + self.note

    @classmethod
    def parse(cls, text: str) -> InclusionProof:
        """Read a proof. Raises BadProof; whether what it says is true, `check` tells."""
        head, separator, note = text.partition("\n\n")
        lines = head.split("\n")
        if not separator or lines[0] != FIRST_LINE:
            raise BadProof(f"It is no proof of an entry: such a file begins with the line {FIRST_LINE}.")
        if len(lines) < 3 or not lines[1].startswith("extra ") or not lines[2].startswith("index "):
            raise BadProof("Its second line is not the entry (extra), or its third not the place in the log (index).")
        index = lines[2].removeprefix("index ")
        if _INDEX.fullmatch(index) is None:
            raise BadProof("Its index is no number.")
        record, parts = _extra(_base64(lines[1].removeprefix("extra ")))
        hashes = tuple(_base64(line) for line in lines[3:])
        if any(len(one) != _HASH for one in hashes):
            raise BadProof("One of its hashes has not 32 bytes.")
        return cls(record, parts, int(index), hashes, note)

    def check(self, keys: Sequence[VerifierKey]) -> ProvenEntry:
        """What the proof shows under these public keys. Raises BadProof, saying in words what does not hold."""
        checkpoint, signed_by = self._signed(keys)
        for name, part in self.parts.items():
            if _digest_of_shown(name, part) != self.record["parts"].get(name):
                raise BadProof(f"The part {name} is not the one that the entry was written with.")
        leaf = merkle.leaf_hash(checksum_of(self.record))
        try:
            root = merkle.root_by_inclusion(self.index, checkpoint.size, leaf, self.hashes)
        except (IndexError, ValueError) as error:
            raise BadProof(f"Its hashes lead nowhere: {error}.") from error
        if root != checkpoint.root:
            raise BadProof("The entry and its hashes do not lead to the root that was signed: it is not in this log.")
        return ProvenEntry(
            record=self.record,
            shown={name: part[1] for name, part in self.parts.items()},
            withheld=tuple(sorted(set(self.record["parts"]) - set(self.parts))),
            index=self.index,
            checkpoint=checkpoint,
            signed_by=signed_by,
        )

    def _signed(self, keys: Sequence[VerifierKey]) -> tuple[Checkpoint, tuple[VerifierKey, ...]]:
        try:
            checkpoint, signed_by = signed_note.open_checkpoint(self.note, keys)
        except BadNote as error:
            raise BadProof(f"Its checkpoint does not hold: {error}.") from error
        own = tuple(key for key in signed_by if key.name == checkpoint.log_name)
        if not own:
            raise BadProof(f"None of the keys is that of the log {checkpoint.log_name}.")
        return checkpoint, own


def checksum_of(record: Mapping[str, Any]) -> bytes:
    """The checksum of an entry from R, in which each part is its digest. Raises BadProof."""
    try:
        return entry.checksum_of(dict(record))
    except NotCanonical as error:
        raise BadProof(f"The entry has no canonical form: {error}.") from error


def nodes_of(index: int, size: int) -> set[Node]:
    """The stored nodes that the proof of a leaf in a tree of that size is computed from: some hundreds at most."""
    needed: set[Node] = set()

    def note(node: Node) -> bytes:
        needed.add(node)
        return b""

    for start, end in merkle.inclusion_subtrees(index, size):
        root_of_subtree(start, end, note)
    return needed


def hashes_of(index: int, size: int, node: Callable[[Node], bytes]) -> tuple[bytes, ...]:
    """The proof's hashes, from the leaf's sibling to the root's child, out of the nodes that nodes_of names."""
    return tuple(root_of_subtree(start, end, node) for start, end in merkle.inclusion_subtrees(index, size))


def root_of_subtree(start: int, end: int, node: Callable[[Node], bytes]) -> bytes:
    """The root of the leaves from start on, end excluded, out of leaf hashes and whole blocks.

    start is a multiple of the smallest power of two that is not below end - start, as in every proof.
    """
    width, level, block = end - start, 0, 1
    while block * _BLOCK <= width:
        level, block = level + 1, block * _BLOCK
    if width == block:
        return node((level, start // block))
    middle = start + (1 << (width - 1).bit_length() - 1)
    return merkle.node_hash(root_of_subtree(start, middle, node), root_of_subtree(middle, end, node))


def _extra(data: bytes) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    try:
        said = json.loads(data)
        whole = canon(said) == data
    except (ValueError, RecursionError) as error:
        raise BadProof("Its extra line holds no entry.") from error
    match said:
        case {"record": {"v": int(v), "parts": dict(), **rest} as record, "parts": dict(parts), **nothing} if (
            whole and v is not True and v == 1 and rest.keys() == RECORD_KEYS and not nothing
        ):
            return record, parts
        case _:
            raise BadProof("Its extra line holds no entry of version 1 in canonical form.")


def _digest_of_shown(name: str, part: Any) -> str:
    try:
        if isinstance(part, list):
            return entry.digest(part)
    except NotCanonical:
        pass
    raise BadProof(f"What it shows as the part {name} is no part.")


def _base64(text: str) -> bytes:
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data or b64encode(data).decode() != text:
        raise BadProof("A line of it is no base64.")
    return data
