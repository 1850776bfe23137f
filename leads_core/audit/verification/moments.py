"""Times as text, in milliseconds since 1970, without making objects of them. Pure."""

from __future__ import annotations

from leads_core.audit.record.entry import parse_timestamp

_midnights: dict[str, int] = {}


def epoch(at: str | None) -> int:
    """Of a recorded time; 0 for what is none."""
    if at is None:
        return 0
    day = at[:10]
    midnight = _midnights.get(day)
    if midnight is None:
        midnight = _midnight(day)
    try:
        return midnight + ((int(at[11:13]) * 60 + int(at[14:16])) * 60 + int(at[17:19])) * 1000 + int(at[20:23])
    except ValueError:
        return 0


def millisecond_of(entry_id: str) -> int:
    """When an id was made, as a UUIDv7 says; 0 for what is none."""
    try:
        return int(entry_id[:8] + entry_id[9:13], 16)
    except ValueError:
        return 0


def _midnight(day: str) -> int:
    if len(_midnights) > 10_000:
        _midnights.clear()
    try:
        found = int(parse_timestamp(f"{day}T00:00:00.000000Z").timestamp()) * 1000
    except ValueError:
        found = 0
    _midnights[day] = found
    return found
