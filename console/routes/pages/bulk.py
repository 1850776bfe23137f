"""One action on many leads: begun from the table, then watched. Every kind of job has an address here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from console import bulk_wording
from console.bulk_form import asked_of, wanted_of
from console.bulk_page import SHOWN, BulkView, outcome_to_show
from console.dependencies import CurrentVisitor, GuardedRoute, Pool, Render, requires
from console.downloading import RecordedDownload
from console.forms import Form, SentForm, read_form
from console.list_address import ListAddress
from console.list_page import EXPORT_PATH
from console.routes.api.exports import format_of
from console.wording import machine_time
from leads_core.accounts.permissions import Permission
from leads_core.audit.export_entries import RecordedExport
from leads_core.errors import Invalid, JobEnded, NotFound
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.jobs.queue import JobRead
from leads_core.leads import bulk, bulk_results
from leads_core.leads.bulk_actions import Asked
from leads_core.leads.bulk_results import ResultRow
from leads_core.leads.filters import LeadFilter
from leads_core.transfer import exporting
from leads_core.transfer.exporting import MARK, Format, csv_lines

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

#: So many can be ticked over several pages; more is for everything that matches.
MOST_TICKED = 2_000
#: So many are done before the answer; more is a job that can be watched.
AT_ONCE = 50
TEMPLATE, NOTICE = "jobs/show.html", "jobs/notice.html"
CSV_HEAD = ("Lead", "Name", "Outcome", "Why", "Changed by", "Changed at", "Other lead")


async def _many_ticks(request: Request) -> Form:
    return await read_form(request, most=2 * MOST_TICKED + 20)


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
        """Do it, or start the job; in the table its notice, or for a few leads a toast; without a script its page."""
        me = self._who.user_id
        job = await bulk.start(self._pool, asked_of(form, me), wanted_of(form, me), at_once=AT_ONCE)
        if not self.wants_block:
            return RedirectResponse(f"/jobs/{job.id}", 303)
        view = BulkView(job)
        events: dict[str, dict[str, Any]] = {"leads-changed": {}} if job.is_finished else {}
        if view.is_clean and view.can_undo:
            events["toast"] = {"text": f"{view.title}.", "undo": {"task_id": str(job.id)}}
            return self._render.block_or_redirect(
                NOTICE, "notice", to="/leads", events=events, bulk=None, job=None, refused=None
            )
        return self._render.block_or_redirect(
            NOTICE, "notice", to="/leads", events=events, bulk=view, job=job, refused=None
        )

    async def export(self, form: Form) -> Response:
        """As CSV, workbook or JSON Lines; the trail says who took it, as of every export."""
        as_format = format_of(form.text("format") or Format.CSV.value)
        wanted = wanted_of(form, self._who.user_id)
        if isinstance(wanted, LeadFilter):
            query = f"{form.text('query')}&" if form.text("query") else ""
            return RedirectResponse(f"{EXPORT_PATH}?{query}format={as_format.value}", 303)
        if not wanted:
            raise Invalid.of("id", "No lead is meant. Choose some.")
        counted = exporting.Counted()
        recorded = RecordedExport(self._pool, "leads", as_format=as_format.value, wanted=f"chosen={len(wanted)}")
        await recorded.begin()
        return RecordedDownload(
            recorded,
            exporting.export_these(self._pool, list(wanted), as_format, counted),
            lambda: counted.leads,
            name=f"leads-{datetime.now(UTC):%Y-%m-%d}.{as_format.value}",
            media_type=exporting.MEDIA_TYPES[as_format],
        )

    async def show(self, job_id: UUID, *, brief: bool = False, outcome: str | None = None, after: int = -1) -> Response:
        """How far it is: as a page, or as the notice over the table (brief)."""
        async with self._pool.transaction() as session:
            job = await queue.find(session, job_id)
            cancelling = await bulk.cancelling_of(session, job_id)
        if job is None:
            raise NotFound("job", job_id)
        if (place := _page_of(job)) is not None:
            return RedirectResponse(place, 303)
        if brief:
            return self._render.page(NOTICE, bulk=BulkView(job, cancelling=cancelling), job=job, refused=None)
        shown = outcome_to_show(job, outcome) if job.is_finished else None
        view = BulkView(job, cancelling=cancelling, outcome=shown, rows=await self._rows(job, shown, after))
        return self._render.page(TEMPLATE, "progress", bulk=view, job=job, refused=None)

    async def _rows(self, job: JobRead, outcome: str | None, after: int) -> list[ResultRow]:
        if outcome is None:
            return []
        async with self._pool.reader() as reader:
            return await bulk_results.rows_of(reader, job.id, outcome=outcome, after=after, limit=SHOWN + 1)

    async def csv(self, job_id: UUID) -> Response:
        """Every lead of the set with what became of it, as it is read."""
        async with self._pool.transaction() as session:
            job = await queue.find(session, job_id)
        if job is None or job.kind != JobKind.BULK.value:
            raise NotFound("bulk job", job_id)
        headers = {"Content-Disposition": 'attachment; filename="result.csv"', "Cache-Control": "no-store"}
        return StreamingResponse(self._csv(job), headers=headers, media_type="text/csv; charset=utf-8")

    async def _csv(self, job: JobRead) -> AsyncIterator[str]:
        asked = Asked.of(job.wanted)
        yield MARK + csv_lines([CSV_HEAD])
        async for page in bulk_results.all_rows(self._pool, job.id):
            yield csv_lines([_cells(asked, row) for row in page])

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


@router.post("/leads/bulk/export")
@requires(Permission.READ_LEADS)
async def export(form: ManyTicks, desk: Desk) -> Response:
    """Exactly the ticked leads as a file; with `scope=all` what the filter in `query` matches."""
    try:
        return await desk.export(form)
    except Invalid as error:
        return desk.refused(error, form)


@router.get("/jobs/{job_id}")
@requires(Permission.READ_LEADS)
async def show(request: Request, job_id: UUID, desk: Desk) -> Response:
    """The page of a job. outcome: which of its leads are listed; after: from which place on."""
    query = request.query_params
    after = query.get("after", "")
    return await desk.show(
        job_id,
        brief=desk.wants_block and "brief" in query,
        outcome=query.get("outcome"),
        after=int(after) if after.isascii() and after.isdigit() and len(after) < 10 else -1,
    )


@router.get("/jobs/{job_id}/rows.csv")
@requires(Permission.READ_LEADS)
async def rows(job_id: UUID, desk: Desk) -> Response:
    return await desk.csv(job_id)


@router.post("/jobs/{job_id}/cancel")
@requires(Permission.CHANGE_LEADS)
async def cancel(request: Request, job_id: UUID, form: SentForm, desk: Desk) -> Response:
    """End a job of many leads; one that has ended already is shown as it ended."""
    return await desk.cancel(job_id, brief=bool(form.text("brief")))


def _page_of(job: JobRead) -> str | None:
    """Where a job that is no bulk is shown; None for a bulk. Raises NotFound for one that has no page."""
    if job.kind == JobKind.BULK.value:
        return None
    if job.lead_id is not None:
        return f"/leads/{job.lead_id}"
    places = {JobKind.IMPORT.value: f"/import/{job.id}", JobKind.UNDO.value: f"/undo/{job.id}"}
    if job.kind not in places:
        raise NotFound("job", job.id)
    return places[job.kind]


def _cells(asked: Asked, row: ResultRow) -> list[str]:
    behind = row.behind
    return [
        str(row.lead_id),
        (row.lead.name or "") if row.lead else "",
        bulk_wording.outcomes_of(asked.action)[row.outcome][0],
        bulk_wording.why(asked, row),
        (behind.name or "") if behind else "",
        machine_time(behind.at) if behind else "",
        str(row.other_id) if row.other_id else "",
    ]
