"""A proof stands alone: the published file byte for byte, every place in every tree, and each lie found."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from leads_core.audit.log.inclusion_proof import BadProof, InclusionProof, Node, hashes_of, nodes_of
from leads_core.audit.record import merkle
from leads_core.audit.record.canonical import canon
from leads_core.audit.record.signed_note import Checkpoint, SigningKey, VerifierKey, sign

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "audit_record.json").read_text(encoding="utf-8"))
FILE: str = VECTORS["proof"]["file"]
OLD, NEW = (VerifierKey.parse(key["vkey"]) for key in VECTORS["signing_keys"])
ENTRY = VECTORS["entries"][2]


def test_the_published_proof_is_made_byte_for_byte() -> None:
    leaves = [bytes.fromhex(entry["leaf_hash"]) for entry in VECTORS["entries"]]
    record = json.loads(ENTRY["record_canonical"])
    note = VECTORS["checkpoints"][3]["note"]

    hashes = hashes_of(2, 7, lambda node: leaves[node[1]])
    proof = InclusionProof(record, {"data": ENTRY["row"]["parts"]["data"]}, 2, hashes, note)

    assert proof.text() == FILE
    assert InclusionProof.parse(FILE) == proof


def test_the_published_proof_holds_and_says_what_it_shows() -> None:
    proven = InclusionProof.parse(FILE).check([OLD])

    assert (proven.index, proven.checkpoint.size, proven.checkpoint.log_name) == (2, 7, "leads.example.com/audit")
    assert proven.record["id"] == ENTRY["row"]["id"]
    assert proven.shown == {"data": {"stage": ["new", "qualified"]}}
    assert (proven.withheld, proven.signed_by) == (("origin", "text"), (OLD,))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 255, 256, 257, 300, 511, 512, 513, 600, 768, 1000])
def test_each_leafs_proof_out_of_blocks_leads_to_the_root(size: int) -> None:
    leaves = [merkle.leaf_hash(bytes([i % 251]) * 32) for i in range(size)]
    root = merkle.root_of(leaves)

    def node(name: Node) -> bytes:
        level, index = name
        assert (index + 1) * 256**level <= size
        return merkle.root_of(leaves[index * 256**level : (index + 1) * 256**level])

    for index in {0, 1, size // 3, size // 2, 255, 256, 257, size - 2, size - 1}:
        if 0 <= index < size:
            hashes = hashes_of(index, size, node)
            assert merkle.root_by_inclusion(index, size, leaves[index], hashes) == root


def test_a_proof_in_a_large_tree_reads_some_hundreds_of_nodes() -> None:
    size = 123_456_789
    nodes = nodes_of(77_777_777, size)

    assert len([node for node in nodes if node[0] == 0]) <= 2 * 255
    assert len(nodes) <= 4 * 2 * 255
    assert all((index + 1) * 256**level <= size for level, index in nodes)


def _with(change: Callable[[dict[str, Any]], None]) -> str:
    """The published file with another entry in it."""
    lines = FILE.split("\n")
    said = json.loads(b64decode(lines[1].removeprefix("extra ")))
    change(said)
    lines[1] = f"extra {b64encode(canon(said)).decode()}"
    return "\n".join(lines)


LIES = {
    "another actor": _with(lambda said: said["record"].update(actor_id="0193f5a0-0000-7000-8000-0000000000cc")),
    "another time": _with(lambda said: said["record"].update(occurred_at="2026-11-24T18:35:03.000001Z")),
    "another lead": _with(lambda said: said["record"].update(subject_id="0193f5a0-0000-7000-8000-0000000000ab")),
    "another value": _with(lambda said: said["parts"]["data"][1].update(stage=["new", "won"])),
    "another salt": _with(lambda said: said["parts"]["data"].__setitem__(0, "AAAAAAAAAAAAAAAAAAAAAA")),
    "a part invented": _with(lambda said: said["parts"].update(person=["AAAAAAAAAAAAAAAAAAAAAA", {}])),
    "a digest as a part": _with(lambda said: said["parts"].update(text=said["record"]["parts"]["text"])),
    "a part left out of the record": _with(lambda said: said["record"]["parts"].pop("text")),
    "a key more": _with(lambda said: said["record"].update(note="hello")),
    "a key less": _with(lambda said: said["record"].pop("task_id")),
    "version 2": _with(lambda said: said["record"].update(v=2)),
    "version true": _with(lambda said: said["record"].update(v=True)),
    "something beside the entry": _with(lambda said: said.update(more=1)),
    "no record": _with(lambda said: said.pop("record")),
    "another place": FILE.replace("index 2", "index 3"),
    "a place behind the end": FILE.replace("index 2", "index 7"),
    "a place with a zero before it": FILE.replace("index 2", "index 02"),
    "a hash left out": FILE.replace("MwdQmq2+h5WoeStPnCvgcJ8N5ScEQ8GsgYK/as0w8vY=\n", ""),
    "another hash": FILE.replace("MwdQ", "MwdR"),
    "a hash cut short": FILE.replace("MwdQmq2+h5WoeStPnCvgcJ8N5ScEQ8GsgYK/as0w8vY=", "MwdQ"),
    "a hash that is no base64": FILE.replace("MwdQ", "Mwd*"),
    "another size": FILE.replace("audit\n7\n", "audit\n6\n"),
    "another log": FILE.replace("\n\nleads.example.com/audit\n", "\n\nleads.example.org/audit\n"),
    "no checkpoint": FILE.partition("\n\n")[0] + "\n\n",
    "another first line": FILE.replace("@v1", "@v2"),
    "no extra line": FILE.replace(FILE.split("\n")[1] + "\n", ""),
    "spaces in the entry": FILE.replace(FILE.split("\n")[1], f"extra {b64encode(b'{ }').decode()}"),
    "nothing": "",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_proof_that_was_changed_is_refused_in_words(lie: str) -> None:
    assert LIES[lie] != FILE

    with pytest.raises(BadProof) as refused:
        InclusionProof.parse(LIES[lie]).check([OLD])

    assert str(refused.value).endswith(".")


LOG = SigningKey("log.example.org", sha256(b"a log that anybody could run").digest())


def _logged(record: dict[str, Any], extra: bytes | None = None) -> str:
    """A proof that holds in every hash and signature: its log took this record in, whatever it says."""
    leaf = merkle.leaf_hash(sha256(b"lead-explorer/entry/1\n" + canon(record)).digest())
    note = sign(Checkpoint(LOG.name, 1, leaf), [LOG])
    said = b64encode(extra or canon({"record": record, "parts": {}})).decode()
    return f"c2sp.org/tlog-proof@v1\nextra {said}\nindex 0\n\n{note}"


RECORD: dict[str, Any] = json.loads(ENTRY["record_canonical"])
SPACED = json.dumps({"parts": {}, "record": RECORD}, sort_keys=True).encode()


def test_a_log_of_one_entry_proves_it_without_a_hash() -> None:
    assert InclusionProof.parse(_logged(RECORD)).check([LOG.verifier]).record == RECORD


@pytest.mark.parametrize(
    "text",
    [
        _logged({**RECORD, "note": "hello"}),
        _logged({name: value for name, value in RECORD.items() if name != "task_id"}),
        _logged({**RECORD, "v": True}),
        _logged({**RECORD, "v": 2}),
        _logged({**RECORD, "parts": []}),
        _logged(RECORD, SPACED),
        _logged(RECORD, canon({"record": RECORD, "parts": {}, "more": None})),
        _logged(RECORD, canon({"record": RECORD, "parts": []})),
        _logged(RECORD, canon([])),
        _logged(RECORD, b"\xff"),
        _logged(RECORD, b"[" * 100_000),
    ],
)
def test_what_a_log_took_in_is_no_entry_unless_it_has_an_entrys_form(text: str) -> None:
    with pytest.raises(BadProof, match="extra line holds no entry"):
        InclusionProof.parse(text).check([LOG.verifier])


def test_each_proof_has_one_spelling() -> None:
    """Base64 lets the last character of some texts vary; then two files would be one proof."""
    hash_ = "SBBnKihazMb1O+Q6o1/35yJGmhqJojSXyUDTMtuTUr4="
    other = hash_.replace("r4=", "r5=")
    assert b64decode(hash_) == b64decode(other)

    with pytest.raises(BadProof, match="no base64"):
        InclusionProof.parse(FILE.replace(hash_, other))


def test_a_proof_is_refused_under_another_key() -> None:
    with pytest.raises(BadProof, match="none of the known keys"):
        InclusionProof.parse(FILE).check([NEW])


def test_a_proof_is_refused_when_only_somebody_elses_key_signed_it() -> None:
    proof = InclusionProof.parse(FILE)
    checkpoint = Checkpoint("leads.example.com/audit", 7, bytes.fromhex(VECTORS["checkpoints"][3]["root"]))
    stranger = SigningKey("witness.example.org", sha256(b"stranger").digest())
    note = sign(checkpoint, [stranger])

    with pytest.raises(BadProof, match="None of the keys is that of the log"):
        InclusionProof(proof.record, proof.parts, proof.index, proof.hashes, note).check([stranger.verifier])


def test_a_note_signed_by_the_old_and_the_new_key_holds_under_either() -> None:
    proof = InclusionProof.parse(FILE)
    both = InclusionProof(proof.record, proof.parts, 2, proof.hashes, VECTORS["checkpoints"][4]["note"])

    assert both.check([NEW]).signed_by == (NEW,)
    assert both.check([NEW, OLD]).signed_by == (OLD, NEW)
