"""Who is at the door: a person with a session, a script with a token, or nobody known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from leads_core.accounts.permissions import Permission, Permissions, Role, Scope


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, and what they may do. user_id is the person, or the token's owner; None where nobody is known."""

    kind: Literal["user", "token", "anonymous"]
    user_id: UUID | None
    name: str | None
    email: str | None
    role: Role | None
    permissions: Permissions
    session_id: UUID | None = None
    token_id: UUID | None = None
    token_name: str | None = None
    scopes: tuple[Scope, ...] = ()
    #: False until the person has chosen an email and a password: the welcome page asks for them.
    has_password: bool = True

    @property
    def actor_id(self) -> UUID | None:
        """The id that entries carry: a token's own where a token acts."""
        return self.token_id or self.user_id

    @property
    def actor_name(self) -> str | None:
        return self.token_name or self.name

    @property
    def is_known(self) -> bool:
        return self.user_id is not None

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


NOBODY = Visitor(kind="anonymous", user_id=None, name=None, email=None, role=None, permissions=frozenset())
