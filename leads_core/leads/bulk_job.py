"""Runs a bulk job, batch by batch. A batch is one transaction with its outcomes: one that is cut off goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from leads_core import context
from leads_core.database import Database
from leads_core.jobs import queue
from leads_core.jobs.backoff import Retry
from leads_core.jobs.models import JobState
from leads_core.jobs.queue import JobRead
from leads_core.leads import bulk_items
from leads_core.leads.bulk_actions import Asked, BulkAction
from leads_core.leads.bulk_items import WELL, Became, Item
from leads_core.leads.service import LeadService

BATCH = 500
#: So many single outcomes that are no success stand in the job's result; all of them in bulk_items.
LISTED = 100
#: Seconds until a job looks again whether the one it waits for has ended.
LOOKS_AGAIN_AFTER = 0.5

#: Frozen when the job it is about has ended, for until then more may begin.
BEGIN = text("UPDATE jobs SET total = :total WHERE id = :id AND attempt = :attempt AND total IS NULL RETURNING id")


class BulkHandler:
    """Runs bulk jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._leads = LeadService(database)

    async def run(self, job: JobRead) -> None:
        """What is still to be done of the set, batch by batch, unless somebody cancels it meanwhile."""
        asked = Asked.of(job.wanted)
        done, result = job.done, dict(job.result or {"counts": {}, "rows": []})
        state = JobState.COMPLETED
        try:
            if asked.source is not None and job.total is None:
                await self._freeze(job, asked.source)
            while items := await self._next(job.id, done):
                done = await self._batch(job, asked, items, done, result)
        except queue.Overtaken:
            return
        except queue.Stopped:
            state = JobState.CANCELLED
        async with self._database.transaction() as session:
            await queue.finish(session, job.id, state, result=result)

    async def give_up(self, job: JobRead, reason: str) -> None:
        """End the job as failed; what was done before stays done, and is counted in its result."""
        async with self._database.transaction() as session:
            await queue.finish(session, job.id, JobState.FAILED, error=reason)

    async def _freeze(self, job: JobRead, source: UUID) -> None:
        async with self._database.transaction() as session:
            before = await queue.find(session, source)
            if before is not None and not before.is_finished:
                raise Retry(LOOKS_AGAIN_AFTER, "The job whose enrichments are cancelled ends just now.")
            total = await bulk_items.freeze_started(session, job.id, source)
            values = {"total": total, "id": job.id, "attempt": job.attempt}
            if await session.scalar(BEGIN, values) is None:
                raise queue.Overtaken

    async def _next(self, job_id: UUID, place: int) -> list[Item]:
        async with self._database.transaction() as session:
            if items := await bulk_items.from_place(session, job_id, place, BATCH):
                await queue.go_on(session, job_id)
            return items

    async def _batch(
        self, job: JobRead, asked: Asked, items: Sequence[Item], before: int, result: dict[str, Any]
    ) -> int:
        """One batch with its outcomes, all or none. Gives how many are done."""
        # They are for a request's line in the log; a job would keep a hundred thousand of them.
        context.current().receipts.clear()
        async with self._database.one_transaction() as session:
            outcomes = await self._act(asked, items)
            said = [(item, outcomes[item.lead_id]) for item in items]
            _count(result, said)
            await bulk_items.note(session, job.id, said)
            done = before + len(items)
            await queue.note_progress(session, job, before=before, done=done, result=result)
        return done

    async def _act(self, asked: Asked, items: Sequence[Item]) -> Mapping[UUID, Became]:
        ids = [item.lead_id for item in items]
        outcomes: Mapping[UUID, str]
        match asked.action:
            case BulkAction.ENRICH:
                outcomes = await self._leads.enrich_many(ids)
            case BulkAction.CANCEL_ENRICHMENT:
                outcomes = await self._leads.cancel_enrichments(ids, asked.source)
            case _:
                return await self._leads.act_on_many(asked, items)
        return {lead_id: Became(outcome) for lead_id, outcome in outcomes.items()}


def _count(result: dict[str, Any], said: Sequence[tuple[Item, Became]]) -> None:
    counts = Counter(result["counts"])
    counts.update(became.outcome for _, became in said)
    result["counts"] = dict(counts)
    others = [_said(item, became) for item, became in said if became.outcome not in WELL]
    result["rows"] = [*result["rows"], *others][:LISTED]


def _said(item: Item, became: Became) -> dict[str, Any]:
    about = {"about": str(became.about)} if became.about else {}
    return {"lead_id": str(item.lead_id), "outcome": became.outcome, **about}
