"""Getting in and out: by email and password, or by a link that works once. A refusal never says what was wrong."""

from __future__ import annotations

import hashlib
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context, rate_limit
from leads_core.accounts import passwords, sign_in_links, trail_entries
from leads_core.accounts.models import User
from leads_core.accounts.schemas import SignedIn, UserRead, email_of
from leads_core.accounts.sessions import Sessions, end_session, open_session
from leads_core.audit.models import Action
from leads_core.database import Database
from leads_core.errors import Invalid, Unauthenticated

WRONG = "Email or password is wrong."
SPENT = "This link does not work any more."


class SigningIn:
    """The door. The current context is nobody's yet; it says from where somebody tries."""

    def __init__(self, database: Database, sessions: Sessions, *, tries_a_minute: int = 20) -> None:
        """tries_a_minute holds for each address they come from, half of it for each email; 0 is no limit."""
        self._database = database
        self._sessions = sessions
        self._tries_a_minute = tries_a_minute

    async def with_password(self, email: str, password: str, *, old_session_id: UUID | None = None) -> SignedIn:
        """Sign in; the browser's old session ends. Raises Unauthenticated, RateLimited."""
        wanted = _email_or_none(email)
        await self._limit(wanted)
        user = await self._find(wanted)
        stored = None if user is None or user.disabled_at is not None else user.password_hash
        if not await passwords.is_right(password, stored) or user is None:
            raise await self._refusal(user, wanted)
        async with self._database.transaction() as session:
            locked = await _locked(session, user.id)
            if locked is not None and locked.password_hash == stored:
                return await self._let_in(session, locked, "password", old_session_id)
        raise await self._refusal(user, wanted)

    async def link_is_open(self, secret: str) -> bool:
        """Whether the page behind a link should show its button. Spends nothing: mail scanners follow links."""
        async with self._database.transaction() as session:
            return await sign_in_links.is_open(session, secret)

    async def with_link(self, secret: str, *, old_session_id: UUID | None = None) -> SignedIn:
        """Spend the link and sign in; the user's other links end. Raises Unauthenticated, RateLimited."""
        await self._limit(None)
        async with self._database.transaction() as session:
            user_id = await sign_in_links.use(session, secret)
            user = None if user_id is None else await _locked(session, user_id)
            if user is not None:
                await sign_in_links.void(session, user.id)
                return await self._let_in(session, user, "link", old_session_id)
            await trail_entries.append_event(session, Action.SIGN_IN_FAILED, user_id, method="link")
        raise Unauthenticated(SPENT)

    async def out(self, session_id: UUID) -> None:
        """End this session. One that has ended already stays ended, without an entry."""
        async with self._database.transaction() as session:
            user_id = await end_session(session, session_id)
            if user_id is not None:
                await trail_entries.append_event(session, Action.SIGN_OUT, user_id)

    async def _limit(self, email: str | None) -> None:
        """Before any work is done for them. The keys name no person: an email stands there hashed."""
        tries = self._tries_a_minute
        where = context.current().ip_address
        await rate_limit.take(self._database, f"sign-in from {where}", per_second=tries / 60, burst=tries)
        if email is not None:
            whom = hashlib.sha256(email.encode()).hexdigest()[:32]
            await rate_limit.take(self._database, f"sign-in as {whom}", per_second=tries / 120, burst=tries // 2 or 1)

    async def _find(self, email: str | None) -> User | None:
        if email is None:
            return None
        async with self._database.transaction() as session:
            user: User | None = await session.scalar(select(User).where(User.email == email))
            return user

    async def _let_in(self, session: AsyncSession, user: User, method: str, old_session_id: UUID | None) -> SignedIn:
        with trail_entries.acting_as_user(user):
            await trail_entries.append_event(session, Action.SIGN_IN, user.id, method=method)
        if old_session_id is not None:
            await end_session(session, old_session_id)
        user.last_sign_in_at = await session.scalar(select(func.now()))
        session_id = await open_session(session, user.id)
        await session.flush()
        return SignedIn(UserRead.of(user), session_id, self._sessions.cookie_of(session_id))

    async def _refusal(self, user: User | None, email: str | None) -> Unauthenticated:
        """What to raise, once the try stands in the trail."""
        async with self._database.transaction() as session:
            user_id = None if user is None else user.id
            await trail_entries.append_event(session, Action.SIGN_IN_FAILED, user_id, method="password", email=email)
        return Unauthenticated(WRONG)


async def _locked(session: AsyncSession, user_id: UUID) -> User | None:
    """The user, locked, unless disabled."""
    user = await session.get(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    return None if user is None or user.disabled_at is not None else user


def _email_or_none(typed: str) -> str | None:
    """What was typed, if it can be an email at all: a password typed into the wrong field must not be recorded."""
    try:
        return email_of(typed)
    except Invalid:
        return None
