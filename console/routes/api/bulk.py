"""POST /api/v1/leads/bulk: one action on many leads, by their ids or by a filter that is frozen when it is asked."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.responses import Response

from console.dependencies import CurrentVisitor, GuardedRoute, OnlyOnce, Pool, requires
from console.routes.api.answers import encoded
from console.routes.api.examples import ANSWERS
from console.routes.api.jobs import job_document
from leads_core.accounts.permissions import Permission
from leads_core.errors import FieldError, Invalid
from leads_core.idempotency import Answer
from leads_core.leads import bulk
from leads_core.leads.bulk import Wanted
from leads_core.leads.bulk_actions import Asked, BulkAction
from leads_core.leads.filters import LeadFilter

router = APIRouter(prefix="/api/v1/leads", route_class=GuardedRoute, tags=["bulk"])


LEAD = "0193f5a0-0000-7000-8000-0000000000aa"
EXAMPLES: list[JsonValue] = [
    {"action": "set_stage", "values": {"stage": "won"}, "ids": [LEAD], "versions": {LEAD: 3}},
    {"action": "set_owner", "values": {"owner_id": None}, "filter": {"owner": "me", "stage": "lost"}},
    {"action": "add_tags", "values": {"tags": ["fair 2026"]}, "filter": {"source": "import", "country": ["DE", "AT"]}},
    {"action": "set_follow_up", "values": {"follow_up_on": "2026-12-01"}, "ids": [LEAD]},
    {"action": "delete", "filter": {"tag": "test"}},
    {"action": "restore", "filter": {"deleted": "true", "tag": "test"}},
    {"action": "enrich", "filter": {}},
]


class BulkBody(BaseModel):
    """What to do, and with which leads: `ids`, or `filter` with the list's own filters ({} for every lead).

    `values` is what the action sets. `versions`: of some of the ids, the version that was seen; what somebody else
    changed of the very thing since then is a conflict, and stays.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": EXAMPLES})

    action: BulkAction
    values: dict[str, Any] = Field(default_factory=dict)
    ids: Annotated[list[UUID], Field(min_length=1, max_length=bulk.LARGEST)] | None = None
    versions: dict[UUID, Annotated[int, Field(ge=1, le=2_147_483_647)]] = Field(default_factory=dict)
    filter: dict[str, str | list[str]] | None = None


@router.post("/bulk", status_code=202, responses=ANSWERS)
@requires(Permission.CHANGE_LEADS)
async def start(body: BulkBody, pool: Pool, who: CurrentVisitor, once: OnlyOnce) -> Response:
    """Start a job over exactly the leads that are meant now, up to 100,000. It counts as one change for the limit."""
    wanted, asked = _wanted(body, who.user_id), Asked.parsed(body.action, body.values)

    async def produce() -> Answer:
        job = await bulk.start(pool, asked, wanted)
        headers = {"Location": f"/api/v1/jobs/{job.id}", "Content-Type": "application/json"}
        return Answer(202, headers, encoded(job_document(job)))

    return await once.answer(produce)


def _wanted(body: BulkBody, me: UUID | None) -> Wanted:
    if (body.ids is None) == (body.filter is None):
        raise Invalid.of("ids", "Send either ids or a filter.")
    if body.ids is not None:
        if others := body.versions.keys() - set(body.ids):
            raise Invalid.of(f"versions.{min(others)}", "This lead is not among the ids. Leave its version out.")
        return {lead_id: body.versions.get(lead_id) for lead_id in body.ids}
    if body.versions:
        raise Invalid.of("versions", "Versions go with ids. Of a filter the versions of now count.")
    assert body.filter is not None  # noqa: S101 - one of the two is there
    given: dict[str, Any] = {name: [value] if isinstance(value, str) else value for name, value in body.filter.items()}
    try:
        return LeadFilter.from_query(given, me=me)
    except Invalid as error:
        places = [FieldError(f"filter.{one.field.removeprefix('query.')}", one.message) for one in error.errors]
        raise Invalid(places) from error
