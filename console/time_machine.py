"""A lead as it stood at an entry, in words, and what is different today. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from console.trail_page import TrailAddress
from console.trail_wording import BOOKKEEPING, UNSAID, Names, TrailLine, said_value, trail_line
from console.wording import FIELDS, field_label
from leads_core.audit.queries import EntryRead
from leads_core.leads.history import REVERTIBLE, Standing, differing
from leads_core.leads.schemas import LeadRead


@dataclass(frozen=True, slots=True)
class FieldThen:
    """One field: what stood there, where it came from, and what stands there today; None is empty."""

    name: str
    label: str
    then: str | None
    by: str | None
    today: str | None
    differs: bool
    can_be_put_back: bool


@dataclass(frozen=True, slots=True)
class LeadThen:
    """The page of a lead as it stood. fields are those that held something then, or do today."""

    line: TrailLine
    seq: int
    newest: int
    in_bin: bool
    fields: Sequence[FieldThen]
    empty: Sequence[str]
    unknown: Sequence[str]
    put_back: Sequence[str]
    older: str | None
    newer: str | None
    today: str

    @property
    def different(self) -> int:
        """How many of the fields shown are different today."""
        return sum(field.differs for field in self.fields)


def lead_then(
    address: TrailAddress,
    lead: LeadRead,
    past: Standing,
    entry: EntryRead,
    *,
    viewer_id: UUID | None,
    sees_origins: bool,
    can_put_back: bool,
    names: Names,
) -> LeadThen:
    """What stood in each field after this entry."""
    now = lead.model_dump(mode="json")
    back = differing(past, now) if can_put_back and not lead.is_deleted and lead.erased_at is None else []
    known = [name for name in FIELDS if name not in UNSAID and name not in past.unknown]
    fields = [_field(name, past, now, back, names) for name in known]
    held = [field for field in fields if field.then is not None or field.differs]
    return LeadThen(
        line=trail_line(entry, viewer_id, shows_addresses=sees_origins, names=names),
        seq=past.seq,
        newest=lead.version,
        in_bin=past.in_bin,
        fields=held,
        empty=[f.label for f in fields if f.then is None and not f.differs and f.name not in BOOKKEEPING],
        unknown=[field_label(name) for name in FIELDS if name in past.unknown and name not in UNSAID],
        put_back=back,
        older=address.standing_at(past.seq - 1) if past.seq > 1 else None,
        newer=address.standing_at(past.seq + 1) if past.seq < lead.version else None,
        today=f"/leads/{lead.id}",
    )


def _field(name: str, past: Standing, now: Mapping[str, Any], back: Sequence[str], names: Names) -> FieldThen:
    then = said_value(name, past.value(name), names)
    today = said_value(name, now[name], names)
    return FieldThen(
        name=name,
        label=field_label(name),
        then=then,
        by=_source(past.provenance(name)),
        today=today,
        differs=name in back or then != today,
        can_be_put_back=name in back and name in REVERTIBLE,
    )


def _source(provenance: Mapping[str, Any] | None) -> str | None:
    if not isinstance(provenance, Mapping) or provenance.get("source") in (None, "person"):
        return None
    sure = provenance.get("confidence")
    return str(provenance["source"]) if sure is None else f"{provenance['source']} · {sure}\u00a0%"
