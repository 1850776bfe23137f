"""What stands around a list, in one statement: views, preferences, who may own a lead, what has been seen."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import msgspec

Reader: TypeAlias = asyncpg.Connection
MOST_PEOPLE = 200

AROUND = f"""
SELECT
    (SELECT coalesce(json_agg(json_build_object('id', id, 'name', name, 'query', query, 'is_shared', is_shared,
            'owner_id', owner_id) ORDER BY is_shared DESC, place, id), '[]') FROM saved_views
     WHERE is_shared OR owner_id = $1)::text AS views,
    (SELECT coalesce(json_agg(json_build_object('id', id, 'name', name) ORDER BY name, id), '[]') FROM (
        SELECT id, name FROM users WHERE disabled_at IS NULL ORDER BY name, id LIMIT {MOST_PEOPLE}) AS u)::text
        AS people,
    (SELECT coalesce(json_object_agg(name, value), '{{}}') FROM user_preferences WHERE user_id = $1)::text
        AS preferences,
    (SELECT seen_at FROM last_seen WHERE user_id = $1) AS seen_at
"""  # noqa: S608 - a number of ours


class ViewRead(msgspec.Struct, frozen=True):
    """A saved view as it is shown."""

    id: UUID
    name: str
    query: str
    is_shared: bool
    owner_id: UUID | None


class Somebody(msgspec.Struct, frozen=True):
    """A user who can own leads."""

    id: UUID
    name: str


class Around(msgspec.Struct, frozen=True):
    """Views in their order (shared ones first), people by name, what this person prefers (accounts/preferences), and up
    to when they have seen what others changed (accounts/last_seen).
    """

    views: tuple[ViewRead, ...] = ()
    people: tuple[Somebody, ...] = ()
    preferences: dict[str, Any] = {}
    seen_at: datetime | None = None

    @property
    def default_view(self) -> str | None:
        """Which view opens; it may be gone by now."""
        wanted = self.preferences.get("default_view")
        return wanted if isinstance(wanted, str) else None


async def around_the_list(reader: Reader, user_id: UUID) -> Around:
    """Everything that a list shows beside its leads and that is this person's."""
    row = await reader.fetchrow(AROUND, user_id)
    return Around(
        msgspec.json.decode(row["views"], type=tuple[ViewRead, ...]),
        msgspec.json.decode(row["people"], type=tuple[Somebody, ...]),
        msgspec.json.decode(row["preferences"]),
        row["seen_at"],
    )
