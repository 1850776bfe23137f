"""The filters of a list in words: a chip for each in force, with a menu to change it in place. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from console.filter_menu import FilterGroup, days_group, values_group
from console.list_address import ListAddress, Pairs
from console.list_fields import BY_NAME, FIELDS, Field, People
from console.relative_wording import days_in_words
from leads_core.leads.filters import NONE

NOBODY = People()


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter in force, in words, and the address without it."""

    field: str
    operator: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One tick of a filter menu."""

    value: str
    word: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Group:
    """One filter of a menu."""

    name: str
    label: str
    type: Literal["checkbox", "radio", "select"]
    choices: Sequence[Choice]


@dataclass(frozen=True, slots=True)
class FilterChip(Chip):
    """A chip with what its own form shows, and what that form keeps of the address."""

    group: FilterGroup
    beside: Pairs


@dataclass(frozen=True, slots=True)
class _Part:
    """The pairs of an address that one chip says: a filter, and of its values those with a `!` or those without."""

    field: Field
    negated: bool
    values: Pairs


def chips_of(address: ListAddress, people: People = NOBODY) -> list[FilterChip]:
    """One chip for each filter and direction: "Stage is New or Won"."""
    return [_chip(address, part, people) for part in _parts(address)]


def menu_of(address: ListAddress, people: People = NOBODY) -> list[FilterGroup]:
    """Every filter there is, each with what is chosen now."""
    return [_group(field, _in_menu(address, field), people) for field in FIELDS]


def outside_the_menu(address: ListAddress) -> Pairs:
    """What the menu's form keeps beside what it shows: another chip's values of the same filter."""
    shown = {pair for field in FIELDS for pair in _in_menu(address, field)}
    return [(f"{name}.keep", value) for name, value in address.filters if (name, value) not in shown]


def _parts(address: ListAddress) -> list[_Part]:
    found: dict[tuple[str, bool], list[tuple[str, str]]] = {}
    for name, value in address.filters:
        field = BY_NAME[name]
        negated = field.kind != "days" and value.startswith("!")
        found.setdefault((field.name, negated), []).append((name, value))
    by_name = {field.name: field for field in FIELDS}
    return [_Part(by_name[name], negated, values) for (name, negated), values in found.items()]


def _in_menu(address: ListAddress, field: Field) -> Pairs:
    """The pairs that the menu shows of a filter: one chip's, the one without `!` first."""
    own = sorted((part for part in _parts(address) if part.field is field), key=lambda part: part.negated)
    return own[0].values if own else ()


def _group(field: Field, pairs: Pairs, people: People) -> FilterGroup:
    return days_group(field, pairs) if field.kind == "days" else values_group(field, pairs, people)


def _chip(address: ListAddress, part: _Part, people: People) -> FilterChip:
    field, rest = part.field, [pair for pair in address.filters if pair not in part.values]
    operator, value = days_in_words(field, part.values) if field.kind == "days" else _in_words(part, people)
    beside = [
        *((f"{name}.keep" if name == field.name else name, value) for name, value in rest),
        *((name, value) for name, value in (("q", address.query), ("sort", address.sort)) if value),
        *([("view", address.view)] if address.view else []),
    ]
    group = _group(field, part.values, people)
    return FilterChip(field.on_chip, operator, value, address.url(filters=rest), group, beside)


def _in_words(part: _Part, people: People) -> tuple[str, str]:
    """Operator and value: is New or Won · is not empty."""
    field, values = part.field, [value.removeprefix("!") for _, value in part.values]
    if field.kind == "flag":
        return "", " or ".join(field.word(value, people) for value in values)
    if values == [NONE]:
        return "is", field.filled if part.negated else field.empty
    words = [field.empty if value == NONE else field.word(value, people) for value in values]
    return ("is not" if part.negated else "is"), " or ".join(words)
