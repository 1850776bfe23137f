"""How lists are answered at 100,000 leads: from indexes, in at most two statements, whatever the parameters."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from leads_core.context import SYSTEM_ACTOR_ID, RequestContext
from leads_core.database import Database, asyncpg_url
from leads_core.leads import seeding
from leads_core.leads.duplicates import duplicates_of
from leads_core.leads.filters import LeadFilter
from leads_core.leads.likely_duplicates import page_of_pairs
from leads_core.leads.list_sql import FEW
from leads_core.leads.ordering import BIN_FIELDS, LIVE_FIELDS, Sort
from leads_core.leads.queries import Reader, page_of_leads
from leads_core.paging import Cursors, Page
from leads_core.settings import Settings
from tests.conftest import in_database

CURSORS = Cursors("a secret for tests")
ME = UUID("0193f5a0-0000-7000-8000-00000000000a")
LEADS = 100_000
#: Any number, but always the same: who seeds the database holds this lock.
SEEDING = 4_226_213

FILTERS: tuple[dict[str, list[str]], ...] = (
    {},
    {"stage": ["new"]},
    {"stage": ["won"]},
    {"stage": ["won", "lost"], "enrichment_status": ["!completed"]},
    {"is_manual": ["true"], "source": ["form"], "has_email": ["false"]},
    {"owner": ["me"]},
    {"owner": ["none"]},
    {"owner": ["!none"]},
    {"tag": ["vip"]},
    {"tag": ["vip", "cold"], "stage": ["new"]},
    {"domain": ["notion.so"]},
    {"registrable_domain": ["notion.so"], "stage": ["won"]},
    {"country": ["DE"]},
    {"country": ["DE", "FR"], "stage": ["lost"], "owner": ["none"]},
    {"country": ["!DE"]},
    {"country": ["none"]},
    {"tag": ["none"]},
    {"tag": ["!none"], "stage": ["won"]},
    {"domain": ["none"]},
    {"follow_up": ["none"]},
    {"follow_up": ["!none"]},
    {"updated_by": ["me"]},
    {"updated_by": ["!me"], "updated_from": ["2026-01-01"]},
    {"created_from": ["2026-01-01"], "created_to": ["2026-02-01"]},
    {"created_from": ["2026-01-01"], "stage": ["won"]},
    {"updated_from": ["2026-01-01"], "country": ["PL"]},
    {"follow_up_from": ["2026-01-01"], "follow_up_to": ["2026-01-03"]},
    {"checked_to": ["2026-01-01"]},
    {"checked_to": ["2024-12-02"], "stage": ["new"]},
    {"q": ["ac"]},
)
SEARCHES: tuple[dict[str, list[str]], ...] = (
    {"q": ["ana"]},
    {"q": ["zzzzzz"]},
    {"q": ["meyer"], "stage": ["won"]},
    {"q": ["meyer"], "stage": ["new"], "country": ["DE"]},
    {"q": ["meyer"], "owner": ["none"], "tag": ["vip"]},
)


class Watched:
    """A reader that remembers what it was asked."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    async def fetch(self, statement: str, *values: Any) -> Any:
        self.asked.append((statement, values))
        return await self._reader.fetch(statement, *values)

    async def fetchrow(self, statement: str, *values: Any) -> Any:
        self.asked.append((statement, values))
        return await self._reader.fetchrow(statement, *values)


@pytest.fixture(scope="session")
async def seeded(server_url: str, template: str, settings: Settings) -> AsyncIterator[Database]:
    """100,000 seeded leads: made once for each server and schema, and only read."""
    name = f"{template}_seeded"
    url = in_database(server_url, name)
    owner = await asyncpg.connect(asyncpg_url(server_url))
    await owner.execute("SELECT pg_advisory_lock($1)", SEEDING)
    if not await owner.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
        await owner.execute(f'CREATE DATABASE "{name}_draft" TEMPLATE "{template}"')
        await _seed(in_database(server_url, f"{name}_draft"))
        await owner.execute(f'ALTER DATABASE "{name}_draft" RENAME TO "{name}"')
    await owner.close()
    database = Database(settings.model_copy(update={"database_url": url}))
    yield database
    await database.close()


async def _seed(url: str) -> None:
    who = RequestContext("system", SYSTEM_ACTOR_ID, "tests", "cli", "local", "tests", "seeding")
    owner = await asyncpg.connect(asyncpg_url(url))
    await owner.execute(
        "INSERT INTO users (id, name, role, version, created_at) VALUES ($1, 'Ana', 'editor', 1, now())", ME
    )
    await seeding.seed(url, b"k" * 32, who, LEADS)
    await owner.execute("SELECT fold_lead_counts()")
    await owner.execute("VACUUM ANALYZE")
    await owner.close()


def described(address: dict[str, list[str]]) -> str:
    return "&".join(f"{name}={','.join(given)}" for name, given in address.items()) or "all"


@pytest.mark.parametrize("address", FILTERS, ids=described)
async def test_every_filter_in_every_order_is_answered_from_indexes(
    seeded: Database, address: dict[str, list[str]]
) -> None:
    wanted = LeadFilter.from_query(address, me=ME)
    for field in LIVE_FIELDS:
        for sort in (Sort(field, descending=True), Sort(field, descending=False)):
            await assert_answered_from_indexes(seeded, wanted, sort)


@pytest.mark.parametrize("field", BIN_FIELDS)
async def test_the_bin_is_answered_from_its_index(seeded: Database, field: str) -> None:
    wanted = LeadFilter.from_query({"deleted": "true", "stage": "won"}, me=ME)
    await assert_answered_from_indexes(seeded, wanted, Sort(field))


@pytest.mark.parametrize("address", SEARCHES, ids=described)
async def test_every_search_is_answered_from_indexes(seeded: Database, address: dict[str, list[str]]) -> None:
    wanted = LeadFilter.from_query(address, me=ME)
    for sort in (Sort(), Sort("created_at", descending=False), Sort("company_name")):
        await assert_answered_from_indexes(seeded, wanted, sort)


async def test_likely_duplicates_of_a_lead_and_all_pairs_are_answered_from_indexes(seeded: Database) -> None:
    """At a domain of many, too: each way reads at most so many."""
    async with seeded.reader() as reader:
        busiest = await reader.fetchval(
            """SELECT (array_agg(id))[1] FROM leads WHERE deleted_at IS NULL AND registrable_domain IS NOT NULL
               GROUP BY registrable_domain ORDER BY count(*) DESC LIMIT 1"""
        )
        watched: Any = Watched(reader)
        await duplicates_of(watched, busiest)
        await page_of_pairs(watched, None, 50, cursors=CURSORS)
        assert len(watched.asked) >= 3
        for statement, values in watched.asked:
            for node in nodes(await generic_plan(reader, statement, values)):
                assert (node["Node Type"], node.get("Relation Name")) != ("Seq Scan", "leads"), statement
                assert node["Node Type"] != "Sort", statement


async def assert_answered_from_indexes(database: Database, wanted: LeadFilter, sort: Sort) -> None:
    """On the first, the next and the last page: two statements at most, no scan of leads, no long sort."""
    page: Page[Any] | None = None
    for which in ("first", "next", "last", "previous"):
        cursor = None if page is None else {"next": page.next_cursor, "last": page.last_cursor}.get(which)
        if which == "previous" and page is not None:
            cursor = page.previous_cursor
        if which != "first" and cursor is None:
            continue
        async with database.reader() as reader:
            watched: Any = Watched(reader)
            page = await page_of_leads(watched, wanted, sort, cursor, 50, cursors=CURSORS, when_too_broad="newest")
            assert 1 <= len(watched.asked) <= 2
            for statement, values in watched.asked:
                plan = await generic_plan(reader, statement, values)
                for node in nodes(plan):
                    assert (node["Node Type"], node.get("Relation Name")) != ("Seq Scan", "leads"), statement
                    if node["Node Type"] == "Sort":
                        # One row more than are sorted tells that there are too many.
                        assert sorted_rows(node) <= FEW + 1, statement


async def generic_plan(reader: Reader, statement: str, values: tuple[Any, ...]) -> dict[str, Any]:
    """The plan that a prepared statement of the readers' pool has, for all parameters (PostgreSQL 15 too)."""
    await reader.execute(f"PREPARE looked_at AS {statement}")
    given = ", ".join(["NULL"] * len(values))
    explained = await reader.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE looked_at{f'({given})' if given else ''}")
    await reader.execute("DEALLOCATE looked_at")
    found: dict[str, Any] = json.loads(explained)[0]["Plan"]
    return found


def sorted_rows(sort: dict[str, Any]) -> int:
    """How many rows the planner expects to go into a sort."""
    return sum(child["Plan Rows"] for child in sort["Plans"] if child["Parent Relationship"] == "Outer")


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)
