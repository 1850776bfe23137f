"""How enrichments ended, day by day (UTC), and how long it took from asked to ended: noted as each one ends."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg
from sqlalchemy import BigInteger, Boolean, Column, Date, Index, SmallInteger, Table, insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.database import C_TEXT, Base
from leads_core.leads.day_counts import Unit

#: Durations that are told apart: below the first, up to the next, ... and above the last, in seconds.
BOUNDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
FAILED = "failed"
OUTCOMES = ("found", "partial", "nothing", FAILED)

enrichment_days = Table(
    "enrichment_days",
    Base.metadata,
    Column("day", Date, nullable=False),
    Column("outcome", C_TEXT, nullable=False),
    Column("took", SmallInteger, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("fresh", Boolean, nullable=False, server_default=text("true")),
    Index("ix_enrichment_days_day", "day", "outcome", "took"),
    Index("ix_enrichment_days_fresh", "day", postgresql_where=text("fresh")),
)

BY_UNIT = """
    SELECT date_trunc($1, day::timestamp)::date AS start, outcome, took, sum(n)::bigint AS n FROM enrichment_days
    WHERE day >= $2 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How many enrichments ended so in the unit that begins with start; took is a place among BOUNDS."""

    start: date
    outcome: str
    took: int
    n: int


async def note_end(session: AsyncSession, outcome: str | None, asked_at: datetime, ended_at: datetime) -> None:
    """Count one more that ended, in the caller's transaction; outcome is None for a failed one."""
    took = bisect_right(BOUNDS, max(0.0, (ended_at - asked_at).total_seconds()))
    row = {"day": ended_at.date(), "outcome": outcome or FAILED, "took": took, "n": 1}
    await session.execute(insert(enrichment_days), row)


async def ended(reader: asyncpg.Connection, unit: Unit, since: date) -> list[Ended]:
    """How enrichments ended since this day, by unit; oldest first."""
    return [Ended(**dict(row)) for row in await reader.fetch(BY_UNIT, unit, since)]


def within(figures: Sequence[Ended], share: float) -> float | None:
    """The smallest of BOUNDS within which this share of them ended; None for none, or when it took longer."""
    all_of_them = sum(each.n for each in figures)
    for place, bound in enumerate(BOUNDS):
        if all_of_them and sum(each.n for each in figures if each.took <= place) >= share * all_of_them:
            return bound
    return None
