"""Undo at once, or start the job that does; and who is behind what was kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.audit import operations
from leads_core.audit.operations import Author, Operation
from leads_core.database import Database, new_id
from leads_core.errors import NotFound, StillRunning
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.jobs.queue import JobRead
from leads_core.leads.names import LeadName, names_of
from leads_core.leads.service import LeadService
from leads_core.leads.taking_back import Kept
from leads_core.leads.undoing_many import Undone, counts_of
from leads_core.undoing import items, records

#: More entries than this are undone by a job.
AT_ONCE = 200
READ_AT_ONCE = 1000
#: So many leads are named before an undo.
NAMED = 10
NOTHING = "change of a lead by request or job"

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


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What an undo would be about: how many leads (more: at least), the first of them by name, who changed them."""

    operation: Operation
    leads: int
    more: bool
    names: Mapping[UUID, LeadName]
    author: Author


class Undoing:
    """Undo, in the name of the current context."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._leads = LeadService(database)

    async def undo(self, operation: Operation) -> UndoneNow | JobRead:
        """Put back what the operation changed and nobody changed since: at once, or as the job that is given.

        Done twice, it changes nothing the second time. Raises NotFound when it changed no lead, StillRunning for a
        job that has not ended.
        """
        async with self._database.transaction() as session:
            operation = await _ended(session, operation)
            touched = await operations.touched_by(session, operation, AT_ONCE + 1)
            if not touched:
                raise NotFound(NOTHING, operation)
        if len(touched) > AT_ONCE:
            return await self._start(operation)

        async def keep(session: AsyncSession, undone: Sequence[Undone]) -> None:
            await records.keep(session, operation, undone)

        undone = await self._leads.undo(operation, touched, beside=keep)
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
                found = await items.kept_after(session, job.id, place, READ_AT_ONCE)
            if not found:
                return
            place = found[-1][0]
            for each in (await self.described([(lead_id, kept) for _, lead_id, kept in found]))[0]:
                yield each

    async def foresee(self, operation: Operation) -> Foreseen:
        """What an undo would be about. Raises NotFound when it changed no lead, StillRunning as undo does."""
        async with self._database.transaction() as session:
            operation = await _ended(session, operation)
            touched = await operations.touched_by(session, operation, AT_ONCE + 1)
            if not touched:
                raise NotFound(NOTHING, operation)
            entry = await operations.first_of(session, *touched[0])
        async with self._database.reader() as reader:
            names = await names_of(reader, [lead_id for lead_id, _ in touched[:NAMED]])
        return Foreseen(operation, min(len(touched), AT_ONCE), len(touched) > AT_ONCE, names, entry)

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


async def _ended(session: AsyncSession, operation: Operation) -> Operation:
    """The operation as the trail names it. Raises StillRunning for a job that has not ended."""
    job = await queue.find(session, operation.task_id) if operation.task_id else None
    if job is not None and not job.is_finished:
        raise StillRunning("This job still runs. Undo it when it has ended.")
    return records.written_by(job) if job is not None else operation
