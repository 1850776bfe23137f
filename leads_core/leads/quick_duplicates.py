"""A Quick-Add line whose lead is there already: which one it is, and what the line knows that the lead does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.errors import Invalid
from leads_core.leads.models import Lead
from leads_core.leads.quick_add import parse_quick_add
from leads_core.leads.schemas import LeadRead

#: What a line can say beside whose lead it is, in the order in which people read it.
SAYS = ("contact_name", "company_name", "website", "domain")


def what_is_new(fields: Mapping[str, Any], lead: Any) -> dict[str, str]:
    """The fields that the line names and the lead leaves empty. Nothing of an erased person is new."""
    if lead.erased_at is not None:
        return {}
    return {name: fields[name] for name in SAYS if fields.get(name) and getattr(lead, name) is None}


def fields_about(line: str, lead: Any) -> Mapping[str, Any]:
    """What a line says of this lead. Raises Invalid when it cannot be read, or is another lead's."""
    read = parse_quick_add(line)
    if len(read) != 1 or (fields := read[0].fields) is None:
        raise Invalid.of("line", (read and read[0].reason) or "Send one line, as Ana <ana@acme.com>.")
    same = fields["email"] == lead.email and (lead.email is not None or fields["domain"] == lead.domain)
    if not same:
        raise Invalid.of("line", "This line is not about this lead. Look at the list again.")
    return fields


async def read_existing(session: AsyncSession, lead_id: UUID) -> LeadRead | None:
    """The lead in the way, live or in the bin, unless it has left meanwhile."""
    lead = await session.get(Lead, lead_id)
    return LeadRead.of(lead) if lead else None
