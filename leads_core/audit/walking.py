"""Which index a filter of the trail is answered from, and the statements that walk it. Pure: text and parameters.

Each filter has a driver, an index that gives its entries in order of their ids; what else it asks is tested on the
way. A walk looks at no more than WALK entries, so that a rare combination costs no more than a frequent one.

| asked for | index |
|---|---|
| nothing, times, fields, everyday actions, imports, workers | audit_log_pkey, from the newest on |
| a subject | audit_log_subject_id_seq_key: a subject's entries are few, and sorted |
| a job | ix_audit_log_task_id |
| a request | ix_audit_log_request_id: finds the blocks of the table that may hold it |
| actions that are not everyday ones | ix_audit_log_action: only those are in it |
| subjects other than leads, people nobody knew | ix_audit_log_subject_kind: only those are in it |
| an actor | ix_audit_log_actor_id |
| web, API or command line | ix_audit_log_channel: only those are in it, so what comes in bulk does not hide them |

An ordinary entry of a lead pays for one of these, (actor_id, id), one that came by hand for its channel's too, and
next to nothing for the request's.
"""

# ruff: noqa: S608 - every piece is ours; what people give is a parameter
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from leads_core.audit.entry_filter import OTHER_FIELDS, EntryFilter
from leads_core.audit.models import SubjectKind
from leads_core.audit.record.entry import PART_OF

#: So many entries are looked at for one page, and for one count.
WALK = 20_000
#: What leads live through all day: not in the index of actions.
EVERYDAY = ("CREATE", "UPDATE", "ENRICH")
#: Where single changes come in.
BY_HAND = ("web", "api", "cli")
#: An id is made when its entry is written, and the time is that of the change or, in an import, of a batch: they are
#: never further apart than this. Verification warns where they are.
SLACK = timedelta(minutes=10)
LOWEST, HIGHEST = UUID(int=0), UUID(int=(1 << 128) - 1)

_RARE = f"action NOT IN ({', '.join(repr(action) for action in EVERYDAY)})"
_BY_HAND = f"channel IN ({', '.join(repr(channel) for channel in BY_HAND)})"
_OTHERS = tuple(kind.value for kind in SubjectKind if kind is not SubjectKind.LEAD)


@dataclass(frozen=True, slots=True)
class Driver:
    """An index: its first column and the value wanted of it (no column: the primary key), and whom it holds.

    gathers: it gives its entries in no order of ids, but few.
    """

    column: str | None = None
    value: Any = None
    holds: str | None = None
    gathers: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """Ids between these two, which do not belong to it; the newest first, or the oldest."""

    above: UUID
    below: UUID
    newest_first: bool = True


@dataclass(frozen=True, slots=True)
class Statement:
    """Text and its parameters."""

    text: str
    values: tuple[Any, ...]


def drivers_of(wanted: EntryFilter) -> list[Driver]:
    """The indexes that together hold everything wanted: one, or one for each of several values."""
    known = (
        Driver("subject_id", wanted.subject_id, gathers=True),
        Driver("task_id", wanted.task_id, "task_id IS NOT NULL"),
        Driver("request_id", wanted.request_id, gathers=True),
    )
    for driver in known:
        if driver.value is not None:
            return [driver]
    if wanted.actions and not set(wanted.actions) & set(EVERYDAY):
        return [Driver("action", action, _RARE) for action in wanted.actions]
    if kinds := _kinds_but_leads(wanted):
        return [Driver("subject_kind", kind, "subject_kind <> 'lead'") for kind in kinds]
    if wanted.actor_id is None and wanted.channels and set(wanted.channels) <= set(BY_HAND):
        return [Driver("channel", channel, _BY_HAND) for channel in wanted.channels]
    return [Driver() if wanted.actor_id is None else Driver("actor_id", wanted.actor_id)]


def _kinds_but_leads(wanted: EntryFilter) -> tuple[str, ...]:
    """The kinds of subject that are wanted, if leads are not among them."""
    if wanted.subject_kinds:
        return () if SubjectKind.LEAD in wanted.subject_kinds else wanted.subject_kinds
    # Nobody changes a lead without a name: only the trying of doors is anonymous.
    return _OTHERS if wanted.actor_kind == "anonymous" else ()


class Walk:
    """The statements over one driver."""

    def __init__(self, wanted: EntryFilter, driver: Driver) -> None:
        self._driver = driver
        self._tests = list(_tests(wanted, driver))

    @property
    def may_end_early(self) -> bool:
        """Whether WALK entries can be looked at without finding a page's worth."""
        return bool(self._tests) and not self._driver.gathers

    def ids(self, bounds: Bounds, rows: int) -> Statement:
        """The ids of the first `rows` entries that pass every test."""
        values = [*self._values(bounds), rows]
        tests, values = self._tested(values)
        text = f"""{self._entries(bounds)} SELECT e.id FROM walked e {tests}
            ORDER BY {self._order("e.", bounds)} LIMIT ${self._place(bounds)}"""
        return Statement(text, tuple(values))

    def end(self, bounds: Bounds) -> Statement:
        """The id of the last entry that a walk looks at; none where it comes to the end of what there is."""
        text = f"{self._entries(bounds)} SELECT e.id FROM walked e OFFSET {WALK - 1} LIMIT 1"
        return Statement(text, tuple(self._values(bounds)))

    def count(self, bounds: Bounds) -> Statement:
        """How many entries of a walk pass, and whether more lie beyond it."""
        tests, values = self._tested(self._values(bounds), as_filter=True)
        text = f"{self._entries(bounds, WALK + 1)} SELECT count(*){tests}, count(*) > {WALK} FROM walked e"
        return Statement(text, tuple(values))

    def _entries(self, bounds: Bounds, limit: int = WALK) -> str:
        """The table `walked`. Compared and sorted by both columns, so that no other index can give the order."""
        column, holds = self._driver.column, self._driver.holds
        if self._driver.gathers:
            return f"""WITH gathered AS MATERIALIZED (SELECT * FROM audit_log WHERE {column} = $3),
                walked AS (SELECT * FROM gathered WHERE id > $1 AND id < $2)"""
        between = "id > $1 AND id < $2"
        if column is not None:
            between = f"({column}, id) > ($3, $1) AND ({column}, id) < ($3, $2)"
        return f"""WITH walked AS (SELECT * FROM audit_log WHERE {between} {f"AND {holds}" if holds else ""}
            ORDER BY {self._order("", bounds)} LIMIT {limit})"""

    def _order(self, prefix: str, bounds: Bounds) -> str:
        leading = [] if self._driver.gathers or self._driver.column is None else [self._driver.column]
        direction = "DESC" if bounds.newest_first else "ASC"
        return ", ".join(f"{prefix}{column} {direction}" for column in (*leading, "id"))

    def _values(self, bounds: Bounds) -> list[Any]:
        driven = [] if self._driver.column is None else [self._driver.value]
        return [bounds.above, bounds.below, *driven]

    def _place(self, bounds: Bounds) -> int:
        return len(self._values(bounds)) + 1

    def _tested(self, values: list[Any], *, as_filter: bool = False) -> tuple[str, list[Any]]:
        """The tests as a condition, and the parameters with theirs."""
        if not self._tests:
            return "", values
        tests = []
        for test, value in self._tests:
            values = [*values, value]
            tests.append(test.format(f"${len(values)}"))
        condition = f"WHERE {' AND '.join(tests)}"
        return (f" FILTER ({condition})" if as_filter else condition), values


def bounds_of(wanted: EntryFilter) -> Bounds:
    """Between which ids everything wanted lies: ids are UUIDv7, so a time is a place among them."""
    return _bounds(wanted, SLACK)


def exact_bounds_of(wanted: EntryFilter) -> Bounds:
    """Between which ids nearly everything wanted lies, and hardly anything else."""
    return _bounds(wanted, timedelta())


def _bounds(wanted: EntryFilter, slack: timedelta) -> Bounds:
    above = LOWEST if wanted.since is None else _id_at(wanted.since - slack)
    below = HIGHEST if wanted.until is None else _id_at(wanted.until + slack)
    return Bounds(above, below)


def time_of(entry_id: UUID) -> datetime:
    """When an id was made, to the millisecond."""
    return datetime.fromtimestamp((entry_id.int >> 80) / 1000, UTC)


def _id_at(moment: datetime) -> UUID:
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=min(max(milliseconds, 0), (1 << 48) - 1) << 80)


def _tests(wanted: EntryFilter, driver: Driver) -> Iterator[tuple[str, Any]]:
    """What the driver does not answer: a test with a place for its parameter, and the parameter."""
    tests: list[tuple[str, str, Any]] = [
        ("subject_id", "e.subject_id = {}", wanted.subject_id),
        ("task_id", "e.task_id = {}", wanted.task_id),
        ("request_id", "e.request_id = {}", wanted.request_id),
        ("actor_id", "e.actor_id = {}", wanted.actor_id),
        ("actor_kind", "e.actor_kind = {}", wanted.actor_kind),
        ("action", "e.action = ANY({}::text[])", list(wanted.actions) or None),
        ("channel", "e.channel = ANY({}::text[])", list(wanted.channels) or None),
        ("subject_kind", "e.subject_kind = ANY({}::text[])", list(wanted.subject_kinds) or None),
        ("occurred_at", "e.occurred_at >= {}", wanted.since),
        ("occurred_at", "e.occurred_at < {}", wanted.until),
        ("field", _has_field(wanted.field), wanted.field),
    ]
    for column, test, value in tests:
        if value is not None and column != driver.column:
            yield test, value


def _has_field(field: str | None) -> str:
    """Whether a part says something of the field. One that was erased says nothing any more."""
    part = None if field is None or field in OTHER_FIELDS else PART_OF.get(field)
    parts = ["person", "data"] if part is None else [part]
    return "(" + " OR ".join(f"e.parts #> '{{{{{one},1}}}}' ? {{0}}" for one in parts) + ")"
