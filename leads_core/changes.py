"""LISTEN: what other processes and this one commit, as it happens. NOTIFY is at the end of each transaction."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import structlog

from leads_core.database import CHANNEL, asyncpg_url

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """One transaction's leads. many: more than are named, or it is not known which (the connection was lost)."""

    entry_id: str
    lead_ids: list[str]
    many: bool = False


class Changes:
    """A dedicated connection that listens, and comes back when it is lost."""

    def __init__(self, url: str) -> None:
        self._url = asyncpg_url(url)
        #: Set while the connection stands: changes committed from now on are heard.
        self.listening = asyncio.Event()

    async def listen(self) -> AsyncIterator[Change]:
        """Every change from now on, without end. After a lost connection the first is a Change of many."""
        pause, last = 0.5, ""
        while True:
            heard: asyncio.Queue[Change | None] = asyncio.Queue()
            try:
                connection = await asyncpg.connect(self._url, server_settings={"application_name": "leads-listener"})
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                log.warning("listen_lost", error=str(error), retry_in=pause)
                await asyncio.sleep(pause)
                pause = min(10.0, pause * 2)
                continue
            try:
                connection.add_termination_listener(lambda _connection, heard=heard: heard.put_nowait(None))
                await connection.add_listener(
                    CHANNEL, lambda *message, heard=heard: heard.put_nowait(_read(message[3]))
                )
                pause = 0.5
                self.listening.set()
                if last:
                    yield Change(last, [], many=True)
                while (change := await heard.get()) is not None:
                    last = change.entry_id
                    yield change
            finally:
                self.listening.clear()
                connection.terminate()


def _read(payload: str) -> Change:
    what = json.loads(payload)
    return Change(what["entry"], what.get("ids", []), many=bool(what.get("many")))
