"""The one shape of every change of a lead: lock it, decide, write the entry, then the lead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, Uuid, any_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.audit import trail
from leads_core.audit.models import Action
from leads_core.errors import NotFound
from leads_core.leads import changing
from leads_core.leads.models import LEADS, Lead


async def locked(session: AsyncSession, lead_id: UUID, *, deleted: bool | None) -> Lead:
    """The lead under its row lock; deleted=None takes one from the bin as well. Raises NotFound."""
    lead = await session.get(Lead, lead_id, with_for_update={"key_share": True}, populate_existing=True)
    if lead is None or (deleted is not None and lead.is_deleted != deleted):
        raise NotFound("lead", lead_id)
    return lead


async def locked_rows(
    session: AsyncSession, ids: Sequence[UUID], columns: Iterable[str], *, deleted: bool | None
) -> Sequence[Row[Any]]:
    """These columns of the leads under their row locks; deleted as in locked; who is not there is left out.

    The locks are taken in order of id: whoever locks many waits for whoever else does, and never in a circle.
    """
    wanted = select(*(LEADS.c[name] for name in columns)).where(LEADS.c.id == any_(bindparam("ids", ids, ARRAY(Uuid))))
    if deleted is not None:
        wanted = wanted.where(LEADS.c.deleted_at.is_not(None) if deleted else LEADS.c.deleted_at.is_(None))
    return (await session.execute(wanted.order_by(LEADS.c.id).with_for_update(key_share=True))).all()


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
