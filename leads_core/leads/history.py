"""A lead's past: how it stood at an entry, and what putting that back sets. Pure: the service locks and writes.

Put back is what people and providers say of a lead, with where it came from. What the machine keeps for itself
(the enrichment_ fields, enriched_at) and how the lead came in (source, source_detail) stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leads_core.audit.models import Action
from leads_core.audit.queries import PastEntry
from leads_core.audit.record import entry as record
from leads_core.errors import FieldError, Invalid
from leads_core.leads import changing
from leads_core.leads.models import Lead
from leads_core.leads.schemas import LeadFields, LeadUpdate, parsed

#: The fields that can be put back, in the order of the API.
REVERTIBLE = tuple(LeadFields.model_fields)
_PROVENANCE = "provenance"


@dataclass(frozen=True, slots=True)
class Standing:
    """A lead as it stood after the entry seq: field -> value as entries hold it, null ones absent, with provenance.

    unknown are the fields whose values of that time were erased. in_bin: it lay in the bin.
    """

    seq: int
    values: Mapping[str, Any]
    unknown: frozenset[str] = frozenset()
    in_bin: bool = False

    def value(self, field: str) -> Any:
        """The field's value then; None where it was empty, and where it is not known any more."""
        return _plain(self.values, field)

    def provenance(self, field: str) -> Mapping[str, Any] | None:
        """Where the value came from then; None for a person's word."""
        known: Mapping[str, Any] | None = self.values.get(_PROVENANCE, {}).get(field)
        return known


def state_at(entries: Iterable[PastEntry]) -> Standing:
    """How the lead stood after the last of its entries 1, 2, 3, ... Raises Invalid where one of them is missing."""
    seq, values, unknown, in_bin = 0, dict[str, Any](), set[str](), False
    for entry in entries:
        if entry.seq != seq + 1:
            raise Invalid.of("seq", f"Entry {seq + 1} of this trail is missing. Tell an administrator.")
        seq = entry.seq
        try:
            values, unknown = record.apply(values, entry.parts), _unknown_after(unknown, entry)
        except (TypeError, ValueError, AttributeError, KeyError):
            raise Invalid.of("seq", f"Entry {seq} of this trail cannot be read. Tell an administrator.") from None
        in_bin = entry.action == Action.DELETE or _merged_away(entry) or (in_bin and entry.action != Action.RESTORE)
    return Standing(seq, _without(values, unknown), frozenset(unknown), in_bin)


def _merged_away(entry: PastEntry) -> bool:
    """Whether this entry put the lead into the bin because another took its place."""
    data = entry.parts.get("data")
    return entry.action == Action.MERGE and isinstance(data, list) and "merged_into" in data[1]


def _unknown_after(unknown: set[str], entry: PastEntry) -> set[str]:
    """The fields that are not known after an entry, of those before it."""
    after = set(unknown)
    for name, part in entry.parts.items():
        if name == "origin":
            continue
        fields = set(record.fields_of(name))  # type: ignore[arg-type]
        if isinstance(part, str):
            after |= fields
        else:
            after -= fields if entry.action == Action.ERASE else set(part[1])
    return after


def differing(past: Standing, now: Mapping[str, Any]) -> list[str]:
    """The fields that can be put back and say something else now; now as `audited_values` gives it."""
    return [name for name in REVERTIBLE if name not in past.unknown and past.value(name) != _plain(now, name)]


def putting_back(lead: Lead, past: Standing, fields: Sequence[str] | None = None) -> changing.Values:
    """The columns that take these fields (None: all) back to how they stood; {} when they stand so already.

    A value comes back with its provenance of that time. A field that is emptied stays a person's word, so that no
    machine fills it again. Raises Invalid, which names each field, where the value of that time was erased or does
    not pass today's rules.
    """
    wanted = REVERTIBLE if fields is None else tuple(dict.fromkeys(fields))
    _refuse_unknown(past, wanted)
    changed = [name for name in differing(past, lead.audited_values()) if name in wanted]
    values = parsed(LeadUpdate, {name: past.value(name) for name in changed}).changes()
    if values.keys() & {"email", "domain"}:
        email, domain = (values.get(name, getattr(lead, name)) for name in ("email", "domain"))
        values |= changing.domain_columns(email, domain)
        if email is None and values.get("domain", domain) is None:
            raise Invalid.of("email", "Without email and domain it is no lead. Put one of the two back as well.")
    provenance = dict(lead.provenance)
    for name in wanted:
        _put_back_source(provenance, name, past, emptied=name in changed)
    if provenance != lead.provenance:
        values[_PROVENANCE] = provenance
    return values


def _refuse_unknown(past: Standing, wanted: Iterable[str]) -> None:
    unknown = [name for name in wanted if name in past.unknown]
    if unknown:
        message = "What stood here at that time was erased. Name the fields to put back, without this one."
        raise Invalid([FieldError(name, message) for name in unknown])


def _put_back_source(provenance: dict[str, Any], name: str, past: Standing, *, emptied: bool) -> None:
    """The source of one field, as it was; what is empty now and was empty then keeps its own."""
    if past.value(name) not in (None, []):
        provenance.pop(name, None)
        if (source := past.provenance(name)) is not None:
            provenance[name] = source
    elif emptied and name in changing.FILLABLE:
        provenance[name] = changing.BY_A_PERSON


def _without(values: Mapping[str, Any], unknown: Iterable[str]) -> dict[str, Any]:
    gone = set(unknown)
    kept = {name: value for name, value in values.items() if name not in gone}
    if sources := kept.get(_PROVENANCE):
        kept[_PROVENANCE] = {name: source for name, source in sources.items() if name not in gone}
    return kept


def _plain(values: Mapping[str, Any], field: str) -> Any:
    value = values.get(field)
    return [] if value is None and field == "tags" else value
