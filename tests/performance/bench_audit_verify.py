"""How fast `leads audit verify` reads the trail, in how much memory, and how fast one lead. `make bench` runs it.

Needs LEADS_TEST_OWNER_URL of a server's owner, where it makes a database for each size and keeps it for the next run;
without one it starts the tests' server. Every fourth entry creates a lead, the others change one; all are in the log.
Prints entries/s and the peak memory of the verifying process; exit status 1 when a goal is missed (30,000 entries/s,
100 MiB, 50 ms for a lead).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg
import orjson
from alembic import command
from alembic.config import Config

from leads_core.audit import trail
from leads_core.audit.log.sequencer import Sequencer
from leads_core.audit.models import Action
from leads_core.audit.verification.sources import DatabaseSource
from leads_core.audit.verification.verifier import Trusted, verify, verify_lead
from leads_core.context import SYSTEM_ACTOR_ID, RequestContext, acting_as
from leads_core.database import Database, asyncpg_url
from leads_core.embedded_postgres import server_for_tests
from leads_core.leads import seeding
from leads_core.settings import Settings
from tests.conftest import in_database

ROOT = Path(__file__).parents[2]
BENCH = RequestContext("system", SYSTEM_ACTOR_ID, "bench", "cli", "local", "bench", "measuring")
#: Entries of each lead.
VERSIONS = 4
CHUNK = 5_000
#: The command, which says at its end how much memory it had at most. What wait() tells of a child is also what the
#: process had that began it, and of all children the greatest: the initdb of a fresh clone.
SAYS_ITS_PEAK = """
import atexit, sys
atexit.register(lambda: sys.stderr.write(open("/proc/self/status").read()))
from console.cli import main
sys.exit(main())
"""
PEAK = re.compile(r"VmHWM:\s*(\d+) kB")
SPEED, MEMORY, LEAD = 30_000, 100, 50.0
STAGES = ("new", "contacted", "qualified", "won")

FINISH = """
    UPDATE leads l SET version = n.version, stage = n.stage, notes = n.notes, updated_at = n.at, updated_by = $6
    FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::timestamptz[]) AS n (id, version, stage, notes, at)
    WHERE l.id = n.id
"""


def settings_of(server_url: str, entries: int) -> Settings:
    """The database of this size, and the keys that its entries were made with."""
    folder = ROOT / ".leads" / "bench_verify" / str(entries)
    return Settings(database_url=in_database(server_url, f"leads_bench_verify_{entries}"), data_dir=folder)


async def prepare(server_url: str, entries: int) -> Settings:
    """Make the database of this size, unless it is there."""
    settings = settings_of(server_url, entries)
    name = f"leads_bench_verify_{entries}"
    owner = await asyncpg.connect(asyncpg_url(server_url))
    if await owner.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
        await owner.close()
        return settings
    print(f"Writing {entries:,} entries ...", file=sys.stderr)
    draft = settings.model_copy(update={"database_url": in_database(server_url, f"{name}_draft")})
    await owner.execute(f'DROP DATABASE IF EXISTS "{name}_draft"')
    await owner.execute(f'CREATE DATABASE "{name}_draft"')
    await asyncio.to_thread(_migrate, str(draft.database_url))
    settings.checkpoint_file.unlink(missing_ok=True)
    with acting_as(BENCH):
        await seeding.seed(str(draft.database_url), draft.mac_keys[0], BENCH, entries // VERSIONS)
        await _change_all(draft)
        database = Database(draft, pool_size=2, limits=False)
        await Sequencer(database, draft).run_once()
        await database.close()
    finished = await asyncpg.connect(asyncpg_url(str(draft.database_url)))
    await finished.execute("VACUUM ANALYZE")
    await finished.close()
    await owner.execute(f'ALTER DATABASE "{name}_draft" RENAME TO "{name}"')
    await owner.close()
    return settings


async def _change_all(settings: Settings) -> None:
    """Three more versions of every lead, each with its entry."""
    owner = await asyncpg.connect(asyncpg_url(str(settings.database_url)))
    await owner.execute("SET session_replication_role = replica")
    leads = await owner.fetch("SELECT id, stage, notes FROM leads ORDER BY id")
    entry_of = partial(trail.entry_row, Action.UPDATE, key=settings.mac_keys[0])
    for start in range(0, len(leads), CHUNK):
        states = [dict(lead) for lead in leads[start : start + CHUNK]]
        for version in range(2, VERSIONS + 1):
            at, rows = datetime.now(UTC), []
            for state in states:
                before = {"stage": state["stage"], "notes": state["notes"]}
                state |= {"stage": STAGES[version % len(STAGES)], "notes": f"Called for the {version}. time.", "at": at}
                after = {"stage": state["stage"], "notes": state["notes"]}
                rows.append(entry_of(state["id"], seq=version, before=before, after=after, at=at))
            await _copy(owner, rows)
        await owner.execute(
            FINISH,
            [state["id"] for state in states],
            [VERSIONS] * len(states),
            [state["stage"] for state in states],
            [state["notes"] for state in states],
            [state["at"] for state in states],
            SYSTEM_ACTOR_ID,
        )
    await owner.close()


async def _copy(owner: asyncpg.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    names = (*trail.COLUMNS, "checksum", "mac")
    records = [tuple(orjson.dumps(row[n]).decode() if n == "parts" else row[n] for n in names) for row in rows]
    await owner.copy_records_to_table("audit_log", records=records, columns=names)
    await owner.copy_records_to_table("audit_pending", records=[(row["id"],) for row in rows])


def _migrate(url: str) -> None:
    config = Config(str(ROOT / "alembic.ini"))
    config.attributes["url"] = url
    command.upgrade(config, "head")


async def seconds_to_verify(settings: Settings) -> float:
    """One verification in this process."""
    began = perf_counter()
    report = await verify(DatabaseSource(str(settings.database_url)), Trusted.of(settings))
    assert report.ok, report.findings
    return perf_counter() - began


def peak_of_command(settings: Settings) -> float:
    """The peak memory of `leads audit verify`, in MiB."""
    environment = {"DATABASE_URL": str(settings.database_url), "DATA_DIR": str(settings.data_dir)}
    wanted = [sys.executable, "-c", SAYS_ITS_PEAK, "audit", "verify", "--json"]
    done = subprocess.run(wanted, env={**os.environ, **environment}, check=True, capture_output=True, text=True)
    return int(PEAK.findall(done.stderr)[-1]) / 1024


async def one_lead(settings: Settings, rounds: int) -> float:
    """The median of verifying one lead, in milliseconds."""
    connection = await asyncpg.connect(asyncpg_url(str(settings.database_url)))
    ids = [row["id"] for row in await connection.fetch("SELECT id FROM leads ORDER BY id LIMIT $1", rounds)]
    trusted, took = Trusted.of(settings), []
    for lead_id in ids:
        began = perf_counter()
        assert (await verify_lead(connection, trusted, lead_id)).ok
        took.append((perf_counter() - began) * 1000)
    await connection.close()
    return statistics.median(took)


async def run(server_url: str, sizes: Sequence[int]) -> int:
    missed = 0
    for size in sizes:
        settings = await prepare(server_url, size)
        speed, lead = size / await seconds_to_verify(settings), await one_lead(settings, 50)
        peak = await asyncio.to_thread(peak_of_command, settings)
        print(f"{size:>10,} entries: {speed:8,.0f} entries/s, {peak:6.1f} MiB; one lead {lead:5.1f} ms")
        missed += speed < SPEED or peak > MEMORY or lead > LEAD
    return 1 if missed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000], help="and 1000000, when there is time")
    server_url = os.environ.get("LEADS_TEST_OWNER_URL") or server_for_tests(ROOT / ".leads" / "test")
    return asyncio.run(run(server_url, parser.parse_args().sizes))


if __name__ == "__main__":
    sys.exit(main())
