"""The trail in the log's order, for followers: entry 0, 1, 2, ... as the signed log has them, without a gap.

Entries commit out of order, so their ids and times are no place to resume at: one that commits late would be passed
over. The log gives each its number once, and a number is seen only when every smaller one is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from leads_core.audit.queries import ENTRY, EntryRead, read_entry
from leads_core.database import Database
from leads_core.errors import Unavailable

#: One page, by audit_leaves_pkey and then entry by entry. A leaf stays when its entry was removed.
PAGE = f"""
    SELECT page.leaf_index AS log_index, page.entry_id, page.checksum AS logged, entry.* FROM (
        SELECT leaf_index, entry_id, checksum FROM audit_leaves WHERE leaf_index >= $1 ORDER BY leaf_index LIMIT $2
    ) page LEFT JOIN LATERAL ({ENTRY} WHERE e.id = page.entry_id) entry ON true
    ORDER BY page.leaf_index
"""  # noqa: S608 - our own text
SIZE = "SELECT coalesce((SELECT leaf_index + 1 FROM audit_leaves ORDER BY leaf_index DESC LIMIT 1), 0)"
LOG = f"""
    SELECT ({SIZE}) AS size, coalesce((SELECT size FROM audit_checkpoints ORDER BY number DESC LIMIT 1), 0) AS signed
"""  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class RemovedEntry:
    """A number of the log whose entry is not there any more: somebody removed it behind the app's back."""

    id: UUID
    checksum: str
    log_index: int


Feed = Sequence[EntryRead | RemovedEntry]


@dataclass(frozen=True, slots=True)
class LogSize:
    """How many entries the log has, and how many of them the newest checkpoint covers."""

    size: int
    signed: int


async def entries_from(reader: asyncpg.Connection, first: int, limit: int, *, with_origin: bool) -> Feed:
    """The entries numbered first, first + 1, ..., at most limit of them. with_origin: whence they came may be seen."""
    rows = await reader.fetch(PAGE, first, limit)
    return [_read(dict(row), with_origin=with_origin) for row in rows]


async def log_size(reader: asyncpg.Connection) -> LogSize:
    """How far the log is."""
    row = await reader.fetchrow(LOG)
    return LogSize(row["size"], row["signed"])


def _read(row: dict[str, Any], *, with_origin: bool) -> EntryRead | RemovedEntry:
    log_index, entry_id, logged = row.pop("log_index"), row.pop("entry_id"), row.pop("logged")
    if row["id"] is None:
        return RemovedEntry(entry_id, logged.hex(), log_index)
    return read_entry(row, with_origin=with_origin)


class LogWatch:
    """Tells those who wait that the log has grown. However many wait, one short look at a time is made for all."""

    LOOK_SECONDS = 0.25

    def __init__(self, database: Database) -> None:
        self._database = database
        self._size = 0
        self._waiting = 0
        self._looking: asyncio.Task[None] | None = None
        self._looked = asyncio.Event()

    async def wait_beyond(self, size: int, seconds: float) -> None:
        """Returns when the log has more than size entries, or when the time is over. Holds no connection meanwhile."""
        self._waiting += 1
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(seconds):
                await self._looked.wait()
                while self._size <= size:
                    await self._looked.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting -= 1

    async def _look(self) -> None:
        """As long as somebody waits. A database that does not answer is asked again: the wait has its own end."""
        try:
            while self._waiting:
                try:
                    async with self._database.reader() as reader:
                        self._size = await reader.fetchval(SIZE)
                except Unavailable:
                    pass
                looked, self._looked = self._looked, asyncio.Event()
                looked.set()
                await asyncio.sleep(self.LOOK_SECONDS)
        finally:
            self._looking = None
