"""Undo: of what one request or one job changed. Asked first where it is looked at, done at once or as a job."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from console import undo_page, undo_wording
from console.dependencies import CurrentVisitor, GuardedRoute, Pool, Render, requires
from console.forms import SentForm
from console.rendering import local_path
from console.undo_notice import done_address
from console.undo_page import UndoView
from leads_core.accounts.permissions import Permission
from leads_core.enrichment import cancelling
from leads_core.errors import Invalid, JobEnded, NotFound, StillRunning
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.jobs.queue import JobRead
from leads_core.transfer import exporting
from leads_core.undoing import Kept, KeptOf, Operation, Undoing, UndoneNow, operation_of

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

MARK = "\ufeff"
LONGEST_ID = 128


class UndoDesk:
    """What the routes share."""

    def __init__(self, pool: Pool, who: CurrentVisitor, render: Render) -> None:
        self.pool = pool
        self.who = who
        self.render = render
        self.undoing = Undoing(pool)

    async def undo(self, operation: Operation, then: str) -> Response:
        """Done, or begun: a toast for a script; without one the page one came from, or what was kept."""
        result = await self.undoing.undo(operation)
        if not isinstance(result, UndoneNow):
            return self._begun(result)
        if self.render.wants_block:
            events = {
                "leads-changed": {"ids": [str(lead_id) for lead_id in result.changed]},
                "toast": undo_page.undone_toast(result, self.who.user_id),
            }
            return self.render.nothing_or_redirect(to=then, events=events)
        if result.changed and not result.kept:
            return RedirectResponse(done_address(then, is_undo=True), 303)
        kept = self.described(result.kept)
        said = undo_wording.undone_in_words(result, self.who.user_id)
        redo = undo_page.of_this_request() if result.changed else None
        return self.render.page("undo/result.html", said=said, kept=kept, then=then, redo=redo)

    async def ask(self, operation: Operation) -> Response:
        """Whose change it was, and how many leads it touched."""
        foreseen = await self.undoing.foresee(operation)
        who = undo_wording.who_changed(foreseen.author, self.who.user_id) or "somebody"
        names = [undo_wording.name_of(lead_id, foreseen.names) for lead_id in foreseen.names]
        return self.render.page("undo/ask.html", foreseen=foreseen, who=who, names=names, given=operation.values)

    async def job(self, job_id: UUID) -> JobRead:
        """The undo job with this id. Raises NotFound."""
        async with self.pool.transaction() as session:
            job = await queue.find(session, job_id)
        if job is None or job.kind != JobKind.UNDO.value:
            raise NotFound("undo", job_id)
        return job

    async def show(self, job: JobRead) -> Response:
        """How far it is, or what came of it."""
        rows = [] if not job.is_finished else (job.result or {}).get("rows", [])
        found = [(UUID(row["lead_id"]), [Kept.of(one) for one in row["kept"]]) for row in rows]
        kept = self.described((await self.undoing.described(found))[0])
        return self.render.page(
            "undo/show.html", "progress", job=job, undo=UndoView(job), kept=kept, given=operation_of(job).values
        )

    def described(self, kept: Sequence[KeptOf]) -> list[tuple[UUID, str, str]]:
        """Each lead of which something was kept: its id, its name, why."""
        return [
            (
                each.lead_id,
                undo_wording.name_of(each.lead_id, each.names),
                " ".join(undo_wording.kept_in_words(each, self.who.user_id)),
            )
            for each in kept
        ]

    def _begun(self, job: JobRead) -> Response:
        if self.render.wants_block:
            return self.render.nothing_or_redirect(to="", events={"toast": undo_page.begun_toast(job)})
        return RedirectResponse(f"/undo/{job.id}", 303)


Desk = Annotated[UndoDesk, Depends(UndoDesk)]


@router.get("/undo")
@requires(Permission.CHANGE_LEADS)
async def ask(request: Request, desk: Desk) -> Response:
    """Before an undo of what may be many leads: `request_id` or `task_id`."""
    return await desk.ask(_operation(request.query_params.get("request_id"), request.query_params.get("task_id")))


@router.post("/undo")
@requires(Permission.CHANGE_LEADS)
async def undo(form: SentForm, desk: Desk) -> Response:
    """`request_id` or `task_id`, and `then`: where a form without a script came from."""
    operation = _operation(form.text("request_id"), form.text("task_id"))
    try:
        return await desk.undo(operation, local_path(form.text("then"), "/leads"))
    except (NotFound, StillRunning) as error:
        if not desk.render.wants_block:
            raise
        words = str(error) if isinstance(error, StillRunning) else "There is nothing left to undo here."
        return desk.render.nothing_or_redirect(to="", events={"toast": {"text": words}})


@router.get("/undo/{job_id}")
@requires(Permission.READ_LEADS)
async def show(job_id: UUID, desk: Desk) -> Response:
    return await desk.show(await desk.job(job_id))


@router.post("/undo/{job_id}/stop")
@requires(Permission.CHANGE_LEADS)
async def stop(job_id: UUID, desk: Desk) -> Response:
    """End it after what it is at: what was put back stays so, the rest is not begun."""
    await desk.job(job_id)
    with suppress(JobEnded):
        await cancelling.cancel(desk.pool, job_id)
    if desk.render.wants_block:
        return await desk.show(await desk.job(job_id))
    return RedirectResponse(f"/undo/{job_id}", 303)


@router.get("/undo/{job_id}/kept.csv")
@requires(Permission.READ_LEADS)
async def kept(job_id: UUID, desk: Desk) -> Response:
    """Every lead of which something was kept, and why."""
    job = await desk.job(job_id)
    headers = {"Content-Disposition": 'attachment; filename="kept.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(_kept_csv(desk, job), headers=headers, media_type="text/csv; charset=utf-8")


async def _kept_csv(desk: UndoDesk, job: JobRead) -> AsyncIterator[str]:
    yield MARK + exporting.csv_lines([["Lead", "Name", "Kept"]])
    async for each in desk.undoing.kept_by(job):
        yield exporting.csv_lines([[str(lead_id), name, why] for lead_id, name, why in desk.described([each])])


def _operation(request_id: str | None, task_id: str | None) -> Operation:
    """Raises Invalid unless one of the two is given."""
    if task_id and not request_id:
        try:
            return Operation(task_id=UUID(task_id))
        except ValueError:
            raise Invalid.of("task_id", "Give the number of a job.") from None
    if not request_id or task_id or len(request_id) > LONGEST_ID or not request_id.isprintable():
        raise Invalid.of("request_id", "Give the number of one request, or of one job.")
    return Operation(request_id=request_id)
