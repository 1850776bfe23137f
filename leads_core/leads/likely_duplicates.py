"""Pairs of leads that are likely one, kept for the page of all of them.

A worker follows the log: whose entry is new is looked at again, its pairs are written, those that hold no longer go.
The table has ids and codes of reasons alone, so nothing that is erased from a lead stands here.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.database import C_TEXT, Database
from leads_core.leads.duplicates import Found, alike_of_many, duplicates_of
from leads_core.leads.likeness import Likelihood, Likeness, likelihood_of
from leads_core.leads.pair_pages import BOTH_LIVE, PairPages
from leads_core.leads.rows import LeadRow
from leads_core.paging import Cursors, Page

#: Entries that are read together, and how long a worker looks before it lets other work come first.
BATCH = 50
SLICE_SECONDS = 0.5

#: By ix_likely_duplicates_open.
PAGE = f"""
    SELECT d.lead_id, d.other_id, d.found_by, d.score, d.found_at FROM likely_duplicates d
    WHERE d.dismissed_at IS NULL
      AND ($1::smallint IS NULL OR (d.score, d.found_at, d.lead_id, d.other_id) {{beyond}} ($1, $2, $3, $4))
      AND {BOTH_LIVE}
    ORDER BY d.score {{way}}, d.found_at {{way}}, d.lead_id {{way}}, d.other_id {{way}} LIMIT $5
"""  # noqa: S608 - constants
LIKELIEST_FIRST = PAGE.format(beyond="<", way="DESC")
LIKELIEST_LAST = PAGE.format(beyond=">", way="ASC")
DISMISSED = """
    SELECT other_id AS id FROM likely_duplicates WHERE lead_id = $1 AND dismissed_at IS NOT NULL
    UNION ALL SELECT lead_id FROM likely_duplicates WHERE other_id = $1 AND dismissed_at IS NOT NULL
"""
#: By audit_leaves_pkey.
_LOG = "coalesce((SELECT leaf_index + 1 FROM audit_leaves ORDER BY leaf_index DESC LIMIT 1), 0)"
#: How far the search has read. A log that is shorter by now was restored from a backup: it is read anew.
_READ = f"CASE WHEN entries > {_LOG} THEN 0 ELSE entries END"
BEHIND = f"SELECT {_LOG} - coalesce((SELECT {_READ} FROM duplicates_read), 0)"  # noqa: S608 - constants

#: By ix_jobs_unfinished.
_BUSY = text("""
    SELECT EXISTS (SELECT FROM jobs WHERE finished_at IS NULL AND kind IN ('import', 'bulk', 'undo')
                   AND state = 'running')
""")
_TAKE_TURN = text("""
    INSERT INTO duplicates_read (entries) SELECT 0 WHERE NOT EXISTS (SELECT FROM duplicates_read) ON CONFLICT DO NOTHING
""")
_MY_TURN = text(f"SELECT {_READ} FROM duplicates_read FOR UPDATE OF duplicates_read SKIP LOCKED")  # noqa: S608
#: By audit_leaves_pkey and then entry by entry. A leaf stays when its entry was removed.
_NEXT = text("""
    SELECT page.leaf_index, e.subject_id FROM (
        SELECT leaf_index, entry_id FROM audit_leaves WHERE leaf_index >= :first ORDER BY leaf_index LIMIT :limit) page
    LEFT JOIN audit_log e ON e.id = page.entry_id AND e.subject_kind = 'lead' AND e.seq IS NOT NULL
""")
_KEEP = text("""
    INSERT INTO likely_duplicates AS kept (lead_id, other_id, found_by, score, found_at)
    VALUES (least(:one, :other), greatest(:one, :other), :found_by, :score, now())
    ON CONFLICT (lead_id, other_id) DO UPDATE SET found_by = excluded.found_by, score = excluded.score
    WHERE kept.found_by <> excluded.found_by OR kept.score <> excluded.score
""").bindparams(
    bindparam("one", type_=Uuid), bindparam("other", type_=Uuid), bindparam("found_by", type_=ARRAY(C_TEXT))
)
#: What somebody said of a pair is kept, should it look alike again.
_DROP = text("""
    DELETE FROM likely_duplicates WHERE dismissed_at IS NULL
    AND (lead_id = :one AND other_id <> ALL(:still) OR other_id = :one AND lead_id <> ALL(:still))
""").bindparams(bindparam("one", type_=Uuid), bindparam("still", type_=ARRAY(Uuid)))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two live leads that are likely one, and the codes of the reasons, the strongest first."""

    lead: LeadRow
    other: LeadRow
    reasons: tuple[str, ...]
    score: int
    found_at: datetime

    @property
    def likelihood(self) -> Likelihood:
        return likelihood_of(self.score)


async def page_of_pairs(reader: asyncpg.Connection, cursor: str | None, limit: int, *, cursors: Cursors) -> Page[Pair]:
    """Pairs that nobody has decided on, the likeliest first, then the newest. Raises Invalid for a foreign cursor."""
    return await _PAGES.page(reader, cursor, limit, cursors)


async def undecided_of(reader: asyncpg.Connection, lead_id: UUID) -> list[Found]:
    """Leads that are likely the same as this one, found now, without those of which somebody said that they are not."""
    found = await duplicates_of(reader, lead_id)
    if not found:
        return []
    decided = {row["id"] for row in await reader.fetch(DISMISSED, lead_id)}
    return [each for each in found if each.lead.id not in decided]


async def entries_behind(reader: asyncpg.Connection) -> int:
    """How many entries of the log have not been looked at yet."""
    return max(0, int(await reader.fetchval(BEHIND)))


async def find_new(database: Database, *, seconds: float = SLICE_SECONDS) -> int:
    """Look at the leads that the log's next entries speak of, for so long; how many entries were read.

    One worker at a time: whoever comes second leaves at once. While a job of many leads runs nothing is looked at:
    what it changes can wait, the person who watches it cannot.
    """
    read, until = 0, time.monotonic() + seconds
    while (entries := await _read_on(database)) and (read := read + entries) and time.monotonic() < until:
        pass
    return read


async def _read_on(database: Database) -> int:
    async with database.transaction() as session:
        if await session.scalar(_BUSY):
            return 0
        await session.execute(_TAKE_TURN)
        first = await session.scalar(_MY_TURN)
        if first is None:
            return 0
        rows = (await session.execute(_NEXT, {"first": first, "limit": BATCH})).all()
        if not rows:
            return 0
        ids = list(dict.fromkeys(row.subject_id for row in rows if row.subject_id is not None))
        async with database.reader() as reader:
            found = await alike_of_many(reader, ids)
        for lead_id in ids:
            await _write_pairs(session, lead_id, found.get(lead_id, {}))
        await session.execute(text("UPDATE duplicates_read SET entries = :next"), {"next": rows[-1].leaf_index + 1})
        return len(rows)


async def _write_pairs(session: AsyncSession, lead_id: UUID, found: Mapping[UUID, Likeness]) -> None:
    await session.execute(_DROP, {"one": lead_id, "still": list(found)})
    if found:
        values: list[dict[str, Any]] = [
            {"one": lead_id, "other": other, "found_by": list(likeness.reasons), "score": likeness.score}
            for other, likeness in found.items()
        ]
        await session.execute(_KEEP, values)


def _pair(row: asyncpg.Record, lead: LeadRow, other: LeadRow) -> Pair:
    return Pair(lead, other, tuple(row["found_by"]), row["score"], row["found_at"])


_PAGES = PairPages(
    "likely duplicates", LIKELIEST_FIRST, LIKELIEST_LAST, ("score", "found_at", "lead_id", "other_id"), _pair
)
