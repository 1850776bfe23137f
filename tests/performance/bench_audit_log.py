"""How fast entries come into the log, and what writers notice of it.

Run: python -m pytest tests/performance/bench_audit_log.py -s
"""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import pytest

from leads_core.audit import trail
from leads_core.audit.log.sequencer import Sequencer
from leads_core.audit.models import Action, SubjectKind
from leads_core.database import MAC_KEY, Database
from leads_core.leads.schemas import LeadCreate, Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings

ENTRIES = 50_000
WRITERS = 8
#: Pairs of neighbours, each once with and once without the sequencer; the order changes from pair to pair.
PAIRS, SECONDS = 12, 2.5

#: A worker's sequencer and nothing else, each second, in a process of its own: a line in lets it begin or stop.
SEQUENCER = """
import asyncio, sys

from leads_core.audit.log.sequencer import Sequencer
from leads_core.database import Database
from leads_core.settings import load_settings


async def run():
    settings = load_settings()
    sequencer = Sequencer(Database(settings), settings)
    while sys.stdin.readline():
        await sequencer.run_once()
        print("goes", flush=True)
        line = asyncio.ensure_future(asyncio.to_thread(sys.stdin.readline))
        while not line.done():
            await asyncio.wait([line], timeout=1)
            await sequencer.run_once()
        print("stands", flush=True)


asyncio.run(run())
"""


class SequencerProcess:
    """Started once, so that its start costs no round anything."""

    def __init__(self, machine: Settings) -> None:
        assert machine.audit_mac_keys is not None
        environment = {
            **os.environ,
            "DATABASE_URL": str(machine.database_url),
            "DATA_DIR": str(machine.data_dir),
            "AUDIT_MAC_KEYS": machine.audit_mac_keys.get_secret_value(),
        }
        command = [sys.executable, "-c", SEQUENCER]
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    async def turn(self) -> str:
        """Begin, when all that waited was taken; or stop."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        return await asyncio.to_thread(self._process.stdout.readline)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def machine(settings: Settings, tmp_path: Path) -> Settings:
    """Keys and a file of its own."""
    return Settings(
        database_url=settings.database_url, data_dir=tmp_path, audit_mac_keys=settings.mac_keys[0].hex(), rate_limit=0
    )


async def test_bench_sequencer(
    database: Database, machine: Settings, leads: LeadService, owner: asyncpg.Connection, acting: Any
) -> None:
    """Entries of an import, all pending, taken and signed."""
    for start in range(0, ENTRIES, 5_000):
        await _write_entries(database, start, 5_000)
    await owner.execute("VACUUM ANALYZE audit_log")
    everybody = {os.getpid(), *await _backends(owner)}
    began, used = time.perf_counter(), _cpu_seconds(everybody)

    done = await Sequencer(database, machine).run_once()

    seconds, used = time.perf_counter() - began, _cpu_seconds(everybody) - used
    assert done.taken == ENTRIES
    print(f"\nsequencer: {ENTRIES:,} entries in {seconds:.1f} s, {ENTRIES / seconds:,.0f} entries/s (goal 5,000)")
    print(f"it used {used:.1f} s of processor time, the database's included: {ENTRIES / used:,.0f} entries/s of it")


async def test_bench_writers_with_the_sequencer_against_without(
    database: Database, machine: Settings, leads: LeadService, owner: asyncpg.Connection, acting: Any
) -> None:
    """In turn, with and without."""
    numbers = itertools.count()
    await _writes_per_second(leads, numbers)
    others = await _backends(owner)
    process = SequencerProcess(machine)
    await process.turn()
    await process.turn()
    its = {process.pid, *(await _backends(owner) - others)}
    used = {True: 0.0, False: 0.0}
    began: list[datetime] = []
    ended: list[datetime] = []
    speeds: dict[bool, list[float]] = {True: [], False: []}
    try:
        for number in range(PAIRS):
            for is_sequenced in (True, False) if number % 2 else (False, True):
                if is_sequenced:
                    await process.turn()
                    began.append(trail.now())
                before = {whose: _cpu_seconds(pids) for whose, pids in ((True, its), (False, {os.getpid(), *others}))}
                speeds[is_sequenced].append(await _writes_per_second(leads, numbers))
                if is_sequenced:
                    used[True] += _cpu_seconds(its) - before[True]
                    used[False] += _cpu_seconds({os.getpid(), *others}) - before[False]
                    ended.append(trail.now())
                    await process.turn()
    finally:
        process.end()
    ratios = [with_it / without for with_it, without in zip(speeds[True], speeds[False], strict=True)]
    delay = await owner.fetchval(
        """SELECT percentile_cont(0.99) WITHIN GROUP (ORDER BY c.signed_at - e.occurred_at) FROM audit_log e
           JOIN audit_leaves l ON l.entry_id = e.id CROSS JOIN LATERAL (
               SELECT signed_at FROM audit_checkpoints WHERE size > l.leaf_index ORDER BY size LIMIT 1) c
           WHERE EXISTS (SELECT FROM unnest($1::timestamptz[], $2::timestamptz[]) AS on_duty (since, until)
                         WHERE e.occurred_at BETWEEN since AND until)""",
        began,
        ended,
    )
    without, with_it = (median(speeds[which]) for which in (False, True))
    print(
        f"\n{WRITERS} writers: {without:,.0f}/s without the sequencer, {with_it:,.0f}/s with it: "
        f"{100 * with_it / without:.1f} % by the medians, {100 * median(ratios):.1f} % by the median pair (goal 95 %)"
    )
    share = 100 * used[False] / (used[True] + used[False])
    print(f"of the processor time that both use, the writers have {share:.1f} % (what counts where others run beside)")
    print(f"pairs: {', '.join(f'{100 * ratio:.0f} %' for ratio in sorted(ratios))}")
    print(f"99 of 100 entries were signed within {delay} of being made (goal: 2 s of their commit)")


async def _backends(owner: asyncpg.Connection) -> set[int]:
    """The database's processes for connections."""
    rows = await owner.fetch("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
    return {row["pid"] for row in rows}


def _cpu_seconds(pids: set[int]) -> float:
    """What these processes of this machine have used."""
    ticks = 0
    for pid in pids:
        with suppress(FileNotFoundError):
            ticks += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


async def _writes_per_second(leads: LeadService, numbers: Any) -> float:
    """Leads created by WRITERS at once."""
    began = time.perf_counter()
    counts = await asyncio.gather(*(_write_until(leads, began + SECONDS, numbers) for _ in range(WRITERS)))
    return sum(counts) / (time.perf_counter() - began)


async def _write_until(leads: LeadService, end: float, numbers: Any) -> int:
    count = 0
    while time.perf_counter() < end:
        number = next(numbers)
        await leads.create(LeadCreate(email=f"person{number}@acme{number}.com", company_name="Acme"), source=Source.API)
        count += 1
    return count


async def _write_entries(database: Database, start: int, count: int) -> None:
    rows = []
    async with database.transaction() as session:
        for number in range(start, start + count):
            after = {"email": f"person{number}@acme.com", "contact_name": f"Person {number}", "phone": "+49 30 1234567"}
            after |= {"company_name": f"Acme {number}", "city": "Berlin", "country": "DE", "stage": "new"}
            rows.append(
                trail.entry_row(
                    Action.CREATE,
                    None,
                    seq=None,
                    before=None,
                    after=after,
                    at=trail.now(),
                    key=session.info[MAC_KEY],
                    kind=SubjectKind.LEAD,
                )
            )
        await trail.append_many(session, rows)
