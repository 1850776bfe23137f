"""What was not written by the app never enters the log, is reported, and holds up nobody."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from structlog.testing import capture_logs

from leads_core.audit import trail
from leads_core.audit.log import taking
from leads_core.audit.log.sequencer import Sequencer
from leads_core.audit.log.state import log_state
from leads_core.audit.models import Action
from leads_core.audit.record import entry as record
from leads_core.context import RequestContext
from leads_core.database import Database
from leads_core.settings import Settings
from tests.integration.audit.log.conftest import Contradictions, Write

LEAD = UUID("0193f5a0-0000-7000-8000-0000000000aa")
COLUMNS = (*trail.COLUMNS, "checksum", "mac")
INSERT = (
    f"INSERT INTO audit_log ({', '.join(COLUMNS)}) VALUES ({', '.join(f'${n}' for n in range(1, len(COLUMNS) + 1))})"
)


@pytest.fixture
def honest(acting: RequestContext, settings: Settings) -> dict[str, Any]:
    """A row of audit_log as the app would write it, not written yet."""
    return trail.entry_row(
        Action.CREATE,
        LEAD,
        seq=1,
        before=None,
        after={"email": "ana@acme.com", "stage": "new"},
        at=trail.now(),
        key=settings.mac_keys[0],
    )


async def forge(owner: asyncpg.Connection, row: dict[str, Any]) -> UUID:
    """Write a row past the app, and have it wait for the log."""
    parts = row["parts"].decode() if isinstance(row["parts"], bytes) else json.dumps(row["parts"])
    await owner.execute(INSERT, *(parts if name == "parts" else row[name] for name in COLUMNS))
    await owner.execute("INSERT INTO audit_pending VALUES ($1)", row["id"])
    return UUID(str(row["id"]))


def with_checksum(row: dict[str, Any], key: bytes) -> dict[str, Any]:
    """The row with a checksum that is right for what it says, and a MAC by this key."""
    facts = {name: row[name] for name in trail.COLUMNS}
    checksum = record.checksum(record.EntryRecord(**facts))
    return {**row, "checksum": checksum, "mac": record.mac(key, checksum)}


FORGERIES = {
    "no checksum of ours": (lambda row: {**row, "checksum": bytes(32)}, taking.WRONG_CHECKSUM),
    "a checksum of another length": (lambda row: {**row, "checksum": row["checksum"][:31]}, taking.WRONG_CHECKSUM),
    "another actor": (lambda row: {**row, "actor_id": LEAD}, taking.WRONG_CHECKSUM),
    "another time": (lambda row: {**row, "occurred_at": trail.now()}, taking.WRONG_CHECKSUM),
    "another value": (
        lambda row: {**row, "parts": {**row["parts"], "data": [record.new_salt(), {"stage": [None, "won"]}]}},
        taking.WRONG_CHECKSUM,
    ),
    "another version of the record": (lambda row: {**row, "v": 2}, taking.WRONG_CHECKSUM),
    "a MAC of zeros": (lambda row: {**row, "mac": bytes(36)}, taking.WRONG_MAC),
    "no MAC": (lambda row: {**row, "mac": b""}, taking.WRONG_MAC),
    "a MAC by a key of one's own": (lambda row: with_checksum(row, b"\x07" * 32), taking.WRONG_MAC),
    "the MAC of another checksum": (
        lambda row: {**with_checksum({**row, "seq": 2}, b"\x07" * 32), "mac": row["mac"]},
        taking.WRONG_MAC,
    ),
    "no parts": (lambda row: {**row, "parts": None}, taking.MALFORMED),
    "parts that are a list": (lambda row: {**row, "parts": [1]}, taking.MALFORMED),
    "parts that are a text": (lambda row: {**row, "parts": "x"}, taking.MALFORMED),
    "a part without a salt": (lambda row: {**row, "parts": {"data": [{}]}}, taking.MALFORMED),
    "a part that is no digest": (lambda row: {**row, "parts": {"data": "ABC"}}, taking.MALFORMED),
    "a part that is a number": (lambda row: {**row, "parts": {"data": 7}}, taking.MALFORMED),
    "a fraction": (lambda row: {**row, "parts": {"data": ["s", {"stage": [None, 1.5]}]}}, taking.MALFORMED),
    "a number beyond 2^53": (lambda row: {**row, "parts": {"data": ["s", {"n": [None, 2**60]}]}}, taking.MALFORMED),
    "a number beyond all": (lambda row: {**row, "parts": {"data": ["s", {"n": [None, 10**400]}]}}, taking.MALFORMED),
    "a key that is none": (lambda row: {**row, "parts": {"data": ["s", {"Stage": [None, "x"]}]}}, taking.MALFORMED),
    "parts without end": (
        lambda row: {**row, "parts": {"data": ["s", {"x": json.loads("[" * 900 + "]" * 900)}]}},
        taking.WRONG_CHECKSUM,
    ),
    "parts without any end": (
        lambda row: {**row, "parts": b'{"data": ["s", {"x": ' + b"[" * 1500 + b"]" * 1500 + b"}]}"},
        taking.MALFORMED,
    ),
}


@pytest.mark.parametrize(("spoil", "reason"), FORGERIES.values(), ids=FORGERIES)
async def test_a_forged_entry_is_rejected_with_the_reason_and_the_honest_ones_are_taken(
    sequencer: Sequencer,
    write: Write,
    owner: asyncpg.Connection,
    wrong: Contradictions,
    honest: dict[str, Any],
    spoil: Any,
    reason: str,
) -> None:
    before = await write(1)
    forged = await forge(owner, spoil(honest))
    after = await write(1)

    with capture_logs() as lines:
        done = await sequencer.run_once()

    assert (done.taken, done.rejected) == (2, 1)
    assert [tuple(row) for row in await owner.fetch("SELECT entry_id, reason FROM audit_rejected")] == [
        (forged, reason)
    ]
    logged = [row["entry_id"] for row in await owner.fetch("SELECT entry_id FROM audit_leaves ORDER BY leaf_index")]
    assert logged == [*before, *after]
    assert await owner.fetchval("SELECT count(*) FROM audit_pending") == 0
    assert {"entry_id": str(forged), "reason": reason}.items() <= lines[0].items()
    assert await wrong() == []


@pytest.mark.parametrize(
    "moment", ["'infinity'", "'-infinity'", "'4713-01-01 BC'", "'294276-12-31'", "'0001-01-01Z'", "'9999-12-31'"]
)
async def test_a_time_that_no_clock_shows_holds_up_nobody(
    sequencer: Sequencer,
    write: Write,
    owner: asyncpg.Connection,
    wrong: Contradictions,
    honest: dict[str, Any],
    moment: str,
) -> None:
    forged = await forge(owner, honest)
    await owner.execute(
        f"SET session_replication_role = replica; UPDATE audit_log SET occurred_at = {moment};"
        "SET session_replication_role = DEFAULT"
    )
    await write(1)

    done = await sequencer.run_once()

    assert (done.taken, done.rejected) == (1, 1)
    assert await owner.fetchval("SELECT reason FROM audit_rejected WHERE entry_id = $1", forged) == taking.MALFORMED


async def test_an_id_without_an_entry_is_rejected(
    sequencer: Sequencer, write: Write, owner: asyncpg.Connection, wrong: Contradictions
) -> None:
    await owner.execute("INSERT INTO audit_pending VALUES ($1)", LEAD)
    await write(1)

    done = await sequencer.run_once()

    assert (done.taken, done.rejected) == (1, 1)
    assert await owner.fetchval("SELECT reason FROM audit_rejected WHERE entry_id = $1", LEAD) == taking.NO_ENTRY


async def test_more_forged_entries_than_a_batch_holds_do_not_hold_up_the_honest(
    sequencer: Sequencer,
    write: Write,
    owner: asyncpg.Connection,
    wrong: Contradictions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(taking, "BATCH", 50)
    await owner.execute(
        "INSERT INTO audit_pending SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid"
        " FROM generate_series(1, 120) n"
    )
    await write(5)

    done = await sequencer.run_once()

    assert (done.taken, done.rejected) == (5, 120)
    assert await wrong() == []


async def test_an_entry_that_was_rejected_before_is_rejected_again_without_a_word_twice(
    sequencer: Sequencer, owner: asyncpg.Connection, honest: dict[str, Any]
) -> None:
    forged = await forge(owner, {**honest, "mac": bytes(36)})
    await sequencer.run_once()
    await owner.execute("INSERT INTO audit_pending VALUES ($1)", forged)

    done = await sequencer.run_once()

    assert (done.taken, done.rejected) == (0, 1)
    assert await owner.fetchval("SELECT count(*) FROM audit_rejected") == 1


def with_keys(machine: Settings, *keys: bytes) -> Settings:
    """The machine started with these MAC keys: the first one writes, all verify."""
    return Settings(
        database_url=machine.database_url,
        data_dir=machine.data_dir,
        audit_mac_keys=",".join(key.hex() for key in keys),
    )


async def test_an_honest_entry_is_taken_whatever_the_key_it_was_written_with(
    database: Database, machine: Settings, owner: asyncpg.Connection, honest: dict[str, Any], wrong: Contradictions
) -> None:
    old = b"\x07" * 32
    await forge(owner, with_checksum(honest, old))

    done = await Sequencer(database, with_keys(machine, *machine.mac_keys, old)).run_once()

    assert (done.taken, done.rejected) == (1, 0)
    assert await wrong() == []


async def test_entries_of_a_key_that_the_worker_did_not_know_yet_are_taken_once_it_does(
    database: Database, machine: Settings, owner: asyncpg.Connection, honest: dict[str, Any], wrong: Contradictions
) -> None:
    """The app was started with a new MAC key, the worker still runs with the old one."""
    new = b"\x07" * 32
    early = await forge(owner, with_checksum(honest, new))
    forged = await forge(owner, {**with_checksum({**honest, "id": LEAD, "seq": 2}, new), "mac": honest["mac"]})
    refused = await Sequencer(database, machine).run_once()

    done = await Sequencer(database, with_keys(machine, new, *machine.mac_keys)).run_once()

    assert (refused.taken, refused.rejected) == (0, 2)
    assert (done.taken, done.rejected) == (1, 0)
    assert [row[0] for row in await owner.fetch("SELECT entry_id FROM audit_leaves")] == [early]
    assert await owner.fetchval("SELECT count(*) FROM audit_rejected WHERE entry_id = $1", forged) == 1
    async with database.reader() as reader:
        assert (await log_state(reader)).rejected == 1
    assert await wrong() == []
