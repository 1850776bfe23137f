"""What a revert has to read: the entries up to the one asked for, and whether the owner of that time is still there."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.audit import queries as trail
from leads_core.errors import Erased, Invalid
from leads_core.leads import history
from leads_core.leads.models import Lead
from leads_core.leads.owners import working


async def standing_at(session: AsyncSession, lead: Lead, seq: int) -> history.Standing:
    """The lead after its entry seq. Raises Invalid when it has no such entry."""
    if not 1 <= seq <= lead.version:
        raise Invalid.of("seq", f"This lead has the entries 1 to {lead.version}. Give one of them.")
    standing = history.state_at(await trail.past_of(session, lead.id, seq))
    if standing.seq != seq:
        raise Invalid.of("seq", f"Entry {standing.seq + 1} of this trail is missing. Tell an administrator.")
    return standing


async def refuse_if_gone(
    session: AsyncSession, lead: Lead, past: history.Standing, fields: Sequence[str] | None
) -> None:
    """Raises Erased for a person who was erased, Invalid when the owner to put back does not work here any more."""
    if lead.is_erased:
        raise Erased("This person was erased. Nothing of the lead is put back.")
    if (fields is not None and "owner_id" not in fields) or "owner_id" in past.unknown:
        return
    owner_id = past.value("owner_id")
    if owner_id is None or owner_id == (str(lead.owner_id) if lead.owner_id else None):
        return
    if not is_uuid(owner_id) or not await working(session, [UUID(str(owner_id))]):
        raise Invalid.of("owner_id", "The owner of that time is not here any more. Leave the owner as it is.")


def is_uuid(value: object) -> bool:
    """Whether entries can mean an id by this; a trail that was tampered with may hold anything."""
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True
