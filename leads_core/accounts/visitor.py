"""Who is at the door: a person with a session, a script with a token, or nobody known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from leads_core.accounts.permissions import Permission, Permissions, Role, Scope
from leads_core.errors import Forbidden, Unauthenticated


@dataclass(frozen=True, slots=True)
class Visitor:
    """An identity that was proved, and what it may do. user_id is the person, or the token's owner."""

    kind: Literal["user", "token"]
    user_id: UUID
    name: str
    email: str | None
    role: Role
    permissions: Permissions
    session_id: UUID | None = None
    token_id: UUID | None = None
    token_name: str | None = None
    scopes: tuple[Scope, ...] = ()
    #: False until the person has chosen an email and a password: the welcome page asks for them.
    has_password: bool = True
    #: Whether one key alone does something on this person's pages (a preference, needed by every page).
    single_keys: bool = True

    @property
    def actor_id(self) -> UUID:
        """The id that entries carry: a token's own where a token acts."""
        return self.token_id or self.user_id

    @property
    def actor_name(self) -> str:
        return self.token_name or self.name

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


def require(visitor: Visitor | None, permission: Permission) -> Visitor:
    """The visitor, if allowed. Raises Unauthenticated for nobody, Forbidden for somebody without the permission."""
    if visitor is None:
        raise Unauthenticated("Sign in, or send a token that is valid.")
    if not visitor.may(permission):
        lacking = "Your role" if visitor.kind == "user" else "This token"
        raise Forbidden(f"{lacking} may not {permission}.")
    return visitor
