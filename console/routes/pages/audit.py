"""The trail over everything: who did what, and how the log behind it stands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from console import audit_page
from console.audit_address import PATH, AuditAddress
from console.dependencies import Config, CurrentVisitor, GuardedRoute, Pool, Render, requires
from console.forms import SentForm
from console.lead_page import Problem
from console.trail_export import trail_download
from leads_core.accounts.permissions import Permission
from leads_core.audit.log.keeping import keep_checkpoint, newest_checkpoint
from leads_core.audit.searching import EntryPage, page_of_entries
from leads_core.audit.verification.keeping import request_verification
from leads_core.errors import Invalid
from leads_core.paging import USUAL_PAGE, Cursors

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

TEMPLATE = "audit/index.html"


class AuditDesk:
    """What the routes of the trail share."""

    def __init__(self, pool: Pool, config: Config, who: CurrentVisitor, render: Render) -> None:
        self.pool = pool
        self.config = config
        self.who = who
        self.render = render

    async def page(self, address: AuditAddress, *, status: int = 200, **said: Any) -> Response:
        """The trail at this address. A filter nobody can read is said in its place, and nothing is widened."""
        now, problem, page = datetime.now(UTC), None, None
        try:
            page = await self._read(address, now)
        except Invalid as error:
            status, problem = 422, Problem("This filter cannot be read", error.errors[0].message)
        table = await audit_page.table_of(address, page, self.pool, self.who)
        log = {} if self.render.wants_block else await audit_page.log_context(self.pool, self.who, now)
        sees_origins = self.who.may(Permission.READ_ORIGINS)
        can_undo = self.who.may(Permission.CHANGE_LEADS)
        seen = {"sees_origins": sees_origins, "can_undo": can_undo}
        context = {"table": table, "problem": problem, **seen, **log, **_nothing_said(), **said}
        return self.render.page(TEMPLATE, "entries", status=status, **context)

    async def log(self, *, status: int = 200, **said: Any) -> Response:
        """The state of the log alone; without a script the whole page."""
        if not self.render.wants_block:
            return await self.page(AuditAddress(()), status=status, **said)
        context = await audit_page.log_context(self.pool, self.who, datetime.now(UTC))
        return self.render.page(TEMPLATE, "log", status=status, **{**context, **_nothing_said(), **said})

    async def _read(self, address: AuditAddress, now: datetime) -> EntryPage:
        cursors = Cursors(self.config.signing_secret)
        wanted = address.wanted(now, self.who.user_id)
        async with self.pool.reader() as reader:
            return await page_of_entries(
                reader,
                wanted,
                address.cursor or None,
                USUAL_PAGE,
                cursors=cursors,
                with_origin=self.who.may(Permission.READ_ORIGINS),
            )


Desk = Annotated[AuditDesk, Depends(AuditDesk)]


@router.get(PATH)
@requires(Permission.READ_TRAIL)
async def index(request: Request, desk: Desk) -> Response:
    address = AuditAddress(request.query_params.multi_items())
    if address.has_empties:
        return RedirectResponse(address.canonical, 303)
    return await desk.page(address)


@router.get("/audit/log")
@requires(Permission.READ_TRAIL)
async def log(desk: Desk) -> Response:
    """What the page asks for again while a verification runs."""
    return await desk.log() if desk.render.wants_block else RedirectResponse(PATH, 303)


@router.post("/audit/verify")
@requires(Permission.READ_TRAIL)
async def verify(desk: Desk) -> Response:
    """Begin a verification of everything; one that runs already goes on."""
    async with desk.pool.transaction() as session:
        await request_verification(session)
    return await desk.log() if desk.render.wants_block else RedirectResponse(PATH, 303)


@router.get("/audit/checkpoint")
@requires(Permission.READ_TRAIL)
async def checkpoint(desk: Desk) -> Response:
    """The newest checkpoint's note, to be put where this installation cannot reach it."""
    async with desk.pool.reader() as reader:
        newest = await newest_checkpoint(reader)
    name = f"checkpoint-{newest.number}.txt"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return PlainTextResponse(newest.note, headers=headers)


@router.post("/audit/checkpoint")
@requires(Permission.READ_ORIGINS)
async def keep(form: SentForm, desk: Desk) -> Response:
    """Somebody says where they have put the checkpoint: an entry of the trail."""
    place, number = form.text("place"), form.text("number")
    try:
        kept = await keep_checkpoint(desk.pool, place, number=int(number) if _is_number(number) else None)
    except Invalid as error:
        return await desk.log(status=422, place=place, place_error=error.errors[0].message)
    return await desk.log(kept=kept) if desk.render.wants_block else RedirectResponse(PATH, 303)


@router.get("/audit/export")
@requires(Permission.READ_ORIGINS)
async def export(request: Request, desk: Desk) -> Response:
    """The entries of the page's filter, or everything with its log, as JSON Lines that verification reads."""
    address = AuditAddress(request.query_params.multi_items())
    return await trail_download(desk.pool, desk.config, address.wanted(datetime.now(UTC), desk.who.user_id))


def _nothing_said() -> dict[str, Any]:
    return {"place": "", "place_error": "", "kept": None}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 18
