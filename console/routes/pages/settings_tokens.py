"""Your API tokens: make one, see its last use, revoke it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from console.dependencies import GuardedRoute, requires
from console.forms import Form, SentForm, errors_by_field
from console.settings_page import Desk, SettingsDesk
from leads_core.accounts.permissions import OF_ROLE, OF_SCOPE, Permission, Scope
from leads_core.accounts.schemas import TokenRead
from leads_core.accounts.tokens import Tokens
from leads_core.errors import Invalid

router = APIRouter(prefix="/settings/tokens", route_class=GuardedRoute, include_in_schema=False)

SCOPES = {
    Scope.LEADS_READ: "Read leads",
    Scope.LEADS_WRITE: "Change leads",
    Scope.AUDIT_READ: "Read the whole trail, with IP addresses",
}
#: How long a token works: days, or never an end.
ENDS = {"30": "30 days", "90": "90 days", "365": "1 year", "": "No end"}
USUAL_END = "90"


@router.get("")
@requires(Permission.READ_LEADS)
async def index(desk: Desk) -> Response:
    return await _page(desk, {"expires_in": USUAL_END}, [Scope.LEADS_READ])


@router.post("")
@requires(Permission.READ_LEADS)
async def make(form: SentForm, desk: Desk) -> Response:
    """The secret stands on this answer only; nobody can read it again."""
    scopes = [Scope(scope) for scope in form.all("scopes") if scope in set(Scope)]
    try:
        made = await Tokens(desk.pool).create(
            desk.who.user_id, form.text("token_name"), scopes, expires_at=_end_of(form)
        )
    except Invalid as error:
        errors = {"token_name" if name == "name" else name: text for name, text in errors_by_field(error).items()}
        values = {"token_name": form.text("token_name"), "expires_in": form.text("expires_in", USUAL_END)}
        return await _page(desk, values, scopes, errors=errors)
    return await _page(desk, {"expires_in": USUAL_END}, [Scope.LEADS_READ], new_token=made)


@router.post("/{token_id}/revoke")
@requires(Permission.READ_LEADS)
async def revoke(token_id: UUID, desk: Desk) -> Response:
    await Tokens(desk.pool).revoke(token_id, owner_id=desk.who.user_id)
    return desk.saved("tokens", "revoked")


async def _page(
    desk: SettingsDesk, values: dict[str, str], chosen: list[Scope], *, new_token: Any = None, **more: Any
) -> Response:
    tokens = await Tokens(desk.pool).list(desk.who.user_id)
    return desk.page(
        "tokens",
        values=values,
        tokens=[(token, _state(token, datetime.now(UTC))) for token in tokens],
        scopes={scope: words for scope, words in SCOPES.items() if OF_SCOPE[scope] <= OF_ROLE[desk.who.role]},
        chosen=chosen,
        ends=ENDS,
        new_token=new_token,
        **more,
    )


def _end_of(form: Form) -> datetime | None:
    """Raises Invalid for an end that is none of those offered."""
    wanted = form.text("expires_in", USUAL_END)
    if wanted not in ENDS:
        raise Invalid.of("expires_in", "Choose one of these.")
    return datetime.now(UTC) + timedelta(days=int(wanted)) if wanted else None


def _state(token: TokenRead, now: datetime) -> str:
    """Whether it still opens anything: live, revoked or ended."""
    if token.revoked_at:
        return "revoked"
    return "ended" if token.expires_at and token.expires_at <= now else "live"
