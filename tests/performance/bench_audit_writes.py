"""What the trail costs a writer: a lead with its entry against the bare two inserts, side by side in one run.

Run: python -m pytest tests/performance/bench_audit_writes.py -s

Bare: one transaction that inserts the lead and a row as wide as its entry into tables with the same columns, indexes
and list triggers; its digests are spaces of the same length, made once. With its entry: the entry is made anew
(salts, digests, checksum, MAC), goes into the trail and into the pending entries, and the lead's foreign key is
checked. Both speak to the database by the same driver with prepared statements. The tests' server does not wait for
the disk, so that the share of the trail is as large as it can be.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson

from leads_core.audit import trail
from leads_core.audit.models import Action
from leads_core.database import asyncpg_url, new_id
from leads_core.leads import changing
from leads_core.leads.row_matching import COLUMNS
from leads_core.leads.schemas import Source
from tests.builders import a_lead

GOAL = 1.25
ROUNDS, TURN, WARM_UP = 24, 100, 400
KEY = bytes(32)
NUMBERS = itertools.count()

LOG_COLUMNS = (*trail.COLUMNS, "checksum", "mac")

Values = dict[str, Any]
Write = Callable[[asyncpg.Connection, int], Awaitable[None]]


async def test_bench_a_lead_with_its_entry_against_two_bare_inserts(owner_url, database, owner, acting):
    await _make_bare_tables(owner)
    one = [await asyncpg.connect(asyncpg_url(owner_url))]
    eight = [await asyncpg.connect(asyncpg_url(owner_url)) for _ in range(8)]
    try:
        gc.freeze()
        await _measured("one writer", one)
        await _measured("eight writers", eight)
    finally:
        for connection in (*one, *eight):
            await connection.close()
        await owner.execute("DROP TABLE bare_log, bare_leads")


async def _measured(name: str, connections: list[asyncpg.Connection]) -> None:
    """Turns of the two, one after the other, so that whatever else the machine does falls on both alike."""
    statements = {write: [await prepare(each) for each in connections] for write, prepare in WRITES.items()}
    milliseconds: dict[str, list[float]] = {write: [] for write in WRITES}
    seconds = dict.fromkeys(WRITES, 0.0)

    async def writer(write: str, place: int, times: int) -> list[float]:
        taken = []
        for _ in range(times):
            began = time.perf_counter()
            await statements[write][place](next(NUMBERS))
            taken.append((time.perf_counter() - began) * 1000)
        return taken

    async def turn(write: str, times: int) -> list[float]:
        share = times // len(connections)
        done = await asyncio.gather(*(writer(write, place, share) for place in range(len(connections))))
        return [each for taken in done for each in taken]

    for write in WRITES:
        await turn(write, WARM_UP)
    for number in range(ROUNDS):
        for write in sorted(WRITES, reverse=bool(number % 2)):
            began = time.perf_counter()
            milliseconds[write] += await turn(write, TURN * len(connections))
            seconds[write] += time.perf_counter() - began

    p50 = {write: statistics.median(taken) for write, taken in milliseconds.items()}
    rate = {write: len(milliseconds[write]) / seconds[write] for write in WRITES}
    for write in WRITES:
        print(f"\n{name}, {write}: p50 {p50[write]:.3f} ms, {rate[write]:,.0f} a second", end="")
    ratio = p50["with its entry"] / p50["bare"]
    print(f"\n{name}: {ratio:.2f} times the bare p50 (goal: {GOAL}), {rate['bare'] / rate['with its entry']:.2f} times")


async def _bare(connection: asyncpg.Connection) -> Callable[[int], Awaitable[None]]:
    log = await connection.prepare(_insert("bare_log", LOG_COLUMNS))
    leads = await connection.prepare(_insert("bare_leads", COLUMNS))
    at = datetime.now(UTC)
    entry = _stored(trail.entry_row(Action.CREATE, new_id(), seq=1, before=None, after=_lead(0)[1], at=at, key=KEY))

    async def write(number: int) -> None:
        lead, _ = _lead(number)
        async with connection.transaction():
            await log.fetch(*({**entry, "id": new_id(), "subject_id": lead["id"]}[name] for name in LOG_COLUMNS))
            await leads.fetch(*(lead[name] for name in COLUMNS))

    return write


async def _with_its_entry(connection: asyncpg.Connection) -> Callable[[int], Awaitable[None]]:
    numbers = ", ".join(f"${place}" for place in range(1, len(LOG_COLUMNS) + 1))
    log = await connection.prepare(
        f"""WITH entry AS (INSERT INTO audit_log ({", ".join(LOG_COLUMNS)}) VALUES ({numbers}) RETURNING id)
            INSERT INTO audit_pending (entry_id) SELECT id FROM entry"""
    )
    leads = await connection.prepare(_insert("leads", COLUMNS))

    async def write(number: int) -> None:
        lead, after = _lead(number)
        at = datetime.now(UTC)
        entry = trail.entry_row(Action.CREATE, lead["id"], seq=1, before=None, after=after, at=at, key=KEY)
        stored = _stored(entry)
        async with connection.transaction():
            await log.fetch(*(stored[name] for name in LOG_COLUMNS))
            await leads.fetch(*(lead[name] for name in COLUMNS))

    return write


WRITES = {"bare": _bare, "with its entry": _with_its_entry}


async def _make_bare_tables(owner: asyncpg.Connection) -> None:
    await owner.execute("CREATE TABLE bare_log (LIKE audit_log INCLUDING ALL)")
    await owner.execute("CREATE TABLE bare_leads (LIKE leads INCLUDING ALL)")
    for trigger in await owner.fetch(
        """SELECT pg_get_triggerdef(oid) AS made FROM pg_trigger
           WHERE tgrelid = 'leads'::regclass AND NOT tgisinternal AND tgname ~ '^leads_(count|tag)_'"""
    ):
        await owner.execute(trigger["made"].replace(" ON public.leads ", " ON bare_leads "))


def _lead(number: int) -> tuple[Values, Values]:
    """A lead's columns, and its values as an entry holds them."""
    wanted = a_lead(email=f"ana{number}@acme{number}.com", contact_name="Ana Díaz", job_title="CPO", country="DE")
    values = changing.values_of_new(wanted, Source.API)
    at = datetime.now(UTC)
    lead = {**dict.fromkeys(COLUMNS), **values, "id": new_id(), "version": 1, "created_at": at, "updated_at": at}
    lead |= changing.list_columns(lead["email"], lead["domain"], lead["company_name"], lead["contact_name"])
    return {**lead, "provenance": "{}"}, {name: value for name, value in values.items() if value is not None}


def _stored(entry: Values) -> Values:
    return {**entry, "parts": orjson.dumps(entry["parts"]).decode()}


def _insert(table: str, columns: tuple[str, ...]) -> str:
    numbers = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({numbers})"
