"""Days that stay true in a kept address: `today`, `7d`, `week` mean another day tomorrow. In UTC. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

#: What may stand in an address in place of a date.
WORDS = "today, yesterday, tomorrow, week, month, 7d (seven days ago) or in7d (in seven days)"
FURTHEST = 3_650
_DAYS = re.compile(r"(in)?([1-9]\d{0,3})d")


def span_of(text: str, today: date) -> tuple[date, date] | None:
    """The first day that is meant, and the first after it; None where the text is no relative day.

    week is the one from Monday to Sunday that today lies in, month the whole calendar month.
    """
    near = {"today": 0, "yesterday": -1, "tomorrow": 1}
    if text in near:
        return _one(today + timedelta(days=near[text]))
    if text == "week":
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=7)
    if text == "month":
        first = today.replace(day=1)
        return first, (first + timedelta(days=31)).replace(day=1)
    if (found := _DAYS.fullmatch(text)) and int(found[2]) <= FURTHEST:
        days = int(found[2])
        return _one(today + timedelta(days=days if found[1] else -days))
    return None


def or_relative(
    read: Callable[[str], tuple[Any, Any]], today: date, *, as_times: bool = False
) -> Callable[[str], tuple[Any, Any]]:
    """Reads a relative day too; as_times: as the instants at which its days begin."""

    def either(text: str) -> tuple[Any, Any]:
        span = span_of(text, today)
        if span is None:
            try:
                return read(text)
            except ValueError as error:
                raise ValueError(f"{str(error).removesuffix('.')}; or {WORDS}.") from None
        if not as_times:
            return span
        first, after = (datetime.combine(one, time(), UTC) for one in span)
        return first, after

    return either


def _one(first: date) -> tuple[date, date]:
    return first, first + timedelta(days=1)
