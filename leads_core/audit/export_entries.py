"""The entries of an export: nothing leaves unseen, and whoever holds a file can ask whose it was.

Two entries with the export's own id: one before the first byte (what, which format, which filter, which columns where
not all), one when it ends, however it ends (rows, the SHA-256 of what was sent, and whether that was all). A killed
process leaves the first alone.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self
from uuid import UUID

from leads_core.audit import trail
from leads_core.audit.models import Action, SubjectKind
from leads_core.database import Database, new_id

What = Literal["leads", "audit", "requests"]

#: A field never changes its name or its part.
PART_OF: Mapping[str, str] = {
    "what": "data",
    "format": "data",
    "filter": "data",
    "columns": "data",
    "rows": "data",
    "sha256": "data",
    "complete": "data",
}


class RecordedExport:
    """One export on its way out, in the current actor's name. Enter it before the first byte; leaving it ends it.

    what is one of What. wanted is the filter as a canonical query string, empty for everything; columns are those that
    were chosen, None for all. In use:

        async with (
            RecordedExport(database, "audit", as_format="jsonl", wanted="") as export,
            aclosing(export.recorded(pieces, lambda: counted.entries)) as leaving,
        ):
            async for piece in leaving: ...
    """

    def __init__(
        self, database: Database, what: What, *, as_format: str, wanted: str, columns: Sequence[str] | None = None
    ) -> None:
        self.id: UUID = new_id()
        self._database = database
        self._wanted: dict[str, Any] = {"what": what, "format": as_format, "filter": wanted}
        if columns:
            self._wanted["columns"] = ",".join(columns)
        self._digest = hashlib.sha256()
        self._rows: Callable[[], int] = int
        self._ending: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.begin()
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        await self.end(complete=False)

    async def begin(self) -> None:
        """Write the first entry. Raises Unavailable, and then nothing may be sent."""
        await self._write(self._wanted)

    async def recorded(self, pieces: AsyncIterator[bytes], rows: Callable[[], int]) -> AsyncGenerator[bytes, None]:
        """The same pieces, hashed as they go. rows says how many were written so far.

        The entry of the end is committed before the consumer hears that there is no more, so that no file is whole
        without it. A piece counts from the moment it is handed on: of a broken download rather too much than too
        little.
        """
        self._rows = rows
        async for piece in pieces:
            self._digest.update(piece)
            yield piece
        await self.end(complete=True)

    async def end(self, *, complete: bool) -> None:
        """Write the entry of the end, once: what is said first holds. It is written even if the caller is cancelled."""
        if self._ending is None:
            values = {"rows": self._rows(), "sha256": self._digest.hexdigest(), "complete": complete}
            self._ending = asyncio.create_task(self._write(values))
        await asyncio.shield(self._ending)

    async def _write(self, values: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            await trail.append(
                session,
                Action.EXPORT,
                self.id,
                seq=None,
                before=None,
                after=values,
                at=trail.now(),
                kind=SubjectKind.EXPORT,
                part_of=PART_OF,
            )
