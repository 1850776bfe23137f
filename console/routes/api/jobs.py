"""A job: what it does, how far it is, how it ended."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from console.dependencies import GuardedRoute, Pool, requires
from console.routes.api.answers import json_answer
from console.routes.api.examples import ANSWERS
from leads_core.accounts.permissions import Permission
from leads_core.errors import NotFound
from leads_core.jobs import queue
from leads_core.jobs.queue import JobRead

router = APIRouter(prefix="/api/v1/jobs", route_class=GuardedRoute, tags=["jobs"])


@router.get("/{job_id}", responses=ANSWERS)
@requires(Permission.READ_LEADS)
async def read(job_id: UUID, pool: Pool) -> Response:
    """The job with this id: an enrichment's is the lead's enrichment_task_id."""
    async with pool.transaction() as session:
        job = await queue.find(session, job_id)
    if job is None:
        raise NotFound("job", job_id)
    return json_answer(job_document(job))


def job_document(job: JobRead) -> dict[str, Any]:
    """A job in the API's shape."""
    return {
        "id": job.id,
        "kind": job.kind,
        "lead_id": job.lead_id,
        "state": job.state,
        "provider": job.provider,
        "attempt": job.attempt,
        "next_attempt_at": job.next_attempt_at,
        "progress": {"done": job.done, "total": job.total},
        "result": job.result,
        "error": job.error,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
    }
