"""Live leads by the day they came (UTC) and by what they are now: exact, and never counted when somebody looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import asyncpg
from sqlalchemy import BigInteger, Boolean, Column, Date, Index, SmallInteger, Table, text

from leads_core.database import Base, Database
from leads_core.leads import facets

Unit = Literal["day", "week", "month"]

#: Signed rows, written by a trigger with each change; their sum is the number. Of the facet, stage and source alone.
#: fresh: not folded yet.
lead_days = Table(
    "lead_days",
    Base.metadata,
    Column("day", Date, nullable=False),
    Column("facet", SmallInteger, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("fresh", Boolean, nullable=False, server_default=text("true")),
    Index("ix_lead_days_day", "day", "facet"),
    Index("ix_lead_days_fresh", "day", postgresql_where=text("fresh")),
)

BY_UNIT = """
    SELECT date_trunc($1, day::timestamp)::date AS start, facet, sum(n)::bigint AS n FROM lead_days
    WHERE day >= $2 GROUP BY 1, 2 HAVING sum(n) <> 0 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class CameIn:
    """How many live leads came in the day, week (from Monday) or month that begins with start, of one kind."""

    start: date
    stage: str
    source: str
    n: int


async def came_in(reader: asyncpg.Connection, unit: Unit, since: date) -> list[CameIn]:
    """Live leads that came since this day, by unit, stage as it is now, and source; oldest first."""
    found: dict[tuple[date, str, str], int] = {}
    for row in await reader.fetch(BY_UNIT, unit, since):
        code = facets.decode(row["facet"])
        key = (row["start"], str(code["stage"]), str(code["source"]))
        found[key] = found.get(key, 0) + row["n"]
    return [CameIn(*key, n) for key, n in found.items()]


async def any_lead(reader: asyncpg.Connection) -> bool:
    """Whether there is a lead outside the bin."""
    return bool(await reader.fetchval("SELECT EXISTS (SELECT FROM leads WHERE deleted_at IS NULL)"))


async def fold_days(database: Database) -> int:
    """Put fresh rows together, of leads and of enrichments. Gives how many; 0 also while another process folds."""
    async with database.transaction() as session:
        return int(await session.scalar(text("SELECT fold_days()")) or 0)
