"""Users and how they get in. Every change and every sign-in writes its entry in its own transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.accounts import passwords, sign_in_links, trail_entries
from leads_core.accounts.models import User
from leads_core.accounts.permissions import Role
from leads_core.accounts.schemas import SignInLink, UserRead, email_of, name_of
from leads_core.accounts.sessions import end_all_sessions
from leads_core.audit import trail
from leads_core.audit.models import Action
from leads_core.database import Database, new_id
from leads_core.errors import Invalid, NotFound

FIRST_NAME = "Administrator"
#: Any number, but always the same: who makes the first administrator holds this lock.
FIRST_START = 4_226_213


class Accounts:
    """Users, in the name of the current context."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, name: str, role: Role, *, email: str | None = None, password: str | None = None) -> UserRead:
        """A new user. Without a password they come in by a sign-in link first. Raises Invalid."""
        password_hash = None if password is None else await passwords.hash_of(password)
        at = trail.now()
        user = User(
            id=new_id(),
            name=name_of(name),
            email=None if email is None else email_of(email),
            role=role.value,
            password_hash=password_hash,
            version=1,
            created_at=at,
        )
        async with self._writing() as session:
            await trail_entries.append_state(session, user, None, _audited(user, password=password is not None), at)
            session.add(user)
            await session.flush()
        return UserRead.of(user)

    async def list(self) -> list[UserRead]:
        """Every user, disabled ones too, in the order in which they were added."""
        async with self._database.transaction() as session:
            return [UserRead.of(user) for user in await session.scalars(select(User).order_by(User.id))]

    async def get(self, user_id: UUID) -> UserRead:
        """Raises NotFound."""
        async with self._database.transaction() as session:
            user = await session.get(User, user_id)
            if user is None:
                raise NotFound("user", user_id)
            return UserRead.of(user)

    async def find(self, email: str) -> UserRead:
        """The user with this email. Raises NotFound."""
        async with self._database.transaction() as session:
            user = await session.scalar(select(User).where(User.email == email.strip().lower()))
            if user is None:
                raise NotFound("user", email)
            return UserRead.of(user)

    async def set_profile(
        self, user_id: UUID, *, name: str, email: str, password: str | None = None, session_id: UUID | None = None
    ) -> UserRead:
        """Name and email, and a new password if one is given, which ends every other session than session_id.

        Raises Invalid (also when another user has the email), NotFound.
        """
        password_hash = None if password is None else await passwords.hash_of(password)
        new_name, new_email = name_of(name), email_of(email)

        def change(user: User, _at: datetime) -> None:
            user.name, user.email = new_name, new_email
            user.password_hash = password_hash or user.password_hash

        return await self._change(user_id, change, password=password is not None, keep_session=session_id)

    async def set_name(self, user_id: UUID, name: str) -> UserRead:
        """Another name; entries written before keep the old one. Raises Invalid, NotFound."""
        new_name = name_of(name)

        def change(user: User, _at: datetime) -> None:
            user.name = new_name

        return await self._change(user_id, change)

    async def set_password(self, user_id: UUID, password: str, *, session_id: UUID | None = None) -> UserRead:
        """A new password; it ends every other session than session_id. Raises Invalid, NotFound."""
        password_hash = await passwords.hash_of(password)

        def change(user: User, _at: datetime) -> None:
            user.password_hash = password_hash

        return await self._change(user_id, change, password=True, keep_session=session_id)

    async def set_role(self, user_id: UUID, role: Role) -> UserRead:
        """Another role. Raises Invalid when no administrator would be left, NotFound."""

        def change(user: User, _at: datetime) -> None:
            user.role = role.value

        return await self._change(user_id, change)

    async def disable(self, user_id: UUID) -> UserRead:
        """Shut a user out: sessions end, links and tokens work no more. What they did stays under their name.

        Raises Invalid when no administrator would be left, NotFound.
        """

        def change(user: User, at: datetime) -> None:
            user.disabled_at = user.disabled_at or at

        return await self._change(user_id, change)

    async def enable(self, user_id: UUID) -> UserRead:
        """Let a disabled user in again. Raises NotFound, Invalid for one who was erased."""

        def change(user: User, _at: datetime) -> None:
            if UserRead.of(user).is_erased:
                raise Invalid.of("user", "This user was erased. Add a new one.")
            user.disabled_at = None

        return await self._change(user_id, change)

    async def sign_in_link(self, user_id: UUID) -> SignInLink:
        """A link that signs this user in once, within 24 hours; its making is in the trail. Raises NotFound."""
        async with self._database.transaction() as session:
            user = await _locked_to_let_in(session, user_id)
            before, at = trail_entries.values_of_user(user), trail.now()
            user.version += 1
            await trail_entries.append_state(session, user, before, {**before, "sign_in_link": "made"}, at)
            return await sign_in_links.make(session, user_id)

    async def needs_first_sign_in(self) -> bool:
        """Whether nobody has ever signed in."""
        async with self._database.transaction() as session:
            return not await session.scalar(select(exists().where(User.last_sign_in_at.is_not(None))))

    async def first_sign_in_link(self) -> SignInLink | None:
        """A fresh link for the first administrator, made if need be; None once anybody has signed in.

        Call it at each start, as the system, without an entry. The first link that is used ends all others.
        """
        if not await self.needs_first_sign_in():
            return None
        first = await self.first_administrator()
        async with self._database.transaction() as session:
            await _locked_to_let_in(session, first.id)
            return await sign_in_links.make(session, first.id)

    async def first_administrator(self) -> UserRead:
        """The administrator who was added first; made, without email and password, if there is none."""
        async with self._database.transaction() as session:
            await session.execute(select(func.pg_advisory_xact_lock(FIRST_START)))
            wanted = select(User).where(User.role == Role.ADMIN.value, User.disabled_at.is_(None)).order_by(User.id)
            user = await session.scalar(wanted.limit(1))
            return UserRead.of(user or await self._add_first(session))

    async def end_sessions(self, user_id: UUID) -> None:
        """Sign a user out everywhere. Raises NotFound."""
        async with self._database.transaction() as session:
            if await session.get(User, user_id) is None:
                raise NotFound("user", user_id)
            await trail_entries.append_event(session, Action.SIGN_OUT, user_id)
            await end_all_sessions(session, user_id)

    async def _add_first(self, session: AsyncSession) -> User:
        at = trail.now()
        user = User(id=new_id(), name=FIRST_NAME, role=Role.ADMIN.value, version=1, created_at=at)
        await trail_entries.append_state(session, user, None, trail_entries.values_of_user(user), at)
        session.add(user)
        await session.flush()
        return user

    async def _change(
        self,
        user_id: UUID,
        change: Callable[[User, datetime], None],
        *,
        password: bool = False,
        keep_session: UUID | None = None,
    ) -> UserRead:
        """Lock the user, change, write the entry: nothing is written when nothing differs."""
        async with self._writing() as session:
            administrators = await _locked_administrators(session)
            user = await session.get(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
            if user is None:
                raise NotFound("user", user_id)
            before, at = trail_entries.values_of_user(user), trail.now()
            change(user, at)
            after = _audited(user, password=password)
            if after == before:
                return UserRead.of(user)
            if administrators == [user_id] and not _is_administrator(user):
                raise Invalid.of("role", "This is the only administrator. Make somebody else one first.")
            user.version += 1
            await trail_entries.append_state(session, user, before, after, at)
            if password or user.disabled_at is not None:
                await end_all_sessions(session, user_id, but=keep_session)
                await sign_in_links.void(session, user_id)
            await session.flush()
            return UserRead.of(user)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncSession]:
        """A transaction in which an email that somebody else has is a broken rule of that field."""
        try:
            async with self._database.transaction() as session:
                yield session
        except IntegrityError as error:
            if getattr(getattr(error.orig, "__cause__", None), "constraint_name", None) == "users_email_key":
                raise Invalid.of("email", "Another user has this email already.") from error
            raise


def _audited(user: User, *, password: bool) -> dict[str, Any]:
    """The user as entries write them; of a new password only that it was set."""
    return {**trail_entries.values_of_user(user), **({"password": "set"} if password else {})}


def _is_administrator(user: User) -> bool:
    return user.role == Role.ADMIN.value and user.disabled_at is None


async def _locked_to_let_in(session: AsyncSession, user_id: UUID) -> User:
    """The user, locked. Raises NotFound, also for a disabled one."""
    user = await session.get(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    if user is None or user.disabled_at is not None:
        raise NotFound("user", user_id)
    return user


async def _locked_administrators(session: AsyncSession) -> list[UUID]:
    """Everybody who may manage users, locked, so that two changes at once cannot leave nobody."""
    wanted = select(User.id).where(User.role == Role.ADMIN.value, User.disabled_at.is_(None)).order_by(User.id)
    return list(await session.scalars(wanted.with_for_update(key_share=True)))
