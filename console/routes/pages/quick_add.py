"""Quick-Add: lines become leads, and what stands in the way of one is settled where it was typed."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from console import undo_page
from console.dependencies import GuardedRoute, Leads, Pool, requires
from console.forms import Form, SentForm
from console.quick_add_words import QuickError, QuickState, what_stays
from console.routes.pages.leads import LeadTable, Table
from leads_core.accounts.permissions import Permission
from leads_core.errors import IdentityTaken, Invalid, NotFound
from leads_core.leads.schemas import LeadRead

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


@router.post("/leads/quick-add")
@requires(Permission.CHANGE_LEADS)
async def quick_add(form: SentForm, leads: Leads, table: Table) -> Response:
    text = form.text("text")
    try:
        results = await leads.quick_add(text, despite_bin=form.ticked("despite_bin"))
    except Invalid as error:
        return await table.quick_add(QuickState(text, [QuickError("", error.errors[0].message)]), 422, None)
    added = [str(result.lead.id) for result in results if result.lead]
    failed = [result for result in results if result.error]
    state = what_stays(failed, added=len(added))
    names = [result.lead.name for result in results if result.lead]
    events = {"leads-changed": {"ids": added}, "toast": undo_page.added_toast(names)} if added else None
    return await table.quick_add(state, 422 if failed else 200, events)


@router.post("/leads/quick-add/restore/{lead_id}")
@requires(Permission.CHANGE_LEADS)
async def restore_instead(lead_id: UUID, form: SentForm, leads: Leads, table: Table, pool: Pool) -> Response:
    """The lead from the bin in place of the line that named it; the other lines stay in the field."""
    return await _instead_of_the_line(form, leads, table, pool, leads.restore(lead_id))


@router.post("/leads/quick-add/fill/{lead_id}")
@requires(Permission.CHANGE_LEADS)
async def fill_instead(lead_id: UUID, form: SentForm, leads: Leads, table: Table, pool: Pool) -> Response:
    """What the line says and the lead leaves empty goes into that lead; the other lines stay in the field."""
    return await _instead_of_the_line(form, leads, table, pool, leads.add_what_is_new(lead_id, form.text("line")))


async def _instead_of_the_line(
    form: Form, leads: Leads, table: LeadTable, pool: Pool, change: Awaitable[LeadRead]
) -> Response:
    text, line = form.text("text"), form.text("line").strip()
    try:
        lead = await change
    except (IdentityTaken, Invalid, NotFound):
        # Somebody was faster: what stands in the way is told as it is now.
        state = what_stays(await leads.check_quick_add(text))
        return await table.quick_add(replace(state, text=text), 409, None)
    left = "\n".join(other for other in text.splitlines() if other.strip() != line)
    state = replace(what_stays(await leads.check_quick_add(left)), text=left)
    events: dict[str, Any] = {"leads-changed": {"ids": [str(lead.id)]}}
    if toast := await undo_page.done_just_now(lead, pool):
        events["toast"] = toast
    return await table.quick_add(state, 422 if state.errors else 200, events)
