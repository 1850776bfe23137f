"""Enrichment of a lead: ask for it, see how it goes, read what was found."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from console.dependencies import Config, GuardedRoute, Leads, OnlyOnce, Pool, requires
from console.routes.api.answers import json_answer
from console.routes.api.examples import ANSWERS
from console.routes.api.jobs import job_document
from console.routes.api.leads import answered
from leads_core.accounts.permissions import Permission
from leads_core.enrichment import merging, outgoing_requests, queries
from leads_core.enrichment.queries import FactRead
from leads_core.enrichment.suggestions import Suggestions
from leads_core.idempotency import Answer
from leads_core.jobs import queue
from leads_core.leads.schemas import LeadRead
from leads_core.paging import Cursors, Position, page_size

router = APIRouter(prefix="/api/v1/leads", route_class=GuardedRoute, tags=["enrichment"])


@router.post("/{lead_id}/enrich", status_code=202, response_model=LeadRead, responses=ANSWERS)
@requires(Permission.CHANGE_LEADS)
async def enrich(lead_id: UUID, leads: Leads, once: OnlyOnce) -> Response:
    """Look the lead up again. One that is being looked up already is left to finish."""

    async def produce() -> Answer:
        lead = await leads.enrich(lead_id)
        return answered(202, lead, Location=f"/api/v1/jobs/{lead.enrichment_task_id}")

    return await once.answer(produce)


@router.get("/{lead_id}/enrichment", responses=ANSWERS)
@requires(Permission.READ_LEADS)
async def state(lead_id: UUID, leads: Leads, pool: Pool) -> Response:
    """Where the lead's enrichment stands, and the job that is or was at it."""
    lead = await leads.get(lead_id, deleted=None)
    async with pool.transaction() as session:
        job = await queue.newest_of_lead(session, lead_id)
        checked_at = await queries.checked_at(session, lead_id)
    body = {
        "status": lead.enrichment_status,
        "outcome": lead.enrichment_outcome,
        "error": lead.enrichment_error,
        "enriched_at": lead.enriched_at,
        "checked_at": checked_at,
        "job": job_document(job) if job else None,
    }
    return json_answer(body)


@router.get("/{lead_id}/facts", responses=ANSWERS)
@requires(Permission.READ_LEADS)
async def facts(lead_id: UUID, leads: Leads, pool: Pool) -> Response:
    """Everything that was found, whether it was used or not; suggestion: it says something else than the lead."""
    lead = await leads.get(lead_id, deleted=None)
    async with pool.transaction() as session:
        found = await queries.facts_of(session, lead_id)
    body = {"items": [_document(lead, fact) for fact in found], "next_cursor": None}
    return json_answer(body)


class Chosen(BaseModel):
    """Which suggestions: the ids of facts; without them all of the lead's."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[UUID], Field(max_length=100)] | None = None


@router.post("/{lead_id}/suggestions/accept", response_model=LeadRead, responses=ANSWERS)
@requires(Permission.CHANGE_LEADS)
async def accept(lead_id: UUID, body: Chosen, pool: Pool, once: OnlyOnce) -> Response:
    """Write suggested values into the lead, as your word. A suggestion that does not stand any more is 404."""

    async def produce() -> Answer:
        lead, _ = await Suggestions(pool).accept(lead_id, body.ids)
        return answered(200, lead)

    return await once.answer(produce)


@router.post("/{lead_id}/suggestions/dismiss", status_code=204, responses=ANSWERS)
@requires(Permission.CHANGE_LEADS)
async def dismiss(lead_id: UUID, body: Chosen, pool: Pool) -> Response:
    """Wave suggestions away. The trail says so; the lead stays in its version."""
    await Suggestions(pool).dismiss(lead_id, body.ids)
    return Response(status_code=204)


@router.get("/{lead_id}/requests", responses=ANSWERS)
@requires(Permission.READ_LEADS)
async def requests(
    lead_id: UUID,
    leads: Leads,
    pool: Pool,
    config: Config,
    limit: Annotated[str | None, Query()] = None,
    cursor: Annotated[str | None, Query()] = None,
) -> Response:
    """What left the house for this lead, the newest first: when, to whom, by which provider, and what came back."""
    await leads.get(lead_id, deleted=None)
    cursors, size, this_list = Cursors(config.signing_secret), page_size(limit), f"requests\n{lead_id}"
    position = cursors.read(cursor, this_list)
    before = position.key[0] if position.key else None
    async with pool.transaction() as session:
        found = await outgoing_requests.requests_of(session, lead_id, before=before, limit=size + 1)
    page, more = found[:size], len(found) > size
    next_cursor = cursors.write(Position(key=(page[-1].id,)), this_list) if more else None
    return json_answer({"items": [asdict(request) for request in page], "next_cursor": next_cursor})


def _document(lead: LeadRead, found: FactRead) -> dict[str, Any]:
    fact = found.fact
    return {
        "id": found.id,
        "field": fact.field,
        "value": fact.value,
        "source": fact.source,
        "confidence": fact.confidence,
        "fetched_at": fact.fetched_at,
        "url": fact.url,
        "task_id": found.task_id,
        "suggestion": found.dismissed_at is None and merging.is_suggestion(lead, fact),
        "dismissed_at": found.dismissed_at,
    }
