"""A worker that enriches from the small internet, and helpers that wait for what it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import UUID

import asyncpg
import pytest

from leads_core.database import Database
from leads_core.enrichment.coordinator import Coordinator
from leads_core.enrichment.providers import installed_providers
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind, JobState
from leads_core.jobs.queue import JobRead
from leads_core.jobs.worker import Worker
from leads_core.outgoing.client import OutgoingClient
from tests.servers.fixtures import dns_server, guard, internet, requests_made, web_server

__all__ = ["dns_server", "guard", "internet", "requests_made", "web_server"]

ENDS = (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED)
PATIENCE = 30.0

WorkerRunning = Callable[[], AbstractAsyncContextManager[Worker]]


@pytest.fixture
def coordinator(database: Database, guard: OutgoingClient) -> Coordinator:
    return Coordinator(database, installed_providers(guard))


@pytest.fixture
def a_worker(database: Database, coordinator: Coordinator) -> WorkerRunning:
    """`async with a_worker():` runs one beside the test, and lets it leave in peace."""

    @asynccontextmanager
    async def running() -> AsyncIterator[Worker]:
        worker = Worker(database, {JobKind.ENRICHMENT: coordinator})
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.stop()
            async with asyncio.timeout(PATIENCE):
                await task

    return running


class Jobs:
    """Reads a job until it is where the test wants it."""

    def __init__(self, database: Database, owner: asyncpg.Connection) -> None:
        self._database = database
        self._owner = owner

    async def get(self, job_id: UUID | None) -> JobRead:
        assert job_id is not None
        async with self._database.transaction() as session:
            job = await queue.find(session, job_id)
        assert job is not None
        return job

    async def at(self, job_id: UUID | None, *states: JobState) -> JobRead:
        """The job once it is in one of these states; fails after PATIENCE seconds."""
        async with asyncio.timeout(PATIENCE):
            while (job := await self.get(job_id)).state not in states:  # noqa: ASYNC110 - its steps tell nobody
                await asyncio.sleep(0.02)
        return job

    async def ended(self, job_id: UUID | None) -> JobRead:
        return await self.at(job_id, *ENDS)

    async def left_the_queue(self) -> None:
        """Nothing is left for a worker to take."""
        async with asyncio.timeout(PATIENCE):
            while await self._owner.fetchval("SELECT count(*) FROM pgqueuer"):  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@pytest.fixture
def jobs(database: Database, owner: asyncpg.Connection) -> Jobs:
    return Jobs(database, owner)
