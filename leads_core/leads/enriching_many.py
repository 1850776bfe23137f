"""Begin the enrichment of many leads in one transaction: each with its entry and its job, in four round trips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.audit import trail
from leads_core.audit.models import Action
from leads_core.database import new_id
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.leads import changing
from leads_core.leads.models import audited
from leads_core.leads.schemas import EnrichmentStatus
from leads_core.leads.writing import locked_rows

Begun = Literal["started", "running", "erased", "gone"]
"""What became of one lead: started now, was under way already, its person was erased, in the bin or nowhere."""

#: What a job keeps in `wanted`: the bulk job that asked for it, so that it can be cancelled with that one.
ASKED_BY = "bulk"
COLUMNS = ("enrichment_status", "enrichment_outcome", "enrichment_error", "enrichment_task_id")
BEGIN = text("""
    UPDATE leads SET enrichment_status = 'in_progress', enrichment_outcome = NULL, enrichment_error = NULL,
           enrichment_task_id = begun.task_id, version = version + 1, updated_at = :at, updated_by = :who
    FROM unnest(:ids, :tasks) AS begun (id, task_id) WHERE leads.id = begun.id
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("tasks", type_=ARRAY(Uuid)))


async def enrich_many(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, Begun]:
    """Begin what can begin; what became of each. Locks the leads in order of id."""
    outcomes: dict[UUID, Begun] = dict.fromkeys(ids, "gone")
    begun = []
    for lead in await locked_rows(session, ids, ("id", "version", "erased_at", *COLUMNS), deleted=False):
        outcomes[lead.id] = _what_of(lead)
        if outcomes[lead.id] == "started":
            begun.append((lead, new_id()))
    if begun:
        await _begin(session, begun)
    return outcomes


def _what_of(lead: Any) -> Begun:
    if lead.erased_at is not None:
        return "erased"
    return "running" if lead.enrichment_status == EnrichmentStatus.IN_PROGRESS else "started"


async def _begin(session: AsyncSession, begun: Sequence[tuple[Any, UUID]]) -> None:
    """Entries first, then the leads, then their jobs."""
    at = trail.now()
    entries = trail.EntryBatch(session, at)
    for lead, task_id in begun:
        before = {name: audited(getattr(lead, name)) for name in COLUMNS}
        after = {name: audited(value) for name, value in changing.enrichment_begun(task_id).items()}
        entries.add(Action.ENRICH, lead.id, seq=lead.version + 1, before=before, after=after)
    await entries.write()
    ids, tasks = [lead.id for lead, _ in begun], [task_id for _, task_id in begun]
    await session.execute(BEGIN, {"ids": ids, "tasks": tasks, "at": at, "who": context.current().actor_id})
    bulk = context.current().task_id
    asked_by = {ASKED_BY: str(bulk)} if bulk else {}
    jobs = [(task_id, lead.id, {**changing.before_enrichment(lead), **asked_by}) for lead, task_id in begun]
    await queue.start_many(session, JobKind.ENRICHMENT, jobs, priority=queue.PRIORITY_BULK)
