"""Users and roles, for administrators: who comes in, as what, and by which link for the first time."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from console.dependencies import GuardedRoute, requires
from console.forms import SentForm, errors_by_field
from console.settings_page import Desk, SettingsDesk
from leads_core.accounts.permissions import Permission, Role
from leads_core.accounts.schemas import SignInLink, UserRead
from leads_core.accounts.service import Accounts
from leads_core.errors import Invalid, NotFound

router = APIRouter(prefix="/settings/users", route_class=GuardedRoute, include_in_schema=False)

ROLES = {
    Role.VIEWER.value: "Viewer: reads",
    Role.EDITOR.value: "Editor: changes leads",
    Role.ADMIN.value: "Administrator: users, erasure, IP addresses too",
}
NEW = {"role": Role.EDITOR.value}


@router.get("")
@requires(Permission.MANAGE_USERS)
async def index(desk: Desk) -> Response:
    return await _page(desk)


@router.post("")
@requires(Permission.MANAGE_USERS)
async def add(form: SentForm, desk: Desk) -> Response:
    """The link stands on this answer only; a new one can be made."""
    accounts = Accounts(desk.pool)
    try:
        email = form.text("email").strip()
        user = await accounts.add(form.text("name"), _role(form.text("role")), email=email or None)
    except Invalid as error:
        values = {name: form.text(name) for name in ("name", "email", "role")}
        return await _page(desk, values=values, errors=errors_by_field(error))
    return await _page(desk, link=await accounts.sign_in_link(user.id), invited=user)


@router.post("/{user_id}/link")
@requires(Permission.MANAGE_USERS)
async def make_link(user_id: UUID, desk: Desk) -> Response:
    accounts = Accounts(desk.pool)
    try:
        link = await accounts.sign_in_link(user_id)
    except NotFound:
        return await _page(desk, errors={"users": "Only somebody who may sign in can have a link. Let them in first."})
    return await _page(desk, link=link, invited=await accounts.get(user_id))


@router.post("/{user_id}/role")
@requires(Permission.MANAGE_USERS)
async def set_role(user_id: UUID, form: SentForm, desk: Desk) -> Response:
    try:
        user = await Accounts(desk.pool).set_role(user_id, _role(form.text("role")))
    except Invalid as error:
        return await _page(desk, errors={"users": error.errors[0].message})
    if user.id == desk.who.user_id and user.role is not Role.ADMIN:
        return RedirectResponse("/settings?saved=role", 303)
    return desk.saved("users", "role")


@router.post("/{user_id}/disable")
@requires(Permission.MANAGE_USERS)
async def disable(user_id: UUID, desk: Desk) -> Response:
    return await _changed(desk, Accounts(desk.pool).disable(user_id), "disabled")


@router.post("/{user_id}/enable")
@requires(Permission.MANAGE_USERS)
async def enable(user_id: UUID, desk: Desk) -> Response:
    return await _changed(desk, Accounts(desk.pool).enable(user_id), "enabled")


@router.post("/{user_id}/end-sessions")
@requires(Permission.MANAGE_USERS)
async def end_sessions(user_id: UUID, desk: Desk) -> Response:
    return await _changed(desk, Accounts(desk.pool).end_sessions(user_id), "signed-out")


async def _changed(desk: SettingsDesk, change: Awaitable[object], what: str) -> Response:
    try:
        await change
    except Invalid as error:
        return await _page(desk, errors={"users": error.errors[0].message})
    return desk.saved("users", what)


async def _page(
    desk: SettingsDesk,
    *,
    link: SignInLink | None = None,
    invited: UserRead | None = None,
    values: dict[str, str] | None = None,
    **more: Any,
) -> Response:
    return desk.page(
        "users",
        values=values or NEW,
        users=await Accounts(desk.pool).list(),
        roles=ROLES,
        link=f"{desk.address}{link.path}" if link else None,
        link_ends=link.expires_at if link else None,
        invited=invited,
        **more,
    )


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise Invalid.of("role", "Choose viewer, editor or administrator.") from None
