"""How each person wants the console: kept here, so that it is the same on all their devices. Not in the trail."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import Column, DateTime, ForeignKeyConstraint, Table, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.database import C_TEXT, Base

Reader: TypeAlias = asyncpg.Connection
#: columns: list of [name, width in pixels or null]. density: compact or roomy. default_view: a saved view's id.
#: single_keys: whether one key alone does something.
Name: TypeAlias = Literal["columns", "density", "default_view", "single_keys"]

user_preferences = Table(
    "user_preferences",
    Base.metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("name", C_TEXT, primary_key=True),
    Column("value", JSONB, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    ForeignKeyConstraint(["user_id"], ["users.id"], name="user_preferences_user_id_fkey", ondelete="CASCADE"),
)

OF_USER = "SELECT name, value::text AS value FROM user_preferences WHERE user_id = "
SET = text(
    """INSERT INTO user_preferences (user_id, name, value) VALUES (:user_id, :name, CAST(:value AS jsonb))
       ON CONFLICT (user_id, name) DO UPDATE SET value = excluded.value, updated_at = now()"""
)
UNSET = text("DELETE FROM user_preferences WHERE user_id = :user_id AND name = :name")
FORGET = text("DELETE FROM user_preferences WHERE user_id = :user_id")


async def preferences_of(place: AsyncSession | Reader, user_id: UUID) -> dict[str, Any]:
    """What this person chose, by name; a name they never set is absent. Readers check what they read: it may be old."""
    if isinstance(place, AsyncSession):
        rows = (await place.execute(text(f"{OF_USER}:user_id"), {"user_id": user_id})).mappings().all()
    else:
        rows = await place.fetch(f"{OF_USER}$1", user_id)
    return {row["name"]: msgspec.json.decode(row["value"]) for row in rows}


async def set_preference(session: AsyncSession, user_id: UUID, name: Name, value: Any) -> None:
    """Keep what this person chose (anything that JSON holds); None takes it back to the standard."""
    if value is None:
        await session.execute(UNSET, {"user_id": user_id, "name": name})
        return
    kept = msgspec.json.encode(value).decode()
    await session.execute(SET, {"user_id": user_id, "name": name, "value": kept})


async def forget_preferences(session: AsyncSession, user_id: UUID) -> None:
    """All of this person's: they are erased."""
    await session.execute(FORGET, {"user_id": user_id})
