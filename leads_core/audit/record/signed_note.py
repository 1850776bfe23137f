"""Signed checkpoints of the log: C2SP signed-note, tlog-checkpoint, Ed25519 (type 0x01). Pure.

https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
SIGNATURE_START = "— "
#: A key's name goes into lines and keys that are split at spaces and plus signs.
KEY_NAME = re.compile(r"[^\s+]+")
_ID_LENGTH, _KEY_LENGTH, _SIGNATURE_LENGTH, _ROOT_LENGTH = 4, 32, 64, 32
_SIZE = re.compile(r"0|[1-9][0-9]*")
_CHECKPOINT_LINES = 3


class BadNote(ValueError):
    """The text is no signed note, or no checkpoint, or none that a known key signed. The message says which."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key by name, as it stands in settings: `name+hash+key` (a "vkey")."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """4 bytes that name the key in a signature."""
        return key_id(self.name, self.public)

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read a vkey. Raises ValueError, saying what is wrong with it."""
        name, _, rest = text.partition("+")
        hash_, _, encoded = rest.partition("+")
        data = _base64(encoded)
        if KEY_NAME.fullmatch(name) is None or data is None or len(data) != 1 + _KEY_LENGTH or data[:1] != ED25519:
            raise ValueError(f"{text!r} is no verifier key: it is name+hash+key, the key Ed25519 (type 1)")
        key = cls(name, data[1:])
        if key.key_id.hex() != hash_:
            raise ValueError(f"{text!r} is no verifier key: its hash is not that of its name and key")
        return key


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key by name. seed is its 32 secret bytes."""

    name: str
    seed: bytes

    def __repr__(self) -> str:
        return f"SigningKey(name={self.name!r})"

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw())

    def signature_line(self, text: str) -> str:
        """The line that says this key signed the text."""
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        return f"{SIGNATURE_START}{self.name} {b64encode(self.verifier.key_id + signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says: the log's name, its number of leaves, their root (32 bytes)."""

    log_name: str
    size: int
    root: bytes

    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.log_name}\n{self.size}\n{b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the signed lines. Raises BadNote; extension lines are refused, this log writes none."""
        lines = text.split("\n")
        if len(lines) != _CHECKPOINT_LINES + 1 or lines[-1]:
            raise BadNote("a checkpoint of this log has three lines: name, size, root")
        name, size, encoded, _ = lines
        root = _base64(encoded)
        if not name or _SIZE.fullmatch(size) is None or root is None or len(root) != _ROOT_LENGTH:
            raise BadNote("a checkpoint's lines are the log's name, its size as a number, its root in base64")
        return cls(name, int(size), root)


def key_id(name: str, public: bytes) -> bytes:
    """The first 4 bytes of SHA-256(name || newline || type || key)."""
    return sha256(name.encode() + b"\n" + ED25519 + public).digest()[:_ID_LENGTH]


def sign(checkpoint: Checkpoint, keys: Iterable[SigningKey]) -> str:
    """The note: the checkpoint with a signature by each key."""
    text = checkpoint.text()
    return text + "\n" + "".join(key.signature_line(text) for key in keys)


def open_note(note: str, keys: Sequence[VerifierKey]) -> tuple[str, list[VerifierKey]]:
    """The text of a note and which of the keys signed it.

    A signature by an unknown key is passed over. Raises BadNote when the note has another shape, when a known key's
    signature is wrong, or when none of the keys signed it.
    """
    text, separator, block = note.rpartition("\n\n")
    lines = block.split("\n")
    if not separator or not text or lines.pop() != "" or not lines:
        raise BadNote("a signed note is its text, an empty line, and lines of signatures")
    text += "\n"
    signed = [key for line in lines if (key := _signer(line, text, keys)) is not None]
    if not signed:
        raise BadNote("none of the known keys signed it")
    return text, signed


def open_checkpoint(note: str, keys: Sequence[VerifierKey]) -> tuple[Checkpoint, list[VerifierKey]]:
    """The checkpoint in a note and which of the keys signed it. Raises BadNote."""
    text, signed = open_note(note, keys)
    return Checkpoint.parse(text), signed


def checkpoint_in(note: str) -> Checkpoint:
    """What a note says, whoever signed it: for saying what a note that does not verify claims. Raises BadNote."""
    text, separator, _ = note.rpartition("\n\n")
    if not separator:
        raise BadNote("a signed note is its text, an empty line, and lines of signatures")
    return Checkpoint.parse(text + "\n")


def _signer(line: str, text: str, keys: Sequence[VerifierKey]) -> VerifierKey | None:
    name, _, encoded = line.removeprefix(SIGNATURE_START).partition(" ")
    data = _base64(encoded)
    if not line.startswith(SIGNATURE_START) or KEY_NAME.fullmatch(name) is None or not data or len(data) <= _ID_LENGTH:
        raise BadNote("a signature is an em dash, the key's name, and base64")
    for key in keys:
        if key.name == name and key.key_id == data[:_ID_LENGTH]:
            try:
                Ed25519PublicKey.from_public_bytes(key.public).verify(data[_ID_LENGTH:], text.encode())
            except InvalidSignature:
                raise BadNote(f"the signature of {key.name}+{key.key_id.hex()} is wrong") from None
            return key
    return None


def _base64(text: str) -> bytes | None:
    """The bytes; None for what is no base64, or another spelling of it: of each note there is one."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        return None
    return data if b64encode(data).decode() == text else None
