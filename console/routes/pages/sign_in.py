"""Getting in and out: email and password, a link that works once, and the first page of a new account."""

from __future__ import annotations

from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.dependencies import Config, GuardedRoute, Pool, Render, requires
from console.forms import FormState, SentForm, errors_by_field
from console.middleware import session_cookie
from console.rendering import local_path
from leads_core.accounts.permissions import Permission
from leads_core.accounts.schemas import SignedIn
from leads_core.accounts.service import Accounts
from leads_core.accounts.sessions import Sessions
from leads_core.accounts.signing_in import SigningIn
from leads_core.accounts.visitor import Visitor
from leads_core.errors import Invalid, Unauthenticated

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

HOME = "/leads"
WELCOME = "/welcome"
REFUSED = "Email and password do not belong together. Try again, or ask an administrator for a sign-in link."


def door(pool: Pool, config: Config) -> SigningIn:
    return SigningIn(pool, Sessions(pool, config.signing_secret))


def session_of(request: Request) -> Visitor | None:
    """The person whose browser asks, if one is signed in."""
    visitor = cast("Visitor | None", request.state.visitor)
    return visitor if visitor is not None and visitor.kind == "user" else None


Door = Annotated[SigningIn, Depends(door)]
Session = Annotated[Visitor | None, Depends(session_of)]


@router.get("/sign-in")
@requires(None)
async def form(request: Request, session: Session, render: Render) -> Response:
    then = local_path(request.query_params.get("then"), HOME)
    if session is not None:
        return RedirectResponse(then, 303)
    return render.page("sign_in/index.html", form=FormState(), problem=None, then=then)


@router.post("/sign-in")
@requires(None)
async def sign_in(request: Request, form: SentForm, session: Session, door: Door, render: Render) -> Response:
    then = local_path(form.text("then"), HOME)
    try:
        signed_in = await door.with_password(
            form.text("email"), form.text("password"), old_session_id=_session_id(session)
        )
    except Unauthenticated:
        state = FormState({"email": form.text("email")})
        return render.page("sign_in/index.html", status=401, form=state, problem=REFUSED, then=then)
    return _welcome_or(then, request, signed_in)


@router.get("/sign-in/{secret}")
@requires(None)
async def link(secret: str, door: Door, render: Render) -> Response:
    """Shows a button and spends nothing: mail scanners follow links."""
    if not await door.link_is_open(secret):
        return render.page("sign_in/used.html", status=410)
    return render.page("sign_in/link.html")


@router.post("/sign-in/{secret}")
@requires(None)
async def use_link(request: Request, secret: str, session: Session, door: Door, render: Render) -> Response:
    try:
        signed_in = await door.with_link(secret, old_session_id=_session_id(session))
    except Unauthenticated:
        return render.page("sign_in/used.html", status=410)
    return _welcome_or(HOME, request, signed_in)


@router.post("/sign-out")
@requires(None)
async def sign_out(request: Request, session: Session, door: Door) -> Response:
    if session is not None and session.session_id is not None:
        await door.out(session.session_id)
    response = RedirectResponse("/sign-in", 303)
    session_cookie.take_away(request, response)
    return response


@router.get("/welcome")
@requires(Permission.READ_LEADS)
async def welcome(session: Session, render: Render) -> Response:
    """How somebody signs in from now on: asked once, after the first link."""
    if session is None or session.has_password:
        return RedirectResponse(HOME, 303)
    values = {"name": session.name, "email": session.email or ""}
    return render.page("sign_in/welcome.html", form=FormState(values))


@router.post("/welcome")
@requires(Permission.READ_LEADS)
async def set_account(form: SentForm, session: Session, pool: Pool, render: Render) -> Response:
    if session is None or session.has_password:
        return RedirectResponse(HOME, 303)
    try:
        await Accounts(pool).set_profile(
            session.user_id,
            name=form.text("name"),
            email=form.text("email"),
            password=form.text("password"),
            session_id=session.session_id,
        )
    except Invalid as error:
        values = {"name": form.text("name"), "email": form.text("email")}
        return render.page("sign_in/welcome.html", status=422, form=FormState(values, errors_by_field(error)))
    return RedirectResponse(HOME, 303)


def _session_id(session: Visitor | None) -> UUID | None:
    return session.session_id if session else None


def _welcome_or(then: str, request: Request, signed_in: SignedIn) -> Response:
    """On to where they wanted to go; who has no password yet chooses one first."""
    response = RedirectResponse(then if signed_in.user.has_password else WELCOME, 303)
    session_cookie.give(request, response, signed_in.cookie)
    return response
