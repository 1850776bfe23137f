"""The columns of the list: which there are, which a person chose, how wide, and how each sorts. Pure.

What was chosen is kept as a list of [name, width in pixels or null]. What is read back may be years old: columns that
are gone are passed over, the company is always there and first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from console.list_address import ListAddress
from console.wording import day

#: A width of the design is a multiple of this.
UNIT = 80
NARROWEST, WIDEST = 64, 800
#: Widths that are chosen by name: so much of the standard one.
STEPS = {"narrow": 0.7, "normal": 1, "wide": 1.5}


@dataclass(frozen=True, slots=True)
class Kind:
    """A column that can be chosen. sort: the order it gives. edits: the field that a change of its cells changes.

    shows: the fields that stand in it, where that is not the field it edits or sorts by.
    """

    label: str
    width: int
    sort: str | None = None
    edits: str | None = None
    descending_first: bool = False
    shows: tuple[str, ...] = ()

    @property
    def exports(self) -> tuple[str, ...]:
        """The fields of a lead that a file has for this column."""
        return self.shows or tuple(field for field in (self.edits or self.sort,) if field)


def _units(number: float) -> int:
    return int(UNIT * number)


KINDS = {
    "company": Kind("Company", _units(2.7), "company_name", "company_name"),
    "domain": Kind("Domain", _units(1.9), "domain", "domain"),
    "contact": Kind("Contact", _units(2.6), "contact_name", "contact_name"),
    "email": Kind("Email", _units(2.7), "email", "email"),
    "phone": Kind("Phone", _units(1.9), edits="phone"),
    "title": Kind("Job title", _units(2), edits="job_title"),
    "website": Kind("Website", _units(2.2), edits="website"),
    "stage": Kind("Stage", _units(1.4), "stage", "stage"),
    "enrichment": Kind("Enrichment", _units(2.6), shows=("enrichment_status", "enrichment_outcome")),
    "owner": Kind("Owner", _units(1.8), edits="owner_id"),
    "tags": Kind("Tags", _units(2), edits="tags"),
    "follow_up": Kind("Follow up", _units(2), "follow_up_on", "follow_up_on"),
    "country": Kind("Country", _units(0.95), edits="country"),
    "city": Kind("City", _units(1.5), edits="city"),
    "industry": Kind("Industry", _units(2), edits="industry"),
    "employees": Kind("Employees", _units(1.3), edits="employee_count"),
    "source": Kind("Source", _units(1.2), shows=("source",)),
    "added": Kind("Added", _units(1.5), "created_at", descending_first=True),
    "changed": Kind("Changed", _units(1.5), "updated_at", descending_first=True),
}
STANDARD_NAMES = ("company", "domain", "contact", "email", "stage", "enrichment", "country", "source", "added")
ALWAYS = "company"
#: Numbers and times stand at the end of their cells.
AT_THE_END = frozenset({"employees", "added", "changed"})
RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table; `name` is its class."""

    name: str
    label: str
    width: int
    edits: str | None = None
    at_end: bool = False

    @property
    def can_size(self) -> bool:
        return self.name in KINDS


@dataclass(frozen=True, slots=True)
class SortLink:
    """Where a column's head leads, and what it says of the order now."""

    url: str | None
    aria: Literal["ascending", "descending"] | None


@dataclass(frozen=True, slots=True)
class Offered:
    """A line of the menu of columns. width: the name of its step, or so many pixels where none of them fits."""

    name: str
    label: str
    chosen: bool
    can_leave: bool
    can_rise: bool
    can_sink: bool
    width: str | int = "normal"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a person, in order; width is None where it is the standard one. is_own: chosen, not given."""

    chosen: tuple[tuple[str, int | None], ...]
    is_own: bool = True

    @classmethod
    def read(cls, kept: Any) -> Columns:
        """What set_preference was given, whatever it is by now; the standard columns for nothing."""
        if not isinstance(kept, list):
            return STANDARD
        pairs = [(one[0], one[1]) for one in kept if isinstance(one, list) and len(one) == 2]
        return cls.of((name, width if type(width) is int else None) for name, width in pairs)

    @classmethod
    def of(cls, pairs: Iterable[tuple[Any, int | None]]) -> Columns:
        """These, each once, within the narrowest and the widest; without what nobody knows."""
        found: dict[str, int | None] = {}
        for name, width in pairs:
            if isinstance(name, str) and name in KINDS and name not in found:
                found[name] = None if width is None else min(WIDEST, max(NARROWEST, width))
        first = {ALWAYS: found.pop(ALWAYS, None)}
        return cls(tuple((first | found).items()))

    @property
    def kept(self) -> list[list[Any]]:
        """As set_preference keeps it."""
        return [[name, width] for name, width in self.chosen]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.chosen)

    def exported(self, *, in_bin: bool) -> str:
        """The fields that a file of the table as it is shown has, in its order: `columns` of an export."""
        fields = [field for name in self.names for field in KINDS[name].exports]
        return ",".join("deleted_at" if in_bin and field == "created_at" else field for field in fields)

    def only(self, names: Sequence[str]) -> Columns:
        """Those of these names, what is new among them at the end; each as wide as it was."""
        widths = dict(self.chosen)
        stay = [name for name in self.names if name in names]
        return Columns.of((name, widths.get(name)) for name in [*stay, *names])

    def in_order(self, names: Sequence[str]) -> Columns:
        """The same, in this order; those it does not name come last, as they stood."""
        widths = dict(self.chosen)
        return Columns.of((name, widths[name]) for name in [*names, *self.names] if name in widths)

    def moved(self, name: str, steps: int) -> Columns:
        """One of them so many places further to the right."""
        names = list(self.names)
        if name not in names:
            return self
        place = names.index(name)
        names.insert(max(0, place + steps), names.pop(place))
        return self.in_order(names)

    def placed(self, name: str, before: str) -> Columns:
        """One of them just before another; at the end where that one is not among them."""
        others = [other for other in self.names if other != name]
        place = others.index(before) if before in others else len(others)
        return self.in_order([*others[:place], name, *others[place:]])

    def resized(self, widths: Mapping[str, str]) -> Columns:
        """These of them as wide as the step of that name; what is no step changes nothing."""
        return Columns.of((name, _stepped(name, widths.get(name, ""), width)) for name, width in self.chosen)

    @property
    def offered(self) -> list[Offered]:
        """Every column there is: the chosen ones in their order, then the others in theirs."""
        last = len(self.chosen) - 1
        shown = [
            Offered(name, KINDS[name].label, True, place > 0, place > 1, 0 < place < last, _step(name, width))
            for place, (name, width) in enumerate(self.chosen)
        ]
        rest = [name for name in KINDS if name not in self.names]
        return [*shown, *(Offered(name, KINDS[name].label, False, True, False, False) for name in rest)]

    def in_table(self, *, in_bin: bool, can_edit: bool) -> list[Column]:
        """As the table shows them. In the bin nothing is edited, and each lead has its way back."""
        columns = [_column(name, width, can_edit=can_edit and not in_bin) for name, width in self.chosen]
        if not in_bin:
            return columns
        named = [replace(one, label="Deleted") if one.name == "added" else one for one in columns]
        return [*named, Column(RESTORE, "Restore", _units(1.5), at_end=True)]


STANDARD = Columns(tuple((name, None) for name in STANDARD_NAMES), is_own=False)


def sort_link(name: str, address: ListAddress, order: str) -> SortLink:
    """The head of a column while the list has this order."""
    kind = KINDS.get(name)
    if kind is None or kind.sort is None:
        return SortLink(None, None)
    field = "deleted_at" if address.in_bin and name == "added" else kind.sort
    first, second = (f"-{field}", field) if kind.descending_first else (field, f"-{field}")
    url = address.url(sort=second if order == first else first)
    if order.removeprefix("-") != field:
        return SortLink(url, None)
    return SortLink(url, "descending" if order.startswith("-") else "ascending")


def due_in_words(due: date, today: date) -> str:
    """Today, Tomorrow, Yesterday, else the day."""
    near = {today: "Today", today + timedelta(days=1): "Tomorrow", today - timedelta(days=1): "Yesterday"}
    return near.get(due) or day(due, today)


def _stepped(name: str, step: str, kept: int | None) -> int | None:
    if step not in STEPS:
        return kept
    return None if step == "normal" else max(NARROWEST, int(KINDS[name].width * STEPS[step]))


def _step(name: str, width: int | None) -> str | int:
    named: dict[int | None, str] = {_stepped(name, step, None): step for step in STEPS}
    return named.get(width, width or 0)


def _column(name: str, width: int | None, *, can_edit: bool) -> Column:
    kind = KINDS[name]
    return Column(name, kind.label, width or kind.width, kind.edits if can_edit else None, name in AT_THE_END)
