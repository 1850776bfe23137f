"""Lists of leads: pages in keyset order, totals, search. Every statement answers from indexes, at any size.

A page takes one statement; two where the filter has several conditions and the smallest must be found first, or where
a search proves too broad for the order asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import asyncpg

from leads_core.errors import Invalid, SortTooBroad
from leads_core.leads import searching
from leads_core.leads.conditions import Conditions, Driver, Values, conditions_of
from leads_core.leads.driving import COUNTED, sizes
from leads_core.leads.filters import LeadFilter
from leads_core.leads.list_sql import FEW, PageStatement
from leads_core.leads.ordering import OLDEST_FIRST_SEARCH_PARTS, SEARCH_PARTS, Part, Sort, parts_of
from leads_core.leads.rows import COLUMNS, FIELDS, LeadRow, lead_row
from leads_core.leads.searching import Passed, SearchStatement
from leads_core.paging import FOREIGN, LAST, Around, Cursors, Page, Position, Total, around

__all__ = ["LeadFilter", "LeadRow", "Sort", "others_at", "page_of_leads", "total_of"]

Reader: TypeAlias = asyncpg.Connection
Write: TypeAlias = Callable[[Position], str]

#: What a cursor needs beyond the lead's own fields.
_KEYS = ("company_sort", "contact_sort", "bucket", "arrival")
_SELECTED = ", ".join([COLUMNS, *(f"l.{column}" for column in _KEYS)])
#: Where the lead's columns begin: after total, total_capped, few and part (live, newest, oldest, ordinal in a search).
_BEFORE = 4
_PLACE = {name: _BEFORE + place for place, name in enumerate((*FIELDS, *_KEYS))}
#: Where every other condition is beyond counting: codes of so few leads drive; of more, they are soon met.
ENOUGH_BY_CODES = 20_000
#: A guess of how many a search finds stands on so many hits.
SEEN_FOR_A_GUESS = 50
BY_COMPANY = "Fewer than three letters: companies whose name begins so, by name."
TOO_BROAD = "Too many leads match to sort them so. The newest come first; narrow the search to sort it."


async def page_of_leads(
    reader: Reader,
    wanted: LeadFilter,
    sort: Sort,
    cursor: str | None,
    limit: int,
    *,
    cursors: Cursors,
    total: bool = True,
    when_too_broad: Literal["refuse", "newest"] = "refuse",
) -> Page[LeadRow]:
    """One page. Raises Invalid for a cursor of another list.

    A search sorted by another field than created_at, and a bin sorted by another than deleted_at, is exact up to
    1,000 leads; above, SortTooBroad, or with when_too_broad="newest" the usual order and a note that says so. A search
    of fewer than three letters lists the companies that begin so, by name, and the note says so. total=False leaves
    the count out.
    """
    asked = _Asked(wanted, sort, cursor, limit, cursors, total)
    if wanted.is_short_search and not wanted.deleted:
        by_company = replace(asked, sort=Sort("company_name", descending=False))
        return replace(await _in_order(reader, by_company), note=BY_COMPANY)
    if wanted.pattern is not None and sort.field == "created_at" and not wanted.deleted:
        return await _search(reader, asked)
    usual = replace(asked, sort=Sort.parse(None, in_bin=wanted.deleted))
    try:
        if when_too_broad == "refuse" or usual.sort == sort or not usual.owns_cursor:
            return await _in_order(reader, asked)
    except SortTooBroad:
        if when_too_broad == "refuse":
            raise
        usual = replace(usual, cursor=None)
    page = await (_in_order if wanted.deleted else _search)(reader, usual)
    return replace(page, note=TOO_BROAD)


async def total_of(reader: Reader, wanted: LeadFilter) -> Total:
    """How many leads match, as the first page of them would say. Cheap enough to stand beside a name, never a walk."""
    sort = Sort.parse(None, in_bin=wanted.deleted)
    enough = SEEN_FOR_A_GUESS if wanted.pattern is not None else 1
    page = await page_of_leads(reader, wanted, sort, None, enough, cursors=Cursors("nobody goes on from here"))
    return page.total or Total(0)


async def others_at(reader: Reader, registrable_domain: str, *, cap: int = 100) -> Total:
    """How many live leads stand at this domain, by ix_leads_live_registrable_domain; counted up to cap."""
    found = await reader.fetchval(
        """SELECT count(*) FROM (
               SELECT FROM leads WHERE registrable_domain = $1 AND deleted_at IS NULL LIMIT $2) AS r""",
        registrable_domain,
        cap + 1,
    )
    return Total(min(found, cap), "exact" if found <= cap else "at_least")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the caller wants of a list, and the cursors that belong to it alone."""

    wanted: LeadFilter
    sort: Sort
    cursor: str | None
    limit: int
    cursors: Cursors
    total: bool

    @property
    def listed(self) -> str:
        return f"{self.sort} {self.wanted.digest()}"

    def write(self, position: Position) -> str:
        return self.cursors.write(position, self.listed)

    @property
    def owns_cursor(self) -> bool:
        """Whether the cursor belongs to this list; no cursor belongs to none."""
        try:
            return self.cursor is not None and bool(self.cursors.read(self.cursor, self.listed))
        except Invalid:
            return False

    def position(self, parts: tuple[Part, ...]) -> Position:
        """Where the page begins. Raises Invalid for a cursor of another list, or of an order that has changed since."""
        position = self.cursors.read(self.cursor, self.listed)
        fits = position.part < len(parts) and (
            position.key is None or len(position.key) == len(parts[position.part].keys)
        )
        if not fits:
            raise Invalid.of("query.cursor", FOREIGN)
        return position


async def _in_order(reader: Reader, asked: _Asked) -> Page[LeadRow]:
    """A page in one of the orders that indexes hold, or of a search's hits, gathered and sorted."""
    wanted, values = asked.wanted, Values()
    conditions = conditions_of(wanted, values)
    if conditions.is_impossible:
        return Page([], None, None, total=Total(0) if asked.total else None)
    parts = parts_of(asked.sort, conditions.valued, conditions.empty)
    position = asked.position(parts)
    statement = PageStatement(conditions, None, parts, position, asked.limit + 1, values)
    if wanted.pattern is not None and not wanted.is_short_search and not wanted.deleted:
        hits = SearchStatement(wanted, conditions, SEARCH_PARTS[0], Position(), FEW + 1, values)
        statement.gathered = hits.gathered()
    else:
        statement.driver = await _smallest(reader, wanted, conditions)
    rows = await reader.fetch(statement.text(_SELECTED, total=asked.total), *values.given)
    if (conditions.in_bin or statement.gathered) and (rows[0]["few"] or 0) > FEW:
        raise SortTooBroad(FEW)
    page, _ = _page(rows, parts, position, asked.limit, asked.write)
    return replace(page, total=_total(rows[0]) if asked.total else None)


async def _search(reader: Reader, asked: _Asked) -> Page[LeadRow]:
    """A page of hits, newest or oldest first."""
    wanted, values = asked.wanted, Values()
    conditions = conditions_of(wanted, values)
    parts = SEARCH_PARTS if asked.sort.descending else OLDEST_FIRST_SEARCH_PARTS
    position = asked.position(parts)
    if conditions.is_impossible:
        return Page([], None, None, total=Total(0) if asked.total else None)
    statement = SearchStatement(wanted, conditions, parts[0], position, asked.limit + 1, values)
    rows = await reader.fetch(statement.text(_SELECTED), *values.given)
    page, beside = _page(rows, parts, position, asked.limit, asked.write)
    return replace(page, total=_total_of_hits(rows, page, beside, position) if asked.total else None)


async def _smallest(reader: Reader, wanted: LeadFilter, conditions: Conditions) -> Driver | None:
    """The condition that gives the fewest leads; None where the codes do, or nothing drives."""
    drivers = conditions.drivers
    if not drivers or (len(drivers) == 1 and not conditions.is_coded):
        return drivers[0] if drivers else None
    values = Values()
    statement = sizes(conditions_of(wanted, values))
    *found, codes = await reader.fetchrow(statement, *values.given)
    smallest = min(range(len(drivers)), key=lambda place: int(found[place]))
    if codes is None or codes > (ENOUGH_BY_CODES if found[smallest] > COUNTED else found[smallest]):
        return drivers[smallest]
    return None


def _page(
    rows: list[Any], parts: tuple[Part, ...], position: Position, limit: int, write: Write
) -> tuple[Page[LeadRow], Around]:
    """What was read, in the list's order, with the cursors to both sides."""
    found = [row for row in rows if row["id"] is not None]
    more = len(found) > limit
    found = found[:limit]
    if position.backwards:
        found.reverse()
    if not found:
        # Everything before or after the key is gone: the way back is from the other end.
        way_back = write(Position()) if position.backwards else write(LAST)
        back = way_back if position.key is not None else None
        empty: Page[LeadRow] = Page([], back if position.backwards else None, None if position.backwards else back)
        return empty, Around(None, None, position.seen)
    first, last = (_position_of(row, parts) for row in (found[0], found[-1]))
    beside = around(position, first, last, len(found), more=more)
    page = Page(
        [lead_row(tuple(row)[_BEFORE : _BEFORE + len(FIELDS)]) for row in found],
        next_cursor=write(beside.following) if beside.following else None,
        previous_cursor=write(beside.preceding) if beside.preceding else None,
        last_cursor=write(LAST) if beside.following else None,
    )
    return page, beside


def _position_of(row: Any, parts: tuple[Part, ...]) -> Position:
    place = row[3] if len(parts) > 1 else 0
    return Position(place, tuple(row[_PLACE[column]] for column in parts[place].keys))


def _total(row: Any) -> Total:
    return Total(row["total"], "at_least" if row["total_capped"] else "exact")


def _total_of_hits(rows: list[Any], page: Page[LeadRow], beside: Around, position: Position) -> Total:
    """Exact where the search ended by itself; else by the share of all leads that it went past."""
    count = len(page.items)
    if beside.following is None and (beside.before is not None or count == 0):
        return Total((beside.before or 0) + count)
    live, newest, oldest = rows[0]["live"], rows[0]["newest"], rows[0]["oldest"]
    shown = rows[:count]
    span = abs(newest - oldest) + 1
    if position.is_first and shown[-1]["ordinal"] is not None:
        return searching.estimated(Passed(count, shown[-1]["ordinal"] / live), live=live)
    ends = [row["arrival"] for row in (shown[0], shown[-1])]
    if beside.before is None:
        return searching.estimated(Passed(count, (abs(ends[0] - ends[1]) + 1) / span), live=live)
    began = min((newest, oldest), key=lambda end: abs(end - (ends[0] if not position.backwards else ends[1])))
    furthest = max(abs(end - began) for end in ends)
    return searching.estimated(Passed(beside.before + count, (furthest + 1) / span), live=live)
