"""End the enrichments of many leads that still wait, in one transaction: as if nobody had asked for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.audit import trail
from leads_core.audit.models import Action
from leads_core.jobs import queue
from leads_core.leads import changing
from leads_core.leads.enriching_many import ASKED_BY, COLUMNS
from leads_core.leads.models import audited
from leads_core.leads.schemas import EnrichmentStatus
from leads_core.leads.writing import locked_rows

Cancelled = Literal["done", "running", "unchanged", "gone"]
"""What became of one lead: cancelled, a worker has it already, nothing waits for it (any more), nowhere."""

CANCEL = text("""
    UPDATE leads SET enrichment_status = ended.status, enrichment_outcome = ended.outcome,
           enrichment_error = ended.error, enrichment_task_id = NULL,
           version = version + 1, updated_at = :at, updated_by = :who
    FROM unnest(:ids, :statuses, :outcomes, :errors) AS ended (id, status, outcome, error) WHERE leads.id = ended.id
""").bindparams(
    bindparam("ids", type_=ARRAY(Uuid)),
    *(bindparam(name, type_=ARRAY(Text)) for name in ("statuses", "outcomes", "errors")),
)


async def cancel_many(session: AsyncSession, ids: Sequence[UUID], asked_by: UUID | None) -> dict[UUID, Cancelled]:
    """End what waits of these leads; what became of each. asked_by: only what this bulk job asked for.

    Locks the leads in order of id, then their jobs, as everybody does. What a worker has already goes on.
    """
    outcomes: dict[UUID, Cancelled] = dict.fromkeys(ids, "gone")
    under_way = []
    # Those in the bin too: their enrichment waits all the same.
    for lead in await locked_rows(session, ids, ("id", "version", *COLUMNS), deleted=None):
        outcomes[lead.id] = "unchanged"
        if lead.enrichment_status == EnrichmentStatus.IN_PROGRESS and lead.enrichment_task_id is not None:
            under_way.append(lead)
    if under_way:
        cancelled = await queue.cancel_many(session, [lead.enrichment_task_id for lead in under_way], _of(asked_by))
        for lead in under_way:
            outcomes[lead.id] = "done" if lead.enrichment_task_id in cancelled else "running"
        await _write(session, [lead for lead in under_way if lead.enrichment_task_id in cancelled], cancelled)
    return outcomes


def _of(asked_by: UUID | None) -> dict[str, str]:
    return {ASKED_BY: str(asked_by)} if asked_by else {}


async def _write(session: AsyncSession, leads: Sequence[Any], wanted: dict[UUID, dict[str, Any]]) -> None:
    if not leads:
        return
    at = trail.now()
    entries = trail.EntryBatch(session, at)
    afters = [changing.enrichment_cancelled(wanted[lead.enrichment_task_id]) for lead in leads]
    for lead, after in zip(leads, afters, strict=True):
        before = {name: audited(getattr(lead, name)) for name in COLUMNS}
        entries.add(Action.ENRICH, lead.id, seq=lead.version + 1, before=before, after=after)
    await entries.write()
    await session.execute(
        CANCEL,
        {
            "ids": [lead.id for lead in leads],
            "statuses": [after["enrichment_status"] for after in afters],
            "outcomes": [after["enrichment_outcome"] for after in afters],
            "errors": [after["enrichment_error"] for after in afters],
            "at": at,
            "who": context.current().actor_id,
        },
    )
