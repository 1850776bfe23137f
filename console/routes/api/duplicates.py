"""Leads that are likely one, as scripts read them, and the merge of two."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from console import problems
from console.dependencies import GuardedRoute, IfVersion, Leads, OnlyOnce, Pool, requires
from console.problems import MEDIA_TYPE
from console.routes.api.answers import json_answer
from console.routes.api.examples import ANSWERS, Problem
from console.routes.api.leads import answered
from leads_core.accounts.permissions import Permission
from leads_core.idempotency import Answer
from leads_core.leads.likely_duplicates import undecided_of
from leads_core.leads.merging import MERGEABLE, Merge, Side
from leads_core.leads.schemas import LeadRead, LeadUpdate

router = APIRouter(prefix="/api/v1/leads", route_class=GuardedRoute, tags=["leads"])

Mergeable = StrEnum("Mergeable", {name: name for name in MERGEABLE})  # type: ignore[misc]
EXAMPLE: dict[str, Any] = {
    "other": "0193f5a0-0000-7000-8000-0000000000ab",
    "take": {"phone": "theirs", "notes": "both"},
    "values": {"job_title": "Head of Purchasing"},
    "versions": {"mine": 3, "theirs": 1},
}
MERGED: dict[int | str, dict[str, Any]] = {
    409: {
        "description": "One of them was merged already, or another lead is in the way",
        "content": {
            MEDIA_TYPE: {
                "schema": Problem.model_json_schema(),
                "example": {
                    "type": f"/problems/{problems.MERGED.slug}",
                    "title": problems.MERGED.title,
                    "status": 409,
                    "detail": "This lead was merged into another one. Open that one.",
                    "merged_into": EXAMPLE["other"],
                    "links": {"open": f"/leads/{EXAMPLE['other']}"},
                },
            }
        },
    }
}


class Versions(BaseModel):
    """The versions that were looked at; another one by now is 412, with that lead as `current`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    mine: Annotated[int, Field(ge=1)] | None = None
    theirs: Annotated[int, Field(ge=1)] | None = None


class MergeBody(BaseModel):
    """The lead to merge into the one of the address, and what is taken of it.

    take: field -> mine, theirs or (tags and notes) both; values: field -> a value of your own. Fields that neither
    names go as the console proposes: what is filled before what is empty, a person's word before a machine's, the
    later before the earlier, tags united, notes joined, the further stage.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, json_schema_extra={"examples": [EXAMPLE]})

    other: UUID
    take: dict[Mergeable, Side] = Field(default_factory=dict)
    values: LeadUpdate = Field(default_factory=LeadUpdate)
    versions: Versions = Field(default_factory=Versions)


@router.get("/{lead_id}/duplicates", responses=ANSWERS)
@requires(Permission.READ_LEADS)
async def duplicates(lead_id: UUID, leads: Leads, pool: Pool) -> Response:
    """Live leads that are likely the same as this one, the likeliest first, at most 20.

    reasons are codes: mailbox, phone, shared_phone, same_name, similar_name, part_of_name, nobody_named,
    lookalike_address, lookalike_domain, domain_addition, domain_ending. What somebody called no duplicate is left out.
    """
    await leads.get(lead_id)
    async with pool.reader() as reader:
        found = await undecided_of(reader, lead_id)
    items = [
        {
            "lead": each.lead,
            "reasons": each.likeness.reasons,
            "score": each.likeness.score,
            "likelihood": each.likeness.likelihood,
        }
        for each in found
    ]
    return json_answer({"items": items, "next_cursor": None})


@router.post("/{lead_id}/merge", response_model=LeadRead, responses={**ANSWERS, **MERGED})
@requires(Permission.CHANGE_LEADS)
async def merge(lead_id: UUID, body: MergeBody, leads: Leads, if_version: IfVersion, once: OnlyOnce) -> Response:
    """Merge another lead into this one, which stays and is given back. The other goes to the bin, with merged_into.

    Both trails have the entry, under one request: an undo of the request takes them apart. If-Match is
    `versions.mine`. 409 when one of the two was merged already, its person was erased, or a third lead has the email
    or domain that this one would have; 412 when one of them changed.
    """
    looked_at = {lead_id: if_version or body.versions.mine, body.other: body.versions.theirs}
    wanted = Merge(
        {str(name): side for name, side in body.take.items()},
        body.values.changes(),
        {one: version for one, version in looked_at.items() if version is not None},
    )

    async def produce() -> Answer:
        kept, _ = await leads.merge(lead_id, body.other, wanted)
        answer = answered(200, kept)
        # Erasing either of them empties it: it holds what was taken of the other.
        return Answer(answer.status, answer.headers, answer.body, (lead_id, body.other))

    return await once.answer(produce)
