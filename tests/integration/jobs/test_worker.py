"""A worker on a real queue: nothing is lost, nothing is done twice, and it leaves on time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.context import RequestContext
from leads_core.database import Database, new_id
from leads_core.errors import Unavailable
from leads_core.jobs import queue, worker
from leads_core.jobs.backoff import Retry
from leads_core.jobs.models import JobKind, JobState
from leads_core.jobs.queue import JobRead
from leads_core.jobs.worker import Chore, Worker

pytestmark = pytest.mark.usefixtures("acting")

Work = Callable[[JobRead], Awaitable[None]]


class Recording:
    """A handler that notes what it was given, and by whom."""

    def __init__(self, database: Database, work: Work | None = None) -> None:
        self._database = database
        self._work = work
        self.runs: list[tuple[UUID, int, str | None, UUID | None]] = []
        self.ended = asyncio.Event()

    async def run(self, job: JobRead) -> None:
        who = context.current()
        self.runs.append((job.id, job.attempt, who.actor_name, who.task_id))
        if self._work:
            await self._work(job)
        await self._end(job, JobState.COMPLETED, None)

    async def give_up(self, job: JobRead, reason: str) -> None:
        await self._end(job, JobState.FAILED, reason)

    async def _end(self, job: JobRead, state: JobState, error: str | None) -> None:
        async with self._database.transaction() as session:
            await queue.finish(session, job.id, state, error=error)
        self.ended.set()


async def started(database: Database, priority: int = queue.PRIORITY_QUICK_ADD) -> UUID:
    async with database.transaction() as session:
        return await queue.start(session, JobKind.ENRICHMENT, priority=priority)


async def places(owner: asyncpg.Connection) -> list[tuple[str, int]]:
    """Lane and priority of what waits or is at work."""
    return [(row["entrypoint"], row["priority"]) for row in await owner.fetch("SELECT * FROM pgqueuer ORDER BY id")]


async def found(database: Database, job_id: UUID) -> JobRead:
    async with database.transaction() as session:
        job = await queue.find(session, job_id)
    assert job is not None
    return job


@asynccontextmanager
async def working(database: Database, handler: Recording, *chores: Chore) -> AsyncIterator[Worker]:
    """A worker that runs meanwhile and has left at the end."""
    one = Worker(database, {JobKind.ENRICHMENT: handler}, chores)
    running = asyncio.create_task(one.run())
    try:
        yield one
    finally:
        one.stop()
        async with asyncio.timeout(20):
            await running


async def soon(event: asyncio.Event) -> None:
    async with asyncio.timeout(20):
        await event.wait()


async def test_a_job_runs_once_in_the_name_of_whoever_asked(database: Database, acting: RequestContext) -> None:
    handler, job_id = Recording(database), await started(database)

    async with working(database, handler):
        await soon(handler.ended)

    assert handler.runs == [(job_id, 1, acting.actor_name, job_id)]
    assert (await found(database, job_id)).state == JobState.COMPLETED


async def test_a_job_that_was_rolled_back_is_never_seen(database: Database, owner: asyncpg.Connection) -> None:
    with pytest.raises(ZeroDivisionError):
        await _started_and_undone(database)

    assert await owner.fetchval("SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM pgqueuer)") == 0


async def _started_and_undone(database: Database) -> None:
    async with database.transaction() as session:
        await queue.start(session, JobKind.ENRICHMENT, priority=0)
        raise ZeroDivisionError


async def test_what_may_pass_is_tried_again_and_says_so_meanwhile(database: Database) -> None:
    async def twice(job: JobRead) -> None:
        if job.attempt == 1:
            raise Retry(0.05, "website: no answer yet")

    handler, job_id = Recording(database, twice), await started(database)

    async with working(database, handler):
        await soon(handler.ended)

    assert [attempt for _, attempt, _, _ in handler.runs] == [1, 2]
    job = await found(database, job_id)
    assert (job.state, job.attempt, job.next_attempt_at) == (JobState.COMPLETED, 2, None)


async def test_a_fault_of_ours_ends_the_job_in_words(database: Database) -> None:
    async def broken(_job: JobRead) -> None:
        raise ZeroDivisionError

    handler, job_id = Recording(database, broken), await started(database)

    async with working(database, handler):
        await soon(handler.ended)

    job = await found(database, job_id)
    assert (job.state, job.error is not None and "on our side" in job.error) == (JobState.FAILED, True)


async def test_a_job_that_has_ended_is_not_run_by_a_second_delivery(database: Database) -> None:
    handler, job_id = Recording(database), await started(database)
    async with database.transaction() as session:
        await queue.finish(session, job_id, JobState.CANCELLED)
    other = await started(database)

    async with working(database, handler):
        await soon(handler.ended)

    assert [job for job, *_ in handler.runs] == [other]


async def test_a_worker_that_is_stopped_gives_back_what_it_cannot_finish(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "GRACE_SECONDS", 0.1)
    begun, never = asyncio.Event(), asyncio.Event()

    async def endless(_job: JobRead) -> None:
        begun.set()
        await never.wait()

    job_id = await started(database)
    async with working(database, Recording(database, endless)):
        await soon(begun)
    assert (await found(database, job_id)).state == JobState.QUEUED

    successor = Recording(database)
    async with working(database, successor):
        await soon(successor.ended)
    assert [(job, attempt) for job, attempt, *_ in successor.runs] == [(job_id, 2)]


async def test_what_is_given_back_keeps_its_lane(
    database: Database, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "GRACE_SECONDS", 0.1)
    begun, never = asyncio.Event(), asyncio.Event()

    async def endless(_job: JobRead) -> None:
        begun.set()
        await never.wait()

    await started(database, queue.PRIORITY_BULK)
    async with working(database, Recording(database, endless)):
        await soon(begun)

    assert await places(owner) == [("enrichment_bulk", queue.PRIORITY_BULK)]


async def test_a_backlog_takes_no_place_of_a_quick_add(database: Database) -> None:
    """Although every place for bulk work is taken by jobs that do not end."""
    async with database.transaction() as session:
        backlog: list[tuple[UUID, UUID, dict[str, Any]]] = [(new_id(), new_id(), {}) for _ in range(2000)]
        await queue.start_many(session, JobKind.ENRICHMENT, backlog, priority=queue.PRIORITY_BULK)
    bulk = {job_id for job_id, _, _ in backlog}
    full, others, release = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work(job: JobRead) -> None:
        if job.id not in bulk:
            others.set()
            return
        if len(handler.runs) == worker.BULK_AT_ONCE:
            full.set()
        await release.wait()

    handler = Recording(database, work)
    async with working(database, handler):
        await soon(full)
        quick = await started(database)
        await soon(others)
        assert [job for job, *_ in handler.runs][worker.BULK_AT_ONCE :] == [quick]
        release.set()


async def test_a_job_whose_place_in_the_queue_was_lost_gets_another(
    database: Database, owner: asyncpg.Connection
) -> None:
    handler, job_id = Recording(database), await started(database)
    await owner.execute("DELETE FROM pgqueuer")

    async with working(database, handler):
        await soon(handler.ended)

    assert [job for job, *_ in handler.runs] == [job_id]


async def test_a_delivery_that_broke_is_delivered_again_in_its_lane(
    database: Database, owner: asyncpg.Connection
) -> None:
    ended, waiting = await started(database), await started(database, queue.PRIORITY_BULK)
    async with database.transaction() as session:
        await queue.finish(session, ended, JobState.COMPLETED)
    await owner.execute("UPDATE pgqueuer SET status = 'failed', queue_manager_id = NULL")

    async with database.transaction() as session:
        rescued = [await queue.rescue(session), await queue.rescue(session)]

    assert (rescued, await places(owner)) == ([1, 0], [("enrichment_bulk", queue.PRIORITY_BULK)])
    assert await owner.fetchval("SELECT status::text FROM pgqueuer") == "queued"
    assert (await found(database, waiting)).state == JobState.QUEUED


async def test_a_job_is_not_lost_when_the_database_is_away_as_it_is_taken(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, times = queue.take, 0

    async def away_at_first(session: AsyncSession, job_id: UUID) -> JobRead | None:
        nonlocal times
        times += 1
        if times == 1:
            raise Unavailable("The database does not answer.")
        return await taken(session, job_id)

    monkeypatch.setattr(queue, "take", away_at_first)
    handler, job_id = Recording(database), await started(database)

    async with working(database, handler):
        await soon(handler.ended)

    assert [job for job, *_ in handler.runs] == [job_id]


async def test_a_job_that_its_deadline_ended_frees_its_place(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, broken_off, never = asyncio.Event(), asyncio.Event(), asyncio.Event()
    monkeypatch.setattr(queue, "DEADLINE_SECONDS", 0)

    async def endless(_job: JobRead) -> None:
        begun.set()
        try:
            await never.wait()
        finally:
            broken_off.set()

    job_id = await started(database)
    async with working(database, Recording(database, endless)) as one:
        await soon(begun)
        await one._end_late_jobs()
        await soon(broken_off)

    assert (await found(database, job_id)).state == JobState.FAILED


async def test_a_worker_outlives_a_lost_database(database: Database, owner: asyncpg.Connection) -> None:
    handler = Recording(database)
    async with working(database, handler):
        await started(database)
        await soon(handler.ended)
        handler.ended.clear()

        await owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        job_id = await started_again(database)
        await soon(handler.ended)

    assert (await found(database, job_id)).state == JobState.COMPLETED


async def started_again(database: Database) -> UUID:
    """A pool's first statements after a lost server may fail; whoever asks tries again."""
    for _ in range(30):
        try:
            return await started(database)
        except Unavailable:
            continue
    raise AssertionError("the database did not come back")


async def test_a_job_past_its_deadline_is_ended_by_any_worker(database: Database, owner: asyncpg.Connection) -> None:
    job_id, handler = await started(database), Recording(database)
    await owner.execute("DELETE FROM pgqueuer")
    await owner.execute("UPDATE jobs SET state = 'running', started_at = now() - interval '11 minutes'")

    async with working(database, handler):
        await soon(handler.ended)

    job = await found(database, job_id)
    assert (job.state, handler.runs) == (JobState.FAILED, [])


async def test_chores_go_on_although_one_of_them_fails(database: Database) -> None:
    done = asyncio.Event()
    times = 0

    async def fails() -> None:
        raise ZeroDivisionError

    async def counts() -> None:
        nonlocal times
        times += 1
        if times == 3:
            done.set()

    async with working(database, Recording(database), Chore("fails", 0.01, fails), Chore("counts", 0.01, counts)):
        await soon(done)
