"""Seeded leads are as the service would have written them, each with its true entry."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from leads_core.audit.record import entry as record
from leads_core.context import RequestContext
from leads_core.database import Database
from leads_core.leads import normalising, seeding
from leads_core.leads.changing import values_of_new
from leads_core.leads.schemas import LeadCreate, LeadFields, Source

KEY = b"k" * 32


async def seeded(database: Database, owner: asyncpg.Connection, who: RequestContext, count: int) -> list[Any]:
    await seeding.seed(database.url, KEY, who, count)
    return list(await owner.fetch("SELECT * FROM leads ORDER BY arrival"))


async def test_a_seeded_lead_is_what_the_service_would_make_of_its_fields(
    database: Database, owner: asyncpg.Connection, ana: RequestContext
) -> None:
    for row in await seeded(database, owner, ana, 300):
        given = {name: row[name] for name in (*LeadFields.model_fields, "source_detail")}
        wanted = LeadCreate.model_validate(given)
        expected = values_of_new(wanted, Source(row["source"]))
        # Enrichment that has ended is the one thing that a new lead of the service does not have.
        for name in ("enrichment_status", "enrichment_outcome"):
            expected.pop(name, None)
        expected["provenance"] = json.dumps(expected["provenance"])
        assert {name: row[name] for name in expected} == expected
        assert row["contact_sort"] == normalising.sort_key(row["contact_name"])


async def test_a_seeded_leads_entry_has_its_true_checksum_and_replays_to_the_lead(
    database: Database, owner: asyncpg.Connection, ana: RequestContext
) -> None:
    rows = await seeded(database, owner, ana, 200)

    for row in rows:
        entry = await owner.fetchrow("SELECT * FROM audit_log WHERE subject_id = $1", row["id"])
        parts = json.loads(entry["parts"])
        names = [name for name in record.EntryRecord.__slots__ if name != "parts"]
        written = record.EntryRecord(parts=parts, **{name: entry[name] for name in names})
        assert entry["checksum"] == record.checksum(written)
        assert record.mac_is_valid([KEY], entry["checksum"], entry["mac"])
        assert record.origin_of(parts)["actor_name"] == ana.actor_name
        state = record.apply({}, parts)
        assert state == {name: in_entry(row[name]) for name in record.PART_OF if row[name] is not None}


async def test_seeded_entries_stand_in_the_trail_in_order_of_their_times(
    database: Database, owner: asyncpg.Connection, ana: RequestContext
) -> None:
    await seeded(database, owner, ana, 100)

    entries = await owner.fetch("SELECT id, occurred_at FROM audit_log ORDER BY id")
    assert [entry["occurred_at"] for entry in entries] == sorted(entry["occurred_at"] for entry in entries)
    assert all(entry["id"].int >> 80 == int(entry["occurred_at"].timestamp() * 1000) for entry in entries)
    assert {entry["id"].version for entry in entries} == {7}


async def test_every_seeded_entry_waits_for_the_log(
    database: Database, owner: asyncpg.Connection, ana: RequestContext
) -> None:
    await seeded(database, owner, ana, 50)

    assert await owner.fetchval("SELECT count(*) FROM audit_pending JOIN audit_log ON id = entry_id") == 50


async def test_seeding_twice_and_in_several_processes_gives_distinct_leads(
    database: Database, owner: asyncpg.Connection, ana: RequestContext
) -> None:
    await seeding.seed(database.url, KEY, ana, 10)
    told: list[int] = []

    await seeding.seed(database.url, KEY, ana, seeding.CHUNK * 4, progress=told.append)

    assert await owner.fetchval("SELECT count(*) FROM leads") == 10 + seeding.CHUNK * 4
    assert await owner.fetchval("SELECT sum(n) FROM lead_counts") == 10 + seeding.CHUNK * 4
    assert told[-1] == seeding.CHUNK * 4


def in_entry(value: Any) -> Any:
    if isinstance(value, datetime):
        return record.timestamp(value)
    return str(value) if isinstance(value, UUID | date) else value
