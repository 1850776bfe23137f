"""How many requests of one process are under way at once, and time limits that stand still while one waits its turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

AT_ONE_HOST = 2
IN_ALL = 40

_running: ContextVar[tuple[asyncio.Timeout, ...]] = ContextVar("running_time_limits", default=())


class Places:
    """AT_ONE_HOST places for each host, IN_ALL for all hosts together; who comes first is served first."""

    def __init__(self) -> None:
        self._all = asyncio.Semaphore(IN_ALL)
        self._hosts: dict[str, asyncio.Semaphore] = {}
        self._wanted: dict[str, int] = {}

    @asynccontextmanager
    async def taken(self, host: str) -> AsyncIterator[None]:
        """A place for one request to host. No running `time_limit` counts the wait for it."""
        # The host's place first: who queues for a busy host must not keep others from theirs.
        with self._queue_at(host) as at_host:
            await _without_counting(at_host)
            try:
                await _without_counting(self._all)
                try:
                    yield
                finally:
                    self._all.release()
            finally:
                at_host.release()

    @contextmanager
    def _queue_at(self, host: str) -> Iterator[asyncio.Semaphore]:
        """The host's places. They are forgotten with the last who wants one: there are millions of hosts."""
        self._wanted[host] = self._wanted.get(host, 0) + 1
        try:
            yield self._hosts.setdefault(host, asyncio.Semaphore(AT_ONE_HOST))
        finally:
            self._wanted[host] -= 1
            if not self._wanted[host]:
                del self._wanted[host], self._hosts[host]


@asynccontextmanager
async def time_limit(seconds: float) -> AsyncIterator[None]:
    """As asyncio.timeout, but it stands still while a place is waited for, in here or in a limit within it."""
    async with asyncio.timeout(seconds) as limit:
        token = _running.set((*_running.get(), limit))
        try:
            yield
        finally:
            _running.reset(token)


async def _without_counting(places: asyncio.Semaphore) -> None:
    if not places.locked():
        await places.acquire()
        return
    clock = asyncio.get_running_loop().time
    began = clock()
    # A limit without an end is one that another task has already stopped.
    stopped = [(limit, end) for limit in _running.get() if (end := limit.when()) is not None and not limit.expired()]
    for limit, _ in stopped:
        limit.reschedule(None)
    try:
        await places.acquire()
    finally:
        for limit, end in stopped:
            limit.reschedule(end + clock() - began)
