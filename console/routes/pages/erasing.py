"""Erase a person from a lead, or a user: what will go and what stays, then the deed. For administrators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.dependencies import CurrentVisitor, GuardedRoute, Pool, Render, requires
from console.forms import Form, SentForm
from console.lead_duplicates import copies_of
from console.lead_page import Problem
from leads_core.accounts.permissions import Permission
from leads_core.accounts.service import Accounts
from leads_core.erasing import Erasing, Erasure, Foreseen
from leads_core.errors import Invalid, StaleVersion, StillRunning

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

#: A part, what it is called, and what lies in it.
CHOICES = (
    ("person", "The person", "Name, email, job title, phone, LinkedIn, and the words in which they were added"),
    ("text", "Description and notes", "Free text, in which a person may be named"),
    ("data", "Everything else", "Company, domain, website, place, tags, follow-up; not stage, owner and source"),
)


@dataclass(frozen=True, slots=True)
class ErasingDesk:
    """What these routes share."""

    pool: Pool
    who: CurrentVisitor
    render: Render

    @property
    def erasing(self) -> Erasing:
        return Erasing(self.pool)

    async def lead_page(self, foreseen: Foreseen, *, status: int = 200, problem: Problem | None = None) -> Response:
        return self.render.page(
            "lead/erase.html",
            "panel",
            status=status,
            lead=foreseen.lead,
            foreseen=foreseen,
            copies=await copies_of(foreseen.lead.id, self.pool),
            choices=CHOICES,
            problem=problem,
        )

    async def user_page(self, user_id: UUID, *, status: int = 200, problem: Problem | None = None) -> Response:
        person = await Accounts(self.pool).get(user_id)
        return self.render.page("settings/erase.html", status=status, person=person, problem=problem)


Desk = Annotated[ErasingDesk, Depends(ErasingDesk)]


@router.get("/leads/{lead_id}/erase")
@requires(Permission.ERASE)
async def ask(request: Request, lead_id: UUID, desk: Desk) -> Response:
    """Exactly what would go and what would stay; another choice shows itself here first."""
    form = Form(request.query_params.multi_items())
    try:
        wanted = _chosen(form) if form.has("part") else Erasure()
        return await desk.lead_page(await desk.erasing.foresee(lead_id, wanted))
    except Invalid as error:
        return await _refused(desk, lead_id, error)


@router.post("/leads/{lead_id}/erase")
@requires(Permission.ERASE)
async def erase(lead_id: UUID, form: SentForm, desk: Desk) -> Response:
    try:
        wanted = _chosen(form)
        lead = await desk.erasing.erase_lead(lead_id, wanted, if_version=form.version)
    except StaleVersion:
        problem = Problem("Not erased: the lead changed meanwhile", "Look again at what will go, then erase.")
        return await desk.lead_page(await desk.erasing.foresee(lead_id, wanted), status=412, problem=problem)
    except StillRunning as error:
        problem = Problem("Not erased", str(error))
        return await desk.lead_page(await desk.erasing.foresee(lead_id, wanted), status=409, problem=problem)
    except Invalid as error:
        return await _refused(desk, lead_id, error)
    return desk.render.nothing_or_redirect(to=f"/leads/{lead.id}", events={"leads-changed": {"ids": [str(lead.id)]}})


@router.get("/settings/users/{user_id}/erase")
@requires(Permission.ERASE)
async def ask_for_user(user_id: UUID, desk: Desk) -> Response:
    return await desk.user_page(user_id)


@router.post("/settings/users/{user_id}/erase")
@requires(Permission.ERASE)
async def erase_user(user_id: UUID, form: SentForm, desk: Desk) -> Response:
    try:
        await desk.erasing.erase_user(user_id, release_leads=form.ticked("release_leads"))
    except Invalid as error:
        return await desk.user_page(user_id, status=422, problem=Problem("Not erased", error.errors[0].message))
    except StillRunning as error:
        return await desk.user_page(user_id, status=409, problem=Problem("Not erased", str(error)))
    return RedirectResponse("/settings/users?saved=erased", 303)


def _chosen(form: Form) -> Erasure:
    """The parts that are ticked; the domain stays, unless it is to go. Raises Invalid."""
    parts = set(form.all("part"))
    keep = {"domain"} if "data" in parts and form.ticked("keep_domain", otherwise=True) else set()
    return Erasure(frozenset(parts), frozenset(keep))


async def _refused(desk: ErasingDesk, lead_id: UUID, error: Invalid) -> Response:
    """Back at the choice that is always possible, with the reason."""
    foreseen = await desk.erasing.foresee(lead_id, Erasure())
    return await desk.lead_page(foreseen, status=422, problem=Problem("Not erased", error.errors[0].message))
