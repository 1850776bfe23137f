"""A filter as SQL: what can drive a statement by an index of its own, and what is tested on each row. Pure.

A test is wrapped in IS TRUE, which no index matches: a statement then has one plan, whatever the planner guesses of
its parameters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from leads_core.leads import facets
from leads_core.leads.filters import Choice, LeadFilter, Range
from leads_core.leads.normalising import escape_like

#: Sorts after everything that begins with the text before it.
HIGHEST = "\U0010ffff"


class Values:
    """A statement's parameters, numbered as they are added."""

    def __init__(self) -> None:
        self.given: list[Any] = []
        self._names: list[str] = []

    @property
    def typed(self) -> str:
        """A query of all of them. A statement that leaves one out would not know its type without it."""
        return f"SELECT {', '.join(f'{name} AS given_{n}' for n, name in enumerate(self._names)) or '1'}"

    def add(self, value: Any, kind: str) -> str:
        """The parameter's name, with its type: generic plans must not guess."""
        self.given.append(value)
        self._names.append(f"${len(self.given)}::{kind}")
        return self._names[-1]


@dataclass(frozen=True, slots=True)
class Driver:
    """A condition that an index answers alone.

    equals and values: rows with column = any of the values, each value's by creation. range_on: rows whose column lies
    in a range, in that column's order, from start and before end. leading: a column to order by first, so that the
    index's order is seen. subset: an index by creation holds those rows alone. several: a lead may have more than one
    of the values. is_null: the rows have no value in the column. beside: the column is another table's, joined as c,
    and these are its bounds there.
    """

    name: str
    condition: str
    equals: str | None = None
    values: str | None = None
    range_on: str | None = None
    leading: str | None = None
    subset: bool = False
    several: bool = False
    is_null: bool = False
    beside: str | None = None
    start: str | None = None
    end: str | None = None

    @property
    def is_by_creation(self) -> bool:
        by_own_index = self.equals is not None or self.leading is not None or self.subset
        return by_own_index or self.range_on == "created_at"


@dataclass(slots=True)
class Conditions:
    """Everything a filter asks for, its parameters already among the values."""

    in_bin: bool
    allowed: dict[str, frozenset[int]]
    values: Values
    drivers: list[Driver] = field(default_factory=list)
    tests: list[str] = field(default_factory=list)
    _codes: str = ""
    _coded_tests: list[str] = field(default_factory=list)

    @property
    def is_coded(self) -> bool:
        """Whether the facet answers some of the filter."""
        return bool(self.allowed)

    @property
    def codes(self) -> str:
        """The codes that pass. Made when first asked for: a parameter that a statement does not use has no type."""
        if not self._codes:
            self._codes = self.values.add(facets.codes_for(self.allowed), "smallint[]")
        return self._codes

    @property
    def lives(self) -> str:
        return "l.deleted_at IS NOT NULL" if self.in_bin else "l.deleted_at IS NULL"

    @property
    def is_impossible(self) -> bool:
        """Two filters exclude each other: no lead can be meant."""
        return bool(self.valued & self.empty) or any(not positions for positions in self.allowed.values())

    @property
    def valued(self) -> set[str]:
        """Columns that are null in no lead that matches."""
        names = {driver.range_on or driver.name for driver in self.drivers if not driver.is_null}
        return {"domain" if name == "registrable_domain" else name for name in names}

    @property
    def empty(self) -> set[str]:
        """Columns that are null in every lead that matches."""
        return {driver.name for driver in self.drivers if driver.is_null}

    @property
    def created(self) -> Driver | None:
        """The range of creation."""
        return next((driver for driver in self.drivers if driver.range_on == "created_at"), None)

    def tests_beside(self, driver: Driver | None, *, codes: bool = True, created: bool = True) -> list[str]:
        """What is left to test on each row that the driver gives.

        codes=False where they drive; created=False where an index that ends in created_at drives, which has its range.
        """
        left = [
            _tested(other.condition)
            for other in self.drivers
            if other is not driver and (created or other is not self.created)
        ]
        return [*(self._coded() if codes and self.is_coded else []), *left, *self.tests]

    def _coded(self) -> list[str]:
        if not self._coded_tests:
            self._coded_tests = coded_tests(self.allowed, self.values)
        return self._coded_tests


def conditions_of(wanted: LeadFilter, values: Values) -> Conditions:
    """The filter's conditions; of its search only a short one, which is by the company's name, and one in the bin."""
    found = Conditions(wanted.deleted, wanted.coded(), values)
    # The most selective first: where nothing else decides, the first one drives.
    _add_equality(found, "domain", wanted.domain, values)
    _add_equality(found, "registrable_domain", wanted.registrable_domain, values)
    _add_tags(found, wanted.tag, values)
    _add_range(found, "follow_up_on", "date", wanted.follow_up, values)
    _add_presence(found, "follow_up_on", wanted.has_follow_up)
    _add_range(found, "enriched_at", "timestamptz", wanted.enriched, values)
    _add_checked(found, wanted.checked, values)
    _add_equality(found, "owner_id", wanted.owner, values, "uuid[]")
    _add_equality(found, "country", wanted.country, values)
    _add_equality(found, "updated_by", wanted.updated_by, values, "uuid[]")
    _add_range(found, "updated_at", "timestamptz", wanted.updated, values)
    _add_range(found, "created_at", "timestamptz", wanted.created, values)
    if wanted.pattern is not None and wanted.is_short_search:
        _add_range(found, "company_sort", "text", Range(wanted.pattern, wanted.pattern + HIGHEST), values)
    if wanted.deleted:
        if wanted.pattern is not None and not wanted.is_short_search:
            found.tests.append(f"l.search_text LIKE {values.add(like(wanted), 'text')}")
        found.tests = found.tests_beside(None, codes=False)
        found.drivers = []
    return found


def coded_tests(allowed: facets.Positions, values: Values) -> list[str]:
    """The facet tested by its bits: a list of all codes would be gone through for each row."""
    return [
        f"((l.facet >> {part.shift}) & {part.places - 1}) = ANY ({values.add(sorted(allowed[name]), 'integer[]')})"
        for name, part in facets.DIMENSIONS.items()
        if name in allowed
    ]


def like(wanted: LeadFilter) -> str:
    """The pattern of a search, as LIKE takes it."""
    return f"%{escape_like(wanted.pattern or '')}%"


def _tested(condition: str) -> str:
    return f"({condition}) IS TRUE"


def _add_equality(found: Conditions, column: str, choice: Choice, values: Values, kind: str = "text[]") -> None:
    """A column with an index (column, created_at, id), which holds those without a value too."""
    given, excluded = _given(choice.any_of), _given(choice.none_of)
    if given and None in choice.any_of:
        found.tests.append(f"(l.{column} IS NULL OR l.{column} = ANY ({values.add(given, kind)}))")
    elif given:
        wanted = values.add(given, kind)
        found.drivers.append(Driver(column, f"l.{column} = ANY ({wanted})", equals=f"l.{column}", values=wanted))
    elif choice.any_of:
        found.drivers.append(Driver(column, f"l.{column} IS NULL", leading=column, is_null=True))
    if excluded:
        found.tests.append(f"(l.{column} = ANY ({values.add(excluded, kind)})) IS NOT TRUE")
    if None in choice.none_of:
        found.drivers.append(Driver(column, f"l.{column} IS NOT NULL", range_on=column))


def _add_tags(found: Conditions, choice: Choice, values: Values) -> None:
    given, excluded = _given(choice.any_of), _given(choice.none_of)
    if given and None in choice.any_of:
        found.tests.append(f"(l.tags = '{{}}' OR l.tags && {values.add(given, 'text[]')})")
    elif given:
        wanted = values.add(given, "text[]")
        found.drivers.append(Driver("tag", f"l.tags && {wanted}", "t.tag", wanted, several=len(given) > 1))
    elif choice.any_of:
        found.drivers.append(Driver("tags", "l.tags = '{}'", subset=True, is_null=True))
    if excluded:
        found.tests.append(f"NOT (l.tags && {values.add(excluded, 'text[]')})")
    if None in choice.none_of:
        found.drivers.append(Driver("tags", "l.tags <> '{}'", subset=True))


def _add_presence(found: Conditions, column: str, choice: Choice) -> None:
    """Whether there is a value at all: those that have one and those that have none stand in an index each."""
    if choice.any_of:
        found.drivers.append(Driver(column, f"l.{column} IS NULL", subset=True, is_null=True))
    if choice.none_of:
        found.drivers.append(Driver(column, f"l.{column} IS NOT NULL", subset=True))


def _given(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def _add_range(found: Conditions, column: str, kind: str, wanted: Range, values: Values) -> None:
    if wanted:
        start, end = _bounds(wanted, kind, values)
        found.drivers.append(Driver(column, _within(f"l.{column}", start, end), range_on=column, start=start, end=end))


def _add_checked(found: Conditions, wanted: Range, values: Values) -> None:
    """When a lead was last looked up stands beside the leads: looking changes nothing of them."""
    if wanted:
        start, end = _bounds(wanted, "timestamptz", values)
        # A value, not EXISTS: for that one the planner may read the whole table into a hash first.
        checked = "(SELECT c.checked_at FROM enrichment_checks c WHERE c.lead_id = l.id)"
        beside = _within("c.checked_at", start, end)
        found.drivers.append(Driver("checked_at", _within(checked, start, end), beside=beside))


def _bounds(wanted: Range, kind: str, values: Values) -> tuple[str | None, str | None]:
    start = None if wanted.start is None else values.add(wanted.start, kind)
    end = None if wanted.end is None else values.add(wanted.end, kind)
    return start, end


def _within(value: str, start: str | None, end: str | None) -> str:
    return " AND ".join(f"{value} {sign} {bound}" for sign, bound in ((">=", start), ("<", end)) if bound)
