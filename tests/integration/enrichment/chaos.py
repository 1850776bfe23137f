"""Bad weather for Quick-Add: workers are killed, connections are cut, PostgreSQL crashes once, and clients go on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import asyncpg

from leads_core.context import acting_as
from leads_core.database import FAULTS_OF_THE_DRIVER, Database, asyncpg_url, new_id
from leads_core.embedded_postgres import EmbeddedPostgres
from leads_core.embedded_postgres.processes import die_with_parent
from leads_core.errors import IdentityTaken, Unavailable
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import an_actor
from tests.conftest import ROOT
from tests.servers.small_internet import SmallInternet
from tests.servers.web_server import Answer, SeenRequest, send

CLIENTS, WORKERS, DOMAINS = 8, 2, 40
#: Longer than it takes to miss a dead worker, and for its claims on questions to lapse.
PATIENCE = 150.0
UNFINISHED = "SELECT count(*) FILTER (WHERE state = 'running'), count(*) FROM jobs WHERE finished_at IS NULL"
CUT = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
LEFT = "SELECT (SELECT count(*) FROM jobs WHERE finished_at IS NULL), (SELECT count(*) FROM pgqueuer)"


@dataclass
class Chaos:
    """`leads` are quick-added by eight clients, `kills` workers are killed at work, and the server crashes once.

    Again and again all its connections are cut at the same moment.
    """

    server: EmbeddedPostgres
    settings: Settings
    internet: SmallInternet
    leads: int
    kills: int
    chance: Random
    killed: int = 0
    crashed: int = 0
    cut: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    _added: int = 0
    _half: asyncio.Event = field(default_factory=asyncio.Event)
    _all: asyncio.Event = field(default_factory=asyncio.Event)
    _workers: list[Process] = field(default_factory=list)

    async def run(self) -> None:
        """Until every lead was added and nothing is left for a worker; the last workers leave in peace."""
        self._open_sites()
        database = Database(self.settings, pool_size=CLIENTS + 2)
        self._workers = [await self._worker() for _ in range(WORKERS)]
        try:
            async with asyncio.TaskGroup() as around:
                around.create_task(self._kill_workers())
                around.create_task(self._crash_the_server())
                around.create_task(self._cut_connections())
                for number in range(CLIENTS):
                    around.create_task(self._client(number, database))
            await self._nothing_is_left()
        finally:
            await database.close()
            for worker in self._workers:
                with suppress(ProcessLookupError):
                    worker.terminate()
                await worker.wait()

    def _open_sites(self) -> None:
        """Three of four domains have a site, some of them slow; the others do not exist."""
        page = (ROOT / "tests" / "corpus" / "german_toolmaker_graph.html").read_bytes()

        async def slow(_request: SeenRequest, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(self.chance.uniform(0.1, 1.0))
            await send(writer, Answer(page))

        for number in range(DOMAINS):
            if number % 4:
                self.internet.site(_domain(number), {"/": slow if number % 2 else Answer(page)})

    async def _client(self, number: int, database: Database) -> None:
        service = LeadService(database)
        with acting_as(an_actor(actor_id=new_id(), actor_name=f"Client {number}", request_id=f"client-{number}")):
            for lead in range(number, self.leads, CLIENTS):
                await asyncio.sleep(self.chance.uniform(0.0, 0.4))
                await self._add(service, f"Person {lead} <p{lead}@{_domain(lead % DOMAINS)}>")
                self._added += 1
                if self._added * 2 >= self.leads:
                    self._half.set()
                if self._added == self.leads:
                    self._all.set()

    async def _add(self, service: LeadService, text: str) -> None:
        """As a person does: what was not answered is sent again, and may turn out to have been heard."""
        for _ in range(300):
            (result,) = await service.quick_add(text)
            if result.error is None or isinstance(result.error, IdentityTaken):
                return
            assert isinstance(result.error, Unavailable), result.error
            self.refused["the database did not answer"] += 1
            await asyncio.sleep(0.1)
        raise AssertionError("the database did not come back")

    async def _kill_workers(self) -> None:
        while self.killed < self.kills:
            if not await self._is_work_under_way():
                return
            await asyncio.sleep(self.chance.uniform(0.0, 0.6))
            victim = self._workers.pop(self.chance.randrange(WORKERS))
            assert victim.returncode is None, f"a worker ended by itself with {victim.returncode}"
            victim.kill()
            await victim.wait()
            self.killed += 1
            self._workers.append(await self._worker())

    async def _is_work_under_way(self) -> bool:
        """Waits until a worker has a job; False when everything has ended."""
        while True:
            running, left = await self._row(UNFINISHED)
            if running:
                return True
            if self._added == self.leads and not left:
                return False
            await asyncio.sleep(0.05)

    async def _crash_the_server(self) -> None:
        await self._half.wait()
        (folder,) = await self._row("SHOW data_directory")
        pid = int((Path(folder) / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGQUIT)
        while self.server.is_alive:  # noqa: ASYNC110 - a process tells nobody
            await asyncio.sleep(0.02)
        assert self.server.revive()
        self.crashed += 1

    async def _cut_connections(self) -> None:
        """Of clients and workers alike, the server itself stays: what they lost is there again at once."""
        while not self._all.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all.wait(), self.chance.uniform(0.3, 2.0))
            self.cut += (await self._row(CUT))[0]

    async def _nothing_is_left(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while sum(await self._row(LEFT)):  # noqa: ASYNC110 - its steps tell nobody
                await asyncio.sleep(0.1)

    async def _row(self, question: str) -> asyncpg.Record:
        """Asked until it is answered: the weather is bad for whoever watches, too."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(OSError, *FAULTS_OF_THE_DRIVER):
                    connection = await asyncpg.connect(asyncpg_url(self.server.owner_url))
                    try:
                        return await connection.fetchrow(question)
                    finally:
                        connection.terminate()
                await asyncio.sleep(0.05)

    async def _worker(self) -> Process:
        environment = {
            **os.environ,
            **self.internet.environment,
            "DATABASE_URL": self.settings.database_url or "",
            "DATA_DIR": str(self.settings.data_dir),
        }
        command = (sys.executable, "-m", "console.cli", "worker")
        with (self.settings.data_dir / "workers.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *command,
                cwd=ROOT,
                env=environment,
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent(signal.SIGKILL),
            )


def _domain(number: int) -> str:
    return f"company-{number}.com"
