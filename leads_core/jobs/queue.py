"""Start, follow and end jobs. The only module, with worker.py, that knows the queue library (pgqueuer)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, bindparam, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.database import new_id
from leads_core.errors import JobEnded, JobRunning, NotFound
from leads_core.jobs.models import Job, JobKind, JobState

#: Whoever waits at a screen comes before what runs by itself.
PRIORITY_QUICK_ADD = 100
PRIORITY_ASKED = 50
PRIORITY_BULK = 0

#: What many leads wait for goes by a lane of its own, so that it never takes the places of whoever waits at a screen.
BULK_LANE = "_bulk"

#: A deadline ends every job this many seconds after a worker first took it.
DEADLINE_SECONDS = 600

ENQUEUE = text("""
    WITH job AS (
        INSERT INTO pgqueuer (priority, entrypoint, payload, execute_after, dedupe_key, status)
        VALUES (:priority, :entrypoint, :payload, now() + make_interval(secs => :delay), :dedupe_key, 'queued')
        ON CONFLICT (dedupe_key) WHERE status IN ('queued', 'picked') AND dedupe_key IS NOT NULL DO NOTHING
        RETURNING id),
    log AS (
        INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority)
        SELECT id, 'queued', :entrypoint, :priority FROM job)
    SELECT id FROM job
""")

LEAVE = text("DELETE FROM pgqueuer WHERE dedupe_key = :key RETURNING priority")
LEAVE_MANY = text("DELETE FROM pgqueuer WHERE dedupe_key = ANY(:keys)")

#: In what is wanted of a job that runs: somebody cancelled it.
STOP = "stop"

# A delivery that broke is held in its place (the queue library's status 'failed'); it keeps its lane.
HELD_AND_ENDED = text("""
    DELETE FROM pgqueuer held WHERE held.status = 'failed' AND (
        EXISTS (SELECT FROM jobs WHERE jobs.id::text = held.dedupe_key AND jobs.finished_at IS NOT NULL)
        OR EXISTS (SELECT FROM pgqueuer other
                   WHERE other.dedupe_key = held.dedupe_key AND other.status IN ('queued', 'picked')))
""")
DELIVER_HELD = text("""
    UPDATE pgqueuer SET status = 'queued', execute_after = now(), updated = now(), queue_manager_id = NULL
    WHERE status = 'failed' AND id IN (SELECT min(id) FROM pgqueuer WHERE status = 'failed' GROUP BY dedupe_key)
""")
WITHOUT_A_PLACE = text("""
    SELECT id, kind FROM jobs
    WHERE finished_at IS NULL AND NOT EXISTS (SELECT FROM pgqueuer place WHERE place.dedupe_key = jobs.id::text)
""")

QUEUE_STATE = text("""
    SELECT count(*) FILTER (WHERE state IN ('queued', 'retrying')) AS waiting,
           count(*) FILTER (WHERE state = 'running') AS running,
           coalesce(extract(epoch FROM now() - min(created_at) FILTER (WHERE state = 'queued')), 0)::float8 AS oldest
    FROM jobs WHERE finished_at IS NULL
""")


@dataclass(frozen=True, slots=True)
class JobRead:
    """A job as pages and the API see it. done and total count rows or providers, as the kind has it."""

    id: UUID
    kind: str
    lead_id: UUID | None
    state: str
    provider: str | None
    attempt: int
    done: int
    total: int | None
    wanted: Mapping[str, Any]
    result: Mapping[str, Any] | None
    error: str | None
    actor_kind: str
    actor_id: UUID | None
    origin: Mapping[str, Any]
    request_id: str
    created_at: datetime
    started_at: datetime | None
    next_attempt_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> JobRead:
        return cls(**{name: getattr(job, name) for name in cls.__slots__})

    @property
    def is_finished(self) -> bool:
        return self.finished_at is not None

    @property
    def is_stopping(self) -> bool:
        """Somebody cancelled it, and what it was at is still at work."""
        return not self.is_finished and STOP in self.wanted


@dataclass(frozen=True, slots=True)
class QueueState:
    """waiting and running count jobs; oldest is the age of the longest waiting one in seconds."""

    waiting: int
    running: int
    oldest: float


class Overtaken(Exception):
    """Another worker goes on with this job, or it was ended."""


class Stopped(Exception):
    """Somebody cancelled this job while it ran."""


async def start(
    session: AsyncSession,
    kind: JobKind,
    *,
    priority: int,
    lead_id: UUID | None = None,
    wanted: Mapping[str, Any] | None = None,
    total: int | None = None,
    job_id: UUID | None = None,
) -> UUID:
    """Write the job and its place in the queue, in the caller's transaction. Gives the job's id (the task id)."""
    job_id = await write(session, kind, lead_id=lead_id, wanted=wanted, total=total, job_id=job_id)
    await enqueue(session, kind, job_id, priority=priority)
    return job_id


async def write(
    session: AsyncSession,
    kind: JobKind,
    *,
    lead_id: UUID | None = None,
    wanted: Mapping[str, Any] | None = None,
    total: int | None = None,
    job_id: UUID | None = None,
) -> UUID:
    """The job alone, without a place in the queue: whoever writes it takes it, or enqueues it, before the commit.

    It keeps who asked for it, so that its entries speak in that person's name.
    """
    who = context.current()
    job_id = job_id or new_id()
    job = Job(
        id=job_id,
        kind=kind.value,
        lead_id=lead_id,
        state=JobState.QUEUED.value,
        actor_kind=who.actor_kind,
        actor_id=who.actor_id,
        origin={"actor_name": who.actor_name, "ip_address": who.ip_address, "user_agent": who.user_agent},
        request_id=who.request_id,
        wanted=dict(wanted or {}),
        total=total,
    )
    session.add(job)
    await session.flush()
    return job_id


async def start_many(
    session: AsyncSession,
    kind: JobKind,
    jobs: Sequence[tuple[UUID, UUID, Mapping[str, Any]]],
    *,
    priority: int,
) -> None:
    """Many jobs of one kind: job's id, lead's id and what is wanted of each. As start(), in two round trips for all."""
    who = context.current()
    shared = {
        "kind": kind.value,
        "state": JobState.QUEUED.value,
        "actor_kind": who.actor_kind,
        "actor_id": who.actor_id,
        "origin": {"actor_name": who.actor_name, "ip_address": who.ip_address, "user_agent": who.user_agent},
        "request_id": who.request_id,
    }
    rows = [{**shared, "id": job_id, "lead_id": lead_id, "wanted": dict(wanted)} for job_id, lead_id, wanted in jobs]
    await session.execute(insert(Job), rows)
    lane = lane_of(kind, priority)
    places = [
        {"priority": priority, "entrypoint": lane, "payload": job.bytes, "delay": 0, "dedupe_key": str(job)}
        for job, _, _ in jobs
    ]
    await session.execute(ENQUEUE, places)


async def enqueue(session: AsyncSession, kind: JobKind, job_id: UUID, *, priority: int, delay: float = 0) -> None:
    """Put the job into the queue again, to start after delay seconds. Nothing happens when it is there already."""
    await session.execute(
        ENQUEUE,
        {
            "priority": priority,
            "entrypoint": lane_of(kind, priority),
            "payload": job_id.bytes,
            "delay": delay,
            "dedupe_key": str(job_id),
        },
    )


async def enqueue_afresh(session: AsyncSession, kind: JobKind, job_id: UUID, *, priority: int = PRIORITY_ASKED) -> None:
    """The job's place in the queue anew, in its lane, whatever a worker that left has made of the old one.

    priority: where it stood, should the old place be gone already.
    """
    old = await session.scalar(LEAVE, {"key": str(job_id)})
    await enqueue(session, kind, job_id, priority=priority if old is None else old)


async def rescue(session: AsyncSession) -> int:
    """Give every job that has not ended its place in the queue, should a broken delivery have cost it that.

    Job and place are written and removed so that nobody ever sees the one without the other, so whatever is found here
    was lost. Gives the number of those. Several workers at once do no harm.
    """
    await session.execute(HELD_AND_ENDED)
    held = cast(CursorResult[Any], await session.execute(DELIVER_HELD)).rowcount
    lost = (await session.execute(WITHOUT_A_PLACE)).all()
    for job_id, kind in lost:
        many = kind in {JobKind.IMPORT.value, JobKind.BULK.value, JobKind.UNDO.value}
        await enqueue(session, JobKind(kind), job_id, priority=PRIORITY_BULK if many else PRIORITY_ASKED)
    return held + len(lost)


def lane_of(kind: JobKind, priority: int) -> str:
    """The queue library's name for where a job waits."""
    return kind.value + (BULK_LANE if priority <= PRIORITY_BULK else "")


async def note_progress(
    session: AsyncSession, job: JobRead, *, before: int, done: int, result: Mapping[str, Any]
) -> None:
    """How far a job is, last in a batch's transaction.

    Raises Overtaken when the job is not this attempt's any more: what the batch wrote is then undone.
    """
    mine = update(Job).where(
        Job.id == job.id, Job.attempt == job.attempt, Job.done == before, Job.finished_at.is_(None)
    )
    if await session.scalar(mine.values(done=done, result=dict(result)).returning(Job.id)) is None:
        raise Overtaken


async def note(session: AsyncSession, job_id: UUID, values: Mapping[str, Any]) -> bool:
    """Add to what is wanted of a job, and let it run at once. False when it has ended, or never was."""
    more = update(Job).where(Job.id == job_id, Job.finished_at.is_(None)).returning(Job.kind)
    kind = await session.scalar(more.values(wanted=Job.wanted.op("||")(bindparam("more", dict(values), JSONB))))
    if kind is None:
        return False
    await enqueue_afresh(session, JobKind(kind), job_id)
    return True


async def find(session: AsyncSession, job_id: UUID) -> JobRead | None:
    """The job, or None."""
    job = await session.get(Job, job_id)
    return JobRead.of(job) if job else None


async def newest_of_lead(session: AsyncSession, lead_id: UUID) -> JobRead | None:
    """The lead's newest job, by ix_jobs_lead_id."""
    job = await session.scalar(select(Job).where(Job.lead_id == lead_id).order_by(Job.id.desc()).limit(1))
    return JobRead.of(job) if job else None


async def queue_state(session: AsyncSession) -> QueueState:
    """How much waits and for how long, by ix_jobs_unfinished."""
    row = (await session.execute(QUEUE_STATE)).one()
    return QueueState(row.waiting, row.running, row.oldest)


async def finish(
    session: AsyncSession,
    job_id: UUID,
    state: JobState,
    *,
    error: str | None = None,
    result: Mapping[str, Any] | None = None,
) -> None:
    """End the job. A job that has ended already stays as it ended: whoever comes second changes nothing."""
    values: dict[str, Any] = {
        "state": state.value,
        "error": error,
        "finished_at": func.now(),
        "provider": None,
        "next_attempt_at": None,
    }
    if result is not None:
        values["result"] = dict(result)
    await session.execute(update(Job).where(Job.id == job_id, Job.finished_at.is_(None)).values(**values))


async def cancel(session: AsyncSession, job_id: UUID) -> JobRead:
    """End a job that waits. Raises NotFound, JobRunning (a worker has it), JobEnded."""
    waiting = (Job.id == job_id, Job.state.in_([JobState.QUEUED.value, JobState.RETRYING.value]))
    ended = {"state": JobState.CANCELLED.value, "finished_at": func.now(), "next_attempt_at": None}
    job = await session.scalar(update(Job).where(*waiting).values(**ended).returning(Job))
    if job is not None:
        await session.execute(LEAVE, {"key": str(job_id)})
        return JobRead.of(job)
    found = await find(session, job_id)
    if found is None:
        raise NotFound("job", job_id)
    if found.is_finished:
        raise JobEnded("This job has ended already.")
    raise JobRunning("A worker is at this job just now. Wait until it has ended.")


async def cancel_many(
    session: AsyncSession, job_ids: Sequence[UUID], wanted: Mapping[str, Any]
) -> dict[UUID, dict[str, Any]]:
    """End those of these jobs that wait and whose wanted has all of this; what was wanted of each that ended so."""
    waits = Job.state.in_([JobState.QUEUED.value, JobState.RETRYING.value])
    ended = {"state": JobState.CANCELLED.value, "finished_at": func.now(), "next_attempt_at": None}
    rows = await session.execute(
        update(Job)
        .where(Job.id.in_(job_ids), waits, Job.wanted.contains(dict(wanted)))
        .values(**ended)
        .returning(Job.id, Job.wanted)
    )
    cancelled = {row.id: row.wanted for row in rows}
    await session.execute(LEAVE_MANY, {"keys": [str(job_id) for job_id in cancelled]})
    return cancelled


async def ask_to_stop(session: AsyncSession, job_id: UUID) -> bool:
    """Tell a job that runs to end at its next step (is_to_stop). False when it has ended."""
    stop = update(Job).where(Job.id == job_id, Job.finished_at.is_(None)).returning(Job.id)
    marked = stop.values(wanted=Job.wanted.op("||")(bindparam("mark", {STOP: True}, JSONB)))
    return await session.scalar(marked) is not None


async def stop(session: AsyncSession, job_id: UUID) -> JobRead:
    """End a job: at once if it waits, else at its next step (is_to_stop). Raises NotFound, JobEnded."""
    try:
        return await cancel(session, job_id)
    except JobRunning:
        if not await ask_to_stop(session, job_id):
            raise JobEnded("This job has ended already.") from None
    session.expire_all()
    job = await find(session, job_id)
    assert job is not None  # noqa: S101 - jobs are not removed
    return job


async def is_to_stop(session: AsyncSession, job_id: UUID) -> bool:
    """Whether somebody cancelled this job while it ran."""
    return bool(await session.scalar(select(Job.wanted.has_key(STOP)).where(Job.id == job_id)))


async def go_on(session: AsyncSession, job_id: UUID) -> None:
    """Before the next step of a job that runs. Raises Stopped."""
    if await is_to_stop(session, job_id):
        raise Stopped


async def take(session: AsyncSession, job_id: UUID) -> JobRead | None:
    """Begin an attempt. None when the job has ended: a second delivery does nothing."""
    taken = (
        update(Job)
        .where(Job.id == job_id, Job.finished_at.is_(None))
        .values(
            state=JobState.RUNNING.value,
            attempt=Job.attempt + 1,
            started_at=func.coalesce(Job.started_at, func.now()),
            next_attempt_at=None,
        )
        .returning(Job)
    )
    job = await session.scalar(taken)
    return JobRead.of(job) if job else None


async def put_back(session: AsyncSession, job_id: UUID, *, state: JobState, error: str | None, delay: float) -> None:
    """The job waits: for its next attempt after delay seconds, or (delay 0) for another worker."""
    waits = update(Job).where(Job.id == job_id, Job.finished_at.is_(None))
    due = func.now() + func.make_interval(0, 0, 0, 0, 0, 0, delay)
    await session.execute(waits.values(state=state.value, error=error, next_attempt_at=due if delay else None))


async def past_deadline(session: AsyncSession, limit: int = 1000) -> list[JobRead]:
    """Enrichments that a worker first took longer ago than the deadline, by ix_jobs_unfinished."""
    late = func.now() - func.make_interval(0, 0, 0, 0, 0, 0, DEADLINE_SECONDS)
    wanted = select(Job).where(Job.kind == JobKind.ENRICHMENT.value, Job.finished_at.is_(None), Job.started_at < late)
    return [JobRead.of(job) for job in await session.scalars(wanted.limit(limit))]
