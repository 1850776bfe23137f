"""Import: choose a file, say where its columns go, look at what will happen, watch it happen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from console import import_page
from console.dependencies import GuardedRoute, Leads, Pool, Render, requires
from console.forms import Form
from console.uploading import MULTIPART, existing_of, read_upload
from leads_core.accounts.permissions import Permission
from leads_core.errors import Invalid, Malformed, NotFound
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.jobs.queue import JobRead
from leads_core.transfer import exporting, importing, uploads
from leads_core.transfer.importing import ImportOptions
from leads_core.transfer.readers import COLUMN_LIMIT

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

RECENT = 8
MARK = "\ufeff"


class ImportDesk:
    """What the routes of an import share."""

    def __init__(self, leads: Leads, pool: Pool, render: Render) -> None:
        self.leads = leads
        self.pool = pool
        self.render = render

    async def job(self, job_id: UUID) -> JobRead:
        """The import with this id. Raises NotFound."""
        async with self.pool.transaction() as session:
            job = await queue.find(session, job_id)
        if job is None or job.kind != JobKind.IMPORT.value:
            raise NotFound("import", job_id)
        return job

    async def choose(self, *, status: int = 200, error: str = "") -> Response:
        """The first step, and the imports before."""
        recent = await uploads.recent(self.pool, RECENT)
        return self.render.page("imports/index.html", status=status, error=error, recent=recent, page=import_page)

    def check(self, job: JobRead, *, status: int = 200, error: str = "") -> Response:
        """The columns, and what will happen."""
        options, document = import_page.options_of(job), job.result or {}
        plan = importing.ImportResult.of(document["plan"]) if document.get("plan") else None
        return self.render.page(
            "imports/check.html",
            status=status,
            job=job,
            options=options,
            draft=document,
            plan=plan,
            error=error or document.get("error", ""),
            page=import_page,
        )

    def show(self, job: JobRead) -> Response:
        """How far it is, or how it ended."""
        return self.render.page(
            "imports/show.html",
            "progress",
            job=job,
            options=import_page.options_of(job),
            result=import_page.result_of(job),
            page=import_page,
        )

    async def plan(self, job_id: UUID, options: ImportOptions) -> dict[str, Any]:
        """Check the draft with these options and remember the outcome; what is wrong stands under `error`."""
        with await uploads.fetch(self.pool, job_id) as file:
            table = await importing.recognise(file)
            chosen: Mapping[str, str | None] = options.columns or {}
            try:
                columns = importing.columns_for(table, options.columns)
                chosen = columns
                plan = await importing.plan(self.leads, file, table, options)
                document = import_page.draft_document(table, columns, plan)
            except Invalid as error:
                if options.columns is None:
                    chosen = importing.proposed_columns(table)
                document = {
                    **import_page.draft_document(table, chosen, None),
                    "error": error.errors[0].message,
                }
        wanted = {**options.document(), "columns": dict(chosen)}
        await uploads.change_draft(self.pool, job_id, wanted=wanted, plan=document)
        return document


Desk = Annotated[ImportDesk, Depends(ImportDesk)]


@router.get("/import")
@requires(Permission.CHANGE_LEADS)
async def choose(desk: Desk) -> Response:
    return await desk.choose()


@router.post("/import")
@requires(Permission.CHANGE_LEADS, body=MULTIPART)
async def upload(request: Request, desk: Desk) -> Response:
    try:
        sent = await read_upload(request)
        table = await importing.recognise(sent.file)
    except Invalid as error:
        return await desk.choose(status=422, error=error.errors[0].message)
    await sent.rewind()
    options = ImportOptions(file_name=sent.name)
    job_id = await uploads.draft(desk.pool, sent.read, {**options.document(), "total": table.total})
    await desk.plan(job_id, options)
    return RedirectResponse(f"/import/{job_id}", 303)


@router.get("/import/{job_id}")
@requires(Permission.CHANGE_LEADS)
async def show(job_id: UUID, desk: Desk) -> Response:
    job = await desk.job(job_id)
    answer = desk.check(job) if job.wanted.get("draft") else desk.show(job)
    if not desk.render.wants_block:
        # A script that sent the form was led here: the address bar follows it.
        answer.headers["HX-Push-Url"] = f"/import/{job_id}"
    return answer


@router.post("/import/{job_id}")
@requires(Permission.CHANGE_LEADS)
async def decide(request: Request, job_id: UUID, desk: Desk) -> Response:
    """Check again with what was chosen, or begin."""
    job, form = await desk.job(job_id), await _many_fields(request)
    to = RedirectResponse(f"/import/{job_id}", 303)
    if not job.wanted.get("draft"):
        return to
    options = _options(job, form)
    document = await desk.plan(job_id, options)
    if form.text("then") != "import" or document.get("error"):
        return to
    columns = {column["name"]: column["field"] for column in document["columns"]}
    wanted = {**options.document(), "columns": columns}
    await uploads.begin(desk.pool, job_id, wanted=wanted, total=document["file"]["total"])
    return to


@router.get("/import/{job_id}/rejected.csv")
@requires(Permission.CHANGE_LEADS)
async def rejected(job_id: UUID, desk: Desk) -> Response:
    """Every row that could not come in, as it stood in the file, with the reason behind it."""
    job = await desk.job(job_id)
    names = list((job.wanted.get("columns") or {}).keys())
    with await uploads.fetch(desk.pool, job_id) as file:
        if file.seek(0, 2):
            names = list((await importing.recognise(file)).header)
    headers = {"Content-Disposition": 'attachment; filename="rejected.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(_rejected_csv(desk, job_id, names), headers=headers, media_type="text/csv; charset=utf-8")


async def _rejected_csv(desk: ImportDesk, job_id: UUID, names: list[str]) -> AsyncIterator[str]:
    yield MARK + exporting.csv_lines([[*names, "Row", "Why not"]])
    async for row, _field, _value, message, cells in uploads.refused_rows(desk.pool, job_id):
        filled = [*cells[: len(names)], *[""] * (len(names) - len(cells))]
        yield exporting.csv_lines([[*filled, str(row), message]])


async def _many_fields(request: Request) -> Form:
    """A form with a field for each column. Raises Malformed."""
    try:
        text = (await request.body()).decode("ascii")
        return Form(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=COLUMN_LIMIT + 20))
    except ValueError:
        raise Malformed.of("body", "Send the form as the page made it.") from None


def _options(job: JobRead, form: Form) -> ImportOptions:
    names = [column["name"] for column in (job.result or {}).get("columns", [])]
    chosen = [form.text(f"column-{place}") for place in range(len(names))]
    return ImportOptions(
        existing=existing_of(form.text("existing", "fill")),
        is_manual=form.ticked("is_manual"),
        enrich=form.ticked("enrich"),
        columns=import_page.columns_of(names, chosen),
        file_name=import_page.options_of(job).file_name,
    )
