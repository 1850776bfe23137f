"""When each field of a lead was last changed, as its trail says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

#: By audit_log_subject_id_seq_key, in each trail's newest entries. Of an erased part nothing is known.
LAST = text("""
    SELECT wanted.id, field, max(e.occurred_at) AS at
    FROM unnest(:ids) AS wanted (id) CROSS JOIN LATERAL (
        SELECT occurred_at, parts FROM audit_log WHERE subject_id = wanted.id AND seq IS NOT NULL
        ORDER BY seq DESC LIMIT 500) e
    CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(e.parts) WHEN 'object' THEN e.parts ELSE '{}' END) AS p (name, part)
    CROSS JOIN LATERAL jsonb_object_keys(
        CASE jsonb_typeof(part -> 1) WHEN 'object' THEN part -> 1 ELSE '{}' END) AS field
    WHERE name <> 'origin' GROUP BY wanted.id, field
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)))


async def last_changes(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, dict[str, datetime]]:
    """Lead -> field -> when its newest change was; what stood there from the beginning since then."""
    found: dict[UUID, dict[str, datetime]] = {}
    for row in await session.execute(LAST, {"ids": list(ids)}):
        found.setdefault(row.id, {})[row.field] = row.at
    return found
