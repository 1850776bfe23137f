"""/api/v1/leads: one lead at a time, as scripts read and write it. Lists are in lists.py."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from console import problems
from console.dependencies import GuardedRoute, IfVersion, Leads, OnlyOnce, requires
from console.routes.api.answers import encoded
from console.routes.api.examples import ANSWERS
from leads_core.accounts.permissions import Permission
from leads_core.errors import Invalid
from leads_core.idempotency import Answer
from leads_core.leads.history import REVERTIBLE
from leads_core.leads.schemas import LeadCreate, LeadRead, LeadUpdate, Source, parsed
from leads_core.leads.service import QuickAdded

router = APIRouter(prefix="/api/v1/leads", route_class=GuardedRoute, tags=["leads"])

JSON = "application/json"
Revertible = StrEnum("Revertible", {name: name for name in REVERTIBLE})  # type: ignore[misc]


class NewLead(LeadCreate):
    """A lead to be added, and whether to look up at once what is missing."""

    enrich: bool = False


class QuickAddBody(BaseModel):
    """Either text (an email, a domain, a URL, `Name <email>`; several lines are several leads), or fields."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    text: Annotated[str | None, Field(max_length=20_000)] = None
    email: str | None = None
    domain: str | None = None
    company_name: str | None = None
    contact_name: str | None = None


class RevertBody(BaseModel):
    """The entry of the lead's trail to go back to, and what to put back: `fields`, or everything without it."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={"examples": [{"seq": 3}, {"seq": 3, "fields": ["stage", "phone"]}]},
    )

    seq: Annotated[int, Field(ge=1)]
    fields: Annotated[list[Revertible] | None, Field(min_length=1)] = None


@router.post("", status_code=201, response_model=LeadRead, responses=ANSWERS)
@requires(Permission.CHANGE_LEADS)
async def create(body: NewLead, leads: Leads, once: OnlyOnce) -> Response:
    """Add a lead. An email or a domain is enough."""

    async def produce() -> Answer:
        return created(await leads.create(body, source=Source.API, enrich=body.enrich))

    return await once.answer(produce)


@router.post("/quick-add", status_code=201, response_model=LeadRead, responses=ANSWERS)
@requires(Permission.CHANGE_LEADS)
async def quick_add(body: QuickAddBody, leads: Leads, once: OnlyOnce) -> Response:
    """Add leads by what identifies them and begin enrichment: 201 for one, 207 with a result each for several."""

    async def produce() -> Answer:
        if body.text is None:
            return created(await _add_fields(body, leads))
        if body.model_fields_set != {"text"}:
            raise Invalid.of("text", "Send either text or fields, not both.")
        return _added(await leads.quick_add(body.text, despite_bin=True))

    return await once.answer(produce)


@router.get("/{lead_id}", response_model=LeadRead, responses=ANSWERS)
@requires(Permission.READ_LEADS)
async def read(lead_id: UUID, leads: Leads, deleted: Annotated[bool, Query()] = False) -> Response:
    """A lead; with deleted=true also one from the bin."""
    return of_lead(await leads.get(lead_id, deleted=None if deleted else False))


@router.put("/{lead_id}", response_model=LeadRead, responses=ANSWERS)
@router.patch("/{lead_id}", response_model=LeadRead, responses=ANSWERS)
@requires(Permission.CHANGE_LEADS)
async def update(lead_id: UUID, body: LeadUpdate, leads: Leads, if_version: IfVersion) -> Response:
    """Change the given fields: what is absent stays, null clears. PUT and PATCH are one operation."""
    return of_lead(await leads.update(lead_id, body, if_version=if_version))


@router.delete("/{lead_id}", status_code=204, responses=ANSWERS)
@requires(Permission.CHANGE_LEADS)
async def delete(lead_id: UUID, leads: Leads, if_version: IfVersion) -> Response:
    """Move a lead to the bin, from where it can be restored."""
    await leads.delete(lead_id, if_version=if_version)
    return Response(status_code=204)


@router.post("/{lead_id}/restore", response_model=LeadRead, responses=ANSWERS)
@requires(Permission.CHANGE_LEADS)
async def restore(lead_id: UUID, leads: Leads, if_version: IfVersion, once: OnlyOnce) -> Response:
    """Bring a lead back from the bin. A live one is given as it is."""

    async def produce() -> Answer:
        return answered(200, await leads.restore(lead_id, if_version=if_version))

    return await once.answer(produce)


@router.post("/{lead_id}/revert", response_model=LeadRead, responses=ANSWERS)
@requires(Permission.CHANGE_LEADS)
async def revert(lead_id: UUID, body: RevertBody, leads: Leads, if_version: IfVersion, once: OnlyOnce) -> Response:
    """Put a lead back to how it stood after the entry `seq`, or only the named fields. A new entry, undone like any.

    Where nothing differs nothing is written: the lead comes with the ETag that it had. 409 when its email or domain
    of that time is another lead's by now, or the person was erased; 422 when a value of that time was erased (name
    the other fields), its owner is gone, or today's rules refuse it.
    """

    async def produce() -> Answer:
        return answered(200, await leads.revert(lead_id, body.seq, fields=body.fields, if_version=if_version))

    return await once.answer(produce)


def of_lead(lead: LeadRead, status: int = 200) -> Response:
    """One lead with its ETag."""
    answer = answered(status, lead)
    return Response(answer.body, answer.status, dict(answer.headers))


def answered(status: int, lead: LeadRead, **headers: str) -> Answer:
    """One lead as an answer that an Idempotency-Key may keep."""
    all_headers = {"Content-Type": JSON, "ETag": lead.etag, **headers}
    return Answer(status, all_headers, lead.model_dump_json().encode(), (lead.id,))


def created(lead: LeadRead) -> Answer:
    return answered(201, lead, Location=f"/api/v1/leads/{lead.id}")


async def _add_fields(body: QuickAddBody, leads: Leads) -> LeadRead:
    wanted = parsed(LeadCreate, {**body.model_dump(exclude_none=True), "is_manual": True})
    return await leads.create(wanted, source=Source.QUICK_ADD, enrich=True)


def _added(results: Sequence[QuickAdded]) -> Answer:
    """The lead, or the error, of one line; of several lines a result each."""
    if len(results) == 1:
        (only,) = results
        if only.error is not None:
            raise only.error
        assert only.lead is not None  # noqa: S101 - one of the two is there
        return created(only.lead)
    body = encoded({"results": [_result(result) for result in results]})
    ids = tuple(result.lead.id for result in results if result.lead)
    return Answer(207, {"Content-Type": JSON}, body, ids)


def _result(result: QuickAdded) -> dict[str, Any]:
    if result.lead is not None:
        return {"index": result.index, "status": 201, "lead": result.lead.model_dump(mode="json")}
    assert result.error is not None  # noqa: S101 - one of the two is there
    problem, _headers = problems.document(result.error)
    return {"index": result.index, "status": problem["status"], "problem": problem}
