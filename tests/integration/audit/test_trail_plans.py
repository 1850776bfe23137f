"""How the trail over everything is answered at 100,000 entries: from an index, looking at no more than a walk."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from leads_core.audit.entry_filter import EntryFilter
from leads_core.audit.log.state import log_state
from leads_core.audit.searching import count, page_of_entries
from leads_core.audit.walking import WALK
from leads_core.database import Database, asyncpg_url
from leads_core.paging import Cursors
from leads_core.settings import Settings
from tests.conftest import in_database

CURSORS = Cursors("a secret for tests")
ENTRIES = 100_000
#: Any number, but always the same: who fills the database holds this lock.
FILLING = 4_226_215
BULK, RARE = "0193f5a0-0000-7000-8000-0000000000a1", "0193f5a0-0000-7000-8000-0000000000a2"
NOBODY = "0193f5a0-0000-7000-8000-0000000000a3"

#: Nearly everything is one import's; what is rare is at the very beginning, furthest from the newest.
FILL = f"""
    INSERT INTO audit_log
    SELECT (lpad(to_hex(1793000000000 + n * 10), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
           CASE WHEN n % 1000 = 3 THEN 'user' WHEN n = 4 THEN 'token' ELSE 'lead' END,
           CASE WHEN n % 1000 = 3 THEN '{BULK}'::uuid ELSE gen_random_uuid() END,
           CASE WHEN n % 1000 = 3 THEN NULL ELSE 1 END,
           CASE WHEN n % 1000 = 3 THEN 'SIGN_IN' WHEN n = 5 THEN 'DELETE' WHEN n = 6 THEN 'UPDATE' ELSE 'CREATE' END,
           CASE WHEN n = 7 THEN 'token' ELSE 'user' END,
           CASE WHEN n = 7 THEN '{RARE}'::uuid ELSE '{BULK}'::uuid END,
           CASE WHEN n = 8 THEN 'cli' WHEN n % 1000 = 3 THEN 'web' ELSE 'import' END,
           CASE WHEN n % 1000 = 3 THEN 'r-' || n ELSE 'the import' END,
           CASE WHEN n % 1000 = 3 THEN NULL WHEN n = 9 THEN '{RARE}'::uuid ELSE '{BULK}'::uuid END,
           to_timestamp((1793000000000 + n * 10) / 1000.0), 1,
           '{{"origin": ["s", {{}}], "data": ["s", {{"city": [null, "Bonn"]}}]}}', 'c', 'm'
    FROM generate_series(1, {ENTRIES}) n
"""
LOG = """
    INSERT INTO audit_leaves SELECT row_number() OVER (ORDER BY id) - 1, id, decode(repeat('00', 32), 'hex')
    FROM audit_log
"""
#: An entry each hundredth of a second from here on.
BEGINNING = datetime.fromtimestamp(1_793_000_000, UTC)

FILTERS: tuple[dict[str, list[str]], ...] = (
    {},
    {"actor": [BULK]},
    {"actor": [RARE]},
    {"actor": [NOBODY]},
    {"actor": ["system"]},
    {"actor_kind": ["token"]},
    {"actor_kind": ["anonymous"]},
    {"action": ["CREATE"]},
    {"action": ["UPDATE"]},
    {"action": ["DELETE"]},
    {"action": ["DELETE", "ERASE", "SIGN_IN"]},
    {"action": ["DELETE", "UPDATE"]},
    {"action": ["MERGE"], "actor": [BULK]},
    {"channel": ["cli"]},
    {"channel": ["web", "api"]},
    {"channel": ["cli", "worker"]},
    {"subject_kind": ["lead"]},
    {"subject_kind": ["user"]},
    {"subject_kind": ["token", "export", "log"]},
    {"subject_id": [BULK]},
    {"subject_id": [NOBODY]},
    {"field": ["stage"]},
    {"field": ["city"], "actor": [BULK]},
    {"task_id": [BULK]},
    {"task_id": [RARE]},
    {"task_id": [BULK], "action": ["DELETE"]},
    {"request_id": ["r-50003"]},
    {"request_id": ["r-nobody"]},
    {"occurred_from": ["2026-10-26T06:00:00Z"], "occurred_to": ["2026-10-26T06:01:00Z"]},
    {"occurred_to": ["2026-10-01"]},
    {"occurred_from": ["2026-10-01"], "occurred_to": ["2026-11-30"]},
    {"occurred_from": ["2026-10-26"], "actor": [RARE], "channel": ["cli"], "field": ["stage"]},
)


class Watched:
    """A reader that remembers what it was asked."""

    def __init__(self, reader: asyncpg.Connection) -> None:
        self._reader = reader
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    async def fetch(self, statement: str, *values: Any) -> Any:
        self.asked.append((statement, values))
        return await self._reader.fetch(statement, *values)

    async def fetchrow(self, statement: str, *values: Any) -> Any:
        self.asked.append((statement, values))
        return await self._reader.fetchrow(statement, *values)

    async def fetchval(self, statement: str, *values: Any) -> Any:
        self.asked.append((statement, values))
        return await self._reader.fetchval(statement, *values)


@pytest.fixture(scope="module")
async def filled(server_url: str, template: str, settings: Settings) -> AsyncIterator[Database]:
    """100,000 entries: made once for each server and schema, and only read."""
    name = f"{template}_trail"
    owner = await asyncpg.connect(asyncpg_url(server_url))
    await owner.execute("SELECT pg_advisory_lock($1)", FILLING)
    if not await owner.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
        await owner.execute(f'DROP DATABASE IF EXISTS "{name}_draft"')
        await owner.execute(f'CREATE DATABASE "{name}_draft" TEMPLATE "{template}"')
        await _fill(in_database(server_url, f"{name}_draft"))
        await owner.execute(f'ALTER DATABASE "{name}_draft" RENAME TO "{name}"')
    await owner.close()
    database = Database(settings.model_copy(update={"database_url": in_database(server_url, name)}), pool_size=2)
    yield database
    await database.close()


async def _fill(url: str) -> None:
    owner = await asyncpg.connect(asyncpg_url(url))
    await owner.execute(FILL)
    await owner.execute(LOG)
    await owner.execute("VACUUM ANALYZE audit_log")
    await owner.execute("VACUUM ANALYZE audit_leaves")
    await owner.execute("SELECT brin_summarize_new_values('ix_audit_log_request_id')")
    await owner.close()


def described(address: dict[str, list[str]]) -> str:
    return "&".join(f"{name}={','.join(given)}" for name, given in address.items()) or "all"


@pytest.mark.parametrize("address", FILTERS, ids=described)
async def test_no_filter_walks_the_trail(filled: Database, address: dict[str, list[str]]) -> None:
    wanted = EntryFilter.from_query(address)
    cursor = None
    for _ in range(3):
        async with filled.reader() as reader:
            watched: Any = Watched(reader)
            page = await page_of_entries(watched, wanted, cursor, 50, cursors=CURSORS, with_origin=True)
            for statement, values in watched.asked:
                plan = await run(reader, statement, values)
                for node in nodes(plan):
                    assert_bounded(node, statement)
        cursor = page.next_cursor
        if cursor is None:
            break


async def test_the_state_of_the_log_walks_nothing(filled: Database) -> None:
    async with filled.reader() as reader:
        watched: Any = Watched(reader)
        await log_state(watched)
        for statement, values in watched.asked:
            for node in nodes(await run(reader, statement, values)):
                assert_bounded(node, statement)


async def test_what_is_rare_is_found_on_the_first_page_however_old(filled: Database) -> None:
    rare: tuple[dict[str, list[str]], ...] = (
        {"actor": [RARE]},
        {"action": ["DELETE"]},
        {"subject_kind": ["token"]},
        {"channel": ["cli"]},
        {"task_id": [RARE]},
        {"request_id": ["r-3"]},
    )
    for address in rare:
        async with filled.reader() as reader:
            page = await page_of_entries(
                reader, EntryFilter.from_query(address), None, 50, cursors=CURSORS, with_origin=True
            )
        assert (len(page.items), page.next_cursor) == (1, None), address


async def test_a_rare_combination_says_how_far_it_looked_and_is_found_by_going_on(filled: Database) -> None:
    wanted = EntryFilter.from_query({"action": ["UPDATE"]})
    found, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        async with filled.reader() as reader:
            page = await page_of_entries(reader, wanted, cursor, 50, cursors=CURSORS, with_origin=True)
        found += page.items
        cursor, pages = page.next_cursor, pages + 1
        assert (page.searched_to is not None) == (cursor is not None)

    assert (len(found), pages) == (1, ENTRIES // WALK + 1)


async def test_a_count_stops_at_the_end_of_a_walk(filled: Database) -> None:
    async with filled.reader() as reader:
        everybody = await count(reader, EntryFilter.from_query({"actor": [BULK]}))
        all_there_is = await count(reader, EntryFilter())

    assert (everybody.value, everybody.relation) == (WALK, "at_least")
    assert (all_there_is.value, all_there_is.relation) == (ENTRIES, "exact")


async def test_a_stretch_of_time_that_is_too_long_to_count_is_said_as_about(filled: Database) -> None:
    from_the_fourth = {"occurred_from": [(BEGINNING + timedelta(seconds=400)).isoformat()]}
    async with filled.reader() as reader:
        stretch = await count(reader, EntryFilter.from_query(from_the_fourth))

    assert (stretch.value, stretch.relation) == (ENTRIES - 40_000 + 1, "about")


async def run(reader: asyncpg.Connection, statement: str, values: tuple[Any, ...]) -> dict[str, Any]:
    """The plan that a prepared statement of the readers' pool has for all parameters, run with these."""
    types = (await reader.prepare(statement)).get_parameters()
    await reader.execute(f"PREPARE looked_at AS {statement}")
    literals = [
        await reader.fetchval(f"SELECT quote_nullable($1::{kind.name})", value) + f"::{kind.name}"
        for kind, value in zip(types, values, strict=True)
    ]
    given = ", ".join(literals)
    explained = await reader.fetchval(
        f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE looked_at{f'({given})' if given else ''}"
    )
    await reader.execute("DEALLOCATE looked_at")
    plan: dict[str, Any] = json.loads(explained)[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def assert_bounded(node: dict[str, Any], statement: str) -> None:
    """No node looks at more entries than a walk has."""
    assert (node["Node Type"], node.get("Relation Name")) != ("Seq Scan", "audit_log"), statement
    looked_at = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    looked_at += node.get("Rows Removed by Index Recheck", 0)
    assert looked_at * node["Actual Loops"] <= WALK + 1, f"{node}\n{statement}"
