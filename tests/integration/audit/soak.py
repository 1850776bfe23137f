"""Honest life in bad weather: connections of writers are cut, sequencers are killed, and verify runs meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from dataclasses import dataclass, field
from random import Random

import asyncpg

from leads_core.audit.verification.findings import Report
from leads_core.audit.verification.sources import DatabaseSource
from leads_core.audit.verification.verifier import Trusted, verify
from leads_core.database import asyncpg_url
from leads_core.settings import Settings

PROCESSES, SEQUENCERS = 2, 2
CUT_A_CONNECTION = """
    SELECT count(pg_terminate_backend(pid)) FROM (
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'leads' AND state <> 'idle'
        ORDER BY random() LIMIT 1) one
"""


@dataclass
class Soaked:
    """What happened."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    reports: list[Report] = field(default_factory=list)
    connections_cut: int = 0
    sequencers_killed: int = 0

    def sentence(self) -> str:
        """For people."""
        entries = self.reports[-1].entries if self.reports else 0
        return (
            f"{self.done.total():,} operations by 16 writers ({self.refused.total():,} refused), {entries:,} entries; "
            f"{self.connections_cut} connections cut, {self.sequencers_killed} sequencers killed, "
            f"{len(self.reports)} verifications"
        )


class Soak:
    """16 writers in two processes, two sequencers, one who cuts and kills, one who verifies every `pause` seconds."""

    def __init__(self, settings: Settings, owner_url: str, *, operations: int, seed: int, pause: float) -> None:
        self._settings = settings
        self._owner_url = owner_url
        self._operations = operations
        self._seed = seed
        self._pause = pause
        self._chance = Random(seed)  # noqa: S311 - no secret
        self._over = asyncio.Event()
        self.result = Soaked()

    async def run(self) -> Soaked:
        """Until every operation went through. Ends with one sequencer that nobody kills."""
        async with asyncio.TaskGroup() as around:
            around.create_task(self._sequencers())
            around.create_task(self._cut_connections())
            around.create_task(self._verify_again_and_again())
            async with asyncio.TaskGroup() as writing:
                for number in range(PROCESSES):
                    writing.create_task(self._write(number))
            self._over.set()
        return self.result

    async def verified(self) -> Report:
        """The trail as it stands."""
        return await verify(DatabaseSource(self._owner_url), Trusted.of(self._settings))

    async def _write(self, number: int) -> None:
        share = str(self._operations // PROCESSES)
        words = ("write", share, str(16 // PROCESSES), str(self._seed + number))
        process = await self._start(*words, stdout=PIPE, stderr=PIPE)
        out, error = await process.communicate()
        assert process.returncode == 0, error.decode()[-4000:]
        said = json.loads(out)
        self.result.done.update(said["done"])
        self.result.refused.update(said["refused"])

    async def _sequencers(self) -> None:
        """Two at once; again and again one of them is killed at its work, and a new one begins."""
        running = [await self._start("sequence", stdout=PIPE) for _ in range(SEQUENCERS)]
        while not self._over.is_set():
            killed = running.pop(0)
            await self._once_at_work(killed)
            await self._is_over(within=self._chance.uniform(0.0, 1.5))
            assert killed.returncode is None, f"a sequencer ended by itself with {killed.returncode}"
            killed.kill()
            await killed.wait()
            self.result.sequencers_killed += 1
            running.append(await self._start("sequence", stdout=PIPE))
        for process in running:
            process.terminate()
            await process.wait()

    async def _once_at_work(self, sequencer: Process) -> None:
        """Returns when it has taken entries once, or when the soak is over."""
        assert sequencer.stdout is not None
        saying = asyncio.ensure_future(sequencer.stdout.readline())
        over = asyncio.ensure_future(self._over.wait())
        await asyncio.wait({saying, over}, return_when=asyncio.FIRST_COMPLETED)
        for task in (saying, over):
            task.cancel()

    async def _cut_connections(self) -> None:
        connection = await asyncpg.connect(asyncpg_url(self._owner_url))
        while not await self._is_over(within=self._chance.uniform(0.2, 1.0)):
            self.result.connections_cut += await connection.fetchval(CUT_A_CONNECTION)
        await connection.close()

    async def _verify_again_and_again(self) -> None:
        while not await self._is_over(within=self._pause):
            report = await self.verified_once_signed()
            if report is not None:
                self.result.reports.append(report)
                assert report.findings == (), report

    async def verified_once_signed(self) -> Report | None:
        """None before anything was signed: there is nothing to verify against."""
        return await self.verified() if self._settings.checkpoint_file.exists() else None

    async def _is_over(self, *, within: float) -> bool:
        try:
            await asyncio.wait_for(self._over.wait(), within)
        except TimeoutError:
            return False
        return True

    async def _start(self, *words: str, **pipes: int) -> Process:
        environment = {
            **os.environ,
            "DATABASE_URL": self._owner_url,
            "DATA_DIR": str(self._settings.data_dir),
            "AUDIT_CHECKPOINT_FILE": str(self._settings.checkpoint_file),
        }
        module = (sys.executable, "-m", "tests.integration.audit.soak_process")
        return await asyncio.create_subprocess_exec(*module, *words, env=environment, **pipes)
