"""One action on many leads: begun from the table, then watched. Every kind of job has an address here."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated
from urllib.parse import parse_qs, parse_qsl
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.bulk_page import BulkView
from console.dependencies import CurrentVisitor, GuardedRoute, Pool, Render, requires
from console.forms import Form, SentForm, read_form
from console.list_address import ListAddress
from leads_core.accounts.permissions import Permission
from leads_core.errors import Invalid, JobEnded, NotFound
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.leads import bulk, bulk_items
from leads_core.leads.bulk_actions import Asked, BulkAction
from leads_core.leads.filters import LeadFilter

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

#: So many can be ticked over several pages; more is for everything that matches.
MOST_TICKED = 2_000
ALL = "all"
TEMPLATE, NOTICE = "jobs/show.html", "jobs/notice.html"


async def _many_ticks(request: Request) -> Form:
    return await read_form(request, most=MOST_TICKED + 20)


class BulkDesk:
    """What the routes share."""

    def __init__(self, pool: Pool, who: CurrentVisitor, render: Render) -> None:
        self._pool = pool
        self._who = who
        self._render = render

    @property
    def wants_block(self) -> bool:
        return self._render.wants_block

    async def begin(self, form: Form) -> Response:
        """Start the job; in the table its notice, without a script its page."""
        job = await bulk.start(self._pool, Asked(_action(form.text("do"))), self._wanted(form))
        if self.wants_block:
            return await self.show(job.id, brief=True)
        return RedirectResponse(f"/jobs/{job.id}", 303)

    async def show(self, job_id: UUID, *, brief: bool = False) -> Response:
        """How far it is: as a page, or as the notice over the table (brief)."""
        async with self._pool.transaction() as session:
            job = await queue.find(session, job_id)
            cancelling = await bulk.cancelling_of(session, job_id)
        if job is None:
            raise NotFound("job", job_id)
        if job.kind == JobKind.IMPORT.value:
            return RedirectResponse(f"/import/{job_id}", 303)
        if job.kind == JobKind.UNDO.value:
            return RedirectResponse(f"/undo/{job_id}", 303)
        if job.lead_id is not None:
            return RedirectResponse(f"/leads/{job.lead_id}", 303)
        if job.kind != JobKind.BULK.value:
            raise NotFound("job", job_id)
        names = await bulk_items.names_of_left(self._pool, job) if job.is_finished and not brief else {}
        view = BulkView(job, names, cancelling)
        if brief:
            return self._render.page(NOTICE, bulk=view, job=job, refused=None)
        return self._render.page(TEMPLATE, "progress", bulk=view, job=job, refused=None)

    async def cancel(self, job_id: UUID, *, brief: bool) -> Response:
        """What was done stays, the rest is not begun; then how it stands."""
        with suppress(JobEnded):
            await bulk.cancel(self._pool, job_id)
        if self.wants_block:
            return await self.show(job_id, brief=brief)
        return RedirectResponse(f"/jobs/{job_id}", 303)

    def refused(self, error: Invalid, form: Form) -> Response:
        """Why nothing was begun, where the notice would stand; without a script on a page with the way back."""
        template = NOTICE if self.wants_block else TEMPLATE
        back = ListAddress(parse_qsl(form.text("query"))).canonical
        return self._render.page(template, status=422, bulk=None, job=None, refused=error.errors[0].message, back=back)

    def _wanted(self, form: Form) -> LeadFilter | list[UUID]:
        if form.text("scope") == ALL:
            return LeadFilter.from_query(parse_qs(form.text("query")), me=self._who.user_id)
        try:
            return [UUID(text) for text in form.all("id")]
        except ValueError:
            raise Invalid.of("id", "Choose leads in the table.") from None


Desk = Annotated[BulkDesk, Depends(BulkDesk)]
ManyTicks = Annotated[Form, Depends(_many_ticks)]


@router.post("/leads/bulk")
@requires(Permission.CHANGE_LEADS)
async def begin(form: ManyTicks, desk: Desk) -> Response:
    """`do` an action with each `id`, or with `scope=all` everything that the filter in `query` matches now."""
    try:
        return await desk.begin(form)
    except Invalid as error:
        return desk.refused(error, form)


@router.get("/jobs/{job_id}")
@requires(Permission.READ_LEADS)
async def show(request: Request, job_id: UUID, desk: Desk) -> Response:
    return await desk.show(job_id, brief=desk.wants_block and "brief" in request.query_params)


@router.post("/jobs/{job_id}/cancel")
@requires(Permission.CHANGE_LEADS)
async def cancel(request: Request, job_id: UUID, form: SentForm, desk: Desk) -> Response:
    """End a job of many leads; one that has ended already is shown as it ended."""
    return await desk.cancel(job_id, brief=bool(form.text("brief")))


def _action(text: str) -> BulkAction:
    try:
        return BulkAction(text)
    except ValueError:
        raise Invalid.of("do", "Choose what to do with them.") from None
