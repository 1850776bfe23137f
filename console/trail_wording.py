"""The audit trail in sentences: who did what, and what stood in each field before and after. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol
from uuid import UUID

from console.wording import (
    CHANNELS,
    FIELDS,
    STAGES,
    agent_in_words,
    field_in_sentence,
    field_label,
    number,
    value_in_words,
)
from leads_core.audit.record.entry import PART_OF

#: Bookkeeping that says nothing to a person beside the sentence itself.
UNSAID = frozenset({"enrichment_task_id", "enriched_at", "registrable_domain", "provenance", "merged_into"})
BOOKKEEPING = frozenset({"enrichment_status", "enrichment_outcome", "enrichment_error"})
ADDED = {
    "quick_add": "added it by Quick-Add",
    "form": "added it with the form",
    "api": "added it through the API",
    "import": "added it by an import",
}
DONE = {
    "DELETE": "moved it to the bin",
    "RESTORE": "restored it from the bin",
}
#: What kind of thing an entry did, as a filter offers it.
ACTIONS = {
    "CREATE": "Added",
    "UPDATE": "Changed",
    "ENRICH": "Enriched",
    "REVERT": "Put back",
    "DELETE": "Moved to bin",
    "RESTORE": "Restored",
    "MERGE": "Merged",
    "DISMISS": "Dismissed",
    "ERASE": "Erased",
}
#: What an erasure took, by the part of the trail that held it.
ERASED = {"person": "the person", "text": "description and notes", "data": "the other fields"}
#: Longer values are cut within a sentence.
QUOTED = 60
Names = Mapping[str, str]
ORDER = {field: place for place, field in enumerate(FIELDS)}
FOLD_FROM = 4


class Entry(Protocol):
    """What this module reads of an audit entry."""

    @property
    def action(self) -> str: ...
    @property
    def seq(self) -> int | None: ...
    @property
    def actor_kind(self) -> str: ...
    @property
    def actor_id(self) -> UUID | None: ...
    @property
    def actor_name(self) -> str | None: ...
    @property
    def channel(self) -> str: ...
    @property
    def ip_address(self) -> str | None: ...
    @property
    def user_agent(self) -> str | None: ...
    @property
    def task_id(self) -> UUID | None: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def old_values(self) -> Mapping[str, Any]: ...
    @property
    def new_values(self) -> Mapping[str, Any]: ...
    @property
    def erased(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Difference:
    """One field before and after, in words; None was empty. erased: what stood there was erased on request."""

    label: str
    old: str | None
    new: str | None
    erased: bool = False
    field: str = dataclass_field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class TrailLine:
    """One entry as the trail shows it."""

    who: str
    what: str
    at: datetime
    where: str
    differences: Sequence[Difference]
    folded: str | None
    entry: int | None
    agent: str | None = None


def trail_line(
    entry: Entry, viewer_id: UUID | None, *, shows_addresses: bool = False, names: Names = MappingProxyType({})
) -> TrailLine:
    """The entry for this reader: their own changes are "You"; addresses only for whoever may see them.

    names are those of owners, by id. agent is the browser or script as it calls itself, where it may be seen.
    """
    differences = differences_of(entry, names)
    return TrailLine(
        who=_who(entry, viewer_id),
        what=_what(entry, viewer_id),
        at=entry.occurred_at,
        where=_where(entry, shows_addresses),
        differences=differences,
        folded=_fold(entry, differences),
        entry=entry.seq,
        agent=entry.user_agent if shows_addresses else None,
    )


def differences_of(entry: Entry, names: Names = MappingProxyType({})) -> list[Difference]:
    """Each changed field with its old and new value, in the order people read fields.

    None for an erasure, whose sentence says it all, nor for a dismissal, which changed nothing of the lead.
    """
    if entry.action in {"ERASE", "DISMISS"}:
        return []
    changed = [
        Difference(
            field_label(field),
            said_value(field, entry.old_values.get(field), names),
            said_value(field, entry.new_values.get(field), names),
            field=field,
        )
        for field in _said(entry)
    ]
    erased = sorted((field for field in entry.erased if field not in UNSAID), key=_place)
    return changed + [Difference(field_label(field), None, None, erased=True, field=field) for field in erased]


def said_value(field: str, value: Any, names: Names = MappingProxyType({})) -> str | None:
    """A field's value as the trail says it: an owner by name; None for empty."""
    if field == "owner_id" and value is not None:
        return names.get(str(value), "Somebody who is not here any more")
    return value_in_words(field, value) or None


def fields_in_words(fields: Sequence[str]) -> str:
    """`city and stage`, in the order people read fields; from four on their number."""
    return _listed(sorted(fields, key=_place))


def _who(entry: Entry, viewer_id: UUID | None) -> str:
    if entry.action == "ENRICH" and entry.channel == "worker":
        return "Enrichment"
    return _person(entry, viewer_id)


def _person(entry: Entry, viewer_id: UUID | None) -> str:
    if viewer_id is not None and entry.actor_id == viewer_id:
        return "You"
    return entry.actor_name or "Somebody whose name was erased"


def _what(entry: Entry, viewer_id: UUID | None) -> str:
    if entry.action == "CREATE":
        return ADDED.get(str(entry.new_values.get("source")), "added it")
    if entry.action == "ENRICH":
        return _enriched(entry, viewer_id)
    if entry.action in SENTENCES:
        return SENTENCES[entry.action](entry)
    return DONE.get(entry.action, entry.action.lower().replace("_", " "))


def _put_back(entry: Entry) -> str:
    fields = _said(entry)
    if not fields:
        return "put back what was erased since" if entry.erased else "put back where values came from"
    return f"put back {_listed(fields)}"


def _erased(entry: Entry) -> str:
    parts = {PART_OF.get(field) for field in (*entry.old_values, *entry.new_values, *entry.erased)}
    taken = [words for part, words in ERASED.items() if part in parts]
    return f"erased {_enumerated(taken) or 'values'}, here and in every entry before"


def _dismissed(entry: Entry) -> str:
    fields = _said(entry)
    if len(fields) != 1 or not (value := value_in_words(fields[0], entry.old_values.get(fields[0]))):
        return f"dismissed a suggestion for {_listed(fields)}" if fields else "dismissed a suggestion"
    quoted = value if len(value) <= QUOTED else f"{value[:QUOTED].rstrip()}…"
    return f"dismissed “{quoted}” for {field_in_sentence(fields[0])}"


def taken_in_words(entry: Entry) -> str:
    """What a lead took of one that was merged into it."""
    return f"took {fields_in_words([field for field in _said(entry) if field not in BOOKKEEPING])}"


def _merged(entry: Entry) -> str:
    if "merged_into" in entry.new_values:
        return "merged it into another lead"
    return f"merged another lead into it, {taken_in_words(entry)}"


def _changed(entry: Entry) -> str:
    fields = _said(entry)
    if not fields and entry.erased:
        return "changed what was erased since"
    if fields == ["stage"]:
        old, new = (STAGES.get(str(side.get("stage")), "") for side in (entry.old_values, entry.new_values))
        return f"changed stage from {old} to {new}"
    return f"changed {_listed(fields)}"


def _enriched(entry: Entry, viewer_id: UUID | None) -> str:
    status = entry.new_values.get("enrichment_status")
    if entry.channel != "worker" or status == "in_progress":
        return "started enrichment"
    person = _person(entry, viewer_id)
    whom = "you" if person == "You" else person
    if status == "failed":
        return f"failed for {whom}: {entry.new_values.get('enrichment_error') or 'it did not say why'}"
    filled = [field for field in _said(entry) if field not in BOOKKEEPING]
    if not filled:
        return f"found nothing new for {whom}"
    return f"filled {_listed(filled)} for {whom}"


def _where(entry: Entry, shows_addresses: bool) -> str:
    parts = [CHANNELS.get(entry.channel, entry.channel)]
    if shows_addresses and entry.ip_address:
        parts.append(entry.ip_address)
    if shows_addresses and entry.user_agent:
        parts.append(agent_in_words(entry.user_agent))
    if entry.channel == "worker" and entry.task_id is not None:
        parts.append(f"job {str(entry.task_id)[-8:]}")
    if entry.seq is not None:
        parts.append(f"entry {number(entry.seq)}")
    return " · ".join(parts)


def _fold(entry: Entry, differences: Sequence[Difference]) -> str | None:
    if entry.action == "CREATE":
        return "As it was added"
    known = sum(not difference.erased for difference in differences)
    if known >= FOLD_FROM or (entry.action == "ENRICH" and known):
        return f"{known} {'field' if known == 1 else 'fields'}"
    return None


def _said(entry: Entry) -> list[str]:
    fields = {**entry.old_values, **entry.new_values}
    return sorted((field for field in fields if field not in UNSAID), key=_place)


def _place(field: str) -> tuple[int, str]:
    return ORDER.get(field, 99), field


def _listed(fields: Sequence[str]) -> str:
    if not fields:
        return "nothing"
    if len(fields) >= FOLD_FROM:
        return f"{len(fields)} fields"
    return _enumerated([field_in_sentence(field) for field in fields])


def _enumerated(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


SENTENCES: Mapping[str, Callable[[Entry], str]] = {
    "UPDATE": _changed,
    "REVERT": _put_back,
    "ERASE": _erased,
    "DISMISS": _dismissed,
    "MERGE": _merged,
}
