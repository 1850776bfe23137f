"""The hot path recomputes what the record asks for: held against the vectors, and against the slow path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from leads_core.audit.record import entry as record
from leads_core.audit.verification import replay
from leads_core.audit.verification.entry_check import Macs, is_intact, recomputed
from leads_core.audit.verification.evidence import EntryRow

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "audit_record.json").read_text(encoding="utf-8"))
ENTRIES: list[dict[str, Any]] = VECTORS["entries"]
KEYS = [bytes.fromhex(key["key_hex"]) for key in VECTORS["mac_keys"]]


def as_row(vector: dict[str, Any]) -> EntryRow:
    """A vector as verification reads it from the database."""
    said = {**vector["row"], "parts": orjson.dumps(vector["row"]["parts"]).decode()}
    leaf = {"leaf_index": None, "leaf_checksum": None, "waiting": None}
    return EntryRow(
        **said, **leaf, checksum=bytes.fromhex(vector["checksum"]), mac=bytes.fromhex(vector["mac"])
    )  # fmt: skip


@pytest.mark.parametrize("vector", ENTRIES, ids=range(len(ENTRIES)))
def test_an_entry_comes_to_its_checksum_and_mac(vector: dict[str, Any]) -> None:
    row = as_row(vector)

    assert recomputed(row, vector["row"]["parts"]).hex() == vector["checksum"]
    assert is_intact(row, Macs(KEYS))


def test_a_mac_of_another_key_is_not_valid() -> None:
    checksum = bytes(32)

    assert not Macs(KEYS).valid(checksum, record.mac(b"k" * 32, checksum))
    assert not Macs(KEYS).valid(checksum, b"")
    assert not Macs([])


@pytest.mark.parametrize("length", [1, 32, 64, 65, 200])
def test_keys_of_any_length_make_the_macs_of_the_record(length: int) -> None:
    key = b"x" * length

    assert Macs([key]).valid(b"c" * 32, record.mac(key, b"c" * 32))


@pytest.mark.parametrize("field", ["id", "subject_id", "seq", "action", "actor_id", "channel", "request_id", "v"])
def test_every_column_counts(field: str) -> None:
    row = as_row(ENTRIES[0])
    other = row._replace(**{field: 7 if field in {"seq", "v"} else "another"})

    assert not is_intact(other, Macs(KEYS))


def test_a_fraction_is_not_the_integer_it_equals() -> None:
    row = as_row(ENTRIES[1])
    parts = row.parts.replace('"enrichment_status"', '"employee_count":[80.0,80],"enrichment_status"')

    assert not is_intact(row._replace(parts=parts), Macs(KEYS))


@pytest.mark.parametrize("parts", ["7", "[]", '"text"', "null", "{", '{"data": 7}', '{"data": null}'])
def test_parts_that_are_none_are_not_intact_and_raise_nothing(parts: str) -> None:
    assert not is_intact(as_row(ENTRIES[0])._replace(parts=parts), Macs(KEYS))


def test_the_states_of_the_vectors_come_out() -> None:
    state, states = replay.unborn("lead"), []
    for vector in ENTRIES[:6]:
        assert replay.apply(state, as_row(vector), vector["row"]["parts"]) is None
        shown = {replay.shown(name): value for name, value in state.items() if name not in replay.FACTS}
        states.append({name: value for name, value in shown.items() if value is not None})

    assert states == VECTORS["replay"]["states"]


def test_the_vectors_know_when_the_lead_lay_in_the_bin() -> None:
    state, deleted = replay.unborn("lead"), []
    for vector in ENTRIES[:6]:
        replay.apply(state, as_row(vector), vector["row"]["parts"])
        deleted.append(state["deleted_at"] is not None)

    assert deleted == VECTORS["replay"]["deleted"]


def test_an_old_value_that_is_not_the_states_is_named() -> None:
    state = replay.unborn("lead")
    replay.apply(state, as_row(ENTRIES[0]), ENTRIES[0]["row"]["parts"])
    state["enrichment_status"] = "failed"

    assert replay.apply(state, as_row(ENTRIES[1]), ENTRIES[1]["row"]["parts"]) == ["enrichment_status"]


def test_of_an_erased_part_nothing_is_held_against_anything() -> None:
    state = replay.unborn("lead")
    erased = ENTRIES[7]
    replay.apply(state, as_row(erased), erased["row"]["parts"])

    assert state["email"] is replay.UNKNOWN
    assert replay.apply(state, as_row(ENTRIES[2]), {"person": ["s", {"email": ["whatever", "new@acme.com"]}]}) is None
    assert state["email"] == "new@acme.com"
