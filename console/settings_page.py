"""What the settings share: their sections, how one is shown, and what was said to be saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.dependencies import Config, CurrentVisitor, Pool, Render
from console.forms import FormState
from leads_core.accounts.permissions import Permission
from leads_core.accounts.visitor import Visitor

SAVED = {
    "name": "Your name is saved.",
    "password": "The new password is set. Every other session has ended.",
    "ended": "That session has ended.",
    "others": "Every other session has ended.",
    "revoked": "The token is revoked.",
    "density": "The density is saved.",
    "keys": "Saved.",
    "disabled": "The user is shut out: sessions have ended, links and tokens work no more.",
    "enabled": "The user may sign in again.",
    "role": "The role is changed.",
    "signed-out": "The user is signed out everywhere.",
    "erased": "The user is erased, here and in the trail.",
}


@dataclass(frozen=True, slots=True)
class Section:
    """One page of the settings: its word in the address, and its title."""

    name: str
    title: str
    needs: Permission = Permission.READ_LEADS

    @property
    def path(self) -> str:
        return f"/settings/{self.name}" if self.name else "/settings"


SECTIONS = (
    Section("", "Profile"),
    Section("password", "Password"),
    Section("sessions", "Sessions"),
    Section("tokens", "API tokens"),
    Section("appearance", "Appearance"),
    Section("keyboard", "Keyboard"),
    Section("users", "Users and roles", Permission.MANAGE_USERS),
)


class SettingsDesk:
    """What the routes of the settings share: who asks, where things are kept, and the frame around each section."""

    def __init__(self, request: Request, pool: Pool, config: Config, who: CurrentVisitor, render: Render) -> None:
        self._render = render
        self._request = request
        self.pool = pool
        self.config = config
        self.who: Visitor = who

    @property
    def address(self) -> str:
        """Where this console stands, for links that leave it."""
        return (self.config.public_url or str(self._request.base_url)).rstrip("/")

    def page(
        self,
        name: str,
        *,
        values: Mapping[str, str] | None = None,
        errors: Mapping[str, str] | None = None,
        **context: Any,
    ) -> Response:
        """The section of this name. With errors it is a form that comes back (422)."""
        section = next(one for one in SECTIONS if one.name == name)
        return self._render.page(
            f"settings/{name or 'profile'}.html",
            status=422 if errors else 200,
            section=section,
            sections=[one for one in SECTIONS if self.who.may(one.needs)],
            saved=SAVED.get(self._request.query_params.get("saved", "")),
            form=FormState(values or {}, errors or {}),
            **context,
        )

    def saved(self, name: str, what: str) -> Response:
        """To the section again, which says what was saved."""
        section = next(one for one in SECTIONS if one.name == name)
        return RedirectResponse(f"{section.path}?saved={what}", 303)


Desk = Annotated[SettingsDesk, Depends(SettingsDesk)]
