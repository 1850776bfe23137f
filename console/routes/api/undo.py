"""POST /api/v1/undo: take back what one request or one job changed, but for what was changed since."""

from __future__ import annotations

from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from console import undo_wording
from console.dependencies import GuardedRoute, OnlyOnce, Pool, requires
from console.routes.api.answers import encoded
from console.routes.api.examples import ANSWERS
from console.routes.api.jobs import job_document
from leads_core.accounts.permissions import Permission
from leads_core.idempotency import Answer
from leads_core.undoing import Author, Kept, KeptOf, Operation, Undoing, UndoneNow

router = APIRouter(prefix="/api/v1", route_class=GuardedRoute, tags=["undo"])

JSON = "application/json"


class UndoBody(BaseModel):
    """What to undo: everything that one request changed itself (its X-Request-Id), or one job."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={"examples": [{"task_id": "0193f5a0-0000-7000-8000-0000000000aa"}]},
    )

    request_id: Annotated[str | None, Field(min_length=1, max_length=128)] = None
    task_id: UUID | None = None

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if (self.request_id is None) == (self.task_id is None):
            raise ValueError("Send either request_id or task_id.")
        return self


@router.post("/undo", responses=ANSWERS)
@requires(Permission.CHANGE_LEADS)
async def undo(body: UndoBody, pool: Pool, once: OnlyOnce) -> Response:
    """200 with what was put back and what was kept, or 202 with the job where it is about more than 200 changes.

    Put back is each value that still stands as the operation left it; a lead that it added goes to the bin, one that
    it deleted comes back. What anybody changed since is kept and named. Done twice it changes nothing. The undo is
    undone by its own X-Request-Id, or by its job's id.
    """
    return await _answer(pool, once, Operation(body.request_id, body.task_id))


@router.post("/jobs/{job_id}/undo", responses=ANSWERS)
@requires(Permission.CHANGE_LEADS)
async def undo_job(job_id: UUID, pool: Pool, once: OnlyOnce) -> Response:
    """Undo what a job (an import, a bulk, an undo) changed: as POST /undo with its task_id. 409 while it runs."""
    return await _answer(pool, once, Operation(task_id=job_id))


async def _answer(pool: Pool, once: OnlyOnce, operation: Operation) -> Response:
    async def produce() -> Answer:
        result = await Undoing(pool).undo(operation)
        if isinstance(result, UndoneNow):
            authors = {one.id for each in result.kept for one in each.authors.values() if one.id}
            about = (*(each.lead_id for each in result.undone), *authors)
            return Answer(200, {"Content-Type": JSON}, encoded(_document(result)), about)
        headers = {"Content-Type": JSON, "Location": f"/api/v1/jobs/{result.id}"}
        return Answer(202, headers, encoded(job_document(result)))

    return await once.answer(produce)


def _document(result: UndoneNow) -> dict[str, Any]:
    return {
        "request_id": result.request_id,
        "counts": {name: number for name, number in result.counts.items() if number},
        "leads": [{"lead_id": each.lead_id, "outcome": each.outcome, "fields": each.fields} for each in result.undone],
        "kept": [_kept(each, one) for each in result.kept for one in each.kept],
    }


def _kept(kept_of: KeptOf, kept: Kept) -> dict[str, Any]:
    author = kept_of.authors.get(kept.entry) if kept.entry else None
    (sentence,) = undo_wording.kept_in_words(KeptOf(kept_of.lead_id, [kept], kept_of.authors, kept_of.names), None)
    return {"lead_id": kept_of.lead_id, **kept.document(), "detail": sentence, "by": _by(author)}


def _by(author: Author | None) -> dict[str, Any] | None:
    if author is None:
        return None
    return {"kind": author.kind, "id": author.id, "name": author.name, "channel": author.channel, "at": author.at}
