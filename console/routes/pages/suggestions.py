"""Take over what was found, or wave it away: one suggestion, all of a lead, or one for every lead of a company."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from console.dependencies import GuardedRoute, requires
from console.forms import Form, SentForm
from console.lead_page import Problem
from console.routes.pages.lead import Desk
from console.trail_wording import fields_in_words
from console.wording import plural
from leads_core.accounts.permissions import Permission
from leads_core.enrichment.suggestions import Suggestions
from leads_core.errors import Conflict, IdentityTaken, Invalid, NotFound

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

ALL = "all"
GONE = "It is not suggested any more: somebody decided already, or a newer look-up found something else."


@router.post("/leads/{lead_id}/suggestions")
@requires(Permission.CHANGE_LEADS)
async def decide(lead_id: UUID, form: SentForm, desk: Desk) -> Response:
    """`accept` or `dismiss`: a suggestion's id, or all; `everywhere`: one for all leads at the domain."""
    try:
        said = await _decide(Suggestions(desk.pool), lead_id, form)
    except (NotFound, Invalid, IdentityTaken, Conflict) as error:
        lead = await desk.leads.get(lead_id, deleted=None)
        sentence = GONE if isinstance(error, NotFound) else _sentence(error)
        return await desk.panel(lead, status=409, problem=Problem("Nothing was changed", sentence))
    return await desk.done(await desk.leads.get(lead_id), toast={"text": said})


async def _decide(suggestions: Suggestions, lead_id: UUID, form: Form) -> str:
    if everywhere := form.text("everywhere"):
        changed = await suggestions.accept_for_all(lead_id, _id(everywhere))
        return f"{plural(changed, 'lead')} changed."
    if accept := form.text("accept"):
        lead, taken = await suggestions.accept(lead_id, None if accept == ALL else [_id(accept)])
        return f"{lead.name} has the new {fields_in_words([one.field for one in taken])}."
    dismiss = form.text("dismiss")
    waved = await suggestions.dismiss(lead_id, None if dismiss == ALL else [_id(dismiss)])
    return f"Kept as it was: {fields_in_words([one.field for one in waved])}."


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("suggestion", text[:60]) from None


def _sentence(error: Exception) -> str:
    return error.errors[0].message if isinstance(error, Invalid) else str(error)
