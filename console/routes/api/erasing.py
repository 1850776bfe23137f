"""POST /api/v1/leads/{id}/erase: forget a person, for administrators. No token reaches that far."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from console.dependencies import GuardedRoute, IfVersion, OnlyOnce, Pool, requires
from console.routes.api.examples import ANSWERS
from console.routes.api.leads import answered
from leads_core.accounts.permissions import Permission
from leads_core.erasing import Erasing, Erasure
from leads_core.idempotency import Answer
from leads_core.leads.schemas import LeadRead

router = APIRouter(prefix="/api/v1/leads", route_class=GuardedRoute, tags=["leads"])

Names = Annotated[list[str], Field(max_length=50)]


class ErasureBody(BaseModel):
    """parts: person, text (description and notes), data (all others). keep: fields of these whose value stays."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    parts: Names = ["person"]
    keep: Names = []


@router.post("/{lead_id}/erase", response_model=LeadRead, responses=ANSWERS)
@requires(Permission.ERASE)
async def erase(lead_id: UUID, body: ErasureBody, pool: Pool, if_version: IfVersion, once: OnlyOnce) -> Response:
    """Forget parts of a lead, live or in the bin, here and in its trail, for ever. Needs an administrator's session.

    With the person the lead counts as erased: it is not enriched or put back again. Done twice, it changes nothing
    the second time. 409 while an import runs whose file holds the person.
    """

    async def produce() -> Answer:
        wanted = Erasure(frozenset(body.parts), frozenset(body.keep))
        return answered(200, await Erasing(pool).erase_lead(lead_id, wanted, if_version=if_version))

    return await once.answer(produce)
