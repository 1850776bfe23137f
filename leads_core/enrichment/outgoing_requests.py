"""What left the house for a lead: written by the coordinator, read in the drawer, gone with the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.database import new_id
from leads_core.enrichment.models import OutgoingRequest
from leads_core.outgoing.recording import RequestRecord

LONGEST_URL = 2048
# Waits for an erasure that has begun.
ERASED = text("SELECT erased_at IS NOT NULL FROM leads WHERE id = :lead_id FOR SHARE")


@dataclass(frozen=True, slots=True)
class OutgoingRequestRead:
    """One request: when, by which provider, to whom, what came back (status, bytes) or why nothing did."""

    id: UUID
    task_id: UUID
    requested_at: datetime
    provider: str
    url: str
    host: str
    address: str | None
    status: int | None
    bytes: int
    error: str | None


async def note(session: AsyncSession, lead_id: UUID, task_id: UUID, records: Sequence[RequestRecord]) -> None:
    """Keep the requests that were made for this lead by this job. A lead that was erased meanwhile keeps none."""
    if await session.scalar(ERASED, {"lead_id": lead_id}):
        return
    rows = [
        {
            "id": new_id(),
            "lead_id": lead_id,
            "task_id": task_id,
            "requested_at": record.when,
            "provider": record.purpose,
            "url": record.url[:LONGEST_URL],
            "host": record.host,
            "address": record.address,
            "status": record.status,
            "bytes": record.bytes,
            "error": record.error,
        }
        for record in sorted(records, key=lambda record: record.when)
    ]
    await session.execute(insert(OutgoingRequest), rows)


async def requests_of(
    session: AsyncSession, lead_id: UUID, *, before: UUID | None = None, limit: int = 200
) -> list[OutgoingRequestRead]:
    """The newest requests for a lead, from before an id on, by ix_outgoing_requests_lead_id."""
    wanted = select(OutgoingRequest).where(OutgoingRequest.lead_id == lead_id)
    if before is not None:
        wanted = wanted.where(OutgoingRequest.id < before)
    rows = await session.scalars(wanted.order_by(OutgoingRequest.id.desc()).limit(limit))
    names = OutgoingRequestRead.__slots__
    return [OutgoingRequestRead(**{name: getattr(row, name) for name in names}) for row in rows]


async def forget_of(session: AsyncSession, lead_id: UUID) -> None:
    """Remove a lead's requests, with the person who is forgotten: addresses may name them."""
    await session.execute(delete(OutgoingRequest).where(OutgoingRequest.lead_id == lead_id))
