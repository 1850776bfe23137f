"""One lead: its page and drawer, the form, and what a person does with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from console import lead_page, undo_page
from console.conflict import conflict_of
from console.dependencies import Config, CurrentVisitor, GuardedRoute, Leads, Pool, Render, requires
from console.forms import Form, FormState, SentForm, errors_by_field, lead_as_texts
from console.lead_page import DETAIL_FIELDS, Problem, Reverted
from console.rendering import local_path
from console.trail_page import TrailAddress, is_entry_number
from console.undo_notice import done_address
from leads_core.accounts.permissions import Permission
from leads_core.errors import Erased, IdentityTaken, Invalid, StaleVersion
from leads_core.leads.schemas import LeadCreate, LeadRead, LeadUpdate, Source, parsed

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

NEW = {"stage": "new", "is_manual": "true", "enrich": "true"}


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The lead that has the identity which was typed."""

    field: str
    lead: LeadRead
    in_bin: bool


class LeadDesk:
    """What the routes of one lead share: the visitor, the services, the pages."""

    def __init__(self, leads: Leads, pool: Pool, who: CurrentVisitor, render: Render, config: Config) -> None:
        self.leads = leads
        self.pool = pool
        self.who = who
        self.render = render
        self.config = config

    async def panel(
        self,
        lead: LeadRead,
        *,
        status: int = 200,
        problem: Problem | None = None,
        address: TrailAddress | None = None,
        reverted: Reverted | None = None,
    ) -> Response:
        """The lead, as page or drawer."""
        context = await lead_page.context_of(lead, self.pool, self.who, self.config, address)
        context |= {"lead": lead, "problem": problem, "reverted": reverted}
        return self.render.page("lead/show.html", "panel", status=status, **context)

    async def done(self, lead: LeadRead, *, toast: dict[str, Any] | None = None, then: str = "") -> Response:
        """After a change: the list reads itself again, the panel shows the lead as it is now."""
        events: dict[str, Any] = {"leads-changed": {"ids": [str(lead.id)]}}
        done = await undo_page.done_just_now(lead, self.pool) or {}
        if said := {**done, **(toast or {})}:
            events["toast"] = said
        to = local_path(then, f"/leads/{lead.id}")
        if done:
            to = done_address(to)
        if then:
            return self.render.nothing_or_redirect(to=to, events=events)
        if not self.render.wants_block:
            return self.render.nothing_or_redirect(to=to)
        context = await lead_page.context_of(lead, self.pool, self.who, self.config)
        context |= {"lead": lead, "problem": None, "reverted": None}
        return self.render.block_or_redirect("lead/show.html", "panel", to=to, events=events, **context)

    async def as_it_stood(self, lead: LeadRead, address: TrailAddress) -> Response:
        """The lead after the entry that the address names; as it stands, where it has no such entry."""
        try:
            past = await self.leads.as_it_stood(lead.id, address.at or 0)
        except Invalid as error:
            problem = Problem("No such entry", error.errors[0].message)
            return await self.panel(lead, status=404, problem=problem, address=replace(address, at=None))
        context = await lead_page.then_of(lead, past, self.pool, self.who, self.config, address)
        return self.render.page("lead/as_it_stood.html", "panel", lead=lead, **context)

    async def form(
        self,
        state: FormState,
        *,
        lead: LeadRead | None = None,
        status: int = 200,
        focus: str = "",
        duplicate: Duplicate | None = None,
    ) -> Response:
        """The form, new or filled."""
        owners = await lead_page.owners(self.pool, self.who)
        lists = {"owners": owners, "countries": lead_page.COUNTRIES}
        context: dict[str, Any] = {"form": state, "lead": lead, "focus": focus, "duplicate": duplicate, **lists}
        return self.render.page("lead/form.html", "panel", status=status, **context)

    async def duplicate(self, error: IdentityTaken) -> Duplicate:
        existing = await self.leads.get(error.existing_id, deleted=None)
        return Duplicate(error.field, existing, error.in_bin)


Desk = Annotated[LeadDesk, Depends(LeadDesk)]


@router.get("/leads/new")
@requires(Permission.CHANGE_LEADS)
async def new(desk: Desk) -> Response:
    return await desk.form(FormState(NEW))


@router.post("/leads")
@requires(Permission.CHANGE_LEADS)
async def create(form: SentForm, desk: Desk) -> Response:
    enrich = form.ticked("enrich", otherwise=True)
    state = FormState({**form.lead_texts, "enrich": "true" if enrich else "false"})
    try:
        wanted = parsed(LeadCreate, {"is_manual": True, **form.lead_values})
        despite_bin = form.ticked("despite_bin")
        lead = await desk.leads.create(wanted, source=Source.FORM, enrich=enrich, despite_bin=despite_bin)
    except Invalid as error:
        state.errors = errors_by_field(error)
        return await desk.form(state, status=422)
    except IdentityTaken as error:
        duplicate = await desk.duplicate(error)
        state.errors = _taken(error, form)
        return await desk.form(state, status=409, duplicate=duplicate)
    return await desk.done(lead, then="/leads/new" if form.text("then") == "another" else f"/leads/{lead.id}")


@router.get("/leads/{lead_id}")
@requires(Permission.READ_LEADS)
async def show(request: Request, lead_id: UUID, desk: Desk) -> Response:
    """The lead as it stands; with `at` as it stood after that entry; the trail as its filters ask."""
    address = TrailAddress.read(lead_id, request.query_params.multi_items())
    lead = await desk.leads.get(lead_id, deleted=None)
    if address.at is not None:
        return await desk.as_it_stood(lead, address)
    done = request.query_params.get("reverted", "")
    reverted = await lead_page.reverted(lead, int(done), desk.pool) if is_entry_number(done) else None
    return await desk.panel(lead, address=address, reverted=reverted)


@router.get("/leads/{lead_id}/edit")
@requires(Permission.CHANGE_LEADS)
async def edit(request: Request, lead_id: UUID, desk: Desk) -> Response:
    lead = await desk.leads.get(lead_id)
    state = FormState(lead_as_texts(lead), version=lead.version)
    field = request.query_params.get("field", "")
    if field in DETAIL_FIELDS and request.query_params.get("inline") and desk.render.wants_block:
        return desk.render.page(
            "lead/field.html", "editor", lead=lead, form=state, name=field, countries=lead_page.COUNTRIES
        )
    return await desk.form(state, lead=lead, focus=field)


@router.post("/leads/{lead_id}")
@requires(Permission.CHANGE_LEADS)
async def update(lead_id: UUID, form: SentForm, desk: Desk) -> Response:
    try:
        wanted = parsed(LeadUpdate, form.lead_values)
        lead = await desk.leads.update(lead_id, wanted, if_version=form.version)
    except StaleVersion as error:
        return await _conflict(desk, form, wanted, error.current)
    except (Invalid, IdentityTaken) as error:
        return await _refused(desk, lead_id, form, error)
    return await desk.done(lead)


@router.post("/leads/{lead_id}/delete")
@requires(Permission.CHANGE_LEADS)
async def delete(lead_id: UUID, form: SentForm, desk: Desk) -> Response:
    try:
        lead = await desk.leads.delete(lead_id, if_version=form.version)
    except StaleVersion as error:
        problem = Problem(f"{error.current.name} changed meanwhile", "Look again, then move it to the bin.")
        return await desk.panel(error.current, status=412, problem=problem)
    return await desk.done(lead, then=form.text("then"))


@router.post("/leads/{lead_id}/restore")
@requires(Permission.CHANGE_LEADS)
async def restore(lead_id: UUID, form: SentForm, desk: Desk) -> Response:
    try:
        lead = await desk.leads.restore(lead_id)
    except IdentityTaken as error:
        existing = await desk.leads.get(error.existing_id)
        sentence = f"{existing.email or existing.domain} is a lead of its own by now. Move that one to the bin first."
        problem = Problem("Not restored", sentence, f"/leads/{existing.id}")
        return await desk.panel(await desk.leads.get(lead_id, deleted=None), status=409, problem=problem)
    return await desk.done(lead, then=form.text("then"))


@router.post("/leads/{lead_id}/enrich")
@requires(Permission.CHANGE_LEADS)
async def enrich(lead_id: UUID, form: SentForm, desk: Desk) -> Response:
    try:
        lead = await desk.leads.enrich(lead_id)
    except Erased as error:
        return await desk.panel(await desk.leads.get(lead_id), status=409, problem=Problem("Not enriched", str(error)))
    return await desk.done(lead, then=form.text("then"))


async def _refused(desk: LeadDesk, lead_id: UUID, form: Form, error: Invalid | IdentityTaken) -> Response:
    """The whole form again, with what was typed over what the lead has."""
    lead = await desk.leads.get(lead_id)
    state = FormState({**lead_as_texts(lead), **form.lead_texts}, version=form.version)
    if isinstance(error, Invalid):
        state.errors = errors_by_field(error)
        return await desk.form(state, lead=lead, status=422)
    state.errors = _taken(error, form)
    return await desk.form(state, lead=lead, status=409, duplicate=await desk.duplicate(error))


async def _conflict(desk: LeadDesk, form: Form, wanted: LeadUpdate, current: LeadRead) -> Response:
    """Yours and theirs, field by field; nothing to ask when both want the same."""
    since = await lead_page.entries_since(current.id, form.version, desk.pool)
    conflict = conflict_of(form.lead_texts, wanted, current, since, desk.who.user_id)
    if not conflict.fields and not conflict.kept:
        return await desk.done(current)
    beside = {"HX-Retarget": "#dialogs", "HX-Reswap": "innerHTML"}
    return desk.render.page("lead/conflict.html", "dialog", status=412, headers=beside, lead=current, conflict=conflict)


def _taken(error: IdentityTaken, form: Form) -> dict[str, str]:
    typed = form.text(error.field).strip() or "This"
    return {error.field: f"{typed} is in the bin." if error.in_bin else f"{typed} is already a lead."}
