"""One action on many leads, as a job: exactly the set at the click, and what became of each.

The set is frozen into bulk_items in the transaction that starts the job, with the versions that were seen, so nothing
that changes meanwhile joins or leaves it, and nobody's later word is overwritten (bulk_job).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.database import Database, new_id
from leads_core.errors import Invalid, JobEnded, NotFound
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.jobs.queue import JobRead
from leads_core.leads import bulk_items
from leads_core.leads.bulk_actions import Asked, BulkAction
from leads_core.leads.bulk_job import BulkHandler
from leads_core.leads.filters import LeadFilter
from leads_core.leads.owners import refuse_unless_working

#: More are for an import, or for a narrower filter.
LARGEST = 100_000

#: A filter, or leads; a mapping says which version of each was seen.
Wanted = LeadFilter | Sequence[UUID] | Mapping[UUID, int | None]

TOTAL = text("UPDATE jobs SET total = :total WHERE id = :id")
CANCELLING = text("""
    SELECT id FROM jobs WHERE kind = 'bulk' AND wanted ->> 'source' = :source ORDER BY id DESC LIMIT 1
""")
#: Two clicks at once cancel once.
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('bulk ' || :source, 0))")


async def start(database: Database, asked: Asked, wanted: Wanted, *, at_once: int = 0) -> JobRead:
    """Freeze the leads that are wanted now, and start the job; up to at_once leads are done before this returns.

    Raises Invalid for none, for more than LARGEST, and for an owner who does not work here.
    """
    job_id = new_id()
    async with database.one_transaction() as session:
        await refuse_unless_working(session, asked.owner, field="values.owner_id")
        await queue.write(session, JobKind.BULK, wanted=asked.document(), job_id=job_id)
        if await _freeze(session, job_id, wanted) <= at_once:
            await _do_now(database, session, job_id)
        else:
            await queue.enqueue(session, JobKind.BULK, job_id, priority=queue.PRIORITY_ASKED)
        session.expire_all()
        job = await queue.find(session, job_id)
    assert job is not None  # noqa: S101 - started in this transaction
    return job


async def cancel(database: Database, job_id: UUID) -> JobRead:
    """End a bulk job: what was done stays done, the rest is not begun. Gives the job.

    One that runs ends after its batch. What an enrichment of many has begun and still waits is ended by a job of its
    own (cancelling_of), in the name of whoever cancels; also when the job itself has done all it had to do.
    Raises NotFound, JobEnded.
    """
    async with database.transaction() as session:
        job = await queue.find(session, job_id)
        if job is None or job.kind != JobKind.BULK:
            raise NotFound("bulk job", job_id)
        is_over = job.is_finished or not await _end(session, job_id)
        await _end_what_waits(session, job, is_over=is_over)
        ended = await queue.find(session, job_id)
    assert ended is not None  # noqa: S101 - jobs are not removed
    return ended


async def cancelling_of(session: AsyncSession, job_id: UUID) -> UUID | None:
    """The job that ends what this one began and what still waits."""
    found: UUID | None = await session.scalar(CANCELLING, {"source": str(job_id)})
    return found


async def _end(session: AsyncSession, job_id: UUID) -> bool:
    """As queue.stop; False when it has ended by itself."""
    try:
        await queue.stop(session, job_id)
    except JobEnded:
        return False
    return True


async def _end_what_waits(session: AsyncSession, job: JobRead, *, is_over: bool) -> None:
    begins = job.wanted["action"] == BulkAction.ENRICH
    await session.execute(ONE_AT_A_TIME, {"source": str(job.id)})
    if not begins or await cancelling_of(session, job.id) is not None:
        if is_over:
            raise JobEnded("This job has ended already.")
        return
    asked = Asked(BulkAction.CANCEL_ENRICHMENT, source=job.id)
    await queue.start(session, JobKind.BULK, priority=queue.PRIORITY_ASKED, wanted=asked.document())


async def _do_now(database: Database, session: AsyncSession, job_id: UUID) -> None:
    """As a worker would, in the transaction of the request."""
    session.expire_all()
    job = await queue.take(session, job_id)
    assert job is not None  # noqa: S101 - written in this transaction
    who = context.current()
    with context.acting_as(who.on_behalf(who.channel, job_id)) as acting:
        await BulkHandler(database).run(job)
    who.receipts.extend(acting.receipts)


async def _freeze(session: AsyncSession, job_id: UUID, wanted: Wanted) -> int:
    if isinstance(wanted, LeadFilter):
        total = await bulk_items.freeze_filter(session, job_id, wanted, LARGEST)
    else:
        versions = dict(wanted) if isinstance(wanted, Mapping) else dict.fromkeys(wanted)
        total = len(versions) if len(versions) > LARGEST else await bulk_items.freeze_ids(session, job_id, versions)
    if total == 0:
        raise Invalid.of("ids", "No lead is meant. Choose some, or another filter.")
    if total > LARGEST:
        raise Invalid.of("filter", f"More than {LARGEST:,} leads match. Narrow the filter.")
    await session.execute(TOTAL, {"total": total, "id": job_id})
    return total
