"""Two leads side by side, and what somebody chose of each: the page of a merge, and its form read back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from console.forms import FOREIGN_VERSION, Form
from console.trail_wording import said_value
from console.wording import field_label
from leads_core.leads.merging import MERGEABLE, Changes, Merge, Side, choices, stays_first
from leads_core.leads.schemas import LeadRead

Place = Literal["first", "second"]
Chosen = Literal["first", "second", "both"]


@dataclass(frozen=True, slots=True)
class Line:
    """A field in which the two differ; None is empty. is_new: it was changed since the page was opened."""

    name: str
    label: str
    first: str | None
    second: str | None
    chosen: Chosen
    can_join: bool
    is_new: bool


@dataclass(frozen=True, slots=True)
class MergeView:
    """Everything the page shows. same: label -> value of the fields that are alike and not empty."""

    first: LeadRead
    second: LeadRead
    stays: Place
    lines: Sequence[Line]
    same: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SentChoice:
    """What came back from the form: which lead stays, the place chosen for each field, the versions looked at."""

    stays: Place
    places: Mapping[str, Chosen] = field(default_factory=dict)
    versions: tuple[int | None, int | None] = (None, None)

    @classmethod
    def of(cls, form: Form) -> SentChoice:
        places: dict[str, Chosen] = {}
        for name in MERGEABLE:
            match form.text(name):
                case "first" | "second" | "both" as place:
                    places[name] = place
        stays: Place = "second" if form.text("stays") == "second" else "first"
        return cls(stays, places, (form.version, _number(form.text("other_version"))))

    def merge(self, first: UUID, second: UUID) -> Merge:
        """As the service takes it."""
        sides = {name: self._side(place) for name, place in self.places.items()}
        looked_at = zip((first, second), self.versions, strict=True)
        return Merge(sides, versions={lead_id: version for lead_id, version in looked_at if version is not None})

    def _side(self, place: Chosen) -> Side:
        if place == "both":
            return "both"
        return "mine" if place == self.stays else "theirs"


def merge_view(
    first: LeadRead,
    second: LeadRead,
    changed: Sequence[Changes],
    names: Mapping[str, str],
    sent: SentChoice | None = None,
    new: frozenset[str] = frozenset(),
) -> MergeView:
    """changed: of first, of second; names: of owners. sent is what was chosen before, where the page comes again."""
    stays: Place = sent.stays if sent else "first" if stays_first(first, second) else "second"
    keep, other = (first, second) if stays == "first" else (second, first)
    keep_changed, other_changed = changed if stays == "first" else changed[::-1]
    found = choices(keep, other, (keep_changed, other_changed))
    goes: Place = "second" if stays == "first" else "first"
    places: dict[Side, Chosen] = {"mine": stays, "theirs": goes, "both": "both"}
    before = sent.places if sent else {}
    values = [lead.model_dump(mode="json") for lead in (first, second)]

    def said(name: str, of: int) -> str | None:
        return said_value(name, values[of][name], names)

    lines = [
        Line(
            one.field,
            field_label(one.field),
            said(one.field, 0),
            said(one.field, 1),
            before.get(one.field, places[one.proposed]),
            one.can_join,
            one.field in new,
        )
        for one in found
    ]
    differing = {one.field for one in found}
    same = {
        field_label(name): value
        for name in MERGEABLE
        if name not in differing and name != "is_manual" and (value := said(name, 0))
    }
    return MergeView(first, second, stays, lines, same)


def _number(text: str) -> int | None:
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else FOREIGN_VERSION
