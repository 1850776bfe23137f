"""The table of leads. Quick-Add above it: quick_add.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.away_page import Marks, away_of
from console.dependencies import Config, CurrentVisitor, GuardedRoute, Pool, Render, requires
from console.lead_page import Problem
from console.list_address import ListAddress
from console.list_columns import Columns
from console.list_fields import People
from console.list_page import ListPage
from console.list_views import ListViews, ViewForm
from console.marking import marked_parts
from console.quick_add_words import QuickState
from console.undo_notice import done_address
from leads_core.accounts.last_seen import see
from leads_core.accounts.names import names_of_users
from leads_core.accounts.permissions import Permission
from leads_core.enrichment.queue_watch import JobNow, jobs_of
from leads_core.errors import Invalid, SortTooBroad
from leads_core.leads.filters import LeadFilter
from leads_core.leads.ordering import Sort
from leads_core.leads.queries import BY_COMPANY, page_of_leads, total_of
from leads_core.leads.rows import LeadRow
from leads_core.leads.schemas import EnrichmentStatus
from leads_core.leads.since_away import News, marks_of, news_since
from leads_core.paging import USUAL_PAGE, Cursors, Page
from leads_core.saved_views.queries import Around, Reader, around_the_list

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

TEMPLATE = "leads/index.html"
NO_LEADS: Page[LeadRow] = Page([], None, None)


@dataclass(frozen=True, slots=True)
class Beside:
    """Columns, density, views of whoever looks, names of the owners, enrichments that have not ended."""

    around: Around
    columns: Columns
    density: str
    owners: Mapping[UUID, str]
    jobs: Mapping[UUID, JobNow]
    news: News | None
    marks: Marks


class LeadTable:
    """Renders the table, whole or the block that HTMX asked for."""

    def __init__(self, request: Request, pool: Pool, config: Config, who: CurrentVisitor, render: Render) -> None:
        self.render = render
        self._request = request
        self._pool = pool
        self._cursors = Cursors(config.signing_secret)
        self._who = who
        self._around: Around | None = None

    @property
    def can_edit(self) -> bool:
        return Permission.CHANGE_LEADS in self._who.permissions

    async def page(self, address: ListAddress, form: ViewForm | None = None) -> Response:
        """The table at this address. A filter nobody can read is said in its place, and nothing is widened.

        form is that of a view, where it was refused. To HTMX an address that a form made is said shorter.
        """
        status, problem, page = 422 if form else 200, None, NO_LEADS
        try:
            page = await self._read(address)
        except Invalid as error:
            status, problem = 422, Problem("This filter cannot be read", error.errors[0].message)
        except SortTooBroad as error:
            status, problem = 422, Problem("Too many to sort", str(error), address.url(sort=""))
        context = await self._context(address, page, problem, form)
        headers = self._shorter(address) if address.is_rough else {}
        return self.render.page(TEMPLATE, "lead_page", status=status, headers=headers, quick=QuickState(), **context)

    async def default_url(self, address: ListAddress) -> str | None:
        """Where this person's list opens, if that is elsewhere."""
        async with self._pool.reader() as reader:
            return ListViews(address, await self._what_is_around(reader), self._who).default_url

    async def _what_is_around(self, reader: Reader) -> Around:
        """Views, people and preferences: read once for each request."""
        if self._around is None:
            self._around = await around_the_list(reader, self._who.user_id)
        return self._around

    def _shorter(self, address: ListAddress) -> dict[str, str]:
        """What stands in the browser instead; while somebody types a search, in place of the address before."""
        typed = self._request.headers.get("HX-Source", "").endswith("#search-form")
        return {"HX-Replace-Url" if typed else "HX-Push-Url": address.canonical}

    async def quick_add(self, state: QuickState, status: int, events: dict[str, Any] | None) -> Response:
        """The Quick-Add field after it was sent; without a script the whole page, or the table again."""
        if self.render.wants_block or (status == 200 and not state.text):
            return self.render.block_or_redirect(
                TEMPLATE,
                "quick_add",
                to=done_address("/leads") if events else "/leads",
                status=status,
                events=events,
                quick=state,
                can_edit=True,
            )
        address = ListAddress(())
        context = await self._context(address, await self._read(address), None)
        return self.render.page(TEMPLATE, status=status, quick=state, **context)

    async def _unfiltered(self, address: ListAddress, page: Page[LeadRow]) -> tuple[int, str] | None:
        """How many leads a search finds without its filters, where it found none with them."""
        if page.items or address.cursor or not (address.query and address.filters):
            return None
        wanted = LeadFilter.from_query({"q": address.query}, me=self._who.user_id, lenient=True)
        async with self._pool.reader() as reader:
            total = await total_of(reader, wanted)
        return total.value, total.relation

    async def _read(self, address: ListAddress) -> Page[LeadRow]:
        parameters: dict[str, list[str]] = {}
        for name, value in [*address.filters, *([("q", address.query)] if address.query else [])]:
            parameters.setdefault(name, []).append(value)
        wanted = LeadFilter.from_query(parameters, me=self._who.user_id, lenient=True)
        sort = Sort.parse(address.sort or None, in_bin=wanted.deleted)
        async with self._pool.reader() as reader:
            return await page_of_leads(
                reader,
                wanted,
                sort,
                address.cursor or None,
                USUAL_PAGE,
                cursors=self._cursors,
                when_too_broad="newest",
            )

    async def _context(
        self, address: ListAddress, page: Page[LeadRow], problem: Problem | None, form: ViewForm | None = None
    ) -> dict[str, Any]:
        now = datetime.now(UTC)
        seen = await self._beside(page.items)
        shown = ListPage(
            address,
            total=(page.total.value, page.total.relation) if page.total else None,
            older=page.next_cursor,
            newer=page.previous_cursor,
            note=page.note,
            order=_order_instead(page.note),
            mark=marked_parts,
            people=People({str(one.id): one.name for one in seen.around.people}, str(self._who.user_id)),
            chosen=seen.columns,
            density=seen.density,
            can_edit=self.can_edit,
            unfiltered=None if problem else await self._unfiltered(address, page),
        )
        return {
            "list": shown,
            "views": ListViews(address, seen.around, self._who, form),
            "leads_found": page.items,
            "at": shown.around(now=now, owners=seen.owners, jobs=seen.jobs, marks=seen.marks),
            "away": away_of(seen.news, now) if seen.news else None,
            "problem": problem,
            "can_edit": self.can_edit,
            "here": address.canonical,
        }

    async def _beside(self, rows: Sequence[LeadRow]) -> Beside:
        """What stands beside the leads: how this person wants them, and what is to be said of owners and jobs."""
        running = [row.enrichment_task_id for row in rows if row.enrichment_status == EnrichmentStatus.IN_PROGRESS]
        async with self._pool.reader() as reader:
            around = await self._what_is_around(reader)
            chosen = around.preferences
            columns = Columns.read(chosen.get("columns"))
            owners = {row.owner_id for row in rows if row.owner_id} if "owner" in columns.names else set()
            if around.seen_at is None:  # somebody who looks for the first time: everything is as it was found
                await see(self._pool, self._who.user_id, datetime.now(UTC))
            news = await news_since(reader, around.seen_at, self._who.user_id) if around.seen_at else None
            return Beside(
                around,
                columns,
                "roomy" if chosen.get("density") == "roomy" else "compact",
                await names_of_users(reader, owners),
                await jobs_of(reader, [job_id for job_id in running if job_id]) if running else {},
                news,
                await self._marks(reader, rows, news) if news else {},
            )

    async def _marks(self, reader: Reader, rows: Sequence[LeadRow], news: News) -> Marks:
        me = self._who.user_id
        changed = [row.id for row in rows if row.updated_at > news.since and row.updated_by != me]
        return await marks_of(reader, changed, news.since, me) if changed else {}


Table = Annotated[LeadTable, Depends(LeadTable)]


@router.get("/leads")
@requires(Permission.READ_LEADS)
async def index(request: Request, table: Table) -> Response:
    address = ListAddress(request.query_params.multi_items())
    if address.says_nothing and (elsewhere := await table.default_url(address)):
        return RedirectResponse(elsewhere, 303)
    if address.is_rough and not table.render.wants_block:
        return RedirectResponse(address.canonical, 303)
    return await table.page(address)


def _order_instead(note: str | None) -> str | None:
    """The order of a search that could not have the one asked for."""
    if note is None:
        return None
    return "company_name" if note == BY_COMPANY else "-created_at"
