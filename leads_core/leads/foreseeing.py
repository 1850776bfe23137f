"""What an import would do, without doing it: each row's outcome after the rows before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.leads.row_matching import (
    Existing,
    Found,
    Outcome,
    Upserted,
    UpsertRow,
    Values,
    changes_of,
    decide,
    existing_owners,
    ids_of,
    leads_with,
)
from leads_core.leads.schemas import LeadCreate

_SHOWN = tuple(LeadCreate.model_fields)


@dataclass(slots=True)
class Foreseen:
    """What the earlier rows of a file would have made: for a check, which writes nothing."""

    #: Domain -> the fields that the first lead there would have.
    created_at: dict[str, set[str]] = field(default_factory=dict)
    #: Lead -> the fields that would have been filled.
    filled: dict[UUID, set[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """What one row would do: field, old value, new value. lead_id and lead_name say which lead it found."""

    number: int
    outcome: Outcome
    fields: tuple[tuple[str, Any, Any], ...] = ()
    lead_id: UUID | None = None
    lead_name: str = ""


async def differences(session: AsyncSession, rows: Sequence[UpsertRow], existing: Existing) -> list[Difference]:
    """What each row would change, field by field, as the leads are now; a row alone, without those before it."""
    leads = await leads_with(session, await ids_of(session, rows))
    found, owners = Found.of(leads), await existing_owners(session, rows)
    seen: list[Difference] = []
    for row in rows:
        decided = decide([row], found, existing, owners)
        for _, values in decided.new:
            said = {"email", "domain", "tags", *row.given}
            new = [(name, None, values[name]) for name in _SHOWN if name in said and values[name] not in (None, [])]
            seen.append(Difference(row.number, "created", tuple(new)))
        for _, before, changes in decided.changes:
            changed = [(name, getattr(before, name), changes[name]) for name in _SHOWN if name in changes]
            seen.append(Difference(row.number, "updated", tuple(changed), before.id, _name_of(before)))
        for settled in decided.settled:
            name = next((_name_of(lead) for lead in leads if lead.id == settled.lead_id), "")
            seen.append(Difference(row.number, settled.outcome, (), settled.lead_id, name))
    return seen


def _name_of(lead: Row[Any]) -> str:
    return str(lead.company_name or lead.contact_name or lead.email or lead.domain or "Erased lead")


async def check_many(
    session: AsyncSession, rows: Sequence[UpsertRow], existing: Existing, foreseen: Foreseen
) -> list[Upserted]:
    """What upsert_many would make of the rows, after those that went into foreseen."""
    leads = await leads_with(session, await ids_of(session, rows))
    decided = decide(rows, Found.of(leads), existing, await existing_owners(session, rows))
    outcomes = decided.settled
    for row, values in decided.new:
        outcomes.append(_foresee_new(row, values, existing, foreseen))
    for row, before, values in decided.changes:
        outcomes.append(_foresee_change(row, before, values, foreseen))
    for row, touched in decided.waiting:
        if touched is None:
            outcomes.append(_foresee_new(row, {"domain": row.lead.domain}, existing, foreseen))
        else:
            outcomes.append(_foresee_change(row, touched, changes_of(row, touched, existing), foreseen))
    return sorted(outcomes, key=lambda outcome: outcome.number)


def _foresee_new(row: UpsertRow, values: Values, existing: Existing, foreseen: Foreseen) -> Upserted:
    """A new lead, or, for a domain alone, what it adds to the lead that an earlier row would have made there."""
    domain = values["domain"]
    if row.lead.email is None and domain in foreseen.created_at:
        missing = set(row.given) - foreseen.created_at[domain]
        if existing is Existing.LEAVE or not missing:
            return Upserted(row.number, "unchanged")
        foreseen.created_at[domain] |= missing
        return Upserted(row.number, "updated")
    if domain is not None and row.lead.email is not None:
        has = {name for name, value in values.items() if value is not None and value != []}
        foreseen.created_at.setdefault(domain, has)
    return Upserted(row.number, "created")


def _foresee_change(row: UpsertRow, before: Row[Any], changes: Values, foreseen: Foreseen) -> Upserted:
    filled = foreseen.filled.setdefault(before.id, set())
    outcome: Outcome = "updated" if changes.keys() - filled else "unchanged"
    filled |= changes.keys()
    return Upserted(row.number, outcome, before.id)
