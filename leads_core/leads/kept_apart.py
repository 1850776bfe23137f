"""Pairs of leads of which somebody said that they are not one: remembered, listed, and asked about again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import Uuid, bindparam, text

from leads_core import context
from leads_core.database import Database
from leads_core.errors import NotFound
from leads_core.leads.pair_pages import BOTH_LIVE, PairPages
from leads_core.leads.rows import LeadRow
from leads_core.paging import Cursors, Page

#: By ix_likely_duplicates_dismissed.
PAGE = f"""
    SELECT d.lead_id, d.other_id, d.found_by, d.dismissed_at, d.dismissed_by FROM likely_duplicates d
    WHERE d.dismissed_at IS NOT NULL
      AND ($1::timestamptz IS NULL OR (d.dismissed_at, d.lead_id, d.other_id) {{beyond}} ($1, $2, $3))
      AND {BOTH_LIVE}
    ORDER BY d.dismissed_at {{way}}, d.lead_id {{way}}, d.other_id {{way}} LIMIT $4
"""  # noqa: S608 - constants
NEWEST_FIRST = PAGE.format(beyond="<", way="DESC")
NEWEST_LAST = PAGE.format(beyond=">", way="ASC")

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
class KeptApart:
    """Two live leads that are not one, says this person (None: nobody who signs in); reasons as of a Pair."""

    lead: LeadRow
    other: LeadRow
    reasons: tuple[str, ...]
    at: datetime
    by: UUID | None


async def page_kept_apart(
    reader: asyncpg.Connection, cursor: str | None, limit: int, *, cursors: Cursors
) -> Page[KeptApart]:
    """The pairs that were kept apart, the newest first. Raises Invalid for a foreign cursor."""
    return await _PAGES.page(reader, cursor, limit, cursors)


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


def _kept(row: asyncpg.Record, lead: LeadRow, other: LeadRow) -> KeptApart:
    return KeptApart(lead, other, tuple(row["found_by"]), row["dismissed_at"], row["dismissed_by"])


_PAGES = PairPages("pairs kept apart", NEWEST_FIRST, NEWEST_LAST, ("dismissed_at", "lead_id", "other_id"), _kept)
