"""What leads are called, for lists of other things: entries, jobs, findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

#: By leads_pkey; a few ids of one page.
NAMES = """
    SELECT id, coalesce(company_name, domain, contact_name, email) AS name, deleted_at IS NOT NULL AS in_bin,
           erased_at IS NOT NULL AS is_erased
    FROM leads WHERE id = ANY($1)
"""


@dataclass(frozen=True, slots=True)
class LeadName:
    """A lead as it is called now; name is None where nothing of it is left."""

    name: str | None
    in_bin: bool
    is_erased: bool


async def names_of(reader: asyncpg.Connection, lead_ids: Sequence[UUID]) -> dict[UUID, LeadName]:
    """The leads with these ids, those in the bin too; an id that no lead has is left out."""
    rows = await reader.fetch(NAMES, lead_ids) if lead_ids else []
    return {row["id"]: LeadName(row["name"], row["in_bin"], row["is_erased"]) for row in rows}
