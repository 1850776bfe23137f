"""What the form of one filter shows: its operators, its values, the days to choose from. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from console.filter_form import DATES
from console.list_fields import FLAG_CHOICES, Field, People
from leads_core.leads.filters import NONE

Option = tuple[str, str, bool]
"""Value, word, whether it is chosen."""

PAST: Mapping[str, str] = {
    "today..today": "Today",
    "yesterday..yesterday": "Yesterday",
    "7d..": "Last 7 days",
    "30d..": "Last 30 days",
    "week..week": "This week",
    "month..month": "This month",
}
DUE: Mapping[str, str] = {
    "..today": "Today or earlier",
    "..yesterday": "Overdue",
    "today..today": "Today",
    "tomorrow..tomorrow": "Tomorrow",
    "week..week": "This week",
    "today..in7d": "Next 7 days",
    NONE: "No date",
    f"!{NONE}": "Any date",
}


@dataclass(frozen=True, slots=True)
class FilterGroup:
    """One filter of the menu.

    operators: empty where nothing but "is" makes sense. options: ticks, or radios of a flag. adds: whether another
    value can be typed, suggested from the list of that id. when: ranges to choose from, then start and end are the
    two dates; as_date: whether a date field can hold them.
    """

    name: str
    label: str
    operators: Sequence[Option] = ()
    options: Sequence[Option] = ()
    one: bool = False
    adds: bool = False
    suggested: str = ""
    when: Sequence[Option] = ()
    was: str = ""
    start: str = ""
    end: str = ""
    as_date: bool = True

    @property
    def in_force(self) -> bool:
        """Whether it narrows the list now."""
        return bool(self.was) or any(
            chosen for value, _, chosen in (*self.options, *self.operators[2:]) if value != "any"
        )


def values_group(field: Field, pairs: Sequence[tuple[str, str]], people: People) -> FilterGroup:
    """The form of a filter by values, of which these are in force: all of them with a `!`, or none."""
    negated = any(value.startswith("!") for _, value in pairs)
    chosen = [value.removeprefix("!") for _, value in pairs]
    if field.kind == "flag":
        words = FLAG_CHOICES[field.name]
        now = chosen[0] if chosen and chosen[0] in words and not negated else "any"
        return FilterGroup(
            field.name, field.label, options=[(value, word, value == now) for value, word in words.items()], one=True
        )
    alone = chosen == [NONE] and field.may_be_empty
    operator = ("filled" if negated else "empty") if alone else ("not" if negated else "is")
    operators = {"is": "is", "not": "is not"}
    if field.may_be_empty:
        operators |= {"empty": f"is {field.empty}", "filled": f"is {field.filled}"}
    return FilterGroup(
        field.name,
        field.label,
        operators=[(value, word, value == operator) for value, word in operators.items()],
        options=_options(field, [] if alone else chosen, people),
        adds=field.kind == "text",
        suggested={"tag": "tags-in-use", "country": "countries"}.get(field.name, ""),
    )


def days_group(field: Field, pairs: Sequence[tuple[str, str]]) -> FilterGroup:
    """The form of a filter by days."""
    given = dict(pairs)
    start, end = given.get(f"{field.name}_from", ""), given.get(f"{field.name}_to", "")
    ranges = DUE if field.may_be_empty else PAST
    said = given.get(field.name) or (f"{start}..{end}" if start or end else "")
    was = said if said in ranges or not said else DATES
    choices = {"": "Any time", **ranges, DATES: "Dates:"}
    return FilterGroup(
        field.name,
        field.label,
        when=[(value, word, value == was) for value, word in choices.items()],
        was=was,
        start=start if was == DATES else "",
        end=end if was == DATES else "",
        as_date=was != DATES or all(_is_date(bound) for bound in (start, end) if bound),
    )


def _options(field: Field, chosen: Sequence[str], people: People) -> list[Option]:
    """What can be ticked: all there are; of many values only those that are in force."""
    known: Mapping[str, str] = field.words if field.kind == "ticks" else {}
    if field.kind == "people":
        known = people.choices
    others = [value for value in chosen if value not in known]
    words = {
        **known,
        **{value: field.empty.capitalize() if value == NONE else field.word(value, people) for value in others},
    }
    return [(value, word, value in chosen) for value, word in words.items()]


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
