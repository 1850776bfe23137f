"""What an undo came to, kept with its job; and which undo of a job stands.

An undo of what a job did is a job itself, also when it was done at once: so whoever looks at the job sees that it was
undone, and by whom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.audit.operations import Operation
from leads_core.database import Database
from leads_core.jobs import queue
from leads_core.jobs.models import Job, JobKind, JobState
from leads_core.jobs.queue import JobRead
from leads_core.leads.undoing_many import Undone, counts_of

#: So many leads of which something was kept stand in a job's result; all of them in undo_items.
LISTED = 100
#: In what is wanted of an undo: it was done in the request that asked for it.
WITHIN_REQUEST = "at_once"

# By ix_jobs_undo_of. An undo that was undone itself does not stand, unless that was undone in its turn. One that was
# stopped before it put anything back is none.
STANDING = text("""
    WITH RECURSIVE chain AS (
        SELECT id AS job_id, id AS undo_id, 0 AS depth FROM unnest(:ids) AS asked (id)
        UNION ALL
        SELECT chain.job_id, newest.id, chain.depth + 1 FROM chain CROSS JOIN LATERAL (
            SELECT id FROM jobs WHERE kind = 'undo' AND wanted ->> 'task_id' = chain.undo_id::text
                AND NOT (state = 'cancelled' AND done = 0)
            ORDER BY id DESC LIMIT 1
        ) AS newest)
    SELECT job_id, undo_id FROM (SELECT DISTINCT ON (job_id) * FROM chain ORDER BY job_id, depth DESC) AS last
    WHERE depth % 2 = 1
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)))


def add(result: dict[str, Any], undone: Sequence[Undone], listed: int = LISTED) -> None:
    """Count what became of leads into a job's result."""
    counts = counts_of(undone)
    counts.update(result["counts"])
    result["counts"] = {name: number for name, number in counts.items() if number}
    kept = [
        {"lead_id": str(each.lead_id), "outcome": each.outcome, "kept": [one.document() for one in each.kept]}
        for each in undone
        if each.kept
    ]
    result["rows"] = [*result["rows"], *kept][:listed]


def empty_result() -> dict[str, Any]:
    return {"counts": {}, "rows": []}


async def keep(session: AsyncSession, operation: Operation, undone: Sequence[Undone]) -> None:
    """Beside an undo at once: the job that it counts as. None where it was not about a job, or changed nothing."""
    undone_job = operation.task_id or await _job_of_request(session, operation)
    if undone_job is None or all(each.outcome == "same" for each in undone):
        return
    result = empty_result()
    add(result, undone, listed=len(undone))
    wanted = {"task_id": str(undone_job), WITHIN_REQUEST: True}
    job_id = await queue.write(session, JobKind.UNDO, wanted=wanted, total=len(undone))
    job = await queue.find(session, job_id)
    assert job is not None  # noqa: S101 - written in this transaction
    await queue.note_progress(session, job, before=0, done=len(undone), result=result)
    await queue.finish(session, job_id, JobState.COMPLETED)


def written_by(job: JobRead) -> Operation:
    """Under which name the trail has what an undo job changed."""
    return Operation(request_id=job.request_id) if WITHIN_REQUEST in job.wanted else Operation(task_id=job.id)


async def standing(database: Database, job_ids: Sequence[UUID]) -> Mapping[UUID, JobRead]:
    """Of these jobs, those that are undone, or are being undone, each with its undo."""
    async with database.transaction() as session:
        found = {row.job_id: row.undo_id for row in await session.execute(STANDING, {"ids": list(job_ids)})}
        jobs = await session.scalars(select(Job).where(Job.id.in_(found.values())))
        undos = {job.id: JobRead.of(job) for job in jobs}
    return {job_id: undos[undo_id] for job_id, undo_id in found.items()}


async def _job_of_request(session: AsyncSession, operation: Operation) -> UUID | None:
    """The undo that this request was, by ix_jobs_undo_request_id."""
    mine = (Job.kind == JobKind.UNDO.value, Job.request_id == operation.request_id, Job.wanted.has_key(WITHIN_REQUEST))
    return await session.scalar(select(Job.id).where(*mine).limit(1))
