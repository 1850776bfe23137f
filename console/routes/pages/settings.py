"""Your name, your password, how the console looks, and whether single keys act."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.dependencies import GuardedRoute, requires
from console.forms import SentForm, errors_by_field
from console.middleware import session_cookie
from console.rendering import THEME_COOKIE, THEMES, local_path
from console.settings_page import Desk
from leads_core.accounts.permissions import Permission
from leads_core.accounts.preferences import preferences_of, set_preference
from leads_core.accounts.service import Accounts
from leads_core.accounts.sessions import Sessions
from leads_core.accounts.signing_in import SigningIn
from leads_core.errors import Invalid, Unauthenticated

router = APIRouter(prefix="/settings", route_class=GuardedRoute, include_in_schema=False)

A_YEAR = 365 * 24 * 60 * 60
DENSITIES = {"compact": "Compact", "roomy": "Roomy"}


@router.get("")
@requires(Permission.READ_LEADS)
async def profile(desk: Desk) -> Response:
    return desk.page("", values={"name": desk.who.name})


@router.post("/name")
@requires(Permission.READ_LEADS)
async def change_name(form: SentForm, desk: Desk) -> Response:
    try:
        await Accounts(desk.pool).set_name(desk.who.user_id, form.text("name"))
    except Invalid as error:
        return desk.page("", values={"name": form.text("name")}, errors=errors_by_field(error))
    return desk.saved("", "name")


@router.get("/password")
@requires(Permission.READ_LEADS)
async def password(desk: Desk) -> Response:
    return desk.page("password")


@router.post("/password")
@requires(Permission.READ_LEADS)
async def change_password(request: Request, form: SentForm, desk: Desk) -> Response:
    """The old password is asked for: an open browser alone must not be enough to shut its owner out.

    Proving it is a sign-in like any other: limited, in the trail, and with a fresh session.
    """
    who = desk.who
    door = SigningIn(desk.pool, Sessions(desk.pool, desk.config.signing_secret))
    try:
        signed_in = await door.with_password(who.email or "", form.text("current"), old_session_id=who.session_id)
    except Unauthenticated:
        return desk.page("password", errors={"current": "This is not your password."})
    response = desk.saved("password", "password")
    try:
        await Accounts(desk.pool).set_password(who.user_id, form.text("password"), session_id=signed_in.session_id)
    except Invalid as error:
        response = desk.page("password", errors=errors_by_field(error))
    session_cookie.give(request, response, signed_in.cookie)
    return response


@router.get("/appearance")
@requires(Permission.READ_LEADS)
async def appearance(desk: Desk) -> Response:
    async with desk.pool.transaction() as session:
        chosen = (await preferences_of(session, desk.who.user_id)).get("density")
    return desk.page("appearance", densities=DENSITIES, density=chosen if chosen in DENSITIES else "compact")


@router.post("/appearance")
@requires(None)
async def change_theme(form: SentForm) -> Response:
    """The theme, for browsers without a script: a cookie, and back to where they were."""
    response = RedirectResponse(local_path(form.text("then"), "/settings/appearance"), 303)
    theme = form.text("theme")
    if theme in THEMES:
        response.set_cookie(THEME_COOKIE, theme, max_age=A_YEAR, samesite="lax")
    else:
        response.delete_cookie(THEME_COOKIE, samesite="lax")
    return response


@router.post("/density")
@requires(Permission.READ_LEADS)
async def change_density(form: SentForm, desk: Desk) -> Response:
    density = form.text("density")
    async with desk.pool.transaction() as session:
        await set_preference(session, desk.who.user_id, "density", density if density in DENSITIES else None)
    return desk.saved("appearance", "density")


@router.get("/keyboard")
@requires(Permission.READ_LEADS)
async def keyboard(desk: Desk) -> Response:
    return desk.page("keyboard", values={"single_keys": "true" if desk.who.single_keys else "false"})


@router.post("/keyboard")
@requires(Permission.READ_LEADS)
async def change_keyboard(form: SentForm, desk: Desk) -> Response:
    wanted = form.ticked("single_keys")
    async with desk.pool.transaction() as session:
        await set_preference(session, desk.who.user_id, "single_keys", None if wanted else False)
    return desk.saved("keyboard", "keys")
