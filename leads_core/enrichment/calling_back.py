"""The answer of a remote coordinator that comes later: it lies with its job, and the job runs again at once."""

from __future__ import annotations

from uuid import UUID

from leads_core.database import Database
from leads_core.enrichment.providers.remote import Inbox, RemoteResult
from leads_core.errors import JobEnded, NotFound
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind

CALLED_BACK = "called_back"


async def receive(database: Database, task_id: UUID, result: RemoteResult) -> None:
    """Keep what was called back and run the job. The same again does no harm. Raises NotFound, JobEnded."""
    async with database.transaction() as session:
        job = await queue.find(session, task_id)
        if job is None or job.kind != JobKind.ENRICHMENT:
            raise NotFound("enrichment job", task_id)
        if not await queue.note(session, task_id, {CALLED_BACK: result.model_dump(mode="json")}):
            raise JobEnded("This job has ended. Its lead can be enriched again.")


def inbox(database: Database) -> Inbox:
    """Where the remote provider looks for what was called back."""

    async def look(task_id: UUID) -> RemoteResult | None:
        async with database.transaction() as session:
            job = await queue.find(session, task_id)
        kept = job.wanted.get(CALLED_BACK) if job else None
        return RemoteResult.model_validate(kept) if kept else None

    return look
