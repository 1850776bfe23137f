"""What erasing takes away from a lead, what stays, and the writing of both under the lead's lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.audit import erasure, trail
from leads_core.audit.models import Action
from leads_core.audit.record.entry import PART_OF, PartName, fields_of
from leads_core.errors import FieldError, Invalid
from leads_core.jobs import queue
from leads_core.jobs.models import JobState
from leads_core.leads import changing
from leads_core.leads.models import Lead
from leads_core.leads.schemas import EnrichmentStatus, LeadRead

PARTS: tuple[PartName, ...] = ("person", "text", "data")
#: Where the lead stands with us, and by which door it came: nothing of a person, and columns that cannot be empty.
STAYS = frozenset(
    {
        *("stage", "source", "is_manual", "owner_id"),
        *("enrichment_status", "enrichment_outcome", "enrichment_task_id", "enriched_at", "merged_into"),
    }
)
#: Follows the domain.
DERIVED = "registrable_domain"
STOPPED = "The enrichment was stopped: what it looked for was erased."


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is to be forgotten: whole parts of a lead, here and in its trail, but the values of `keep` stay.

    Raises Invalid for what is no part, and for a field to keep that is in none of the parts.
    """

    parts: frozenset[str] = frozenset({"person"})
    keep: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        errors = [
            FieldError("parts", f"{part!r} is no part of a lead. Choose among person, text and data.")
            for part in sorted(self.parts - {*PARTS})
        ]
        if not self.parts:
            errors.append(FieldError("parts", "Choose at least one of person, text and data."))
        errors += [
            FieldError("keep", f"{field!r} is no field of what is erased. Leave it out: it stays anyhow.")
            for field in sorted(self.keep)
            if PART_OF.get(field) not in self.parts
        ]
        if errors:
            raise Invalid(errors)

    @property
    def of_person(self) -> bool:
        """Whether the lead counts as erased afterwards: never enriched or put back again."""
        return "person" in self.parts

    @property
    def names(self) -> list[str]:
        """The parts, in their order."""
        return [part for part in PARTS if part in self.parts]

    @property
    def going(self) -> tuple[str, ...]:
        """The fields that lose their value."""
        stays = STAYS | self.keep | ({DERIVED} if "domain" in self.keep else set())
        return tuple(field for part in self.names for field in fields_of(part) if field not in stays)  # type: ignore[arg-type]


def columns_after(lead: Lead | LeadRead, wanted: Erasure) -> dict[str, Any]:
    """The columns to set. Raises Invalid when a lead whose person stays would have neither email nor domain."""
    values: dict[str, Any] = {field: [] if field == "tags" else None for field in wanted.going}
    erased = wanted.of_person or lead.erased_at is not None
    if not erased and values.get("domain", lead.domain) is None and lead.email is None:
        raise Invalid.of("keep", "Keep the domain, or erase the person too: a lead needs an email or a domain.")
    provenance = {field: source for field, source in lead.provenance.items() if field not in values}
    if not erased:
        # Nobody fills in again what was erased: as with every field that a person emptied.
        provenance |= {field: changing.BY_A_PERSON for field in values if field in changing.FILLABLE}
    return {**values, "provenance": provenance}


async def erase_locked(session: AsyncSession, lead: Lead, wanted: Erasure) -> bool:
    """Forget under the lead's lock: entries, then the lead. False, and nothing written, when nothing was left to go."""
    values = columns_after(lead, wanted)
    marked = lead.is_erased or not wanted.of_person
    if marked and not changing.differs(lead, values) and not await erasure.holding(session, lead.id, wanted.names):
        return False
    if lead.enrichment_status == EnrichmentStatus.IN_PROGRESS:
        await _stop_enrichment(session, lead)
    at = trail.now()
    changing.set_columns(lead, values)
    if wanted.of_person:
        lead.erased_at, lead.erased_by = at, context.current().actor_id
    _next_version(lead, at)
    await erasure.erase(session, lead.id, lead.audited_values(), wanted.names, seq=lead.version, at=at)
    await session.flush()
    return True


async def _stop_enrichment(session: AsyncSession, lead: Lead) -> None:
    """Its own entry: an ERASE holds nothing but what it erases. What the job still finds, it finds for nobody."""
    before, at, task_id = lead.audited_values(), trail.now(), lead.enrichment_task_id
    stopped: Mapping[str, Any] = {
        "enrichment_status": EnrichmentStatus.PENDING.value,
        "enrichment_outcome": None,
        "enrichment_error": None,
        "enrichment_task_id": None,
    }
    changing.set_columns(lead, stopped)
    _next_version(lead, at)
    after = lead.audited_values()
    await trail.append(session, Action.ENRICH, lead.id, seq=lead.version, before=before, after=after, at=at)
    await session.flush()
    if task_id is not None:
        await queue.finish(session, task_id, JobState.CANCELLED, error=STOPPED)


def _next_version(lead: Lead, at: datetime) -> None:
    lead.version += 1
    lead.updated_at, lead.updated_by = at, context.current().actor_id
