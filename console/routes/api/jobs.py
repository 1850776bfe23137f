"""A job: what it does, how far it is, how it ended."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header
from starlette.requests import Request
from starlette.responses import Response

from console.bulk_wording import outcomes_of
from console.dependencies import Config, GuardedRoute, Pool, requires
from console.routes.api.answers import json_answer
from console.routes.api.examples import ANSWERS
from leads_core.accounts.permissions import Permission
from leads_core.enrichment import calling_back, cancelling
from leads_core.enrichment.providers.remote import RemoteResult
from leads_core.enrichment.providers.signing import SIGNATURE_HEADER, TIME_HEADER, is_signed
from leads_core.errors import FieldError, Invalid, Malformed, NotFound, Unauthenticated
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.jobs.queue import JobRead
from leads_core.leads.bulk_actions import BulkAction
from leads_core.leads.bulk_results import ResultRow, rows_of
from leads_core.leads.schemas import parsed
from leads_core.paging import Cursors, Position, page_size
from leads_core.parameters import unknown_among

ROW_PARAMETERS = ("outcome", "limit", "cursor")
ROWS_DOCUMENTED: dict[str, Any] = {
    "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}} for name in ROW_PARAMETERS]
}

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


@router.get("/{job_id}/rows", responses=ANSWERS, openapi_extra=ROWS_DOCUMENTED)
@requires(Permission.READ_LEADS)
async def rows(request: Request, job_id: UUID, pool: Pool, config: Config) -> Response:
    """What became of each lead of a bulk job, in the order of its set; outcome: those that it came to."""
    query, cursors = request.query_params, Cursors(config.signing_secret)
    if unknown := unknown_among(query, ROW_PARAMETERS):
        raise Invalid(unknown)
    outcome, size = query.get("outcome"), page_size(query.get("limit"))
    place_in = f"rows of {job_id} {outcome or ''}"
    key = cursors.read(query.get("cursor"), place_in).key
    async with pool.transaction() as session:
        job = await queue.find(session, job_id)
    if job is None or job.kind != JobKind.BULK:
        raise NotFound("bulk job", job_id)
    known = outcomes_of(BulkAction(job.wanted["action"]))
    if outcome is not None and outcome not in known:
        raise Invalid.of("query.outcome", f"Give one of {', '.join(known)}.")
    async with pool.reader() as reader:
        found = await rows_of(reader, job_id, outcome=outcome, after=key[0] if key else -1, limit=size + 1)
    more = len(found) > size
    following = cursors.write(Position(key=(found[size - 1].place,)), place_in) if more else None
    return json_answer({"items": [_row_document(row) for row in found[:size]], "next_cursor": following})


@router.post("/{job_id}/cancel", responses=ANSWERS)
@requires(Permission.CHANGE_LEADS)
async def cancel(job_id: UUID, pool: Pool) -> Response:
    """End a job: at once if it waits; one of many leads that runs after what it is at. A lead gets its status back."""
    return json_answer(job_document(await cancelling.cancel(pool, job_id)))


CALL_BACK: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": RemoteResult.model_json_schema()}},
    }
}


@router.post("/{job_id}/result", status_code=202, responses=ANSWERS, openapi_extra=CALL_BACK)
@requires(None)
async def call_back(
    job_id: UUID,
    request: Request,
    pool: Pool,
    config: Config,
    sent_at: Annotated[str, Header(alias=TIME_HEADER)] = "",
    signature: Annotated[str, Header(alias=SIGNATURE_HEADER)] = "",
) -> Response:
    """What a remote coordinator found after all. It signs as it was asked: HMAC-SHA256 over the time and the body."""
    body = await request.body()
    secret = config.remote_secret
    if secret is None or not is_signed(secret, time.time(), sent_at, signature, body):
        raise Unauthenticated(f"Sign the body and the time: {TIME_HEADER} and {SIGNATURE_HEADER}.")
    await calling_back.receive(pool, job_id, parsed(RemoteResult, _json(body)))
    return json_answer({"ok": True}, 202)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise Malformed([FieldError("body", "Send JSON in UTF-8.")]) from None


def _row_document(row: ResultRow) -> dict[str, Any]:
    """A lead of a bulk; by and values say what somebody did first, other_id which lead is in the way."""
    return {
        "lead_id": row.lead_id,
        "outcome": row.outcome,
        "name": row.lead.name if row.lead else None,
        "by": {"kind": row.behind.actor_kind, "id": row.behind.actor_id, "name": row.behind.name}
        if row.behind
        else None,
        "values": row.behind.new_values if row.behind else None,
        "other_id": row.other_id,
    }


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
