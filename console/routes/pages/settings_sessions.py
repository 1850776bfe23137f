"""Where you are signed in: end one session, or all others."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.dependencies import GuardedRoute, requires
from console.device_wording import device_in_words
from console.middleware import session_cookie
from console.settings_page import Desk
from leads_core.accounts.open_sessions import OpenSessions
from leads_core.accounts.permissions import Permission

router = APIRouter(prefix="/settings/sessions", route_class=GuardedRoute, include_in_schema=False)


@router.get("")
@requires(Permission.READ_LEADS)
async def index(desk: Desk) -> Response:
    found = await OpenSessions(desk.pool, desk.who.user_id).list()
    return desk.page("sessions", sessions=[(one, device_in_words(one.user_agent)) for one in found])


@router.post("/end-others")
@requires(Permission.READ_LEADS)
async def end_others(desk: Desk) -> Response:
    await OpenSessions(desk.pool, desk.who.user_id).end_others(desk.who.session_id)
    return desk.saved("sessions", "others")


@router.post("/{session_id}/end")
@requires(Permission.READ_LEADS)
async def end(request: Request, session_id: UUID, desk: Desk) -> Response:
    """The one that asks may end itself: that is signing out."""
    await OpenSessions(desk.pool, desk.who.user_id).end(session_id)
    if session_id != desk.who.session_id:
        return desk.saved("sessions", "ended")
    response = RedirectResponse("/sign-in", 303)
    session_cookie.take_away(request, response)
    return response
