"""How flat lists are: each operation at 10,000 leads against a million, as a ratio of medians. `make bench` runs it.

Needs DATABASE_URL of a server's owner, where it makes two databases and keeps them for the next run; without one it
starts the embedded server. Prints a table; exit status 1 when something is steeper than its goal (LISTS: pages 1.2,
filters 1.5 or half a millisecond more, searches 2 or 10 ms).
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID

import asyncpg
from alembic import command
from alembic.config import Config

from leads_core.context import SYSTEM_ACTOR_ID, RequestContext
from leads_core.database import Database, asyncpg_url
from leads_core.embedded_postgres import server_for_tests
from leads_core.leads import seeding
from leads_core.leads.filters import LeadFilter
from leads_core.leads.ordering import Sort
from leads_core.leads.queries import page_of_leads
from leads_core.paging import Cursors
from leads_core.settings import Settings
from tests.conftest import in_database

ROOT = Path(__file__).parents[2]
CURSORS = Cursors("a secret for measuring")
ME = UUID("0193f5a0-0000-7000-8000-00000000000a")


@dataclass(frozen=True, slots=True)
class Operation:
    """What is measured, and its goal: at most `ratio` times as long, or `more` milliseconds longer."""

    name: str
    address: dict[str, str]
    sort: str | None = None
    page: str = "first"
    ratio: float = 1.2
    more: float = 0.3


def _filter(name: str, sort: str | None = None, **address: str) -> Operation:
    return Operation(name, address, sort, ratio=1.5, more=0.5)


def _search(name: str, **address: str) -> Operation:
    return Operation(name, address, ratio=2.0, more=10.0)


OPERATIONS = (
    Operation("first page", {}),
    Operation("next page", {}, page="next"),
    Operation("last page", {}, page="last"),
    *(
        Operation(f"sort {sort}", {}, sort)
        for sort in ("-updated_at", "company_name", "-company_name", "email", "stage")
    ),
    _filter("stage=new (70 %)", stage="new"),
    _filter("stage=won (2 %)", stage="won"),
    _filter("stage=won, failed", stage="won", enrichment_status="failed"),
    _filter("stage=won, failed, by form", stage="won", enrichment_status="failed", source="form"),
    _filter("stage=won by company", sort="company_name", stage="won"),
    _filter("owner=me", owner="me"),
    _filter("tag=vip", tag="vip"),
    _filter("country=PL, stage=lost", country="PL", stage="lost"),
    _filter("registrable_domain", registrable_domain="koyeb.com"),
    _search("search ana (frequent)", q="ana"),
    _search("search yilmaz", q="yılmaz"),
    _search("search koyeb", q="koyeb"),
    _search("search one email", q="ana.diaz7"),
    _search("search nothing", q="zzzzqq"),
    _search("search meyer, stage=won", q="meyer", stage="won"),
    _search("search meyer, two filters", q="meyer", stage="won", source="form"),
)


async def measure(database: Database, operation: Operation, rounds: int) -> float:
    """The median in milliseconds, the connection's statements prepared."""
    wanted, sort = LeadFilter.from_query(operation.address, me=ME), Sort.parse(operation.sort)
    async with database.reader() as reader:
        cursor: str | None = None
        if operation.page != "first":
            first = await page_of_leads(reader, wanted, sort, None, 50, cursors=CURSORS)
            cursor = first.next_cursor if operation.page == "next" else first.last_cursor
        took: list[float] = []
        for _ in range(rounds):
            began = perf_counter()
            await page_of_leads(reader, wanted, sort, cursor, 50, cursors=CURSORS)
            took.append((perf_counter() - began) * 1000)
    return statistics.median(took[rounds // 5 :])


async def prepared(server_url: str, count: int) -> Database:
    """A database of so many seeded leads, made unless it is there."""
    name = f"leads_bench_{count}"
    url = in_database(server_url, name)
    owner = await asyncpg.connect(asyncpg_url(server_url))
    missing = not await owner.fetchval("SELECT true FROM pg_database WHERE datname = $1", name)
    if missing:
        print(f"Seeding {count:,} leads ...", file=sys.stderr)
        await owner.execute(f'CREATE DATABASE "{name}"')
        await asyncio.to_thread(_migrate, url)
        await _seed(url, count)
    await owner.close()
    return Database(Settings(database_url=url), pool_size=2)


async def _seed(url: str, count: int) -> None:
    owner = await asyncpg.connect(asyncpg_url(url))
    await owner.execute(
        "INSERT INTO users (id, name, role, version, created_at) VALUES ($1, 'Ana', 'editor', 1, now())", ME
    )
    who = RequestContext("system", SYSTEM_ACTOR_ID, "bench", "cli", "local", "bench", "seeding")
    await seeding.seed(url, b"k" * 32, who, count)
    await owner.execute("SELECT fold_lead_counts()")
    await owner.execute("VACUUM ANALYZE")
    await owner.close()


def _migrate(url: str) -> None:
    config = Config(str(ROOT / "alembic.ini"))
    config.attributes["url"] = url
    command.upgrade(config, "head")


async def run(server_url: str, small: int, large: int, rounds: int) -> int:
    databases = [await prepared(server_url, count) for count in (small, large)]
    print(f"{'operation':32}{small:>12,}{large:>12,}{'ratio':>8}   (p50 in ms)")
    steep = 0
    for operation in OPERATIONS:
        first, second = [await measure(database, operation, rounds) for database in databases]
        flat = second <= first * operation.ratio or second <= first + operation.more
        steep += not flat
        print(f"{operation.name:32}{first:12.2f}{second:12.2f}{second / first:8.2f}{'' if flat else '   STEEP'}")
    for database in databases:
        await database.close()
    return 1 if steep else 0


def main(arguments: Any = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=60)
    given = parser.parse_args(arguments)
    return asyncio.run(run(server_for_tests(ROOT / ".leads" / "bench"), given.small, given.large, given.rounds))


if __name__ == "__main__":
    sys.exit(main())
