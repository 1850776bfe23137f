"""The undo of many leads, batch by batch: what the trail says of each, what became of it, what was kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.audit.operations import Operation
from leads_core.database import Database
from leads_core.jobs import queue
from leads_core.jobs.models import JobState
from leads_core.jobs.queue import JobRead
from leads_core.leads.service import LeadService
from leads_core.leads.undoing_many import Undone
from leads_core.undoing import items, records

BATCH = 500


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
        """What is still to be done, batch by batch, unless somebody stops it meanwhile."""
        operation, done = operation_of(job), job.done
        result = dict(job.result or records.empty_result())
        state = JobState.COMPLETED
        try:
            if job.total is None:
                async with self._database.transaction() as session:
                    await items.freeze(session, job, operation)
            while batch := await self._next(job.id, done):
                done = await self._batch(job, operation, batch, done, result)
        except queue.Overtaken:
            return
        except queue.Stopped:
            state = JobState.CANCELLED
        async with self._database.transaction() as session:
            await queue.finish(session, job.id, state, result=result)

    async def give_up(self, job: JobRead, reason: str) -> None:
        """End the job as failed; what was put back before stays so, and is counted in its result."""
        async with self._database.transaction() as session:
            await queue.finish(session, job.id, JobState.FAILED, error=reason)

    async def _next(self, job_id: UUID, place: int) -> list[tuple[int, UUID, int]]:
        async with self._database.transaction() as session:
            if batch := await items.from_place(session, job_id, place, BATCH):
                await queue.go_on(session, job_id)
            return batch

    async def _batch(
        self,
        job: JobRead,
        operation: Operation,
        batch: Sequence[tuple[int, UUID, int]],
        before: int,
        result: dict[str, Any],
    ) -> int:
        """One batch with its outcomes, all or none. Gives how many are done."""
        places = {lead_id: place for place, lead_id, _ in batch}
        done = before + len(batch)

        async def note(session: AsyncSession, undone: Sequence[Undone]) -> None:
            records.add(result, undone)
            await items.note(session, job.id, [places[each.lead_id] for each in undone], undone)
            await queue.note_progress(session, job, before=before, done=done, result=result)

        await self._leads.undo(operation, [(lead_id, seq) for _, lead_id, seq in batch], beside=note)
        # They are for a request's line in the log; a job would keep a hundred thousand of them.
        context.current().receipts.clear()
        return done
