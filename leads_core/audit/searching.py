"""The trail over everything: pages in keyset order by id, newest first, and how many entries a filter has.

Every page is answered from an index (walking.py says which) and costs the same at any size of the trail.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg

from leads_core.audit.entry_filter import EntryFilter
from leads_core.audit.queries import ENTRY, EntryRead, read_entry
from leads_core.audit.walking import (
    HIGHEST,
    LOWEST,
    WALK,
    Bounds,
    Walk,
    bounds_of,
    drivers_of,
    exact_bounds_of,
    time_of,
)
from leads_core.database import Database, new_id
from leads_core.paging import FIRST, Cursors, Position, Total

ENTRIES_OF = ENTRY + "WHERE e.id = ANY($1)"
#: Ids in one piece of an export.
EXPORTED_AT_ONCE = 1_000
#: Every entry is in the log, waits for it, or was refused by it.
EVERYTHING = """
    SELECT coalesce((SELECT leaf_index + 1 FROM audit_leaves ORDER BY leaf_index DESC LIMIT 1), 0) AS logged,
           (SELECT count(*) FROM (SELECT 1 FROM audit_pending LIMIT $1) p) AS waiting,
           (SELECT count(*) FROM (SELECT 1 FROM audit_rejected LIMIT $1) r) AS rejected,
           (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'audit_log'::regclass) AS estimated
"""
#: The places in the log of the first and the last entry between two ids; the log is nearly in order of ids.
SPAN = """
    SELECT (SELECT leaf_index FROM audit_leaves WHERE entry_id = (
               SELECT id FROM audit_log WHERE id > $1 AND id < $2 ORDER BY id LIMIT 1)) AS first,
           coalesce((SELECT leaf_index FROM audit_leaves WHERE entry_id = (
               SELECT id FROM audit_log WHERE id > $1 AND id < $2 ORDER BY id DESC LIMIT 1)),
               (SELECT leaf_index FROM audit_leaves ORDER BY leaf_index DESC LIMIT 1)) AS last
"""


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One page. searched_to: the page is not full, for so far back only was looked; next_cursor goes on from there."""

    items: list[EntryRead]
    next_cursor: str | None
    previous_cursor: str | None
    total: Total | None
    searched_to: datetime | None


async def page_of_entries(
    reader: asyncpg.Connection,
    wanted: EntryFilter,
    cursor: str | None,
    limit: int,
    *,
    cursors: Cursors,
    with_origin: bool,
    total: bool = True,
) -> EntryPage:
    """One page, newest first. Raises Invalid for a cursor of another list.

    with_origin: the reader may see whence each came. total=False leaves the count out.
    """
    this_list = f"trail\n{wanted.digest()}"
    position = cursors.read(cursor, this_list)
    found = await _found(reader, wanted, position, limit + 1)
    if position.backwards and found.end is None and len(found.ids) <= limit:
        # Nothing newer is left out: the first page, and a full one.
        position = FIRST
        found = await _found(reader, wanted, position, limit + 1)
    ids = found.ids[:limit]
    onward = _onward(found, ids, position, more=len(found.ids) > limit)
    back = _back(ids, position)
    following, preceding = (back, onward) if position.backwards else (onward, back)
    return EntryPage(
        items=await entries_with(reader, ids, with_origin=with_origin),
        next_cursor=cursors.write(following, this_list) if following else None,
        previous_cursor=cursors.write(preceding, this_list) if preceding else None,
        total=await count(reader, wanted) if total else None,
        searched_to=time_of(found.end) if found.end and len(found.ids) <= limit else None,
    )


async def entries_with(reader: asyncpg.Connection, ids: Sequence[UUID], *, with_origin: bool) -> list[EntryRead]:
    """These entries, the newest first."""
    rows = await reader.fetch(ENTRIES_OF, ids) if ids else []
    return [read_entry(row, with_origin=with_origin) for row in sorted(rows, key=lambda row: row["id"], reverse=True)]


async def count(reader: asyncpg.Connection, wanted: EntryFilter) -> Total:
    """How many entries: exact as far as WALK entries go, then at_least; of a stretch of time about."""
    if wanted.is_everything:
        return await _count_of_everything(reader)
    bounds, matching, more = bounds_of(wanted), 0, False
    for walk in _walks(wanted):
        statement = walk.count(bounds)
        passed, goes_on = await reader.fetchrow(statement.text, *statement.values)
        # Of the entry beyond the walk nothing is said.
        matching, more = matching + passed - (goes_on and passed > 0), more or goes_on
    if more and wanted == EntryFilter(since=wanted.since, until=wanted.until):
        return await _count_of_a_stretch(reader, wanted, matching)
    return Total(matching, "at_least" if more else "exact")


async def pages_of_ids(database: Database, wanted: EntryFilter) -> AsyncIterator[list[UUID]]:
    """The ids of all entries wanted that were written before now, oldest first. Holds nothing between the pages."""
    at = Position(key=(LOWEST,), backwards=True)
    now = new_id()
    while True:
        async with database.reader() as reader:
            found = await _found(reader, wanted, at, EXPORTED_AT_ONCE, below=now)
        if found.ids:
            yield list(found.ids)
        if len(found.ids) == EXPORTED_AT_ONCE:
            at = replace(at, key=(found.ids[-1],))
        elif found.end is not None:
            at = replace(at, key=(found.end,))
        else:
            return


@dataclass(frozen=True, slots=True)
class _Found:
    """Ids in the direction of reading; end: where looking stopped before anything was sure to be the last."""

    ids: Sequence[UUID]
    end: UUID | None


async def _found(
    reader: asyncpg.Connection, wanted: EntryFilter, position: Position, rows: int, *, below: UUID = HIGHEST
) -> _Found:
    bounds = _from(replace(bounds_of(wanted), newest_first=not position.backwards), position)
    bounds = replace(bounds, below=min(bounds.below, below))
    ids: list[UUID] = []
    ends: list[UUID] = []
    for walk in _walks(wanted):
        statement = walk.ids(bounds, rows)
        passed = [row["id"] for row in await reader.fetch(statement.text, *statement.values)]
        ids += passed
        if len(passed) < rows and walk.may_end_early:
            statement = walk.end(bounds)
            if (end := await reader.fetchval(statement.text, *statement.values)) is not None:
                ends.append(end)
    ids.sort(reverse=bounds.newest_first)
    if not ends:
        return _Found(ids[:rows], None)
    # Beyond the walk that stopped first, entries of that walk may be missing.
    end = max(ends) if bounds.newest_first else min(ends)
    sure = [one for one in ids if (one >= end if bounds.newest_first else one <= end)]
    return _Found(sure[:rows], end)


def _walks(wanted: EntryFilter) -> list[Walk]:
    return [Walk(wanted, driver) for driver in drivers_of(wanted)]


def _from(bounds: Bounds, position: Position) -> Bounds:
    if position.key is None:
        return bounds
    key: UUID = position.key[0]
    if bounds.newest_first:
        return replace(bounds, below=min(bounds.below, key))
    return replace(bounds, above=max(bounds.above, key))


def _onward(found: _Found, ids: Sequence[UUID], position: Position, *, more: bool) -> Position | None:
    """Where the next page in the direction of reading begins."""
    if more:
        return Position(key=(ids[-1],), backwards=position.backwards)
    if found.end is not None:
        return Position(key=(found.end,), backwards=position.backwards)
    return None


def _back(ids: Sequence[UUID], position: Position) -> Position | None:
    """Where the page on the side we came from begins. After a page without entries, the one before it whole."""
    if position.key is None:
        return None
    if ids:
        return Position(key=(ids[0],), backwards=not position.backwards)
    beside = position.key[0].int + (1 if position.backwards else -1)
    return Position(key=(UUID(int=beside),), backwards=not position.backwards)


async def _count_of_everything(reader: asyncpg.Connection) -> Total:
    row = await reader.fetchrow(EVERYTHING, WALK + 1)
    if max(row["waiting"], row["rejected"]) > WALK:
        return Total(max(row["estimated"], row["logged"] + row["waiting"]), "about")
    return Total(row["logged"] + row["waiting"] + row["rejected"], "exact")


async def _count_of_a_stretch(reader: asyncpg.Connection, wanted: EntryFilter, at_least: int) -> Total:
    """By the log's numbers, unless they say less than was counted: many entries wait for it, or came in late."""
    bounds = exact_bounds_of(wanted)
    row = await reader.fetchrow(SPAN, bounds.above, bounds.below)
    if row["first"] is None or row["last"] is None or row["last"] - row["first"] < at_least:
        return Total(at_least, "at_least")
    return Total(row["last"] - row["first"] + 1, "about")
