"""The one shape of every change of a lead: lock it, decide, write the entry, then the lead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.audit import trail
from leads_core.audit.models import Action
from leads_core.errors import NotFound
from leads_core.leads import changing
from leads_core.leads.models import Lead


async def locked(session: AsyncSession, lead_id: UUID, *, deleted: bool | None) -> Lead:
    """The lead under its row lock; deleted=None takes one from the bin as well. Raises NotFound."""
    lead = await session.get(Lead, lead_id, with_for_update={"key_share": True}, populate_existing=True)
    if lead is None or (deleted is not None and lead.is_deleted != deleted):
        raise NotFound("lead", lead_id)
    return lead


async def write(
    session: AsyncSession, lead: Lead, action: Action, values: Mapping[str, Any], at: datetime, *, always: bool = False
) -> None:
    """Set the columns and write the entry, if anything differs; with always also an entry that changes nothing."""
    if not always and not changing.differs(lead, values):
        return
    before = lead.audited_values()
    changing.set_columns(lead, values)
    lead.version += 1
    lead.updated_at, lead.updated_by = at, context.current().actor_id
    await trail.append(session, action, lead.id, seq=lead.version, before=before, after=lead.audited_values(), at=at)
    await session.flush()
