"""Merge one lead into another under both locks: the one that goes, then the one that stays, each with its entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.audit import trail
from leads_core.audit.last_changes import last_changes
from leads_core.audit.models import Action
from leads_core.errors import AlreadyMerged, Erased, Invalid, NotFound, StaleVersion
from leads_core.jobs import queue
from leads_core.jobs.models import JobState
from leads_core.leads import changing
from leads_core.leads.merging import Merge, merged
from leads_core.leads.models import Lead
from leads_core.leads.schemas import EnrichmentStatus, LeadRead
from leads_core.leads.writing import locked, write

STOPPED = "The enrichment was stopped: the lead was merged into another one."
ONE_LEAD = "A lead is not merged with itself. Give another one."


async def merge_locked(
    session: AsyncSession, keep_id: UUID, other_id: UUID, wanted: Merge, tried: dict[str, Any]
) -> tuple[Lead, Lead]:
    """The lead that stays and the one that went into the bin, as they stand now. tried: takes what is to be written.

    Locked in order of id: two who merge the same pair, this way and that, wait for each other and the second is
    refused. Raises NotFound, AlreadyMerged, StaleVersion, Erased, Invalid.
    """
    if keep_id == other_id:
        raise Invalid.of("other", ONE_LEAD)
    leads = {lead_id: await locked(session, lead_id, deleted=None) for lead_id in sorted((keep_id, other_id))}
    for lead_id in (keep_id, other_id):
        _refuse(leads[lead_id], wanted)
    keep, other = leads[keep_id], leads[other_id]
    changed = await last_changes(session, [keep_id, other_id])
    values = merged(keep, other, wanted, [changed.get(keep_id, {}), changed.get(other_id, {})])
    tried |= values
    at, task_id = trail.now(), other.enrichment_task_id
    is_enriched = other.enrichment_status == EnrichmentStatus.IN_PROGRESS
    # First the one that goes: the other may take its email.
    gone = {"deleted_at": at, "deleted_by": context.current().actor_id, "merged_into": keep_id}
    await write(session, other, Action.MERGE, {**gone, **(_no_enrichment() if is_enriched else {})}, at)
    await write(session, keep, Action.MERGE, values, at, always=True)
    if is_enriched and task_id is not None:
        # What a worker finds all the same, it finds for nobody: the job is not the lead's any more.
        await queue.finish(session, task_id, JobState.CANCELLED, error=STOPPED)
    return keep, other


def _refuse(lead: Lead, wanted: Merge) -> None:
    if lead.is_deleted and lead.merged_into is not None:
        raise AlreadyMerged(lead.id, lead.merged_into)
    if lead.is_deleted:
        raise NotFound("lead", lead.id)
    version = wanted.versions.get(lead.id)
    if version is not None and version != lead.version:
        raise StaleVersion(LeadRead.of(lead))
    if lead.is_erased:
        raise Erased("This person was erased. The lead is not merged.")


def _no_enrichment() -> Mapping[str, Any]:
    return changing.enrichment_cancelled({})
