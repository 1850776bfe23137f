"""Everything by its name: pages, views, leads, and what can be done with the one the keys stand on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from console import palette_page
from console.dependencies import Config, CurrentVisitor, GuardedRoute, Leads, Pool, Render, requires
from console.palette_page import MOST_TYPED, Choice, Group
from leads_core.accounts.permissions import Permission
from leads_core.accounts.visitor import Visitor
from leads_core.database import Database
from leads_core.errors import Invalid, NotFound
from leads_core.leads.filters import LeadFilter
from leads_core.leads.names import names_of
from leads_core.leads.ordering import Sort
from leads_core.leads.queries import page_of_leads
from leads_core.leads.service import LeadService
from leads_core.paging import Cursors
from leads_core.saved_views.queries import around_the_list

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

MOST_LEADS = 6
MOST_RECENT = 6
LEAD = re.compile(r"/leads/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


@router.get("/palette")
@requires(Permission.READ_LEADS)
async def index(
    request: Request, who: CurrentVisitor, pool: Pool, config: Config, leads: Leads, render: Render
) -> Response:
    """What fits `q`; without it what was chosen last (`recent`, addresses). `lead` is the one the keys stand on."""
    asked = request.query_params
    typed = asked.get("q", "")[:MOST_TYPED]
    may_change = who.may(Permission.CHANGE_LEADS)
    views = await _views(pool, who.user_id)
    pages = palette_page.pages(may_change=may_change, may_manage=who.may(Permission.MANAGE_USERS), views=views)
    groups = [
        *(await _of_lead(asked, leads, who) if may_change else []),
        Group("Go to", pages),
        Group("Do", palette_page.doings(may_change=may_change)),
    ]
    if typed.strip():
        groups = palette_page.fitting(groups, Group("Leads", await _search(typed, pool, config)), typed)
        groups.append(Group("New", palette_page.adding(typed) if may_change else []))
    else:
        groups.insert(0, Group("Recent", await _recent(asked.getlist("recent"), pages, pool)))
    shown = [group for group in groups if group.choices]
    return render.page("palette/index.html", "choices", groups=shown, typed=typed)


async def _views(pool: Database, user_id: UUID) -> list[Choice]:
    async with pool.reader() as reader:
        return [palette_page.view(one.name, one.query) for one in (await around_the_list(reader, user_id)).views]


async def _of_lead(asked: QueryParams, leads: LeadService, who: Visitor) -> list[Group]:
    try:
        lead = await leads.get(UUID(asked.get("lead", "")), deleted=None)
    except (ValueError, NotFound):
        return []
    if lead.erased_at is not None:
        return []
    return [Group(lead.name, palette_page.of_lead(lead, who.user_id, datetime.now(UTC).date()))]


async def _search(typed: str, pool: Database, config: Config) -> list[Choice]:
    """The newest leads that match, a handful."""
    try:
        wanted = LeadFilter.from_query({"q": [typed]}, lenient=True)
        async with pool.reader() as reader:
            cursors = Cursors(config.signing_secret)
            page = await page_of_leads(reader, wanted, Sort(), None, MOST_LEADS, cursors=cursors, total=False)
    except Invalid:
        return []
    return [palette_page.lead_found(lead) for lead in page.items]


async def _recent(paths: Sequence[str], pages: Sequence[Choice], pool: Database) -> list[Choice]:
    paths = paths[:MOST_RECENT]
    ids = [UUID(found[1]) for path in paths if (found := LEAD.fullmatch(path))]
    async with pool.reader() as reader:
        names = await names_of(reader, ids) if ids else {}
    known = [
        Choice(lead.name, "Lead", href=f"/leads/{lead_id}")
        for lead_id, lead in names.items()
        if lead.name and not lead.in_bin
    ]
    return palette_page.recent(paths, pages, known)
