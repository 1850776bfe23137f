"""POST /api/v1/leads/batch: up to 500 leads in one request, by identity, with a result for each."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from console import problems
from console.dependencies import GuardedRoute, OnlyOnce, Pool, requires
from console.routes.api.answers import encoded
from console.routes.api.examples import ANSWERS
from leads_core.accounts.permissions import Permission
from leads_core.idempotency import Answer
from leads_core.leads import batch
from leads_core.leads.batch import BatchResult
from leads_core.leads.row_matching import Existing

router = APIRouter(prefix="/api/v1/leads", route_class=GuardedRoute, tags=["bulk"])

STATUS = {"created": 201, "updated": 200, "unchanged": 200}


class BatchBody(BaseModel):
    """The leads, each as for POST /leads; what becomes of those that are there already; and whether to look up more."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={
            "examples": [
                {
                    "leads": [
                        {"email": "mara@acme.com", "stage": "contacted"},
                        {"domain": "ahorn.com", "city": "Bonn"},
                    ],
                    "existing": "fill",
                    "enrich": True,
                }
            ]
        },
    )

    leads: Annotated[list[Any], Field(min_length=1, max_length=batch.LARGEST)]
    existing: Existing = Existing.FILL
    enrich: bool = False


EXAMPLE = {
    "results": [
        {
            "index": 0,
            "status": 201,
            "outcome": "created",
            "lead": {"id": "0193f5a0-0000-7000-8000-0000000000aa", "email": "mara@acme.com", "version": 1},
        },
        {
            "index": 1,
            "status": 422,
            "outcome": "rejected",
            "problem": {
                "type": "/problems/invalid",
                "title": "Not valid",
                "status": 422,
                "detail": "leads.1.domain: “acme” has no ending. Did you mean acme.com?",
                "errors": [{"field": "leads.1.domain", "message": "“acme” has no ending. Did you mean acme.com?"}],
            },
        },
    ]
}
SEVERAL: dict[int | str, dict[str, Any]] = {
    207: {"description": "A result for each", "content": {"application/json": {"example": EXAMPLE}}}
}


@router.post("/batch", status_code=207, responses={**ANSWERS, **SEVERAL})
@requires(Permission.CHANGE_LEADS)
async def upsert(body: BatchBody, pool: Pool, once: OnlyOnce) -> Response:
    """Create up to 500 leads, or fill those that are there already (`existing`), in one transaction.

    Each has its own result, in the order in which they were sent; one that is refused holds up nobody. It counts as
    one change for the limit. A null says nothing, as an empty cell of a file does.
    """

    async def produce() -> Answer:
        results = await batch.upsert_batch(pool, body.leads, body.existing, enrich=body.enrich)
        ids = tuple({result.lead.id: None for result in results if result.lead})
        document = {"results": [_document(result) for result in results]}
        return Answer(207, {"Content-Type": "application/json"}, encoded(document), ids)

    return await once.answer(produce)


def _document(result: BatchResult) -> dict[str, Any]:
    if result.error is not None:
        problem, _headers = problems.document(result.error)
        return {"index": result.index, "status": problem["status"], "outcome": result.outcome, "problem": problem}
    assert result.lead is not None  # noqa: S101 - one of the two is there
    lead = result.lead.model_dump(mode="json")
    return {"index": result.index, "status": STATUS[result.outcome], "outcome": result.outcome, "lead": lead}
