"""Two people changed one lead: which fields are at odds, and what may be saved without asking. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from console.forms import as_text
from console.trail_wording import Entry
from console.wording import FIELDS
from leads_core.leads.schemas import LeadRead, LeadUpdate


@dataclass(frozen=True, slots=True)
class FieldAtOdds:
    """A field that both changed, each value as a form holds it."""

    name: str
    mine: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """What to choose, and my other changes, which come along whatever is chosen."""

    who: str
    fields: Sequence[FieldAtOdds]
    kept: Mapping[str, str]


def conflict_of(
    typed: Mapping[str, str],
    wanted: LeadUpdate,
    current: LeadRead,
    since: Sequence[Entry],
    viewer_id: UUID | None,
) -> Conflict:
    """typed and wanted are my form, as text and as values; since are the entries after the version it was made from.

    A field I left as I found it is theirs; one they left alone is mine; one we set alike is no question.
    """
    mine = wanted.model_dump(mode="json", exclude_unset=True)
    theirs = current.model_dump(mode="json")
    before = _before(since)
    fields: list[FieldAtOdds] = []
    kept: dict[str, str] = {}
    for name in sorted(mine, key=list(FIELDS).index):
        if mine[name] == theirs[name] or (name in before and mine[name] == _comparable(name, before[name])):
            continue
        if name in before:
            fields.append(FieldAtOdds(name, typed[name], as_text(getattr(current, name))))
        else:
            kept[name] = typed[name]
    return Conflict(_who(since, viewer_id), fields, kept)


def _before(since: Sequence[Entry]) -> dict[str, Any]:
    """Field -> what stood there before the first of these entries."""
    before: dict[str, Any] = {}
    for entry in sorted(since, key=lambda entry: entry.seq or 0):
        for name in {**entry.old_values, **entry.new_values}:
            before.setdefault(name, entry.old_values.get(name))
    return before


def _comparable(name: str, value: Any) -> Any:
    return [] if name == "tags" and value is None else value


def _who(since: Sequence[Entry], viewer_id: UUID | None) -> str:
    if not since:
        return "Somebody"
    newest = max(since, key=lambda entry: entry.seq or 0)
    if newest.channel == "worker":
        return "Enrichment"
    if viewer_id is not None and newest.actor_id == viewer_id:
        return "You, in another window,"
    return newest.actor_name or "Somebody"
