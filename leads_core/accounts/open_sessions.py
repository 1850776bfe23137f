"""Where somebody is signed in, and signing out there from here. Every end has its entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from leads_core.accounts import trail_entries
from leads_core.accounts.sessions import IS_LIVE, NONE, end_session
from leads_core.audit.models import Action
from leads_core.database import Database
from leads_core.errors import NotFound

#: How the entry says that it was not this browser's own sign-out.
FROM_ELSEWHERE = "from elsewhere"
ALL_OTHERS = "all others"

# By ix_sessions_user_id.
LIST = text(f"""
    SELECT s.id, s.created_at, s.last_seen_at, s.ip_address, s.user_agent
    FROM sessions s WHERE s.user_id = :user_id AND {IS_LIVE} ORDER BY s.last_seen_at DESC, s.id DESC
""")  # noqa: S608 - constants of ours
OF_WHOM = text("SELECT user_id FROM sessions WHERE id = :id")
END_OTHERS = text(f"""
    UPDATE sessions s SET ended_at = now() WHERE s.user_id = :user_id AND s.id <> :but AND {IS_LIVE} RETURNING s.id
""")  # noqa: S608


@dataclass(frozen=True, slots=True)
class SessionRead:
    """A browser in which somebody is signed in."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    ip_address: str | None
    user_agent: str | None


class OpenSessions:
    """One user's sessions that still let them in, in the name of the current context."""

    def __init__(self, database: Database, user_id: UUID) -> None:
        self._database = database
        self._user_id = user_id

    async def list(self) -> list[SessionRead]:
        """All of them, the last used first."""
        async with self._database.transaction() as session:
            found = (await session.execute(LIST, {"user_id": self._user_id})).mappings()
            return [SessionRead(**row) for row in found]

    async def end(self, session_id: UUID) -> None:
        """Sign out there; one that has ended stays ended. Raises NotFound, also for somebody else's."""
        async with self._database.transaction() as session:
            if (await session.execute(OF_WHOM, {"id": session_id})).scalar() != self._user_id:
                raise NotFound("session", session_id)
            if await end_session(session, session_id) is not None:
                await trail_entries.append_event(session, Action.SIGN_OUT, self._user_id, method=FROM_ELSEWHERE)

    async def end_others(self, keep: UUID | None) -> int:
        """Sign out everywhere but here. Gives how many ended; with none there is no entry."""
        async with self._database.transaction() as session:
            wanted = {"user_id": self._user_id, "but": keep or NONE}
            ended = len((await session.execute(END_OTHERS, wanted)).all())
            if ended:
                await trail_entries.append_event(session, Action.SIGN_OUT, self._user_id, method=ALL_OTHERS)
            return ended
