"""A range of days as a chip says it: from 1 Jan 2026 · in the last 7 days · today. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from console import wording
from console.list_fields import Field
from leads_core.leads.filters import NONE

NEAR = {"today": "today", "yesterday": "yesterday", "tomorrow": "tomorrow", "week": "this week", "month": "this month"}
_DAYS = re.compile(r"(in)?(\d+)d")


def days_in_words(field: Field, pairs: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Operator and value of a filter's from and to."""
    given = dict(pairs)
    if field.name in given:
        return "is", field.filled if given[field.name] == f"!{NONE}" else field.empty
    start, end = given.get(f"{field.name}_from"), given.get(f"{field.name}_to")
    if start == end and start is not None:
        return "" if start in NEAR else "on", _day(start)
    if end is None and (found := _DAYS.fullmatch(start or "")) and not found[1]:
        return "in the last", wording.plural(int(found[2]), "day")
    if start == "today" and (found := _DAYS.fullmatch(end or "")) and found[1]:
        return "in the next", wording.plural(int(found[2]), "day")
    if start is None:
        return "until", _day(end or "")
    return "from", _day(start) if end is None else f"{_day(start)} until {_day(end)}"


def _day(text: str) -> str:
    """One bound; what nobody can read stays as it is."""
    if text in NEAR:
        return NEAR[text]
    if found := _DAYS.fullmatch(text):
        days = wording.plural(int(found[2]), "day")
        return f"in {days}" if found[1] else f"{days} ago"
    try:
        return wording.day(date.fromisoformat(text[:10]))
    except ValueError:
        return text
