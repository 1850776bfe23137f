"""The address of the trail's page: which filters, which page; the chips, the form and the links beside it. Pure.

It speaks the API's language (leads_core/audit/entry_filter.py), with one word more: `when`, for days that go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from uuid import UUID

from console.wording import CHANNELS, day, field_label
from leads_core.audit.entry_filter import EntryFilter
from leads_core.errors import Invalid

PATH = "/audit"
EXPORT_PATH = "/audit/export"

#: Filters the address knows: name -> label of the chip.
FILTERS = {
    "when": "When",
    "occurred_from": "From",
    "occurred_to": "Until",
    "actor": "Who",
    "actor_kind": "Who",
    "action": "Did",
    "subject_kind": "About",
    "subject_id": "About",
    "channel": "Through",
    "field": "Field",
    "task_id": "Job",
    "request_id": "Request",
}
WHEN = {"today": "today", "7days": "the last 7 days", "30days": "the last 30 days"}
_DAYS = {"today": 1, "7days": 7, "30days": 30}
ACTIONS = {
    "CREATE": "Added",
    "UPDATE": "Changed",
    "ENRICH": "Enriched",
    "DELETE": "Moved to the bin",
    "RESTORE": "Restored",
    "REVERT": "Put back",
    "MERGE": "Merged",
    "DISMISS": "Dismissed a suggestion",
    "ERASE": "Erased",
    "SIGN_IN": "Signed in",
    "SIGN_IN_FAILED": "Failed to sign in",
    "SIGN_OUT": "Signed out",
    "EXPORT": "Exported",
    "CHECKPOINT_KEPT": "Kept a checkpoint",
    "REOPEN": "Reopened the log",
}
SUBJECTS = {"lead": "Leads", "user": "Users", "token": "Tokens", "export": "Exports", "log": "The log"}
ACTOR_KINDS = {
    "user": "a person",
    "token": "a token",
    "system": "the command line",
    "anonymous": "somebody not signed in",
}

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class AuditChip:
    """One filter in force, and the address without it."""

    field: str
    value: str
    without: str


class AuditAddress:
    """What the address of the page says. Unknown and empty parameters are left out: a page never fails over them."""

    def __init__(self, parameters: Iterable[tuple[str, str]]) -> None:
        given = [(name, value.strip()) for name, value in parameters]
        self.filters: Pairs = tuple(dict.fromkeys((n, v) for n, v in given if n in FILTERS and v and v != "any"))
        self.cursor = next((value for name, value in given if name == "cursor" and value), "")
        self.has_empties = any(not value or value == "any" for _, value in given)

    def wanted(self, now: datetime, me: UUID | None) -> EntryFilter:
        """The filter; of `when` and a first day the later holds. Raises Invalid for a value that nothing can have."""
        found: dict[str, list[str]] = {}
        for name, value in self.filters:
            found.setdefault(name, []).append(value)
        starts = [_start_of(when, now) for when in found.pop("when", [])]
        wanted = EntryFilter.from_query(found, me=me)
        return replace(wanted, since=max([*starts, wanted.since or starts[0]])) if starts else wanted

    def url(self, *, filters: Pairs | None = None, cursor: str | None = None, path: str = PATH) -> str:
        """This address with something changed. Any change but the cursor's leads to the first page."""
        pairs = [*(self.filters if filters is None else filters), *([("cursor", cursor)] if cursor else [])]
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def with_filter(self, name: str, value: str) -> str:
        """Only this in place of whatever it said of the same."""
        return self.url(filters=[*((n, v) for n, v in self.filters if n != name), (name, value)])

    @property
    def canonical(self) -> str:
        """The same address without what says nothing."""
        return self.url(cursor=self.cursor)

    @property
    def export_url(self) -> str:
        return self.url(path=EXPORT_PATH)

    def value(self, name: str) -> str:
        """What it says of a filter that is given once; empty if nothing."""
        return next((value for given, value in self.filters if given == name), "")

    def values(self, name: str) -> frozenset[str]:
        return frozenset(value for given, value in self.filters if given == name)

    def chips(self, names: Mapping[str, str]) -> list[AuditChip]:
        """One for each filter; names says what ids are called."""
        chips = []
        for name in dict.fromkeys(name for name, _ in self.filters):
            values = [value for given, value in self.filters if given == name]
            words = " or ".join(_in_words(name, value, names) for value in values)
            rest = [pair for pair in self.filters if pair[0] != name]
            chips.append(AuditChip(FILTERS[name], words, self.url(filters=rest)))
        return chips


def _start_of(when: str, now: datetime) -> datetime:
    if when not in _DAYS:
        raise Invalid.of("query.when", f"Give one of {', '.join(_DAYS)}.")
    return datetime.combine(now.astimezone(UTC).date() - timedelta(days=_DAYS[when] - 1), time(), UTC)


def _in_words(name: str, value: str, names: Mapping[str, str]) -> str:
    words: Mapping[str, str] = {
        "when": WHEN,
        "action": ACTIONS,
        "subject_kind": SUBJECTS,
        "channel": CHANNELS,
        "actor_kind": ACTOR_KINDS,
    }.get(name, names)
    if name.startswith("occurred_"):
        return _day(value)
    if name == "field":
        return field_label(value)
    return words.get(value, value)


def _day(text: str) -> str:
    try:
        return day(date.fromisoformat(text[:10])) + (f", {text[11:16]}" if len(text) > 10 else "")
    except ValueError:
        return text
