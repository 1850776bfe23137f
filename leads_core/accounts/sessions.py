"""Sessions are rows; a browser holds the row's id, signed. Their times are the database's."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from itsdangerous import BadSignature, Signer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.accounts.permissions import Role, of_person
from leads_core.accounts.visitor import Visitor
from leads_core.database import Database, faults_in_words, new_id

#: A session ends 30 days after the sign-in, and after 7 days in which nobody came.
LIFETIME_DAYS = 30
IDLE_DAYS = 7

IS_LIVE = f"s.ended_at IS NULL AND s.expires_at > now() AND s.last_seen_at > now() - interval '{IDLE_DAYS} days'"
# By sessions_pkey, users_pkey and user_preferences_pkey: the one statement that every request of a browser costs.
LOOK_UP = f"""
    SELECT s.id AS session_id, u.id, u.name, u.email, u.role, u.password_hash IS NOT NULL AS has_password,
           s.last_seen_at < now() - interval '1 minute' AS unseen,
           NOT EXISTS (SELECT FROM user_preferences p
                       WHERE p.user_id = u.id AND p.name = 'single_keys' AND p.value = 'false') AS single_keys
    FROM sessions s JOIN users u ON u.id = s.user_id
    WHERE s.id = $1 AND u.disabled_at IS NULL AND {IS_LIVE}
"""  # noqa: S608 - constants of ours
OPEN = text(f"""
    INSERT INTO sessions (id, user_id, expires_at, ip_address, user_agent)
    VALUES (:id, :user_id, now() + interval '{LIFETIME_DAYS} days', :ip_address, :user_agent)
""")  # noqa: S608
SEEN = text("UPDATE sessions SET last_seen_at = now() WHERE id = :id AND last_seen_at < now() - interval '1 minute'")
END = text("UPDATE sessions SET ended_at = now() WHERE id = :id AND ended_at IS NULL RETURNING user_id")
END_ALL = text("UPDATE sessions SET ended_at = now() WHERE user_id = :user_id AND ended_at IS NULL AND id <> :but")
FORGET = text("DELETE FROM sessions WHERE coalesce(ended_at, expires_at) < now() - interval '30 days'")
NONE = UUID(int=0)


class Sessions:
    """Who a browser belongs to."""

    def __init__(self, database: Database, signing_secret: str) -> None:
        self._database = database
        self._signer = Signer(
            signing_secret, salt="lead-explorer.session", key_derivation="hmac", digest_method=hashlib.sha256
        )

    def cookie_of(self, session_id: UUID) -> str:
        """The value a browser keeps: id and signature."""
        return self._signer.sign(str(session_id)).decode()

    def id_in(self, cookie: str) -> UUID | None:
        """The session's id, if we signed this value."""
        try:
            return UUID(self._signer.unsign(cookie).decode())
        except (BadSignature, ValueError):
            return None

    async def visitor_of(self, cookie: str) -> Visitor | None:
        """Who is signed in by this cookie: one statement, and another once a minute to note the visit."""
        session_id = self.id_in(cookie)
        if session_id is None:
            return None
        async with self._database.reader() as connection:
            row = await connection.fetchrow(LOOK_UP, session_id)
        if row is None:
            return None
        if row["unseen"]:
            with faults_in_words():
                async with self._database.engine.begin() as writer:
                    await writer.execute(SEEN, {"id": session_id})
        return _visitor(row)

    async def is_live(self, session_id: UUID) -> bool:
        """Whether somebody is still signed in: for streams, which end with their session."""
        async with self._database.reader() as connection:
            return await connection.fetchrow(LOOK_UP, session_id) is not None


async def open_session(session: AsyncSession, user_id: UUID) -> UUID:
    """A new session for this user, at the place the current context names. Gives its id."""
    who = context.current()
    session_id = new_id()
    where = {"ip_address": who.ip_address, "user_agent": who.user_agent}
    await session.execute(OPEN, {"id": session_id, "user_id": user_id, **where})
    return session_id


async def end_session(session: AsyncSession, session_id: UUID) -> UUID | None:
    """End it. Gives its user's id, or None when it had ended before."""
    user_id: UUID | None = (await session.execute(END, {"id": session_id})).scalar()
    return user_id


async def end_all_sessions(session: AsyncSession, user_id: UUID, *, but: UUID | None = None) -> None:
    """End every session of this user, except one if named."""
    await session.execute(END_ALL, {"user_id": user_id, "but": but or NONE})


async def forget_ended(database: Database) -> int:
    """Remove sessions that ended a month ago. Gives their number. For a scheduled task."""
    async with database.transaction() as session:
        return int(getattr(await session.execute(FORGET), "rowcount", 0))


def _visitor(row: Any) -> Visitor:
    role = Role(row["role"])
    return Visitor(
        kind="user",
        user_id=row["id"],
        name=row["name"],
        email=row["email"],
        role=role,
        permissions=of_person(role),
        session_id=row["session_id"],
        has_password=row["has_password"],
        single_keys=row["single_keys"],
    )
