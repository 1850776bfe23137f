"""Days as spreadsheets and people write them. Pure."""

from __future__ import annotations

import re

#: A day with a time behind it, as a cell of a workbook that shows the day alone.
_WITH_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[T ]\d{1,2}:\d{2}\S*")
_DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
MONTHS = 12


def iso_day(cell: str) -> str:
    """2026-12-24 from `24.12.2026`, `12/24/2026`, `2026-12-24 08:30`; what can be two days, or none, stays as it is."""
    text = cell.strip()
    if timed := _WITH_TIME.fullmatch(text):
        return timed[1]
    if dotted := _DOTTED.fullmatch(text):
        return _iso(dotted[3], month=dotted[2], day=dotted[1])
    if slashed := _SLASHED.fullmatch(text):
        first, second = int(slashed[1]), int(slashed[2])
        if first == second <= MONTHS or second > MONTHS >= first:
            return _iso(slashed[3], month=slashed[1], day=slashed[2])
        if first > MONTHS >= second:
            return _iso(slashed[3], month=slashed[2], day=slashed[1])
    return text


def _iso(year: str, *, month: str, day: str) -> str:
    return f"{year}-{month:0>2}-{day:0>2}"
