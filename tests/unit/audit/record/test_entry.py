"""Entries against the published vectors, and the parts of a change there and back."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads_core.audit.record import entry as record
from leads_core.audit.record.canonical import NotCanonical, canon
from leads_core.audit.record.entry import PART_OF, EntryRecord, parts_of_change

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "audit_record.json").read_text())
ENTRIES = VECTORS["entries"]
KEYS = [bytes.fromhex(key["key_hex"]) for key in VECTORS["mac_keys"]]
ORIGIN = {"actor_name": "Ana", "ip_address": "203.0.113.7", "user_agent": "Mozilla/5.0"}

sources = st.fixed_dictionaries({"source": st.sampled_from(["dns", "website"]), "confidence": st.integers(0, 100)})
field_values = st.none() | st.integers(0, 3) | st.sampled_from(["a", "b"]) | st.lists(st.just("t"), max_size=1)
leads = st.dictionaries(st.sampled_from(sorted(PART_OF)), field_values).flatmap(
    lambda fields: st.dictionaries(st.sampled_from(sorted(PART_OF)), sources).map(
        lambda provenance: {**fields, "provenance": provenance}
    )
)


def entry_of(row: dict[str, Any]) -> EntryRecord:
    ids = {name: UUID(row[name]) if row[name] else None for name in ("id", "subject_id", "actor_id", "task_id")}
    return EntryRecord(**{**row, **ids, "occurred_at": record.parse_timestamp(row["occurred_at"])})


def known(values: dict[str, Any]) -> dict[str, Any]:
    """Without what is null, and without empty provenance: as replay gives it."""
    return {f: v for f, v in values.items() if v is not None and not (f == "provenance" and v == {})}


@pytest.mark.parametrize("vector", ENTRIES, ids=lambda vector: vector["row"]["action"])
def test_record_and_checksum_are_the_published_ones(vector: dict[str, Any]) -> None:
    entry = entry_of(vector["row"])

    assert {name: record.digest(part) for name, part in entry.parts.items()} == vector["part_digests"]
    assert canon(record.record_of(entry)).decode() == vector["record_canonical"]
    assert record.checksum(entry).hex() == vector["checksum"]


@pytest.mark.parametrize("vector", ENTRIES, ids=lambda vector: vector["row"]["action"])
def test_mac_is_the_published_one(vector: dict[str, Any]) -> None:
    checksum, mac = bytes.fromhex(vector["checksum"]), bytes.fromhex(vector["mac"])

    assert record.mac_is_valid(KEYS, checksum, mac)
    assert mac in [record.mac(key, checksum) for key in KEYS]


@pytest.mark.parametrize("vector", VECTORS["mac_keys"], ids=lambda vector: vector["key_id"])
def test_key_id_is_the_published_one(vector: dict[str, Any]) -> None:
    assert record.key_id(bytes.fromhex(vector["key_hex"])).hex() == vector["key_id"]


def test_mac_of_an_unknown_key_is_not_valid() -> None:
    checksum = bytes(32)

    assert not record.mac_is_valid(KEYS[1:], checksum, record.mac(KEYS[0], checksum))
    assert not record.mac_is_valid([], checksum, record.mac(KEYS[0], checksum))


@given(st.integers(0, 36 * 8 - 1))
def test_mac_with_one_bit_turned_is_not_valid(bit: int) -> None:
    mac = bytearray(record.mac(KEYS[0], bytes(32)))
    mac[bit // 8] ^= 1 << bit % 8

    assert not record.mac_is_valid(KEYS, bytes(32), bytes(mac))
    assert not record.mac_is_valid(KEYS, bytes(32), bytes(mac[:35]))


def test_replay_gives_the_published_states() -> None:
    state: dict[str, Any] = {}
    for vector, expected in zip(ENTRIES, VECTORS["replay"]["states"], strict=False):
        state = record.apply(state, vector["row"]["parts"])
        assert state == expected


def test_checksum_is_the_same_once_a_part_is_its_digest() -> None:
    row = ENTRIES[0]["row"]
    erased = {name: record.digest(part) for name, part in row["parts"].items()}

    assert record.checksum(entry_of({**row, "parts": erased})).hex() == ENTRIES[0]["checksum"]


@pytest.mark.parametrize(
    "part", ["", "A" * 64, "0" * 63, [], ["salt"], ["salt", []], [1, {}], ["salt", {}, 1]], ids=repr
)
def test_what_is_neither_part_nor_digest_is_refused(part: Any) -> None:
    with pytest.raises(NotCanonical):
        record.digest(part)


def test_salts_are_16_bytes_and_differ() -> None:
    salts = {record.new_salt() for _ in range(100)}

    assert len(salts) == 100
    assert {len(salt) for salt in salts} == {22}


@given(st.datetimes(timezones=st.just(UTC)))
def test_time_reads_back_from_its_six_digits(moment: datetime) -> None:
    assert len(record.timestamp(moment)) == len("2026-11-24T18:35:04.123456Z")
    assert record.parse_timestamp(record.timestamp(moment)) == moment


def test_time_is_written_in_utc_whatever_its_zone() -> None:
    moment = datetime(2026, 11, 24, 20, 35, 4, tzinfo=timezone(timedelta(hours=2)))

    assert record.timestamp(moment) == "2026-11-24T18:35:04.000000Z"


def test_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        record.timestamp(datetime(2026, 11, 24))  # noqa: DTZ001  # what is refused


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T18:35:04Z",
        "2026-11-24 18:35:04.000000Z",
        "2026-11-24T18:35:04.000000+00:00",
        "٢026-11-24T18:35:04.000000Z",
    ],
)
def test_other_spellings_of_a_time_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="recorded time"):
        record.parse_timestamp(text)


def test_creation_has_every_field_that_is_not_null() -> None:
    after = {"email": "ana@acme.com", "phone": None, "tags": [], "is_manual": False, "notes": None, "provenance": {}}

    parts = parts_of_change(None, after, ORIGIN)

    assert {name: part[1] for name, part in parts.items()} == {
        "origin": ORIGIN,
        "person": {"email": [None, "ana@acme.com"]},
        "data": {"tags": [None, []], "is_manual": [None, False]},
    }


def test_change_has_only_the_fields_that_changed() -> None:
    before = {"email": "ana@acme.com", "stage": "new", "notes": "call"}

    parts = parts_of_change(before, {**before, "stage": "won"}, ORIGIN)

    assert {name: part[1] for name, part in parts.items()} == {"origin": ORIGIN, "data": {"stage": ["new", "won"]}}


def test_change_of_nothing_has_its_origin_only() -> None:
    assert list(parts_of_change({"stage": "new"}, {"stage": "new"}, {})) == ["origin"]


def test_origin_always_has_its_three_fields() -> None:
    assert parts_of_change(None, None, {"actor_name": "Ana"})["origin"][1] == {
        "actor_name": "Ana",
        "ip_address": None,
        "user_agent": None,
    }


def test_finished_origin_is_shared_with_its_salt() -> None:
    origin = record.origin_part("Ana", "203.0.113.7", None)

    parts = parts_of_change(None, {"stage": "new"}, origin)

    assert parts["origin"] is origin
    assert record.origin_of(parts) == {"actor_name": "Ana", "ip_address": "203.0.113.7", "user_agent": None}


def test_erased_origin_is_null_in_every_field() -> None:
    assert record.origin_of({"origin": "0" * 64}) == {"actor_name": None, "ip_address": None, "user_agent": None}


def test_provenance_is_split_by_part_and_null_stands_for_none() -> None:
    dns = {"source": "dns", "confidence": 80}
    before = {"provenance": {"city": dns, "phone": dns}}
    after = {"provenance": {"phone": dns, "description": dns}}

    parts = parts_of_change(before, after, ORIGIN)

    assert {name: part[1] for name, part in parts.items() if name != "origin"} == {
        "data": {"provenance": [{"city": dns}, None]},
        "text": {"provenance": [None, {"description": dns}]},
    }


def test_field_without_a_part_is_refused() -> None:
    with pytest.raises(KeyError):
        parts_of_change({"version": 1}, {"version": 1}, ORIGIN)


def test_erased_parts_are_named_and_their_values_unknown() -> None:
    parts = {**parts_of_change(None, {"email": "ana@acme.com", "stage": "new"}, ORIGIN), "person": "0" * 64}

    assert record.old_and_new(parts) == ({"stage": None}, {"stage": "new"}, ["person"])
    assert "email" in record.fields_of("person")


@given(leads, leads)
def test_parts_of_a_change_take_the_state_from_before_to_after(before: dict[str, Any], after: dict[str, Any]) -> None:
    parts = parts_of_change(before, after, ORIGIN)

    assert record.apply(known(before), parts) == known(after)
    assert record.apply(record.apply({}, parts_of_change(None, before, ORIGIN)), parts) == known(after)


@given(leads, leads)
def test_old_and_new_values_are_those_that_differ(before: dict[str, Any], after: dict[str, Any]) -> None:
    old, new, erased = record.old_and_new(parts_of_change(before, after, ORIGIN))

    differing = {f for f in PART_OF if before.get(f) != after.get(f)}
    assert set(old) - {"provenance"} == set(new) - {"provenance"} == differing
    assert all((old[f], new[f]) == (before.get(f), after.get(f)) for f in differing)
    assert ("provenance" in old) == (before["provenance"] != after["provenance"])
    assert erased == []


@given(leads)
def test_every_part_of_a_lead_has_a_digest(lead: dict[str, Any]) -> None:
    parts = parts_of_change(None, lead, ORIGIN)

    assert all(len(record.digest(part)) == 64 for part in parts.values())
