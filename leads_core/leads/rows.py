"""A lead as a list shows it: every field of the API, read straight from the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec


class LeadRow(msgspec.Struct, frozen=True):
    """The fields of LeadRead, in its order; encoded by msgspec as they stand."""

    id: UUID
    email: str | None
    domain: str | None
    registrable_domain: str | None
    company_name: str | None
    contact_name: str | None
    job_title: str | None
    phone: str | None
    website: str | None
    linkedin_url: str | None
    industry: str | None
    employee_count: int | None
    city: str | None
    country: str | None
    language: str | None
    description: str | None
    notes: str | None
    tags: list[str]
    stage: str
    owner_id: UUID | None
    follow_up_on: date | None
    source: str
    source_detail: str | None
    is_manual: bool
    enrichment_status: str
    enrichment_outcome: str | None
    enrichment_task_id: UUID | None
    enrichment_error: str | None
    enriched_at: datetime | None
    provenance: dict[str, Any]
    version: int
    created_at: datetime
    created_by: UUID | None
    updated_at: datetime
    updated_by: UUID | None
    deleted_at: datetime | None
    deleted_by: UUID | None
    erased_at: datetime | None
    erased_by: UUID | None
    merged_into: UUID | None

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    @property
    def name(self) -> str:
        """What people call this lead: its company, else its person, else its address."""
        return self.company_name or self.contact_name or self.email or self.domain or "Erased lead"


FIELDS = LeadRow.__struct_fields__
COLUMNS = ", ".join(f"l.{field}" for field in FIELDS)
BY_IDS = f"SELECT {COLUMNS} FROM leads l WHERE l.id = ANY($1)"  # noqa: S608 - our own names
_PROVENANCE = FIELDS.index("provenance")


async def leads_with_ids(reader: asyncpg.Connection, ids: Sequence[UUID]) -> list[LeadRow]:
    """These leads in their order, those in the bin too; an id that no lead has is left out. By leads_pkey."""
    found = {row["id"]: lead_row(row) for row in await reader.fetch(BY_IDS, ids)}
    return [found[lead_id] for lead_id in ids if lead_id in found]


def lead_row(values: Sequence[Any]) -> LeadRow:
    """A row from the columns' values in their order; provenance as the JSON text that a bare connection gives."""
    fields = list(values)
    fields[_PROVENANCE] = {} if fields[_PROVENANCE] == "{}" else msgspec.json.decode(fields[_PROVENANCE])
    return LeadRow(*fields)
