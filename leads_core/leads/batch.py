"""Up to a few hundred leads at once, by identity, as scripts send them: each created, filled, or refused by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leads_core.database import Database
from leads_core.errors import FieldError, Invalid
from leads_core.leads.row_matching import Existing, Outcome, Upserted, UpsertRow
from leads_core.leads.schemas import LeadCreate, LeadRead, Source, parsed
from leads_core.leads.service import LeadService

LARGEST = 500


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of one of them: the lead as it stands, or the error that names its field, `leads.3.email`."""

    index: int
    outcome: Outcome
    lead: LeadRead | None = None
    error: Invalid | None = None


async def upsert_batch(
    database: Database, leads: Sequence[Any], existing: Existing, *, enrich: bool = False
) -> list[BatchResult]:
    """Each of them as an import would, in one transaction and in their order; what became of each, in their order.

    A null says nothing, as an empty cell does. Of two with one identity the second meets the lead of the first.
    """
    rows, refused = _read(leads)
    service = LeadService(database)
    outcomes: list[Upserted] = []
    async with database.one_transaction():
        for wave in _waves(rows):
            outcomes += await service.import_rows(wave, existing, enrich=enrich)
        found = await service.read_many([outcome.lead_id for outcome in outcomes if outcome.lead_id])
    return sorted([*refused, *(_result(outcome, found) for outcome in outcomes)], key=lambda result: result.index)


def _read(leads: Sequence[Any]) -> tuple[list[UpsertRow], list[BatchResult]]:
    rows, refused = [], []
    for index, given in enumerate(leads):
        said = {name: value for name, value in given.items() if value is not None} if isinstance(given, dict) else given
        try:
            row = UpsertRow(index, parsed(LeadCreate, said, f"leads.{index}"), frozenset(said), Source.API)
            row.as_new()
            rows.append(row)
        except Invalid as error:
            refused.append(BatchResult(index, "rejected", error=_of_lead(index, error.errors)))
    return rows, refused


def _waves(rows: Sequence[UpsertRow]) -> list[list[UpsertRow]]:
    """In each no identity stands twice; a later one with it is in a later wave."""
    waves: list[list[UpsertRow]] = []
    times: dict[str, int] = {}
    for row in rows:
        identity = row.lead.email or row.lead.domain or ""
        place = times.get(identity, 0)
        times[identity] = place + 1
        if place == len(waves):
            waves.append([])
        waves[place].append(row)
    return waves


def _result(outcome: Upserted, found: Mapping[UUID, LeadRead]) -> BatchResult:
    error = _of_lead(outcome.number, [outcome.error]) if outcome.error else None
    lead = found.get(outcome.lead_id) if outcome.lead_id else None
    return BatchResult(outcome.number, outcome.outcome, lead, error)


def _of_lead(index: int, errors: Iterable[FieldError]) -> Invalid:
    """With the place of the lead in each field's name."""
    return Invalid([_at(index, each) for each in errors])


def _at(index: int, error: FieldError) -> FieldError:
    is_placed = error.field.startswith("leads.")
    return error if is_placed else FieldError(f"leads.{index}.{error.field}", error.message)
