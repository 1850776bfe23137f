"""The one undo: of everything that one request or one job changed on leads, reckoned from the trail alone.

A few leads at once; many as a job, whose leads are frozen when it first runs. Each step is an entry like any other
(REVERT, DELETE, RESTORE), so an undo is undone by the same road.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Integer, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.audit import operations
from leads_core.audit.operations import Author, Operation
from leads_core.database import C_TEXT, Database, new_id
from leads_core.errors import NotFound, StillRunning
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind, JobState
from leads_core.jobs.queue import JobRead
from leads_core.leads.names import LeadName, names_of
from leads_core.leads.service import LeadService
from leads_core.leads.taking_back import Kept
from leads_core.leads.undoing_many import Undone, counts_of

__all__ = ["Kept", "KeptOf", "Operation", "UndoHandler", "Undoing", "UndoneNow"]

#: More entries than this are undone by a job.
AT_ONCE = 200
BATCH = 500
#: So many leads of which something was kept stand in the job's result; all of them in undo_items.
LISTED = 100
READ_AT_ONCE = 1000

FREEZE = "INSERT INTO undo_items (job_id, place, lead_id, seq) SELECT :job, row_number() OVER (ORDER BY lead_id) - 1, lead_id, seq FROM ({touched}) AS touched"  # noqa: E501
BEGIN = text("UPDATE jobs SET total = :total WHERE id = :job AND attempt = :attempt AND total IS NULL RETURNING id")
NEXT = text("""
    SELECT place, lead_id, seq FROM undo_items WHERE job_id = :job AND place >= :place ORDER BY place LIMIT :limit
""")
NOTE = text("""
    UPDATE undo_items SET outcome = said.outcome, kept = said.kept::jsonb
    FROM unnest(:places, :outcomes, :kept) AS said (place, outcome, kept)
    WHERE job_id = :job AND undo_items.place = said.place
""").bindparams(
    bindparam("places", type_=ARRAY(Integer)),
    bindparam("outcomes", type_=ARRAY(C_TEXT)),
    bindparam("kept", type_=ARRAY(Text)),
)
KEPT = text("""
    SELECT place, lead_id, kept::text AS kept FROM undo_items
    WHERE job_id = :job AND place > :place AND kept IS NOT NULL ORDER BY place LIMIT :limit
""")
UNDER_WAY = text("""
    SELECT id FROM jobs WHERE kind = 'undo' AND finished_at IS NULL AND wanted = CAST(:wanted AS jsonb) LIMIT 1
""")
#: Two clicks at once start one job.
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('undo ' || :operation, 0))")


@dataclass(frozen=True, slots=True)
class KeptOf:
    """What was kept of one lead; authors wrote the entries that are the reasons, names are of all leads meant."""

    lead_id: UUID
    kept: Sequence[Kept]
    authors: Mapping[UUID, Author]
    names: Mapping[UUID, LeadName]


@dataclass(frozen=True, slots=True)
class UndoneNow:
    """An undo that was done at once. request_id is what undoes it."""

    operation: Operation
    request_id: str
    undone: Sequence[Undone]
    kept: Sequence[KeptOf]
    names: Mapping[UUID, LeadName]

    @property
    def counts(self) -> Mapping[str, int]:
        return counts_of(self.undone)

    @property
    def changed(self) -> list[UUID]:
        """The leads that it changed."""
        return [each.lead_id for each in self.undone if each.outcome not in {"same", "kept"}]


class Undoing:
    """Undo, in the name of the current context."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._leads = LeadService(database)

    async def undo(
        self,
        operation: Operation,
        *,
        beside: Callable[[AsyncSession], Awaitable[None]] | None = None,
    ) -> UndoneNow | JobRead:
        """Put back what the operation changed and nobody changed since: at once, or as the job that is given.

        Done twice, it changes nothing the second time. Raises NotFound when it changed no lead, StillRunning for a
        job that has not ended.
        """
        async with self._database.transaction() as session:
            await _refuse_while_running(session, operation)
            touched = await operations.touched_by(session, operation, AT_ONCE + 1)
            if not touched:
                raise NotFound("change of a lead by request or job", operation)
        if len(touched) > AT_ONCE:
            return await self._start(operation)
        undone = await self._leads.undo(operation, touched, beside=lambda session, _: _nothing(session, beside))
        kept, names = await self.described([(each.lead_id, each.kept) for each in undone if each.kept], undone)
        return UndoneNow(operation, context.current().request_id, undone, kept, names)

    async def described(
        self, kept: Sequence[tuple[UUID, Sequence[Kept]]], undone: Sequence[Undone] = ()
    ) -> tuple[list[KeptOf], Mapping[UUID, LeadName]]:
        """Who is behind what was kept, and what the leads are called."""
        entries = [one.entry for _, each in kept for one in each if one.entry]
        others = [one.lead_id for _, each in kept for one in each if one.lead_id]
        ids = list({lead_id for lead_id, _ in kept} | {each.lead_id for each in undone} | {*others})
        async with self._database.transaction() as session:
            authors = await operations.authors_of(session, entries) if entries else {}
        async with self._database.reader() as reader:
            names = await names_of(reader, ids)
        return [KeptOf(lead_id, each, authors, names) for lead_id, each in kept], names

    async def kept_by(self, job: JobRead) -> AsyncIterator[KeptOf]:
        """Everything that an undo job kept, in order; in short transactions."""
        place = -1
        while True:
            async with self._database.transaction() as session:
                rows = (await session.execute(KEPT, {"job": job.id, "place": place, "limit": READ_AT_ONCE})).all()
            if not rows:
                return
            place = rows[-1].place
            found = [(row.lead_id, [Kept.of(one) for one in orjson.loads(row.kept)]) for row in rows]
            for each in (await self.described(found))[0]:
                yield each

    async def leads_touched(self, operation: Operation, limit: int) -> tuple[int, bool]:
        """How many leads it changed, counted in its first `limit` entries; whether there are more."""
        async with self._database.transaction() as session:
            touched = await operations.touched_by(session, operation, limit + 1)
        return min(len(touched), limit), len(touched) > limit

    async def _start(self, operation: Operation) -> JobRead:
        wanted = {name: str(value) for name, value in operation.values.items()}
        async with self._database.transaction() as session:
            await session.execute(ONE_AT_A_TIME, {"operation": str(operation)})
            job_id = await session.scalar(UNDER_WAY, {"wanted": orjson.dumps(wanted).decode()})
            if job_id is None:
                job_id = new_id()
                await queue.start(session, JobKind.UNDO, priority=queue.PRIORITY_BULK, wanted=wanted, job_id=job_id)
            job = await queue.find(session, job_id)
        assert job is not None  # noqa: S101 - started in this transaction
        return job


async def _nothing(session: AsyncSession, beside: Callable[[AsyncSession], Awaitable[None]] | None) -> None:
    if beside:
        await beside(session)


async def _refuse_while_running(session: AsyncSession, operation: Operation) -> None:
    if operation.task_id is None:
        return
    job = await queue.find(session, operation.task_id)
    if job is not None and not job.is_finished:
        raise StillRunning("This job still runs. Undo it when it has ended.")


def operation_of(job: JobRead) -> Operation:
    """What an undo job undoes."""
    task_id = job.wanted.get("task_id")
    return Operation(task_id=UUID(task_id)) if task_id else Operation(request_id=job.wanted["request_id"])


class UndoHandler:
    """Runs undo jobs: a batch is one transaction with its outcomes, so one that is cut off goes on where it stopped."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._leads = LeadService(database)

    async def run(self, job: JobRead) -> None:
        """What is still to be done, batch by batch."""
        operation, done = operation_of(job), job.done
        result = dict(job.result or {"counts": {}, "rows": []})
        try:
            if job.total is None:
                await self._freeze(job, operation)
            while items := await self._next(job.id, done):
                done = await self._batch(job, operation, items, done, result)
        except queue.Overtaken:
            return
        async with self._database.transaction() as session:
            await queue.finish(session, job.id, JobState.COMPLETED, result=result)

    async def give_up(self, job: JobRead, reason: str) -> None:
        """End the job as failed; what was put back before stays so, and is counted in its result."""
        async with self._database.transaction() as session:
            await queue.finish(session, job.id, JobState.FAILED, error=reason)

    async def _freeze(self, job: JobRead, operation: Operation) -> None:
        """Nothing joins the operation any more: it has ended. Raises Overtaken where another attempt was first."""
        freeze = text(FREEZE.format(touched=operations.touched_sql(operation)))
        async with self._database.transaction() as session:
            frozen = await session.execute(freeze, {"job": job.id, **operation.values})
            total: int = frozen.rowcount  # type: ignore[attr-defined]
            if await session.scalar(BEGIN, {"job": job.id, "total": total, "attempt": job.attempt}) is None:
                raise queue.Overtaken

    async def _next(self, job_id: UUID, place: int) -> list[tuple[int, UUID, int]]:
        async with self._database.transaction() as session:
            rows = await session.execute(NEXT, {"job": job_id, "place": place, "limit": BATCH})
            return [(row.place, row.lead_id, row.seq) for row in rows]

    async def _batch(
        self,
        job: JobRead,
        operation: Operation,
        items: Sequence[tuple[int, UUID, int]],
        before: int,
        result: dict[str, Any],
    ) -> int:
        """One batch with its outcomes, all or none. Gives how many are done."""
        places = {lead_id: place for place, lead_id, _ in items}
        done = before + len(items)

        async def note(session: AsyncSession, undone: Sequence[Undone]) -> None:
            _count(result, undone)
            await session.execute(
                NOTE,
                {
                    "job": job.id,
                    "places": [places[each.lead_id] for each in undone],
                    "outcomes": [each.outcome for each in undone],
                    "kept": [
                        orjson.dumps([one.document() for one in each.kept]).decode() if each.kept else None
                        for each in undone
                    ],
                },
            )
            await queue.note_progress(session, job, before=before, done=done, result=result)

        await self._leads.undo(operation, [(lead_id, seq) for _, lead_id, seq in items], beside=note)
        # They are for a request's line in the log; a job would keep a hundred thousand of them.
        context.current().receipts.clear()
        return done


def _count(result: dict[str, Any], undone: Sequence[Undone]) -> None:
    counts = counts_of(undone)
    counts.update(result["counts"])
    result["counts"] = {name: number for name, number in counts.items() if number}
    kept = [
        {"lead_id": str(each.lead_id), "outcome": each.outcome, "kept": [one.document() for one in each.kept]}
        for each in undone
        if each.kept
    ]
    result["rows"] = [*result["rows"], *kept][:LISTED]
