"""Facts of a lead, as rows to read and to write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.database import new_id
from leads_core.enrichment.merging import Fact
from leads_core.enrichment.models import EnrichmentCheck, LeadFact


@dataclass(frozen=True, slots=True)
class FactRead:
    """A stored fact, with the lead's own view of it: fact is what was found, dismissed_at when it was waved away."""

    id: UUID
    fact: Fact
    task_id: UUID
    dismissed_at: datetime | None


async def facts_of(session: AsyncSession, lead_id: UUID) -> list[FactRead]:
    """All facts of a lead, field by field, the surest first; by ix_lead_facts_lead_id."""
    order = (LeadFact.field, LeadFact.confidence.desc(), LeadFact.fetched_at.desc(), LeadFact.id)
    rows = await session.scalars(select(LeadFact).where(LeadFact.lead_id == lead_id).order_by(*order))
    return [_read(row) for row in rows]


async def replace_facts(
    session: AsyncSession, lead_id: UUID, task_id: UUID, sources: Sequence[str], facts: Iterable[Fact]
) -> None:
    """What these providers say now, in place of what they said before. What a person dismissed stays dismissed."""
    of_lead = LeadFact.lead_id == lead_id
    dismissed = await session.execute(
        select(LeadFact.field, LeadFact.value).where(of_lead, LeadFact.dismissed_at.is_not(None))
    )
    waved_away = {(field, repr(value)) for field, value in dismissed}
    said_before = (of_lead, LeadFact.source.in_(sources), LeadFact.dismissed_at.is_(None))
    await session.execute(delete(LeadFact).where(*said_before), execution_options={"synchronize_session": False})
    rows = [_row(lead_id, task_id, fact) for fact in facts if (fact.field, repr(fact.value)) not in waved_away]
    if rows:
        # Rows, not objects: what the session does for each object costs more than the statement.
        await session.execute(insert(LeadFact), rows)


async def forget_facts(session: AsyncSession, lead_id: UUID) -> int:
    """Remove every fact of a lead, dismissed ones too. Gives their number."""
    gone = await session.execute(delete(LeadFact).where(LeadFact.lead_id == lead_id))
    return int(getattr(gone, "rowcount", 0))


async def mark_dismissed(session: AsyncSession, ids: Sequence[UUID], by: UUID | None) -> None:
    """Somebody waved these facts away: they are suggested no more, also when another provider says the same."""
    await session.execute(
        update(LeadFact)
        .where(LeadFact.id.in_(ids), LeadFact.dismissed_at.is_(None))
        .values(dismissed_at=func.now(), dismissed_by=by)
    )


async def note_checked(session: AsyncSession, lead_id: UUID, at: datetime) -> None:
    """The lead was looked up just now."""
    check = insert(EnrichmentCheck).values(lead_id=lead_id, checked_at=at)
    await session.execute(check.on_conflict_do_update(index_elements=["lead_id"], set_={"checked_at": at}))


async def checked_at(session: AsyncSession, lead_id: UUID) -> datetime | None:
    """When the lead was last looked up, whatever came of it."""
    found: datetime | None = await session.scalar(
        select(EnrichmentCheck.checked_at).where(EnrichmentCheck.lead_id == lead_id)
    )
    return found


def _row(lead_id: UUID, task_id: UUID, fact: Fact) -> dict[str, Any]:
    columns = {name: getattr(fact, name) for name in Fact.__slots__}
    return {"id": new_id(), "lead_id": lead_id, "task_id": task_id, **columns}


def _read(row: LeadFact) -> FactRead:
    fact = Fact(**{name: getattr(row, name) for name in Fact.__slots__})
    return FactRead(row.id, fact, row.task_id, row.dismissed_at)
