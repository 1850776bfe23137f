"""The leads of a bulk job, frozen when it was asked for, with what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, Table, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.database import C_TEXT, Base, bare
from leads_core.leads.conditions import Values, conditions_of, like
from leads_core.leads.filters import LeadFilter

#: What went well; of everything else there are few, and ix_bulk_items_others finds them.
WELL = ("done", "started")
OTHERS = "outcome NOT IN ('done', 'started')"

bulk_items = Table(
    "bulk_items",
    Base.metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("lead_id", Uuid, nullable=False),
    Column("outcome", C_TEXT),
    Column("version", Integer),
    Column("about", Uuid),
    ForeignKeyConstraint(["job_id"], ["jobs.id"], name="bulk_items_job_id_fkey", ondelete="CASCADE"),
    Index("ix_bulk_items_others", "job_id", "outcome", "place", postgresql_where=text(OTHERS)),
)

FREEZE_IDS = text("""
    INSERT INTO bulk_items (job_id, place, lead_id, version)
    SELECT :job_id, wanted.place - 1, wanted.id, coalesce(wanted.version, leads.version)
    FROM unnest(:ids, :versions) WITH ORDINALITY AS wanted (id, version, place)
    LEFT JOIN leads ON leads.id = wanted.id
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("versions", type_=ARRAY(Integer)))
FREEZE_STARTED = text("""
    INSERT INTO bulk_items (job_id, place, lead_id, version)
    SELECT :job_id, row_number() OVER (ORDER BY place) - 1, lead_id, version
    FROM bulk_items WHERE job_id = :source AND outcome = 'started'
""")
NEXT = text("""
    SELECT place, lead_id, version FROM bulk_items
    WHERE job_id = :job_id AND place >= :place ORDER BY place LIMIT :limit
""")
NOTE = text("""
    UPDATE bulk_items SET outcome = said.outcome, about = said.about
    FROM unnest(:places, :outcomes, :abouts) AS said (place, outcome, about)
    WHERE job_id = :job_id AND bulk_items.place = said.place
""").bindparams(
    bindparam("places", type_=ARRAY(Integer)),
    bindparam("outcomes", type_=ARRAY(C_TEXT)),
    bindparam("abouts", type_=ARRAY(Uuid)),
)


@dataclass(frozen=True, slots=True)
class Item:
    """A lead of the set. version is the one that whoever asked had seen; None for a lead that was nowhere."""

    place: int
    lead_id: UUID
    version: int | None


@dataclass(frozen=True, slots=True)
class Became:
    """What became of a lead. about: the entry or the other lead that is the reason, where there is one."""

    outcome: str
    about: UUID | None = None


async def freeze_ids(session: AsyncSession, job_id: UUID, versions: dict[UUID, int | None]) -> int:
    """Exactly these leads, in their order; where no version was seen, the one of now. Gives their number."""
    values = {"job_id": job_id, "ids": list(versions), "versions": list(versions.values())}
    await session.execute(FREEZE_IDS, values)
    return len(versions)


async def freeze_filter(session: AsyncSession, job_id: UUID, wanted: LeadFilter, most: int) -> int:
    """What the filter matches now, at most one more than most. Gives their number."""
    statement, values = freezing(wanted, job_id, most)
    connection = await bare(session)
    return int((await connection.execute(statement, *values)).rpartition(" ")[2])


async def freeze_started(session: AsyncSession, job_id: UUID, source: UUID) -> int:
    """The leads whose enrichment another bulk job has begun. Gives their number."""
    frozen = await session.execute(FREEZE_STARTED, {"job_id": job_id, "source": source})
    return int(getattr(frozen, "rowcount", 0))


def freezing(wanted: LeadFilter, job_id: UUID, most: int) -> tuple[str, list[Any]]:
    """The statement that freezes a filter's leads in order of id, at most one more than most. Pure.

    It runs once, so the planner may choose by what it knows of the values.
    """
    values = Values()
    job = values.add(job_id, "uuid")
    found = conditions_of(wanted, values)
    tests = [found.lives, *(driver.condition for driver in found.drivers), *found.tests]
    if found.is_coded:
        tests.append(f"l.facet = ANY ({found.codes})")
    if wanted.pattern is not None and not wanted.is_short_search and not wanted.deleted:
        tests.append(f"l.search_text LIKE {values.add(like(wanted), 'text')}")
    if found.is_impossible:
        tests.append("false")
    where = " AND ".join(f"({test})" for test in tests)
    statement = f"""
        INSERT INTO bulk_items (job_id, place, lead_id, version)
        SELECT {job}, row_number() OVER (ORDER BY id) - 1, id, version
        FROM (SELECT l.id, l.version FROM leads l WHERE {where} LIMIT {most + 1}) AS frozen
    """  # noqa: S608 - every piece is ours; what people give is a parameter
    return statement, values.given


async def from_place(session: AsyncSession, job_id: UUID, place: int, limit: int) -> list[Item]:
    """The next leads in order."""
    rows = await session.execute(NEXT, {"job_id": job_id, "place": place, "limit": limit})
    return [Item(row.place, row.lead_id, row.version) for row in rows]


async def note(session: AsyncSession, job_id: UUID, said: Sequence[tuple[Item, Became]]) -> None:
    """What became of these."""
    await session.execute(
        NOTE,
        {
            "job_id": job_id,
            "places": [item.place for item, _ in said],
            "outcomes": [became.outcome for _, became in said],
            "abouts": [became.about for _, became in said],
        },
    )
