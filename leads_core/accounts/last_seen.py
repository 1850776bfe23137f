"""Up to when each person has seen what others changed: one moment, the same on all their devices. Not in the trail."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import Column, DateTime, ForeignKeyConstraint, Table, Uuid, text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.database import Base, Database

last_seen = Table(
    "last_seen",
    Base.metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(["user_id"], ["users.id"], name="last_seen_user_id_fkey", ondelete="CASCADE"),
)

OF_USER = "SELECT seen_at FROM last_seen WHERE user_id = $1"
#: Never back, and never beyond now: what comes afterwards was not seen.
SEE = text("""
    INSERT INTO last_seen AS kept (user_id, seen_at) VALUES (:user_id, least(:until, now()))
    ON CONFLICT (user_id) DO UPDATE SET seen_at = greatest(kept.seen_at, excluded.seen_at)
""")
FORGET = text("DELETE FROM last_seen WHERE user_id = :user_id")


async def seen_until(reader: asyncpg.Connection, user_id: UUID) -> datetime | None:
    """Up to when this person has seen everything; None for somebody who never looked."""
    moment: datetime | None = await reader.fetchval(OF_USER, user_id)
    return moment


async def see(database: Database, user_id: UUID, until: datetime) -> None:
    """Note that this person has seen what was changed until then."""
    async with database.transaction() as session:
        await session.execute(SEE, {"user_id": user_id, "until": until})


async def forget_last_seen(session: AsyncSession, user_id: UUID) -> None:
    """As if they had never looked, in the caller's transaction."""
    await session.execute(FORGET, {"user_id": user_id})
