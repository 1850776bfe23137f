"""Values changed in the list itself: a cell that became a field, and the actions of a row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console import cell_page, lead_page, undo_page
from console.cell_page import AtOdds, CellProblem
from console.dependencies import GuardedRoute, requires
from console.forms import Form, SentForm, lead_as_texts
from console.rendering import local_path
from console.routes.pages.lead import Desk, LeadDesk
from console.undo_notice import done_address
from leads_core.accounts.permissions import Permission
from leads_core.errors import IdentityTaken, Invalid
from leads_core.leads.schemas import LeadRead, LeadUpdate, parsed

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

ACTIONS = "leads/actions.html"


@router.get("/leads/choices")
@requires(Permission.CHANGE_LEADS)
async def choices(desk: Desk) -> Response:
    """Stages, owners and countries, for cells that are chosen from a list."""
    owners = await lead_page.owners(desk.pool, desk.who)
    return desk.render.page("leads/choices.html", owners=owners, countries=lead_page.COUNTRIES)


@router.get("/leads/{lead_id}/actions")
@requires(Permission.CHANGE_LEADS)
async def actions(request: Request, lead_id: UUID, desk: Desk) -> Response:
    """What is done with a lead all day: stage, owner, follow-up, tags."""
    lead = await desk.leads.get(lead_id)
    came_from = urlsplit(request.headers.get("referer", ""))
    back = f"/leads?{came_from.query}" if came_from.path == "/leads" and came_from.query else ""
    return await _actions(desk, lead, then=request.query_params.get("then", back))


@router.post("/leads/{lead_id}/cell")
@requires(Permission.CHANGE_LEADS)
async def change(lead_id: UUID, form: SentForm, desk: Desk) -> Response:
    """Save the fields of the form. A script gets the cell as it stands then, or the problem to be shown under it."""
    try:
        wanted = parsed(LeadUpdate, form.lead_values)
        lead = await cell_page.save(desk.leads, desk.pool, desk.who, lead_id, form, wanted)
    except Invalid as error:
        return await _refused(desk, lead_id, form, 422, CellProblem("invalid", error.errors[0].message))
    except IdentityTaken as error:
        existing = await desk.leads.get(error.existing_id, deleted=None)
        return await _refused(desk, lead_id, form, 409, cell_page.duplicate(error, existing, form))
    except AtOdds as error:
        return await _refused(desk, lead_id, form, 412, await cell_page.conflict(error, desk.pool))
    return await _saved(desk, lead, form)


async def _saved(desk: LeadDesk, lead: LeadRead, form: Form) -> Response:
    done = await undo_page.done_just_now(lead, desk.pool)
    if not desk.render.wants_block:
        to = local_path(form.text("then"), "/leads")
        return RedirectResponse(done_address(to) if done else to, 303)
    events: dict[str, Any] = {"leads-changed": {"ids": [str(lead.id)]}}
    if done:
        events["toast"] = done
    column = cell_page.column_of(next(iter(form.lead_texts), ""))
    at = await cell_page.around(lead, desk.pool, title_beside=form.text("beside") == "title")
    answer = desk.render.block_or_redirect(
        "leads/cell.html", "cell", to="/leads", events=events, lead=lead, at=at, column=column
    )
    answer.headers["ETag"] = f'"{lead.version}"'
    return answer


async def _refused(desk: LeadDesk, lead_id: UUID, form: Form, status: int, problem: CellProblem) -> Response:
    """Nothing was written. What was typed is in the cell still, or in the page's own fields."""
    lead = await desk.leads.get(lead_id)
    if desk.render.wants_block:
        return desk.render.page(
            "leads/cell_problem.html", "problem", status=status, lead=lead, problem=problem, then=""
        )
    return await _actions(desk, lead, then=form.text("then"), status=status, problem=problem, form=form)


async def _actions(
    desk: LeadDesk,
    lead: LeadRead,
    *,
    then: str,
    status: int = 200,
    problem: CellProblem | None = None,
    form: Form | None = None,
) -> Response:
    typed = form.lead_texts if form else {}
    return desk.render.page(
        ACTIONS,
        "actions",
        status=status,
        lead=lead,
        values={**lead_as_texts(lead), **typed},
        owners=await lead_page.owners(desk.pool, desk.who),
        days=cell_page.days_ahead(datetime.now(UTC).date()),
        me=str(desk.who.user_id),
        then=local_path(then, "/leads"),
        problem=problem,
    )
