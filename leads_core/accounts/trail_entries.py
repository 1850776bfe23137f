"""The entries of accounts: users and tokens with a state (seq is their version), sign-ins without one.

Hashes and secrets never enter the trail: of a password it says only that it was set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.accounts.models import ApiToken, User
from leads_core.audit import trail
from leads_core.audit.models import Action, SubjectKind
from leads_core.audit.record.entry import timestamp

#: A field never changes its name or its part.
PART_OF: Mapping[str, str] = {
    "name": "person",
    "email": "person",
    "role": "data",
    "disabled_at": "data",
    "password": "data",
    "sign_in_link": "data",
    "method": "data",
    "owner_id": "data",
    "prefix": "data",
    "scopes": "data",
    "expires_at": "data",
    "revoked_at": "data",
}


def values_of_user(user: User) -> dict[str, Any]:
    """A user as entries write them."""
    return {"name": user.name, "email": user.email, "role": user.role, "disabled_at": _time(user.disabled_at)}


def values_of_token(token: ApiToken) -> dict[str, Any]:
    """A token as entries write it."""
    return {
        "name": token.name,
        "owner_id": str(token.user_id),
        "prefix": token.prefix,
        "scopes": sorted(token.scopes),
        "expires_at": _time(token.expires_at),
        "revoked_at": _time(token.revoked_at),
    }


async def append_state(
    session: AsyncSession,
    subject: User | ApiToken,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    at: datetime,
) -> None:
    """The entry of a user's or token's change to the version it has now; a creation when before is None."""
    await trail.append(
        session,
        Action.CREATE if before is None else Action.UPDATE,
        subject.id,
        seq=subject.version,
        before=before,
        after=after,
        at=at,
        kind=SubjectKind.USER if isinstance(subject, User) else SubjectKind.TOKEN,
        part_of=PART_OF,
    )


async def append_event(session: AsyncSession, action: Action, user_id: UUID | None, **values: str | None) -> None:
    """The entry of a sign-in, a failed one, or a sign-out."""
    await trail.append(
        session,
        action,
        user_id,
        seq=None,
        before=None,
        after=values,
        at=trail.now(),
        kind=SubjectKind.USER,
        part_of=PART_OF,
    )


@contextmanager
def acting_as_user(user: User) -> Iterator[None]:
    """Who has just proved who they are acts themselves, from the place of the request that nobody was known in."""
    who = replace(context.current(), actor_kind="user", actor_id=user.id, actor_name=user.name)
    with context.acting_as(who):
        yield


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)
