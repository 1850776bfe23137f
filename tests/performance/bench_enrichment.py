"""What Quick-Add costs and waits for, and what a worker carries.

Run: python -m pytest tests/performance/bench_enrichment.py -s
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from httpx2 import AsyncClient

from leads_core.leads.row_matching import Existing, UpsertRow
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import a_lead
from tests.conftest import ROOT
from tests.integration.console.conftest import api, app, people, script
from tests.servers.fixtures import internet
from tests.servers.small_internet import SmallInternet
from tests.servers.web_server import Answer, SeenRequest, send

__all__ = ["api", "app", "internet", "people", "script"]

QUICK_ADDS = int(os.environ.get("BENCH_QUICK_ADDS", "500"))
SITES = int(os.environ.get("BENCH_SITES", "600"))
BACKLOG = int(os.environ.get("BENCH_BACKLOG", "100000"))
JOBS = int(os.environ.get("BENCH_JOBS", "20000"))
BEHIND_BACKLOG = 200

PAGE = (ROOT / "tests" / "corpus" / "german_toolmaker_graph.html").read_bytes()
FILL_QUEUE = """
    WITH made AS (
        INSERT INTO jobs (id, kind, state, actor_kind, origin, request_id)
        SELECT gen_random_uuid(), 'enrichment', 'queued', 'system', '{}', 'bench' FROM generate_series(1, $1)
        RETURNING id)
    INSERT INTO pgqueuer (priority, entrypoint, payload, dedupe_key, status)
    SELECT 0, 'enrichment_bulk', uuid_send(id), id::text, 'queued' FROM made
"""
WAITS = """
    SELECT extract(epoch FROM started_at - created_at)::float8 * 1000 FROM jobs WHERE id = ANY($1) ORDER BY 1
"""
RATE = """
    SELECT count(*) AS jobs, extract(epoch FROM max(finished_at) - min(started_at))::float8 AS seconds FROM jobs
"""

Start = Callable[..., Awaitable[Process]]


@pytest.fixture
async def start(settings: Settings, internet: SmallInternet) -> AsyncIterator[Start]:
    """Begins a worker process at the bench's database; it is killed at the end."""
    begun: list[Process] = []
    environment = {
        **os.environ,
        **internet.environment,
        "DATABASE_URL": settings.database_url or "",
        "DATA_DIR": str(settings.data_dir),
    }

    async def one(*module: str) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *module, cwd=ROOT, env=environment, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
        )
        begun.append(process)
        return process

    yield one
    for process in begun:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_bench_quick_add_while_providers_hang(
    api: AsyncClient, owner: asyncpg.Connection, internet: SmallInternet, start: Start
) -> None:
    """Over the API, one after the other, while a worker has all its places taken by sites that say nothing."""
    never = asyncio.Event()

    async def silent(_request: SeenRequest, _writer: asyncio.StreamWriter) -> None:
        await never.wait()

    for number in range(QUICK_ADDS + 20):
        internet.site(f"silent-{number}.com", {"/": silent, "/robots.txt": Answer(status=404)})
    await start("console.cli", "worker")
    for number in range(20):
        await api.post("/api/v1/leads/quick-add", json={"text": f"silent-{number}.com"})
    await _until(owner, "SELECT count(*) = 20 FROM jobs WHERE state = 'running'")

    took = []
    for number in range(20, QUICK_ADDS + 20):
        began = time.perf_counter()
        answer = await api.post("/api/v1/leads/quick-add", json={"text": f"Ana <ana@silent-{number}.com>"})
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 201
    print(f"\nQuick-Add while providers hang: {_spread(took)} of {len(took)} (goal 100 ms at p99)")


async def test_bench_jobs_of_one_worker(
    leads: LeadService, owner: asyncpg.Connection, internet: SmallInternet, start: Start, acting: object
) -> None:
    """All providers, against sites that answer each request after 50 ms."""

    async def after_50_ms(_request: SeenRequest, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        await send(writer, Answer(PAGE))

    for number in range(SITES):
        internet.site(f"site-{number}.com", {"/": after_50_ms})
        await leads.quick_add(f"site-{number}.com")
    await start("console.cli", "worker")

    await _until(owner, "SELECT count(*) = 0 FROM jobs WHERE finished_at IS NULL")
    rate = await owner.fetchrow(RATE)
    requests = len(internet.web.requests)
    print(
        f"\none worker: {rate['jobs']:,} jobs in {rate['seconds']:.1f} s, {rate['jobs'] / rate['seconds']:.0f} jobs/s, "
        f"{requests / rate['jobs']:.1f} requests each"
    )


async def test_bench_quick_add_behind_a_backlog(
    leads: LeadService, owner: asyncpg.Connection, start: Start, acting: object
) -> None:
    """From the moment a Quick-Add's transaction begins to the moment a worker has taken its job."""
    await owner.execute(FILL_QUEUE, BACKLOG)
    await owner.execute("VACUUM ANALYZE jobs, pgqueuer")
    await start("tests.performance.enrichment_worker", "sleeping")
    await _until(owner, "SELECT count(*) > 100 FROM jobs WHERE finished_at IS NOT NULL")

    mine: list[UUID] = []
    for number in range(BEHIND_BACKLOG):
        (added,) = await leads.quick_add(f"behind-{number}.com")
        assert added.lead is not None
        assert added.lead.enrichment_task_id is not None
        mine.append(added.lead.enrichment_task_id)
        await asyncio.sleep(0.05)
    await _until(
        owner, "SELECT count(*) = 0 FROM jobs WHERE kind = 'enrichment' AND started_at IS NULL AND id = ANY($1)", mine
    )
    waits = [row[0] for row in await owner.fetch(WAITS, mine)]
    left = await owner.fetchval("SELECT count(*) FROM jobs WHERE finished_at IS NULL")
    print(f"\nQuick-Add behind {BACKLOG:,} bulk jobs ({left:,} left at the end) starts after {_spread(waits)}")


async def test_bench_memory_of_a_worker(
    leads: LeadService, owner: asyncpg.Connection, start: Start, acting: object
) -> None:
    """Its resident memory while it enriches; flat means that no job leaves anything behind."""
    for first in range(0, JOBS, 1000):
        rows = [_row(number) for number in range(first, min(JOBS, first + 1000))]
        await leads.import_rows(rows, Existing.FILL, enrich=True)
    worker = await start("tests.performance.enrichment_worker", "coordinator")
    seen = []
    for share in (0.1, 0.25, 0.5, 0.75, 1.0):
        await _until(owner, "SELECT count(*) >= $1 FROM jobs WHERE finished_at IS NOT NULL", int(JOBS * share))
        seen.append((int(JOBS * share), _resident_mib(worker.pid)))
    rate = await owner.fetchrow(RATE)
    print("\na worker's memory: " + ", ".join(f"{mib:.0f} MiB after {jobs:,} jobs" for jobs, mib in seen))
    print(f"bulk jobs with a provider that answers at once: {rate['jobs'] / rate['seconds']:.0f} jobs/s")


def _row(number: int) -> UpsertRow:
    lead = a_lead(email=f"p{number}@company-{number}.com", company_name=None)
    return UpsertRow(number, lead, frozenset({"email"}))


def _resident_mib(pid: int) -> float:
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def _spread(milliseconds: list[float]) -> str:
    ordered = sorted(milliseconds)
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.99)]
    return f"{at[0]:.0f} ms at p50, {at[1]:.0f} ms at p99, {ordered[-1]:.0f} ms at most"


async def _until(owner: asyncpg.Connection, question: str, *values: object) -> None:
    while not await owner.fetchval(question, *values):  # noqa: ASYNC110 - its steps tell nobody
        await asyncio.sleep(0.2)
