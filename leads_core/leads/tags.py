"""The tags that live leads have: to choose from."""

from __future__ import annotations

from typing import TypeAlias

import asyncpg

Reader: TypeAlias = asyncpg.Connection

#: From each tag to the next by the key of lead_tagging, whatever the number of leads that have it.
IN_USE = """
WITH RECURSIVE used AS (
    (SELECT tag FROM lead_tagging ORDER BY tag LIMIT 1)
    UNION ALL
    SELECT (SELECT t.tag FROM lead_tagging t WHERE t.tag > used.tag ORDER BY t.tag LIMIT 1)
    FROM used WHERE used.tag IS NOT NULL)
SELECT tag FROM used WHERE tag IS NOT NULL LIMIT $1
"""


async def tags_in_use(reader: Reader, *, limit: int = 200) -> list[str]:
    """The first ones by name."""
    return [row["tag"] for row in await reader.fetch(IN_USE, limit)]
