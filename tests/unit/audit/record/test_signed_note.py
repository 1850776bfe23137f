"""Signed notes and checkpoints against the published ones, and against every way to spoil one."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads_core.audit.record.merkle import leaf_hash, root_of
from leads_core.audit.record.signed_note import (
    BadNote,
    Checkpoint,
    SigningKey,
    VerifierKey,
    checkpoint_in,
    open_checkpoint,
    open_note,
    sign,
)

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "audit_record.json").read_text())
EXAMPLE = VECTORS["c2sp_example"]
CHECKPOINTS = VECTORS["checkpoints"]
NAME = "leads.example.com/audit"
FIRST, SECOND = (SigningKey(NAME, bytes.fromhex(key["seed_hex"])) for key in VECTORS["signing_keys"])
BOTH_TRUSTED = [FIRST.verifier, SECOND.verifier]
NOTE = CHECKPOINTS[2]["note"]

log_leaves = [leaf_hash(sha256(f"leaf {n}".encode()).digest()) for n in range(VECTORS["log"]["size"])]


def test_the_example_of_c2sp_verifies() -> None:
    text, signers = open_note(EXAMPLE["note"], [VerifierKey.parse(EXAMPLE["vkey"])])

    assert text == "This is an example message.\n"
    assert [str(key) for key in signers] == [EXAMPLE["vkey"]]


@pytest.mark.parametrize("vector", VECTORS["signing_keys"], ids=lambda vector: vector["key_id"])
def test_keys_are_spelled_as_published(vector: dict[str, Any]) -> None:
    key = SigningKey(NAME, bytes.fromhex(vector["seed_hex"])).verifier

    assert (key.public.hex(), key.key_id.hex(), str(key)) == (vector["public_hex"], vector["key_id"], vector["vkey"])
    assert VerifierKey.parse(vector["vkey"]) == key


@pytest.mark.parametrize(
    "vector", CHECKPOINTS, ids=lambda vector: f"{vector['size']} {vector.get('about', '')}".strip()
)
def test_checkpoints_are_signed_as_published(vector: dict[str, Any]) -> None:
    checkpoint = Checkpoint(NAME, vector["size"], bytes.fromhex(vector["root"]))
    keys = [FIRST, SECOND] if "about" in vector else [FIRST]

    assert sorted(sign(checkpoint, keys).splitlines()) == sorted(vector["note"].splitlines())
    assert open_checkpoint(vector["note"], BOTH_TRUSTED)[0] == checkpoint
    assert checkpoint_in(vector["note"]) == checkpoint


@pytest.mark.parametrize("size", VECTORS["log"]["roots"], ids=int)
def test_the_published_log_signed_reads_back(size: str) -> None:
    checkpoint = Checkpoint(NAME, int(size), root_of(log_leaves[: int(size)]))

    assert open_checkpoint(sign(checkpoint, [FIRST]), [FIRST.verifier]) == (checkpoint, [FIRST.verifier])
    assert checkpoint.root.hex() == VECTORS["log"]["roots"][size]


def test_a_change_of_keys_is_signed_by_both_and_either_verifies_it() -> None:
    both = CHECKPOINTS[4]["note"]

    assert set(open_checkpoint(both, BOTH_TRUSTED)[1]) == set(BOTH_TRUSTED)
    assert open_checkpoint(both, [FIRST.verifier])[1] == [FIRST.verifier]
    assert open_checkpoint(both, [SECOND.verifier])[1] == [SECOND.verifier]


def test_a_note_that_no_known_key_signed_is_refused() -> None:
    with pytest.raises(BadNote, match="none of the known keys"):
        open_note(NOTE, [SECOND.verifier])


@pytest.mark.parametrize("other", ["crm.example.com/audit", "leads.example.com/audit2"])
def test_a_key_of_another_name_did_not_sign(other: str) -> None:
    with pytest.raises(BadNote, match="none of the known keys"):
        open_note(NOTE, [VerifierKey(other, FIRST.verifier.public)])


def test_a_wrong_signature_by_a_known_key_is_refused_beside_a_right_one() -> None:
    good, wrong = sign(checkpoint_in(NOTE), [SECOND]), CHECKPOINTS[1]["note"].splitlines(keepends=True)[-1]

    with pytest.raises(BadNote, match=re.escape(f"{NAME}+2e097bca is wrong")):
        open_note(good + wrong, BOTH_TRUSTED)


@given(st.integers(0, len(NOTE) - 1), st.characters(exclude_characters="\n", exclude_categories=["Cs"]))
def test_a_note_with_any_character_changed_is_refused(place: int, character: str) -> None:
    changed = NOTE[:place] + character + NOTE[place + 1 :]
    if changed == NOTE:
        return

    with pytest.raises(BadNote):
        open_checkpoint(changed, [FIRST.verifier])


def test_another_spelling_of_the_same_signature_is_refused() -> None:
    respelled = NOTE.replace("hbgg=\n", "hbgh=\n")
    assert respelled != NOTE

    with pytest.raises(BadNote, match="base64"):
        open_checkpoint(respelled, [FIRST.verifier])


@given(st.integers(0, len(NOTE) - 1))
def test_a_note_that_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(BadNote):
        open_checkpoint(NOTE[:length], [FIRST.verifier])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        "no signature\n",
        f"{NAME}\n4\n",
        "text\n\n",
        "text\n\n\n",
        "text\n\n- with a hyphen AAAA\n",
        "text\n\n— noname\n",
        "text\n\n— name not-base64!\n",
        "text\n\n— name AAAA\n",
        "text\n\n— na+me AAAAAAAA\n",
        NOTE + "\n",
        NOTE.replace("\n\n", "\n"),
    ],
)
def test_what_is_no_signed_note_is_refused(note: str) -> None:
    with pytest.raises(BadNote):
        open_note(note, [FIRST.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{NAME}\n4\n",
        f"{NAME}\n04\nA8CoQkURSdm+Z0BLQSy/EouFd/qqKCArsnLRvhzR/aI=\n",
        f"{NAME}\n-4\nA8CoQkURSdm+Z0BLQSy/EouFd/qqKCArsnLRvhzR/aI=\n",
        f"{NAME}\n４\nA8CoQkURSdm+Z0BLQSy/EouFd/qqKCArsnLRvhzR/aI=\n",
        f"{NAME}\n4\nA8CoQkURSdm+Z0BLQSy/EouFd/qqKCArsnLRvhzR/aI=",
        f"{NAME}\n4\nA8CoQkURSdm+Z0BLQSy=\n",
        f"{NAME}\n4\nnot base64\n",
        f"{NAME}\n4\nA8CoQkURSdm+Z0BLQSy/EouFd/qqKCArsnLRvhzR/aI=\nan extension\n",
        "\n4\nA8CoQkURSdm+Z0BLQSy/EouFd/qqKCArsnLRvhzR/aI=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+2e097bca",
        "name+2e097bca+",
        f"{NAME}+2e097bca+AW60k23fp9xTqFmAwseyNpgt8l8dxAEdWWu+YiV/R2Q",
        f"{NAME}+8f2b03d6+AW60k23fp9xTqFmAwseyNpgt8l8dxAEdWWu+YiV/R2Qy",
        f"{NAME}+2E097BCA+AW60k23fp9xTqFmAwseyNpgt8l8dxAEdWWu+YiV/R2Qy",
        "another+2e097bca+AW60k23fp9xTqFmAwseyNpgt8l8dxAEdWWu+YiV/R2Qy",
        "a name+2e097bca+AW60k23fp9xTqFmAwseyNpgt8l8dxAEdWWu+YiV/R2Qy",
        f"{NAME}+2e097bca+Am60k23fp9xTqFmAwseyNpgt8l8dxAEdWWu+YiV/R2Qy",
    ],
)
def test_what_is_no_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no verifier key"):
        VerifierKey.parse(text)


def test_a_signing_key_does_not_show_its_secret() -> None:
    assert FIRST.seed.hex() not in repr(FIRST)
    assert repr(FIRST.seed) not in repr(FIRST)
