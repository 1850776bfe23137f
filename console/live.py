"""Server-sent events: one LISTEN for the process, one stream for each browser, no database connection held by any."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from leads_core.audit import queries as trail
from leads_core.changes import Change, Changes
from leads_core.database import Database

log = structlog.get_logger(__name__)

#: Changes in one message; more than that and the page reads its list afresh anyway.
NAMED = 100
#: Entries commit out of order: a stream that comes back is told again what happened this long before it broke.
OVERLAP_MILLISECONDS = 60_000
#: A stream that is this far behind is cut; the browser comes back and catches up.
BEHIND = 100


@dataclass(frozen=True, slots=True)
class Message:
    """One event, the same bytes for every browser."""

    id: str
    data: str


class Live:
    """Hands each change that any process commits to every open stream of this one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changes = Changes(database.url)
        self._streams: set[asyncio.Queue[Message | None]] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._listen())

    @property
    def listening(self) -> asyncio.Event:
        """Set while changes are heard."""
        return self._changes.listening

    async def stop(self) -> None:
        """End every stream, then the LISTEN."""
        for stream in list(self._streams):
            self._end(stream)
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def stream(self, last_event_id: str | None) -> AsyncGenerator[Message, None]:
        """What changes from now on; first, what changed since the stream that broke."""
        queue: asyncio.Queue[Message | None] = asyncio.Queue(BEHIND)
        self._streams.add(queue)
        try:
            if (missed := await self._missed(last_event_id)) is not None:
                yield missed
            while (message := await queue.get()) is not None:
                yield message
        finally:
            self._streams.discard(queue)

    async def _listen(self) -> None:
        async for change in self._changes.listen():
            message = _message(change)
            for stream in list(self._streams):
                try:
                    stream.put_nowait(message)
                except asyncio.QueueFull:
                    self._end(stream)

    def _end(self, stream: asyncio.Queue[Message | None]) -> None:
        self._streams.discard(stream)
        while not stream.empty():
            stream.get_nowait()
        stream.put_nowait(None)

    async def _missed(self, last_event_id: str | None) -> Message | None:
        since = _some_time_before(last_event_id)
        if since is None:
            return None
        async with self._database.reader() as reader:
            ids = await trail.leads_changed_since(reader, since, NAMED + 1)
        return Message(str(last_event_id), _data(ids)) if ids else None


def _message(change: Change) -> Message:
    return Message(change.entry_id, json.dumps({"many": True} if change.many else {"ids": change.lead_ids}))


def _data(ids: list[UUID]) -> str:
    what: dict[str, Any] = {"many": True} if len(ids) > NAMED else {"ids": [str(lead_id) for lead_id in ids]}
    return json.dumps(what)


def _some_time_before(entry_id: str | None) -> UUID | None:
    """The smallest UUIDv7 of the time OVERLAP before this one's; None for what is no entry's id."""
    try:
        milliseconds = UUID(entry_id or "").int >> 80
    except ValueError:
        return None
    return UUID(int=max(0, milliseconds - OVERLAP_MILLISECONDS) << 80)
