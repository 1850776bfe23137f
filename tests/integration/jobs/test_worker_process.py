"""`leads worker` seen from outside: it leaves on time, and what a killed one had goes on elsewhere."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import pytest

from leads_core.embedded_postgres.processes import die_with_parent
from leads_core.jobs import queue
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.conftest import ROOT
from tests.servers.fixtures import internet
from tests.servers.small_internet import SmallInternet
from tests.servers.web_server import SeenRequest

__all__ = ["internet"]

pytestmark = pytest.mark.usefixtures("acting")

LEAVES_WITHIN = 10.0
TAKEN_OVER_WITHIN = 30.0
DOMAIN = "never-answers.com"

Start = Callable[..., Awaitable[Process]]


class Line:
    """The way to the database over TCP, which can go dead: nothing is refused, nothing is answered."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._dead = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""

    async def __aenter__(self) -> Line:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        who = self._parts.netloc.rpartition("@")[0]
        self.url = urlunsplit(self._parts._replace(netloc=f"{who}@127.0.0.1:{port}", query=""))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()

    def go_dead(self) -> None:
        self._dead = True

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        given = parse_qs(self._parts.query)
        host, port = given.get("host", [self._parts.hostname or ""])[0], given.get("port", [self._parts.port])[0]
        there = (
            await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
            if host.startswith("/")
            else await asyncio.open_connection(host, int(port or 5432))
        )
        for one, other in ((reader, there[1]), (there[0], writer)):
            self._tasks.add(asyncio.create_task(self._pass_on(one, other)))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            if not self._dead:
                writer.write(piece)
        writer.close()


@pytest.fixture
async def line(settings: Settings) -> AsyncIterator[Line]:
    async with Line(settings.database_url or "") as one:
        yield one


@pytest.fixture
async def start(settings: Settings, internet: SmallInternet, tmp_path: Path) -> AsyncIterator[Start]:
    """Begins another `leads worker` at the test's database; whatever still runs at the end is killed."""
    begun: list[Process] = []
    environment = {
        **os.environ,
        **internet.environment,
        "DATABASE_URL": settings.database_url or "",
        "DATA_DIR": str(settings.data_dir),
        "AUDIT_CHECKPOINT_FILE": str(tmp_path / "checkpoints.jsonl"),
    }

    async def one(**given: str) -> Process:
        with (tmp_path / "worker.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "console.cli", "worker"),
                cwd=ROOT,
                env=environment | given,
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent(signal.SIGKILL),
            )
        begun.append(process)
        return process

    yield one
    for process in begun:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@pytest.fixture
async def asked(internet: SmallInternet) -> asyncio.Event:
    """Set when a worker has asked the site that never answers."""
    begun, never = asyncio.Event(), asyncio.Event()

    async def silent(_request: SeenRequest, _writer: asyncio.StreamWriter) -> None:
        begun.set()
        await never.wait()

    internet.site(DOMAIN, {"/": silent})
    return begun


async def quick_added(leads: LeadService) -> UUID:
    (added,) = await leads.quick_add(DOMAIN)
    assert added.lead is not None
    assert added.lead.enrichment_task_id is not None
    return added.lead.enrichment_task_id


async def within(seconds: float, event: asyncio.Event) -> None:
    async with asyncio.timeout(seconds):
        await event.wait()


async def test_a_worker_that_is_told_to_end_gives_back_what_hangs_and_is_gone_on_time(
    leads: LeadService, owner: asyncpg.Connection, start: Start, asked: asyncio.Event
) -> None:
    job_id = await quick_added(leads)
    process = await start()
    await within(60, asked)

    process.terminate()
    async with asyncio.timeout(LEAVES_WITHIN):
        status = await process.wait()

    job = await owner.fetchrow("SELECT state, error, attempt FROM jobs WHERE id = $1", job_id)
    place = await owner.fetchrow("SELECT status::text, entrypoint, priority FROM pgqueuer")
    assert (status, tuple(job)) == (0, ("queued", None, 1))
    assert tuple(place) == ("queued", "enrichment", queue.PRIORITY_QUICK_ADD)


async def test_a_worker_whose_database_does_not_answer_leaves_on_time_too(
    leads: LeadService, owner: asyncpg.Connection, start: Start, asked: asyncio.Event, line: Line
) -> None:
    await quick_added(leads)
    process = await start(DATABASE_URL=line.url)
    await within(60, asked)
    line.go_dead()

    process.terminate()
    async with asyncio.timeout(LEAVES_WITHIN):
        await process.wait()


async def test_what_a_killed_worker_had_is_taken_over(
    leads: LeadService, owner: asyncpg.Connection, start: Start, asked: asyncio.Event
) -> None:
    job_id = await quick_added(leads)
    process = await start()
    await within(60, asked)
    successor = await start()

    process.kill()
    await process.wait()

    async with asyncio.timeout(TAKEN_OVER_WITHIN):
        while await owner.fetchval("SELECT attempt FROM jobs WHERE id = $1", job_id) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert successor.returncode is None
