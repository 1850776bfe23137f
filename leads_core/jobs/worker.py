"""The run loop of one worker process: takes jobs, ends them in words, survives a restarted database, leaves on time.

With queue.py the only module that knows the queue library. At-least-once delivery: a handler that runs twice must
change nothing the second time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import structlog
from pgqueuer import PgQueuer
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job as QueueItem

from leads_core import context
from leads_core.database import Database, asyncpg_url, connect
from leads_core.errors import Unavailable
from leads_core.jobs import queue
from leads_core.jobs.alive import worker_name
from leads_core.jobs.backoff import Retry
from leads_core.jobs.models import JobKind, JobState
from leads_core.jobs.queue import JobRead

log = structlog.get_logger(__name__)

#: A worker that gave no sign for this long has lost its jobs to the others.
LOST_AFTER = timedelta(seconds=15)
#: A new job is notified at once; one that becomes due again is found within this time.
LOOKS_AGAIN_AFTER = timedelta(seconds=1)
#: What runs at SIGTERM has this long to end before it is given back, and then this long to break off.
GRACE_SECONDS = 6.5
BREAKING_OFF_SECONDS = 1.5
AT_ONCE = 20
BULK_AT_ONCE = 10
BATCH = 5


class Handler(Protocol):
    """What does the work of one kind of job."""

    async def run(self, job: JobRead) -> None:
        """One attempt, in the name of whoever asked. Ends the job itself, or raises Retry."""

    async def give_up(self, job: JobRead, reason: str) -> None:
        """End the job as failed, with this sentence."""


@dataclass(frozen=True, slots=True)
class Chore:
    """Something that a worker does beside jobs, every so many seconds. Doing it in several workers does no harm."""

    name: str
    seconds: float
    do: Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class _AtWork:
    task: asyncio.Task[Any]
    job: JobRead
    priority: int


@dataclass(slots=True)
class _Lane:
    """Jobs of one urgency, with places and a connection of their own. running: what is at work, by the job's id."""

    priority: int
    at_once: int
    queue: PgQueuer | None = None
    running: dict[UUID, _AtWork] = field(default_factory=dict)


class Worker:
    """Run it until told to stop."""

    def __init__(self, database: Database, handlers: Mapping[JobKind, Handler], chores: Sequence[Chore] = ()) -> None:
        self._database = database
        self._handlers = handlers
        self._chores = (*chores, Chore("late and lost jobs", 10, self._end_late_jobs_and_rescue))
        self._stopping = asyncio.Event()
        self._name = worker_name()
        self._lanes = (
            _Lane(queue.PRIORITY_ASKED, AT_ONCE),
            # Of what many leads wait for; beside the others, so that a backlog takes nobody's place.
            _Lane(queue.PRIORITY_BULK, BULK_AT_ONCE),
        )

    def stop(self) -> None:
        """Take no more jobs; run() returns within about GRACE_SECONDS."""
        self._stopping.set()
        for lane in self._lanes:
            if lane.queue is not None:
                lane.queue.shutdown.set()

    async def run(self) -> None:
        """Take jobs until stop(). A database that went away is waited for."""
        chores = [asyncio.create_task(self._repeat(chore)) for chore in self._chores]
        try:
            await asyncio.gather(*(self._keep_taking(lane) for lane in self._lanes))
        finally:
            for chore in chores:
                chore.cancel()
            await asyncio.gather(*chores, return_exceptions=True)

    async def _keep_taking(self, lane: _Lane) -> None:
        pause = 0.5
        while not self._stopping.is_set():
            try:
                await self._take_jobs(lane)
                pause = 0.5
            except Exception as error:  # a connection that is cut fails in many ways, some of the driver's own making
                log.warning("queue_lost", error=str(error), kind=type(error).__name__, retry_in=pause)
                await self._wait(pause)
                pause = min(10.0, pause * 2)

    async def _take_jobs(self, lane: _Lane) -> None:
        async with asyncpg.create_pool(
            asyncpg_url(self._database.url),
            min_size=2,
            max_size=4,
            connect=connect,
            server_settings={"application_name": self._name},
        ) as pool:
            lane.queue = PgQueuer.from_asyncpg_pool(pool)
            for kind in self._handlers:
                # Held, should all else break, so that it can be delivered again.
                place = lane.queue.entrypoint(queue.lane_of(kind, lane.priority), on_failure="hold")
                place(partial(self._deliver, lane))
            running = asyncio.create_task(
                lane.queue.run(
                    batch_size=BATCH,
                    max_concurrent_tasks=lane.at_once,
                    heartbeat_timeout=LOST_AFTER,
                    dequeue_timeout=LOOKS_AGAIN_AFTER,
                )
            )
            stopping = asyncio.create_task(self._stopping.wait())
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if self._stopping.is_set():
                lane.queue.shutdown.set()
                await asyncio.wait({running}, timeout=GRACE_SECONDS)
                if not running.done():
                    await self._give_back(lane, running)
                    pool.terminate()
            else:
                await running

    async def _give_back(self, lane: _Lane, running: asyncio.Task[None]) -> None:
        """Stop what still runs; others may take it at once."""
        unfinished = dict(lane.running)
        for at_work in unfinished.values():
            at_work.task.cancel()
        try:
            async with self._database.transaction() as session:
                for job_id, at_work in unfinished.items():
                    await queue.put_back(session, job_id, state=JobState.QUEUED, error=None, delay=0)
                    await queue.enqueue_afresh(session, JobKind(at_work.job.kind), job_id, priority=at_work.priority)
            log.info("gave_back", jobs=len(unfinished))
        finally:
            await asyncio.wait({running}, timeout=BREAKING_OFF_SECONDS)  # the queue library closes its books on them
            running.cancel()

    async def _deliver(self, lane: _Lane, item: QueueItem) -> None:
        try:
            await self._take_up(lane, UUID(bytes=item.payload or b""), item.priority)
        except Unavailable as error:
            raise RetryRequested(delay=timedelta(seconds=2), reason=str(error)) from error

    async def _take_up(self, lane: _Lane, job_id: UUID, priority: int) -> None:
        async with self._database.transaction() as session:
            job = await queue.take(session, job_id)
        if job is None:
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - the queue library runs each delivery as a task
        mine = lane.running[job_id] = _AtWork(task, job, priority)
        try:
            with context.acting_as(in_the_name_of(job)):
                await self._attempt(job)
        finally:
            if lane.running.get(job_id) is mine:  # no second delivery has come meanwhile
                del lane.running[job_id]

    async def _attempt(self, job: JobRead) -> None:
        handler = self._handlers[JobKind(job.kind)]
        try:
            await handler.run(job)
        except Retry as retry:
            async with self._database.transaction() as session:
                await queue.put_back(session, job.id, state=JobState.RETRYING, error=str(retry), delay=retry.delay)
            raise RetryRequested(delay=timedelta(seconds=retry.delay), reason=str(retry)) from retry
        except Unavailable:
            raise
        except Exception:
            log.exception("job_broke", job_id=str(job.id), kind=job.kind)
            await handler.give_up(job, "Something went wrong on our side. It is in the log under the job's number.")

    async def _end_late_jobs_and_rescue(self) -> None:
        await self._end_late_jobs()
        async with self._database.transaction() as session:
            rescued = await queue.rescue(session)
        if rescued:
            log.warning("rescued_jobs", jobs=rescued)

    async def _end_late_jobs(self) -> None:
        """All of them, whatever becomes of one."""
        async with self._database.transaction() as session:
            late = await queue.past_deadline(session)
        for job in late:
            handler = self._handlers.get(JobKind(job.kind))
            if handler is None:
                continue
            try:
                with context.acting_as(in_the_name_of(job)):
                    await handler.give_up(job, "It took longer than 10 minutes and was stopped. Try again later.")
            except Exception:
                log.exception("late_job_not_ended", job_id=str(job.id), kind=job.kind)
            self._stop_running(job.id)

    def _stop_running(self, job_id: UUID) -> None:
        """Free its place, should it be at work here: it can write nothing any more."""
        for lane in self._lanes:
            if job_id in lane.running:
                lane.running[job_id].task.cancel()

    async def _repeat(self, chore: Chore) -> None:
        while not self._stopping.is_set():
            try:
                await chore.do()
            except Exception as error:
                log.warning("chore_failed", chore=chore.name, error=str(error))
            await self._wait(chore.seconds)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def in_the_name_of(job: JobRead) -> context.RequestContext:
    """Whoever asked for the job, acting through it: no entry says 'system' alone."""
    return context.RequestContext(
        actor_kind=job.actor_kind,  # type: ignore[arg-type]  # the table's CHECK holds it
        actor_id=job.actor_id,
        actor_name=job.origin.get("actor_name"),
        channel="import" if job.kind == JobKind.IMPORT.value else "worker",
        ip_address=job.origin.get("ip_address"),
        user_agent=job.origin.get("user_agent"),
        request_id=job.request_id,
        task_id=job.id,
    )
