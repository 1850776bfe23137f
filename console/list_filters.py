"""The filters of a list in words: a chip for each in force, and the menu to choose them from. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from console import wording
from console.list_address import FILTERS, ListAddress
from leads_core.leads.codes import COUNTRY_NAMES

OWNERS = {"me": "me", "none": "nobody"}

#: Chips of these read without "is": Leads added by hand, Added from 1 Jan 2026.
WITHOUT_OPERATOR = {"deleted", "is_manual", "has_email"} | {n for n in FILTERS if n.endswith(("_from", "_to"))}
#: Filters with a place in the menu; the others come by links and stay as they are.
IN_MENU = ("is_manual", "stage", "enrichment_status", "source", "owner", "deleted", "tag")
WORDS = {
    "deleted": {"true": "in the bin", "false": "not in the bin"},
    "is_manual": {"true": "added by hand", "false": "not added by hand"},
    "has_email": {"true": "with an email", "false": "without an email"},
    "owner": OWNERS,
    "stage": wording.STAGES,
    "enrichment_status": wording.STATUSES,
    "enrichment_outcome": wording.OUTCOMES,
    "source": wording.SOURCES,
    "country": COUNTRY_NAMES,
}


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter in force, in words, and the address without it."""

    field: str
    operator: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One tick of the filter menu."""

    value: str
    word: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Group:
    """One filter of the menu."""

    name: str
    label: str
    type: Literal["checkbox", "radio", "select"]
    choices: Sequence[Choice]


def chips_of(address: ListAddress) -> list[Chip]:
    """One chip for each field and direction: "Stage is New or Won"."""
    groups: dict[tuple[str, bool], list[str]] = {}
    for name, value in address.filters:
        groups.setdefault((name, value.startswith("!")), []).append(value)
    return [_chip(address, name, values, negated) for (name, negated), values in groups.items()]


def menu_of(address: ListAddress) -> list[Group]:
    """The filters with a place in the menu, each with what is chosen now."""
    return [
        _group(address, "stage", "checkbox", wording.STAGES),
        _group(address, "enrichment_status", "checkbox", wording.STATUSES),
        _group(address, "source", "checkbox", wording.SOURCES),
        _group(address, "is_manual", "radio", {"any": "Any", "true": "By hand", "false": "Not by hand"}, "Added"),
        _group(address, "owner", "radio", {"any": "Anybody’s", "me": "Mine", "none": "Nobody’s"}),
        _group(address, "deleted", "radio", {"any": "Live leads", "true": "In the bin"}, "Where"),
    ]


def outside_the_menu(address: ListAddress) -> list[tuple[str, str]]:
    """The filters in force that the menu has no place for."""
    return [(name, value) for name, value in address.filters if not _in_menu(name, value)]


def _chip(address: ListAddress, name: str, values: list[str], negated: bool) -> Chip:
    shown = [_value_in_words(name, value.lstrip("!")) for value in values]
    operator = "" if name in WITHOUT_OPERATOR else "is not" if negated else "is"
    rest = [pair for pair in address.filters if pair[0] != name or pair[1] not in values]
    return Chip(FILTERS[name], operator, " or ".join(shown), address.url(filters=rest))


def _group(
    address: ListAddress, name: str, kind: Literal["checkbox", "radio"], words: dict[str, str], label: str | None = None
) -> Group:
    chosen = {value for filter_name, value in address.filters if filter_name == name} or {"any"}
    choices = [Choice(value, word, value in chosen) for value, word in words.items()]
    return Group(name, label or FILTERS[name], kind, choices)


def _value_in_words(name: str, value: str) -> str:
    if name.endswith(("_from", "_to")):
        try:
            return wording.day(date.fromisoformat(value[:10]))
        except ValueError:
            return value
    return WORDS.get(name, {}).get(value, value)


def _in_menu(name: str, value: str) -> bool:
    return name in IN_MENU and not value.startswith("!") and (name in {"tag"} or value in WORDS.get(name, {}))
