"""Put back a value of a lead, or the lead itself; and the seal of its trail."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console import lead_page
from console.dependencies import GuardedRoute, requires
from console.forms import SentForm
from console.lead_page import Problem
from console.routes.pages.lead import Desk, LeadDesk
from console.trail_page import is_entry_number
from console.trail_wording import fields_in_words
from console.wording import field_label
from leads_core import context
from leads_core.accounts.permissions import Permission
from leads_core.errors import Erased, IdentityTaken, Invalid, NotFound, StaleVersion
from leads_core.leads.history import REVERTIBLE
from leads_core.leads.schemas import LeadRead

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

NOT_PUT_BACK = "Not put back"


@router.get("/leads/{lead_id}/seal")
@requires(Permission.READ_LEADS)
async def seal(lead_id: UUID, desk: Desk) -> Response:
    """The lead's entries, recomputed now."""
    lead = await desk.leads.get(lead_id, deleted=None)
    sealed = await lead_page.seal_of(lead, desk.pool, desk.who, desk.config)
    return desk.render.page("lead/seal.html", "seal", lead=lead, **sealed)


@router.post("/leads/{lead_id}/revert")
@requires(Permission.CHANGE_LEADS)
async def revert(request: Request, lead_id: UUID, form: SentForm, desk: Desk) -> Response:
    """`seq` and any number of `field`, in the form, or in the address where a toast offers to undo."""
    seq = form.text("seq") or request.query_params.get("seq", "")
    fields = form.all("field") or request.query_params.getlist("field")
    lead = await desk.leads.get(lead_id, deleted=None)
    if lead.is_deleted:
        return await _refused(desk, lead, "It lies in the bin. Restore it first.")
    sealed = (await lead_page.seal_of(lead, desk.pool, desk.who, desk.config))["seal"]
    if sealed.is_broken:
        return await _refused(desk, lead, f"{sealed.words}. Tell an administrator; do not edit this lead.")
    try:
        wanted = await _wanted(desk, lead, seq, fields)
        after = await desk.leads.revert(lead_id, int(seq), fields=wanted, if_version=form.version)
    except (StaleVersion, IdentityTaken, Erased, Invalid, NotFound) as error:
        return await _told(desk, lead_id, error)
    left = [field for field in REVERTIBLE if field not in wanted] if wanted and not fields else []
    return await _done(desk, after, left, then=form.text("then"))


async def _wanted(desk: LeadDesk, lead: LeadRead, seq: str, fields: Sequence[str]) -> Sequence[str] | None:
    """The fields to put back: those named, else all that are still known. Raises Invalid."""
    if not is_entry_number(seq):
        raise Invalid.of("seq", "Choose the entry to go back to.")
    if unknown := [field for field in fields if field not in REVERTIBLE]:
        raise Invalid.of(unknown[0], "This field cannot be put back.")
    if fields:
        return fields
    past = await desk.leads.as_it_stood(lead.id, int(seq))
    return [field for field in REVERTIBLE if field not in past.unknown] if past.unknown else None


async def _done(desk: LeadDesk, lead: LeadRead, left: Sequence[str], *, then: str) -> Response:
    """Says what was put back, with the way to undo it, and which fields were left because their past was erased."""
    erased = f" What stood in {fields_in_words(left)} was erased." if left else ""
    reverted = await lead_page.reverted(lead, lead.version, desk.pool)
    if reverted is None or reverted.request_id != context.current().request_id:
        sentence = f"It stands like this already. Nothing was changed.{erased}"
        if desk.render.wants_block:
            return await desk.done(lead, toast={"text": sentence}, then=then)
        return await desk.panel(lead, problem=Problem("Nothing to put back", sentence, kind=""))
    if not desk.render.wants_block:
        return RedirectResponse(f"/leads/{lead.id}?reverted={reverted.seq}", 303)
    toast = {"text": f"{lead.name}: {reverted.sentence}{erased}"}
    return await desk.done(lead, toast=toast, then=then)


async def _told(desk: LeadDesk, lead_id: UUID, error: Exception) -> Response:
    """The lead as it is, and why nothing was put back."""
    match error:
        case StaleVersion():
            sentence = "It was changed meanwhile. Look again, then put it back."
            return await _refused(desk, error.current, sentence, status=412)
        case IdentityTaken():
            existing = await desk.leads.get(error.existing_id, deleted=None)
            sentence = (
                f"{existing.email or existing.domain} is a lead of its own by now. Move that one to the bin first."
            )
            lead = await desk.leads.get(lead_id, deleted=None)
            return await _refused(desk, lead, sentence, link=f"/leads/{existing.id}")
        case Invalid():
            lead = await desk.leads.get(lead_id, deleted=None)
            reasons = (_reason(broken.field, broken.message) for broken in error.errors)
            return await _refused(desk, lead, " ".join(reasons), status=422)
    return await _refused(desk, await desk.leads.get(lead_id, deleted=None), str(error))


async def _refused(desk: LeadDesk, lead: LeadRead, sentence: str, *, status: int = 409, link: str = "") -> Response:
    return await desk.panel(lead, status=status, problem=Problem(NOT_PUT_BACK, sentence, link))


def _reason(field: str, message: str) -> str:
    return f"{field_label(field)}: {message}" if field in REVERTIBLE else message
