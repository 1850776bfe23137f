"""Views of the list: kept, changed, put in order, taken away; and what the list asks for after it is shown."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from console.dependencies import CurrentVisitor, GuardedRoute, Pool, Render, requires
from console.forms import Form, SentForm
from console.list_address import PATH, ListAddress
from console.list_views import ListViews, View, ViewForm, views_of
from console.rendering import local_path
from console.routes.pages.leads import Table
from console.wording import count_in_words
from leads_core.accounts.permissions import Permission
from leads_core.accounts.preferences import set_preference
from leads_core.database import Database
from leads_core.errors import Invalid, LeadExplorerError
from leads_core.leads.codes import COUNTRY_NAMES
from leads_core.leads.filters import LeadFilter
from leads_core.leads.queries import total_of
from leads_core.leads.tags import tags_in_use
from leads_core.paging import Total
from leads_core.saved_views.queries import around_the_list
from leads_core.saved_views.service import SavedViews

router = APIRouter(prefix="/leads", route_class=GuardedRoute, include_in_schema=False)

#: A count that takes longer is left out, and so are all that would come after so long.
COUNT_WITHIN = 0.3
COUNTS_WITHIN = 2.0


@router.get("/counts")
@requires(Permission.READ_LEADS)
async def counts(pool: Pool, who: CurrentVisitor, render: Render) -> Response:
    """How many leads each view has, as pieces that go beside the views. What cannot be counted in time is not there."""
    async with pool.reader() as reader:
        around = await around_the_list(reader, who.user_id)
    found: list[tuple[View, str]] = []
    ends = asyncio.get_running_loop().time() + COUNTS_WITHIN
    for view in views_of(around):
        if asyncio.get_running_loop().time() > ends:
            break
        if (total := await _count(pool, view, who.user_id)) is not None:
            found.append((view, count_in_words(total.value, total.relation)))
    return render.page("leads/counts.html", counts=found)


@router.get("/filter-choices")
@requires(Permission.READ_LEADS)
async def filter_choices(pool: Pool, render: Render) -> Response:
    """What the fields of the filter menu suggest: the tags in use and the countries."""
    async with pool.reader() as reader:
        return render.page(
            "leads/filter_choices.html", tags=await tags_in_use(reader), countries=COUNTRY_NAMES.values()
        )


@router.post("/views")
@requires(Permission.READ_LEADS)
async def create(form: SentForm, pool: Pool, who: CurrentVisitor, table: Table) -> Response:
    query, name, is_shared = form.text("query"), form.text("name"), form.ticked("is_shared")
    try:
        view_id = await SavedViews(pool, who).create(name, query, is_shared=is_shared)
    except Invalid as error:
        return await table.page(ListAddress(parse_qsl(query)), ViewForm(name, is_shared, error.errors[0].message))
    return await _to_view(pool, who, str(view_id))


@router.post("/views/default")
@requires(Permission.READ_LEADS)
async def make_default(form: SentForm, pool: Pool, who: CurrentVisitor) -> Response:
    """The view that opens at /leads; none: all leads."""
    async with pool.reader() as reader:
        views = views_of(await around_the_list(reader, who.user_id))
    wanted = form.text("view")
    async with pool.transaction() as session:
        known = wanted if any(view.key == wanted for view in views) else None
        await set_preference(session, who.user_id, "default_view", known)
    return RedirectResponse(local_path(form.text("query"), PATH), 303)


@router.post("/views/{view_id}")
@requires(Permission.READ_LEADS)
async def change(view_id: UUID, form: SentForm, pool: Pool, who: CurrentVisitor, table: Table) -> Response:
    """Another name, another state, shared or not: what the form does not say stays."""
    name, query = (form.text(field) if form.has(field) else None for field in ("name", "query"))
    is_shared = form.ticked("is_shared") if form.has("is_shared") else None
    try:
        await SavedViews(pool, who).change(view_id, name=name, query=query, is_shared=is_shared)
    except Invalid as error:
        return await _refused(view_id, form, error, pool, who, table)
    return await _to_view(pool, who, str(view_id))


@router.post("/views/{view_id}/move")
@requires(Permission.READ_LEADS)
async def move(view_id: UUID, form: SentForm, pool: Pool, who: CurrentVisitor) -> Response:
    await SavedViews(pool, who).move(view_id, "left" if form.text("to") == "left" else "right")
    return await _to_view(pool, who, str(view_id))


@router.post("/views/{view_id}/delete")
@requires(Permission.READ_LEADS)
async def delete(view_id: UUID, pool: Pool, who: CurrentVisitor) -> Response:
    await SavedViews(pool, who).delete(view_id)
    return await _to_view(pool, who, "all")


async def _to_view(pool: Database, who: CurrentVisitor, key: str) -> Response:
    async with pool.reader() as reader:
        views = ListViews(ListAddress(()), await around_the_list(reader, who.user_id), who)
    view = next((one for one in views.all if one.key == key), views.all[0])
    return RedirectResponse(views.url(view), 303)


async def _refused(
    view_id: UUID, form: Form, error: Invalid, pool: Database, who: CurrentVisitor, table: Table
) -> Response:
    """The open view again, with what was typed and what is wrong with it."""
    async with pool.reader() as reader:
        around = await around_the_list(reader, who.user_id)
    said = next((one.query for one in around.views if one.id == view_id), "")
    address = ListAddress([("view", str(view_id)), *parse_qsl(said)])
    return await table.page(address, ViewForm(form.text("name"), error=error.errors[0].message, view=str(view_id)))


async def _count(pool: Database, view: View, me: UUID) -> Total | None:
    """How many leads the view has; None where that takes too long or nobody can tell."""
    parameters: dict[str, list[str]] = {}
    for name, value in view.state:
        if name != "sort":
            parameters.setdefault(name, []).append(value)
    try:
        wanted = LeadFilter.from_query(parameters, me=me)
        async with asyncio.timeout(COUNT_WITHIN), pool.reader() as reader:
            return await total_of(reader, wanted)
    except (TimeoutError, LeadExplorerError):
        return None
