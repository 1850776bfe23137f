"""One action on many leads, as a job: exactly the set at the click, batch by batch, what became of each.

The set is frozen into bulk_items in the transaction that starts the job, so nothing that changes meanwhile joins or
leaves it. A batch is one transaction with its outcomes: a job that runs twice goes on where it stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ForeignKeyConstraint, Integer, Table, Uuid, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.database import C_TEXT, Base, Database, new_id
from leads_core.errors import Invalid
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind, JobState
from leads_core.jobs.queue import JobRead
from leads_core.leads.conditions import Values, conditions_of, like
from leads_core.leads.filters import LeadFilter
from leads_core.leads.models import Lead
from leads_core.leads.schemas import LeadRead
from leads_core.leads.service import LeadService

#: More are for an import, or for a narrower filter.
LARGEST = 100_000
BATCH = 500
#: So many single outcomes that are no success stand in the job's result.
LISTED = 100

bulk_items = Table(
    "bulk_items",
    Base.metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("lead_id", Uuid, nullable=False),
    Column("outcome", C_TEXT),
    ForeignKeyConstraint(["job_id"], ["jobs.id"], name="bulk_items_job_id_fkey", ondelete="CASCADE"),
)

FREEZE_IDS = text("""
    INSERT INTO bulk_items (job_id, place, lead_id)
    SELECT :job_id, wanted.place - 1, wanted.id FROM unnest(:ids) WITH ORDINALITY AS wanted (id, place)
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)))
NEXT = text("""
    SELECT place, lead_id FROM bulk_items WHERE job_id = :job_id AND place >= :place ORDER BY place LIMIT :limit
""")
NOTE = text("""
    UPDATE bulk_items SET outcome = said.outcome FROM unnest(:places, :outcomes) AS said (place, outcome)
    WHERE job_id = :job_id AND bulk_items.place = said.place
""").bindparams(bindparam("places", type_=ARRAY(Integer)), bindparam("outcomes", type_=ARRAY(C_TEXT)))


class BulkAction(StrEnum):
    """What is done to each lead."""

    ENRICH = "enrich"


async def start(database: Database, action: BulkAction, wanted: LeadFilter | Sequence[UUID]) -> JobRead:
    """Freeze the leads that are wanted now, and start the job. Raises Invalid for none, and for more than LARGEST."""
    job_id = new_id()
    async with database.transaction() as session:
        await queue.start(
            session, JobKind.BULK, priority=queue.PRIORITY_ASKED, wanted={"action": action.value}, job_id=job_id
        )
        total = await _freeze(session, job_id, wanted)
        if total == 0:
            raise Invalid.of("ids", "No lead is meant. Choose some, or another filter.")
        if total > LARGEST:
            raise Invalid.of("filter", f"More than {LARGEST:,} leads match. Narrow the filter.")
        await session.execute(text("UPDATE jobs SET total = :total WHERE id = :id"), {"total": total, "id": job_id})
        job = await queue.find(session, job_id)
    assert job is not None  # noqa: S101 - started in this transaction
    return job


async def _freeze(session: AsyncSession, job_id: UUID, wanted: LeadFilter | Sequence[UUID]) -> int:
    if not isinstance(wanted, LeadFilter):
        ids = list(dict.fromkeys(wanted))
        if len(ids) <= LARGEST:
            await session.execute(FREEZE_IDS, {"job_id": job_id, "ids": ids})
        return len(ids)
    statement, values = freezing(wanted, job_id)
    connection = (await (await session.connection()).get_raw_connection()).driver_connection
    assert connection is not None  # noqa: S101 - a pooled connection that is in use
    return int((await connection.execute(statement, *values)).rpartition(" ")[2])


def freezing(wanted: LeadFilter, job_id: UUID) -> tuple[str, list[Any]]:
    """The statement that freezes a filter's leads in order of id, at most one more than LARGEST. Pure.

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
        INSERT INTO bulk_items (job_id, place, lead_id)
        SELECT {job}, row_number() OVER (ORDER BY id) - 1, id
        FROM (SELECT l.id FROM leads l WHERE {where} LIMIT {LARGEST + 1}) AS frozen
    """  # noqa: S608 - every piece is ours; what people give is a parameter
    return statement, values.given


async def names_of_left(database: Database, job: JobRead) -> dict[UUID, str]:
    """What the leads are called that the job's result lists: also those in the bin, none of those that are nowhere."""
    ids = [UUID(row["lead_id"]) for row in (job.result or {}).get("rows", [])]
    async with database.transaction() as session:
        found = await session.scalars(select(Lead).where(Lead.id.in_(ids)))
        return {lead.id: LeadRead.of(lead).name for lead in found}


class BulkHandler:
    """Runs bulk jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._leads = LeadService(database)

    async def run(self, job: JobRead) -> None:
        """What is still to be done of the set, batch by batch."""
        done, result = job.done, dict(job.result or {"counts": {}, "rows": []})
        try:
            while items := await self._next(job.id, done):
                done = await self._batch(job, items, done, result)
        except queue.Overtaken:
            return
        async with self._database.transaction() as session:
            await queue.finish(session, job.id, JobState.COMPLETED, result=result)

    async def give_up(self, job: JobRead, reason: str) -> None:
        """End the job as failed; what was done before stays done, and is counted in its result."""
        async with self._database.transaction() as session:
            await queue.finish(session, job.id, JobState.FAILED, error=reason)

    async def _next(self, job_id: UUID, place: int) -> list[tuple[int, UUID]]:
        async with self._database.transaction() as session:
            rows = await session.execute(NEXT, {"job_id": job_id, "place": place, "limit": BATCH})
            return [(row.place, row.lead_id) for row in rows]

    async def _batch(self, job: JobRead, items: Sequence[tuple[int, UUID]], before: int, result: dict[str, Any]) -> int:
        """One batch with its outcomes, all or none. Gives how many are done."""
        async with self._database.one_transaction() as session:
            outcomes: Mapping[UUID, str] = await self._leads.enrich_many([lead_id for _, lead_id in items])
            said = [(place, lead_id, outcomes[lead_id]) for place, lead_id in items]
            _count(result, said)
            await session.execute(
                NOTE,
                {
                    "job_id": job.id,
                    "places": [place for place, _, _ in said],
                    "outcomes": [outcome for _, _, outcome in said],
                },
            )
            done = before + len(items)
            await queue.note_progress(session, job, before=before, done=done, result=result)
        return done


def _count(result: dict[str, Any], said: Sequence[tuple[int, UUID, str]]) -> None:
    counts = Counter(result["counts"])
    counts.update(outcome for _, _, outcome in said)
    result["counts"] = dict(counts)
    others = [{"lead_id": str(lead_id), "outcome": outcome} for _, lead_id, outcome in said if outcome != "started"]
    result["rows"] = [*result["rows"], *others][:LISTED]
