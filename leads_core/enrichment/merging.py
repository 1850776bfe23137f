"""Which facts fill a lead. Pure: facts and the lead as it stands go in, the columns to set come out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from leads_core.audit.record.entry import timestamp
from leads_core.leads.changing import FILLABLE
from leads_core.leads.schemas import LeadRead, LeadUpdate

#: A fact below this confidence (per cent) is shown, but fills nothing by itself.
ENOUGH = 50


@dataclass(frozen=True, slots=True)
class Fact:
    """What one provider found: confidence in per cent, fetched_at in UTC, url the page where it stands."""

    field: str
    value: Any
    source: str
    confidence: int
    fetched_at: datetime
    url: str | None = None
    suggestion_only: bool = False


def fills(lead: LeadRead, facts: Iterable[Fact]) -> dict[str, Any]:
    """The columns that these facts fill, `provenance` among them; {} when they say nothing new.

    Highest confidence wins, then the freshest. A person's word, and a field that a person emptied, stay.
    """
    best: dict[str, Fact] = {}
    for fact in facts:
        if fact.field in FILLABLE and not fact.suggestion_only and fact.confidence >= ENOUGH:
            held = best.get(fact.field)
            if held is None or (fact.confidence, fact.fetched_at) > (held.confidence, held.fetched_at):
                best[fact.field] = fact
    values: dict[str, Any] = {}
    provenance = dict(lead.provenance)
    for field, fact in sorted(best.items()):
        value = normalised(field, fact.value)
        if value is None or value == getattr(lead, field) or not may_fill(lead, field):
            continue
        values[field] = value
        provenance[field] = source_of(fact)
    return {**values, "provenance": provenance} if values else {}


def may_fill(lead: LeadRead, field: str) -> bool:
    """Whether a machine may set this field: it is empty and no person emptied it, or a machine filled it."""
    known = lead.provenance.get(field)
    if known is None:
        return getattr(lead, field) is None
    return bool(known.get("source") != "person")


def is_suggestion(lead: LeadRead, fact: Fact) -> bool:
    """Whether the fact says something else than the lead: then a person may accept or dismiss it."""
    if fact.field not in FILLABLE:
        return False
    value = normalised(fact.field, fact.value)
    return value is not None and value != getattr(lead, fact.field)


def normalised(field: str, value: Any) -> Any:
    """The value as the lead would hold it, or None when it breaks the field's rules."""
    try:
        return LeadUpdate.model_validate({field: value}).changes().get(field)
    except ValidationError:
        return None


def source_of(fact: Fact) -> Mapping[str, Any]:
    """What a lead's provenance says of a field that this fact filled."""
    return {
        "source": fact.source,
        "confidence": fact.confidence,
        "found_at": timestamp(fact.fetched_at),
        "url": fact.url,
    }
