"""Import: choose a file, say where its columns go, look at what will happen, watch it happen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from typing import Annotated, Any, cast
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from console import import_page, lead_page, undo_page
from console.dependencies import CurrentVisitor, GuardedRoute, Pool, Render, requires
from console.forms import Form
from console.import_page import ShownRows
from console.uploading import FOR_ALL, MULTIPART, existing_of, read_as_of, read_upload
from leads_core.accounts.permissions import Permission
from leads_core.enrichment import cancelling
from leads_core.errors import Invalid, JobEnded, Malformed, NotFound, TooLarge
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.jobs.queue import JobRead
from leads_core.leads.row_matching import Outcome
from leads_core.transfer import checking, exporting, uploads
from leads_core.transfer.delimited import COLUMN_LIMIT
from leads_core.transfer.import_options import ForAllRows, ImportOptions, ImportResult

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

RECENT = 8
MARK = "\ufeff"
CHANGED = "You have chosen something else since. This is what will happen now."


class ImportDesk:
    """What the routes of an import share."""

    def __init__(self, pool: Pool, who: CurrentVisitor, render: Render) -> None:
        self.pool = pool
        self.render = render
        self._who = who

    async def job(self, job_id: UUID) -> JobRead:
        """The import with this id. Raises NotFound."""
        async with self.pool.transaction() as session:
            job = await queue.find(session, job_id)
        if job is None or job.kind != JobKind.IMPORT.value:
            raise NotFound("import", job_id)
        return job

    async def choose(self, *, status: int = 200, error: str = "", before: UUID | None = None) -> Response:
        """The first step, and a page of the imports before."""
        found = await uploads.recent(self.pool, RECENT + 1, before)
        recent, more = found[:RECENT], found[RECENT - 1].id if len(found) > RECENT else None
        return self.render.page(
            "imports/index.html",
            status=status,
            error=error,
            recent=recent,
            undone=await undo_page.undos_of(self.pool, recent),
            more=more,
            before=before,
            page=import_page,
        )

    async def check(
        self, job: JobRead, *, status: int = 200, error: str = "", typed: Form | None = None, query: Mapping[str, str]
    ) -> Response:
        """The columns, and what will happen."""
        options, document = import_page.options_of(job), job.result or {}
        plan = ImportResult.of(document["plan"]) if document.get("plan") else None
        owners = await lead_page.owners(self.pool, self._who)
        for_all = options.for_all
        said = {name: getattr(for_all, name) or "" for name in FOR_ALL} | {"tags": ", ".join(for_all.tags)}
        return self.render.page(
            "imports/check.html",
            status=status,
            job=job,
            options=options,
            draft=document,
            plan=plan,
            error=error or document.get("error", ""),
            changed=CHANGED if query.get("changed") else "",
            said={name: typed.text(name) for name in FOR_ALL} if typed else said,
            owners=owners,
            shown=await self._shown(job, plan, query),
            page=import_page,
        )

    async def _shown(self, job: JobRead, plan: ImportResult | None, query: Mapping[str, str]) -> ShownRows | None:
        """The rows that are asked for; at first those that change leads there are."""
        if plan is None:
            return None
        asked = query.get("show", "updated" if plan.updated else "created")
        outcome = cast(Outcome, asked if asked in import_page.SHOWN_ROWS else "updated")
        pages = ShownRows.pages_of(plan, outcome)
        text = query.get("page", "1")
        number = min(int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1, pages) or 1
        return ShownRows(outcome, number, pages, await checking.rows_of(self.pool, job, outcome, number))

    async def show(self, job: JobRead) -> Response:
        """How far it is, or how it ended."""
        undone = await undo_page.undos_of(self.pool, [job])
        return self.render.page(
            "imports/show.html",
            "progress",
            job=job,
            options=import_page.options_of(job),
            result=import_page.result_of(job),
            undo=undone.get(job.id),
            page=import_page,
        )

    def watch(self, job: JobRead) -> Response:
        """How far the check of a large file is."""
        return self.render.page("imports/checking.html", job=job, options=import_page.options_of(job))


Desk = Annotated[ImportDesk, Depends(ImportDesk)]


@router.get("/import")
@requires(Permission.CHANGE_LEADS)
async def choose(desk: Desk, before: UUID | None = None) -> Response:
    return await desk.choose(before=before)


@router.post("/import")
@requires(Permission.CHANGE_LEADS, body=MULTIPART)
async def upload(request: Request, desk: Desk) -> Response:
    try:
        sent = await read_upload(request)
        with closing(await checking.opened(sent.file)) as file:
            await checking.recognise(file)
            options = ImportOptions(file_name=sent.name, file_size=sent.sent.size)
            job_id = await uploads.draft(desk.pool, uploads.reading(file), options.document())
    except TooLarge:
        return await desk.choose(status=413, error=import_page.TOO_LARGE)
    except Invalid as error:
        return await desk.choose(status=422, error=error.errors[0].message)
    await checking.look(desk.pool, job_id, options)
    return RedirectResponse(f"/import/{job_id}", 303)


@router.get("/import/{job_id}")
@requires(Permission.CHANGE_LEADS)
async def show(request: Request, job_id: UUID, desk: Desk) -> Response:
    job = await desk.job(job_id)
    if not job.wanted.get("draft"):
        answer = await desk.show(job)
    elif not job.is_finished:
        answer = desk.watch(job)
    else:
        answer = await desk.check(job, query=request.query_params)
    if not desk.render.wants_block:
        # A script that sent the form was led here: the address bar follows it.
        answer.headers["HX-Push-Url"] = str(request.url.path)
    return answer


@router.post("/import/{job_id}")
@requires(Permission.CHANGE_LEADS)
async def decide(request: Request, job_id: UUID, desk: Desk) -> Response:
    """Begin with exactly what was looked at, or look again with what was chosen."""
    job, form = await desk.job(job_id), await _many_fields(request)
    to = f"/import/{job_id}"
    if not job.wanted.get("draft") or not job.is_finished:
        return RedirectResponse(to, 303)
    try:
        options = _options(job, form)
    except Invalid as error:
        return await desk.check(job, status=422, error=error.errors[0].message, typed=form, query={})
    checked, document = import_page.options_of(job), job.result or {}
    wants = form.text("then") == "import"
    if wants and document.get("plan") and options == replace(checked, checked_at=None):
        await uploads.begin(desk.pool, job_id, wanted=checked.document(), total=document["file"]["total"])
        return RedirectResponse(to, 303)
    await checking.look(desk.pool, job_id, options)
    return RedirectResponse(f"{to}?changed=1" if wants else to, 303)


@router.post("/import/{job_id}/stop")
@requires(Permission.CHANGE_LEADS)
async def stop(job_id: UUID, desk: Desk) -> Response:
    """End it: what is done stays, the rest is not begun."""
    await desk.job(job_id)
    with suppress(JobEnded):
        await cancelling.cancel(desk.pool, job_id)
    return RedirectResponse(f"/import/{job_id}", 303)


@router.get("/import/{job_id}/rejected.csv")
@requires(Permission.CHANGE_LEADS)
async def rejected(job_id: UUID, desk: Desk) -> Response:
    """Every row that could not come in, as it stood in the file, with the reason behind it: to mend and send again."""
    job = await desk.job(job_id)
    names = list((job.wanted.get("columns") or {}).keys())
    with await uploads.fetch(desk.pool, job_id) as file:
        if file.seek(0, 2):
            names = list((await checking.recognise(file, import_page.options_of(job).read_as)).header)
    name = import_page.rejected_name(job)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(_rejected_csv(desk, job_id, names), headers=headers, media_type="text/csv; charset=utf-8")


async def _rejected_csv(desk: ImportDesk, job_id: UUID, names: list[str]) -> AsyncIterator[str]:
    yield MARK + exporting.csv_lines([[*names, "Why"]])
    async for row, field, _value, message, cells in uploads.refused_rows(desk.pool, job_id):
        filled = [*cells[: len(names)], *[""] * (len(names) - len(cells))]
        yield exporting.csv_lines([[*filled, f"Row {row:,}, {field}: {message}"]])


async def _many_fields(request: Request) -> Form:
    """A form with a field for each column. Raises Malformed."""
    try:
        text = (await request.body()).decode("ascii")
        return Form(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=COLUMN_LIMIT + 40))
    except ValueError:
        raise Malformed.of("body", "Send the form as the page made it.") from None


def _options(job: JobRead, form: Form) -> ImportOptions:
    """What the form says, over what the draft had. Raises Invalid."""
    before, document = import_page.options_of(job), job.result or {}
    names = [column["name"] for column in document.get("columns", [])]
    chosen = [form.text(f"column-{place}") for place in range(len(names))]
    return replace(
        before,
        existing=existing_of(form.text("existing", "fill")),
        is_manual=form.ticked("is_manual"),
        enrich=form.ticked("enrich"),
        columns=import_page.columns_of(names, chosen),
        read_as=_read_as(before, document.get("file") or {}, form),
        for_all=ForAllRows.parse(**{name: form.text(name) for name in FOR_ALL}),
        checked_at=None,
    )


def _read_as(before: ImportOptions, file: Mapping[str, Any], form: Form) -> Any:
    """What the form leaves as it was recognised is not asked for."""
    shown = import_page.reading_of(file)
    given = {name: form.text(name) for name in shown if form.has(name) and form.text(name) != shown[name]}
    return replace(before.read_as, **{name: getattr(read_as_of(given), name) for name in given})
