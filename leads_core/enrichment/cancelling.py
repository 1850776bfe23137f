"""End a job, whatever its kind: what still waits, and of many leads also what runs."""

from __future__ import annotations

from uuid import UUID

from leads_core.database import Database
from leads_core.errors import NotFound
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.jobs.queue import JobRead
from leads_core.leads import bulk
from leads_core.leads.service import LeadService


async def cancel(database: Database, job_id: UUID) -> JobRead:
    """The job as it ended; of an enrichment the lead gets back the status it had. For bulk jobs see bulk.cancel.

    Raises NotFound, JobRunning (a worker has it), JobEnded.
    """
    async with database.transaction() as session:
        job = await queue.find(session, job_id)
        if job is None:
            raise NotFound("job", job_id)
        if job.kind == JobKind.BULK:
            return await bulk.cancel(database, job_id)
        if job.kind in {JobKind.IMPORT, JobKind.UNDO}:
            return await queue.stop(session, job_id)
        if job.kind != JobKind.ENRICHMENT or job.lead_id is None:
            return await queue.cancel(session, job_id)
    await LeadService(database).cancel_enrichment(job.lead_id, job_id)
    async with database.transaction() as session:
        ended = await queue.find(session, job_id)
    assert ended is not None  # noqa: S101 - jobs are not removed
    return ended
