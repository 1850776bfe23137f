"""What stands around a list, in one statement: the views a person sees, their default, and who may own a lead."""

from __future__ import annotations

from typing import TypeAlias
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
    (SELECT value::text FROM user_preferences WHERE user_id = $1 AND name = 'default_view') AS default_view
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
    """Views in their order (shared ones first), people by name, and which view opens; it may be gone by now."""

    views: tuple[ViewRead, ...] = ()
    people: tuple[Somebody, ...] = ()
    default_view: str | None = None


async def around_the_list(reader: Reader, user_id: UUID) -> Around:
    """Everything that a list shows beside its leads and that is this person's."""
    row = await reader.fetchrow(AROUND, user_id)
    default = msgspec.json.decode(row["default_view"]) if row["default_view"] else None
    return Around(
        msgspec.json.decode(row["views"], type=tuple[ViewRead, ...]),
        msgspec.json.decode(row["people"], type=tuple[Somebody, ...]),
        default if isinstance(default, str) else None,
    )
