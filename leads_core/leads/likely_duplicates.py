"""Pairs of leads that are likely one, kept for the page of all of them, and what people said of them.

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

from leads_core import context
from leads_core.database import C_TEXT, Database
from leads_core.errors import NotFound
from leads_core.leads.duplicates import Found, alike_of_many, duplicates_of, live_leads
from leads_core.leads.likeness import Likelihood, Likeness, likelihood_of
from leads_core.leads.rows import LeadRow
from leads_core.paging import LAST, Cursors, Page, Position, around

#: Entries that are read together, and how long a worker looks before it lets other work come first.
BATCH = 50
SLICE_SECONDS = 0.5

#: By ix_likely_duplicates_open. Pairs of which a lead is in the bin by now are passed over until a worker drops them.
PAGE = """
    SELECT d.lead_id, d.other_id, d.found_by, d.score, d.found_at FROM likely_duplicates d
    WHERE d.dismissed_at IS NULL
      AND ($1::smallint IS NULL OR (d.score, d.found_at, d.lead_id, d.other_id) {beyond} ($1, $2, $3, $4))
      AND EXISTS (SELECT FROM leads l WHERE l.id = d.lead_id AND l.deleted_at IS NULL)
      AND EXISTS (SELECT FROM leads l WHERE l.id = d.other_id AND l.deleted_at IS NULL)
    ORDER BY d.score {way}, d.found_at {way}, d.lead_id {way}, d.other_id {way} LIMIT $5
"""
LIKELIEST_FIRST = PAGE.format(beyond="<", way="DESC")
LIKELIEST_LAST = PAGE.format(beyond=">", way="ASC")
DISMISSED = """
    SELECT other_id AS id FROM likely_duplicates WHERE lead_id = $1 AND dismissed_at IS NOT NULL
    UNION ALL SELECT lead_id FROM likely_duplicates WHERE other_id = $1 AND dismissed_at IS NOT NULL
"""
BEHIND = """
    SELECT coalesce((SELECT leaf_index + 1 FROM audit_leaves ORDER BY leaf_index DESC LIMIT 1), 0)
        - coalesce((SELECT entries FROM duplicates_read), 0)
"""

#: By ix_jobs_unfinished.
_BUSY = text("""
    SELECT EXISTS (SELECT FROM jobs WHERE finished_at IS NULL AND kind IN ('import', 'bulk', 'undo')
                   AND state = 'running')
""")
_TAKE_TURN = text("""
    INSERT INTO duplicates_read (entries) SELECT 0 WHERE NOT EXISTS (SELECT FROM duplicates_read) ON CONFLICT DO NOTHING
""")
_MY_TURN = text("SELECT entries FROM duplicates_read FOR UPDATE SKIP LOCKED")
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
_DISMISS = text("""
    INSERT INTO likely_duplicates AS kept (lead_id, other_id, found_by, score, found_at, dismissed_at, dismissed_by)
    SELECT least(:one, :other), greatest(:one, :other), '{}', 0, now(), now(), :by
    WHERE 2 = (SELECT count(*) FROM leads WHERE id IN (:one, :other))
    ON CONFLICT (lead_id, other_id) DO UPDATE SET dismissed_at = coalesce(kept.dismissed_at, now()),
        dismissed_by = coalesce(kept.dismissed_by, excluded.dismissed_by)
    RETURNING true
""").bindparams(bindparam("one", type_=Uuid), bindparam("other", type_=Uuid), bindparam("by", type_=Uuid))
_ASK_AGAIN = text("""
    UPDATE likely_duplicates SET dismissed_at = NULL, dismissed_by = NULL
    WHERE lead_id = least(:one, :other) AND other_id = greatest(:one, :other) AND dismissed_at IS NOT NULL
""").bindparams(bindparam("one", type_=Uuid), bindparam("other", type_=Uuid))


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
    position = cursors.read(cursor, _LISTED)
    key = position.key or (None, None, None, None)
    statement = LIKELIEST_LAST if position.backwards else LIKELIEST_FIRST
    rows = await reader.fetch(statement, *key, limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    if position.backwards:
        rows.reverse()
    if not rows:
        return Page([], None, cursors.write(LAST, _LISTED) if position.key and not position.backwards else None)
    beside = around(position, _position(rows[0]), _position(rows[-1]), len(rows), more=more)
    leads = await live_leads(reader, list({row[name] for row in rows for name in ("lead_id", "other_id")}))
    return Page(
        [
            Pair(leads[row["lead_id"]], leads[row["other_id"]], tuple(row["found_by"]), row["score"], row["found_at"])
            for row in rows
            if row["lead_id"] in leads and row["other_id"] in leads
        ],
        cursors.write(beside.following, _LISTED) if beside.following else None,
        cursors.write(beside.preceding, _LISTED) if beside.preceding else None,
    )


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


async def dismiss(database: Database, one: UUID, other: UUID) -> None:
    """Remember that these two are not one lead. Nothing of either changes, so there is no entry: the pair says who.

    Raises NotFound.
    """
    async with database.transaction() as session:
        known = (
            await session.scalar(_DISMISS, {"one": one, "other": other, "by": context.current().actor_id})
            if one != other
            else None
        )
    if not known:
        raise NotFound("lead", other)


async def ask_again(database: Database, one: UUID, other: UUID) -> None:
    """Take back a dismiss."""
    async with database.transaction() as session:
        await session.execute(_ASK_AGAIN, {"one": one, "other": other})


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


def _position(row: asyncpg.Record) -> Position:
    return Position(0, (row["score"], row["found_at"], row["lead_id"], row["other_id"]))


_LISTED = "likely duplicates"
