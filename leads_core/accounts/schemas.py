"""What accounts give out and take in: values, never rows."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from leads_core.accounts.models import ApiToken, User
from leads_core.accounts.permissions import Role, Scope
from leads_core.errors import Invalid

NAME_LIMIT = 200
#: What a user and a token are called once they were erased.
ERASED_USER = "Erased user"
ERASED_TOKEN = "Erased token"  # noqa: S105 - a name, not a secret
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class UserRead:
    """A user as lists and forms show them."""

    id: UUID
    name: str
    email: str | None
    role: Role
    created_at: datetime
    last_sign_in_at: datetime | None
    disabled_at: datetime | None
    has_password: bool

    @property
    def is_disabled(self) -> bool:
        return self.disabled_at is not None

    @property
    def is_erased(self) -> bool:
        return self.is_disabled and self.email is None and self.name == ERASED_USER

    @classmethod
    def of(cls, user: User) -> UserRead:
        return cls(
            id=user.id,
            name=user.name,
            email=user.email,
            role=Role(user.role),
            created_at=user.created_at,
            last_sign_in_at=user.last_sign_in_at,
            disabled_at=user.disabled_at,
            has_password=user.password_hash is not None,
        )


@dataclass(frozen=True, slots=True)
class TokenRead:
    """A token as lists show it: its first characters, never the secret."""

    id: UUID
    user_id: UUID
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, token: ApiToken) -> TokenRead:
        return cls(
            id=token.id,
            user_id=token.user_id,
            name=token.name,
            prefix=token.prefix,
            scopes=tuple(Scope(scope) for scope in token.scopes),
            created_at=token.created_at,
            last_used_at=token.last_used_at,
            expires_at=token.expires_at,
            revoked_at=token.revoked_at,
        )


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made. `token` is the secret: shown once, stored nowhere."""

    id: UUID
    name: str
    token: str
    scopes: tuple[Scope, ...]
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class SignInLink:
    """A way in that works once: open PATH + secret, press the button."""

    user_id: UUID
    secret: str
    expires_at: datetime

    @property
    def path(self) -> str:
        """Below the console's address. The secret is in the path: logs name routes, not paths."""
        return f"/sign-in/{self.secret}"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody got in. cookie is the signed value for the browser."""

    user: UserRead
    session_id: UUID
    cookie: str


def name_of(value: str) -> str:
    """A person's or token's name: one line, NFC, trimmed. Raises Invalid."""
    if _CONTROL.search(value):
        raise Invalid.of("name", "Remove the control characters.")
    name = unicodedata.normalize("NFC", value).strip()
    if not 0 < len(name) <= NAME_LIMIT:
        raise Invalid.of("name", f"Give a name of 1 to {NAME_LIMIT} characters.")
    return name


def email_of(value: str) -> str:
    """An email in the form in which users are compared: valid, in lower case. Raises Invalid."""
    try:
        if _CONTROL.search(value):
            raise EmailNotValidError("control characters")
        return validate_email(value.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise Invalid.of("email", "Write the email like name@company.com.") from error
