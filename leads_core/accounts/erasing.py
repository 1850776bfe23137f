"""A user forgotten: name and email of the user, names of their tokens, and from where they ever came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.accounts import trail_entries
from leads_core.accounts.last_seen import forget_last_seen
from leads_core.accounts.models import ApiToken, User
from leads_core.accounts.preferences import forget_preferences
from leads_core.accounts.schemas import ERASED_TOKEN, ERASED_USER
from leads_core.audit import erasure, trail
from leads_core.audit.models import SubjectKind
from leads_core.errors import NotFound

PLACES = text("UPDATE sessions SET ip_address = NULL, user_agent = NULL WHERE user_id = :user_id")


async def locked_user(session: AsyncSession, user_id: UUID) -> User:
    """The user, locked. Raises NotFound."""
    user = await session.get(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    if user is None:
        raise NotFound("user", user_id)
    return user


async def tokens_of(session: AsyncSession, user_id: UUID) -> Sequence[ApiToken]:
    """A user's tokens, locked in the order of their ids."""
    wanted = select(ApiToken).where(ApiToken.user_id == user_id).order_by(ApiToken.id).with_for_update()
    return (await session.scalars(wanted)).all()


async def revoke(session: AsyncSession, tokens: Sequence[ApiToken], at: datetime) -> None:
    """End those that have not ended, each with its entry."""
    for token in tokens:
        if token.revoked_at is None:
            before = trail_entries.values_of_token(token)
            token.revoked_at, token.version = at, token.version + 1
            await trail_entries.append_state(session, token, before, trail_entries.values_of_token(token), at)
    await session.flush()


async def erase_locked(session: AsyncSession, user: User, tokens: Sequence[ApiToken]) -> None:
    """Forget the user and the tokens, in their rows, in their entries, and as actors wherever they acted.

    Nothing of this can be found out again, so whoever calls has asked whether it is meant.
    """
    at = trail.now()
    for token in tokens:
        token.name, token.version = ERASED_TOKEN, token.version + 1
        await _erase(session, token, SubjectKind.TOKEN, {"name": ERASED_TOKEN}, at)
    user.name, user.email, user.password_hash = ERASED_USER, None, None
    user.version += 1
    actors = [user.id, *(token.id for token in tokens)]
    await _erase(session, user, SubjectKind.USER, {"name": ERASED_USER, "email": None}, at, actors)
    await session.execute(PLACES, {"user_id": user.id})
    await forget_preferences(session, user.id)
    await forget_last_seen(session, user.id)
    await session.flush()


async def _erase(
    session: AsyncSession,
    subject: User | ApiToken,
    kind: SubjectKind,
    after: dict[str, str | None],
    at: datetime,
    actors: Sequence[UUID] = (),
) -> None:
    await erasure.erase(
        session,
        subject.id,
        after,
        ["person"],
        seq=subject.version,
        at=at,
        kind=kind,
        part_of=trail_entries.PART_OF,
        actors=actors,
    )
