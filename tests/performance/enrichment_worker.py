"""A worker process to be measured: `coordinator` enriches from a provider that answers at once, `sleeping` waits."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys

from leads_core.database import Database
from leads_core.enrichment.coordinator import Coordinator
from leads_core.enrichment.providers import FoundFact, Subject
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind, JobState
from leads_core.jobs.queue import JobRead
from leads_core.jobs.worker import Handler, Worker
from leads_core.settings import load_settings


class AtOnce:
    """Knows everybody, without asking anybody."""

    name = "at_once"
    fields = frozenset({"city", "industry"})

    def applies_to(self, subject: Subject) -> bool:
        return subject.domain is not None

    async def find(self, subject: Subject) -> list[FoundFact]:
        where = f"https://{subject.domain}/"
        return [FoundFact("city", "Bonn", 90, where), FoundFact("industry", "Toolmaking", 80, where)]


class Sleeping:
    """Takes 50 ms for whatever it is given."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, job: JobRead) -> None:
        await asyncio.sleep(0.05)
        async with self._database.transaction() as session:
            await queue.finish(session, job.id, JobState.COMPLETED)

    async def give_up(self, job: JobRead, reason: str) -> None:
        async with self._database.transaction() as session:
            await queue.finish(session, job.id, JobState.FAILED, error=reason)


async def main(what: str) -> None:
    """As `leads worker` runs one, until SIGTERM."""
    database = Database(load_settings(), pool_size=8)
    handler: Handler = Sleeping(database) if what == "sleeping" else Coordinator(database, [AtOnce()])
    worker = Worker(database, {JobKind.ENRICHMENT: handler})
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    gc.freeze()
    await worker.run()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
