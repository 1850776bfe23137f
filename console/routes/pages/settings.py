"""Your account, its password, API tokens, and how the console looks."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.dependencies import Config, CurrentVisitor, GuardedRoute, Pool, Render, requires
from console.forms import FormState, SentForm, errors_by_field
from console.middleware import session_cookie
from console.rendering import THEME_COOKIE, THEMES, local_path
from leads_core.accounts.permissions import Permission, Scope
from leads_core.accounts.service import Accounts
from leads_core.accounts.sessions import Sessions
from leads_core.accounts.signing_in import SigningIn
from leads_core.accounts.tokens import Tokens
from leads_core.accounts.visitor import Visitor
from leads_core.errors import Invalid, Unauthenticated

router = APIRouter(prefix="/settings", route_class=GuardedRoute, include_in_schema=False)

A_YEAR = 365 * 24 * 60 * 60
SAVED = {
    "password": "The new password is set. Every other session has ended.",
    "revoked": "The token is revoked.",
    "disabled": "The user is shut out: sessions have ended, links and tokens work no more.",
    "enabled": "The user may sign in again.",
    "erased": "The user is erased, here and in the trail.",
}


class SettingsDesk:
    """What the routes of the settings share."""

    def __init__(self, request: Request, pool: Pool, config: Config, who: CurrentVisitor, render: Render) -> None:
        self._render = render
        self.pool = pool
        self.secret = config.signing_secret
        self.who: Visitor = who
        self._saved = SAVED.get(request.query_params.get("saved", ""))

    async def page(self, *, errors: dict[str, str] | None = None, new_token: str | None = None) -> Response:
        tokens = await Tokens(self.pool).list(self.who.user_id)
        may_manage = self.who.may(Permission.MANAGE_USERS)
        return self._render.page(
            "settings/index.html",
            status=422 if errors else 200,
            form=FormState(errors=errors or {}),
            saved=self._saved,
            tokens=tokens,
            new_token=new_token,
            scopes=SCOPES,
            users=await Accounts(self.pool).list() if may_manage else [],
        )


Desk = Annotated[SettingsDesk, Depends(SettingsDesk)]
SCOPES = (
    (Scope.LEADS_READ, "Read leads"),
    (Scope.LEADS_WRITE, "Change leads"),
    (Scope.AUDIT_READ, "Read IP addresses and the whole trail"),
)


@router.get("")
@requires(Permission.READ_LEADS)
async def index(desk: Desk) -> Response:
    return await desk.page()


@router.post("/password")
@requires(Permission.READ_LEADS)
async def change_password(request: Request, form: SentForm, desk: Desk) -> Response:
    """The old password is asked for: an open browser alone must not be enough to shut its owner out.

    Proving it is a sign-in like any other: limited, in the trail, and with a fresh session.
    """
    who = desk.who
    door = SigningIn(desk.pool, Sessions(desk.pool, desk.secret))
    try:
        signed_in = await door.with_password(who.email or "", form.text("current"), old_session_id=who.session_id)
    except Unauthenticated:
        return await desk.page(errors={"current": "This is not your password."})
    response: Response = RedirectResponse("/settings?saved=password", 303)
    try:
        await Accounts(desk.pool).set_password(who.user_id, form.text("password"), session_id=signed_in.session_id)
    except Invalid as error:
        response = await desk.page(errors=errors_by_field(error))
    session_cookie.give(request, response, signed_in.cookie)
    return response


@router.post("/tokens")
@requires(Permission.READ_LEADS)
async def make_token(form: SentForm, desk: Desk) -> Response:
    """The secret stands on this answer only; nobody can read it again."""
    try:
        scopes = [Scope(scope) for scope in form.all("scopes") if scope in set(Scope)]
        token = await Tokens(desk.pool).create(desk.who.user_id, form.text("token_name"), scopes)
    except Invalid as error:
        named = {"token_name" if name == "name" else name: text for name, text in errors_by_field(error).items()}
        return await desk.page(errors=named)
    return await desk.page(new_token=token.token)


@router.post("/tokens/{token_id}/revoke")
@requires(Permission.READ_LEADS)
async def revoke_token(token_id: UUID, desk: Desk) -> Response:
    await Tokens(desk.pool).revoke(token_id, owner_id=desk.who.user_id)
    return RedirectResponse("/settings?saved=revoked", 303)


@router.post("/users/{user_id}/disable")
@requires(Permission.MANAGE_USERS)
async def disable_user(user_id: UUID, desk: Desk) -> Response:
    try:
        await Accounts(desk.pool).disable(user_id)
    except Invalid as error:
        return await desk.page(errors={"users": error.errors[0].message})
    return RedirectResponse("/settings?saved=disabled#users", 303)


@router.post("/users/{user_id}/enable")
@requires(Permission.MANAGE_USERS)
async def enable_user(user_id: UUID, desk: Desk) -> Response:
    try:
        await Accounts(desk.pool).enable(user_id)
    except Invalid as error:
        return await desk.page(errors={"users": error.errors[0].message})
    return RedirectResponse("/settings?saved=enabled#users", 303)


@router.post("/appearance")
@requires(None)
async def appearance(form: SentForm) -> Response:
    """The theme, for browsers without a script: a cookie, and back to where they were."""
    response = RedirectResponse(local_path(form.text("then"), "/settings"), 303)
    theme = form.text("theme")
    if theme in THEMES:
        response.set_cookie(THEME_COOKIE, theme, max_age=A_YEAR, samesite="lax")
    else:
        response.delete_cookie(THEME_COOKIE, samesite="lax")
    return response
