"""A line that is cut once more has come over it than the answer needs: a flood around a body costs no more than one."""

from __future__ import annotations

import ssl
from typing import Any

import httpcore2

from leads_core.outgoing.failures import BodyRefused

ROOM_FOR_HEADERS = 256 << 10


class Meter:
    """How much may still come over one line, decrypted: interim answers, headers, and what stands around chunks.

    host names the machine in the refusal.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._room = ROOM_FOR_HEADERS

    def make_room(self, max_bytes: int) -> None:
        """For a body of max_bytes. As much again for its chunks: one of a few bytes each is no company's page."""
        self._room += 2 * max_bytes

    def count(self, received: int) -> None:
        """So many bytes came. Raises BodyRefused when there is no room for them."""
        self._room -= received
        if self._room < 0:
            raise BodyRefused(f"{self._host} sent far more than its answer holds.")


class MeteredStream(httpcore2.AsyncNetworkStream):
    """A stream whose reading is metered."""

    def __init__(self, inner: httpcore2.AsyncNetworkStream, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore2's own
        received = await self._inner.read(max_bytes, timeout)
        self._meter.count(len(received))
        return received

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore2's own
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's own
    ) -> httpcore2.AsyncNetworkStream:
        return MeteredStream(await self._inner.start_tls(ssl_context, server_hostname, timeout), self._meter)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
