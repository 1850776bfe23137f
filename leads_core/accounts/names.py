"""What users are called, for lists that show who owns what."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import asyncpg


async def names_of_users(reader: asyncpg.Connection, user_ids: Collection[UUID]) -> dict[UUID, str]:
    """Id -> name of those who exist, by the primary key; nobody is asked for without ids."""
    if not user_ids:
        return {}
    rows = await reader.fetch("SELECT id, name FROM users WHERE id = ANY($1::uuid[])", list(user_ids))
    return {row["id"]: row["name"] for row in rows}
