"""A page of pairs of leads, in both directions: what the open ones and those kept apart share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import asyncpg

from leads_core.leads.duplicates import live_leads
from leads_core.leads.rows import LeadRow
from leads_core.paging import LAST, Cursors, Page, Position, around

T = TypeVar("T")

#: Pairs of which a lead is in the bin by now are passed over.
BOTH_LIVE = """
    EXISTS (SELECT FROM leads l WHERE l.id = d.lead_id AND l.deleted_at IS NULL)
    AND EXISTS (SELECT FROM leads l WHERE l.id = d.other_id AND l.deleted_at IS NULL)
"""


@dataclass(frozen=True, slots=True)
class PairPages(Generic[T]):
    """first and last are the statement in both directions: the key's values, then how many rows.

    name stands in cursors; key are the columns of the order; of makes what is listed from a row and its two leads.
    """

    name: str
    first: str
    last: str
    key: tuple[str, ...]
    of: Callable[[asyncpg.Record, LeadRow, LeadRow], T]

    async def page(self, reader: asyncpg.Connection, cursor: str | None, limit: int, cursors: Cursors) -> Page[T]:
        """Raises Invalid for a foreign cursor."""
        position = cursors.read(cursor, self.name)
        key = position.key or (None,) * len(self.key)
        rows = await reader.fetch(self.last if position.backwards else self.first, *key, limit + 1)
        more, rows = len(rows) > limit, rows[:limit]
        if position.backwards:
            rows.reverse()
        if not rows:
            return Page([], None, cursors.write(LAST, self.name) if position.key and not position.backwards else None)
        beside = around(position, self._position(rows[0]), self._position(rows[-1]), len(rows), more=more)
        leads = await live_leads(reader, list({row[name] for row in rows for name in ("lead_id", "other_id")}))
        return Page(
            [
                self.of(row, leads[row["lead_id"]], leads[row["other_id"]])
                for row in rows
                if row["lead_id"] in leads and row["other_id"] in leads
            ],
            cursors.write(beside.following, self.name) if beside.following else None,
            cursors.write(beside.preceding, self.name) if beside.preceding else None,
        )

    def _position(self, row: asyncpg.Record) -> Position:
        return Position(0, tuple(row[name] for name in self.key))
