"""What others changed since somebody looked last: how much of it there is, and of a page's leads which fields.

Own changes are none: a lead whose last change is one's own has been seen. What lies in the bin is not looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from leads_core.audit.record.entry import old_and_new, origin_of

#: So many of the leads that changed last are looked at; more are "at least".
LOOKED_AT = 1_000
#: So many of a lead's entries are looked at for what changed in it.
ENTRIES = 20

#: By ix_leads_live_updated, the newest first.
NEWS = """
    SELECT count(*) FILTER (WHERE is_new) AS new,
           count(*) FILTER (WHERE NOT is_new AND enriched_at > $1) AS enriched,
           count(*) FILTER (WHERE NOT is_new AND (enriched_at > $1) IS NOT TRUE) AS changed,
           (SELECT count(*) FROM walked) AS looked_at
    FROM (SELECT created_at > $1 AS is_new, enriched_at FROM walked WHERE updated_by IS DISTINCT FROM $2) AS others
"""
WALKED = """
    WITH walked AS MATERIALIZED (
        SELECT created_at, enriched_at, updated_by FROM leads WHERE deleted_at IS NULL AND updated_at > $1
        ORDER BY updated_at DESC, id DESC LIMIT $3)
"""
#: By audit_log_subject_id_seq_key, each lead's newest entries.
CHANGES = """
    SELECT wanted.id AS lead_id, e.action, e.parts::text AS parts, e.occurred_at FROM unnest($1::uuid[]) AS wanted (id)
    CROSS JOIN LATERAL (
        SELECT action, parts, occurred_at, actor_id FROM audit_log
        WHERE subject_id = wanted.id AND seq IS NOT NULL ORDER BY seq DESC LIMIT $4) AS e
    WHERE e.occurred_at > $2 AND e.actor_id IS DISTINCT FROM $3
"""


@dataclass(frozen=True, slots=True)
class News:
    """How many leads others added, had enriched, or changed otherwise since then.

    more: at least so many. All three may then be 0: more leads than are looked at were changed by oneself.
    """

    since: datetime
    new: int
    enriched: int
    changed: int
    more: bool = False

    def __bool__(self) -> bool:
        return bool(self.new or self.enriched or self.changed or self.more)


@dataclass(frozen=True, slots=True)
class Mark:
    """Who changed a field last, when, and what it was before all of these changes. by is None once it was erased."""

    by: str | None
    at: datetime
    before: Any


async def news_since(reader: asyncpg.Connection, since: datetime, me: UUID) -> News:
    """What others changed since then, in one short walk whatever the number of leads and of changes."""
    row = await reader.fetchrow(WALKED + NEWS, since, me, LOOKED_AT + 1)
    return News(since, row["new"], row["enriched"], row["changed"], more=row["looked_at"] > LOOKED_AT)


async def marks_of(
    reader: asyncpg.Connection, ids: Sequence[UUID], since: datetime, me: UUID
) -> dict[UUID, dict[str, Mark]]:
    """Lead -> field -> its mark, of these leads. A lead that came since has none; what is erased is unsaid."""
    found: dict[UUID, dict[str, Mark]] = {}
    came: set[UUID] = set()
    for row in await reader.fetch(CHANGES, list(ids), since, me, ENTRIES):
        if row["action"] == "CREATE":
            came.add(row["lead_id"])
        parts = orjson.loads(row["parts"])
        old, new, _ = old_and_new(parts)
        marks = found.setdefault(row["lead_id"], {})
        for field in new.keys() - {"provenance"}:
            # The newest entry comes first: it says who; the oldest says what was before.
            last = marks.get(field)
            by, at = (last.by, last.at) if last else (origin_of(parts)["actor_name"], row["occurred_at"])
            marks[field] = Mark(by, at, old.get(field))
    return {lead_id: marks for lead_id, marks in found.items() if lead_id not in came and marks}
