"""One request over one connection to an address that was checked, and its body read under a limit.

Nothing is looked up here: the address was checked before, and the connection goes to that very address, whatever the
name's owner answers now. SNI and certificate are checked against the name. No connection is kept or shared.
"""

from __future__ import annotations

import ssl
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import anyio
import httpcore2
import httpx2
from httpx2 import URL

from leads_core.outgoing.addresses import Endpoint, port_of
from leads_core.outgoing.failures import BodyRefused, CertificateRefused, ConnectionFailed
from leads_core.outgoing.metering import Meter, MeteredStream

CONNECT_PATIENCE = 3.0  # seconds for one address before the next is tried
SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


@cache
def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """What certificates are checked against: the machine's authorities, and those of this file; TLS 1.2 at least.

    Made once for each file: reading every authority anew would cost each request more than all else.
    """
    context = httpx2.create_ssl_context(trust_env=False)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    return context


class PinnedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to one of the checked endpoints and to nothing else. `reached` is the one that took the connection.

    meter counts what comes over that connection.
    """

    def __init__(self, endpoints: Iterable[Endpoint], meter: Meter) -> None:
        self._endpoints = list(endpoints)
        self._meter = meter
        self._inner = httpcore2.AnyIOBackend()
        self.reached: Endpoint | None = None

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore2's
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        failure: Exception = httpcore2.ConnectError("no address")
        for endpoint in self._endpoints:
            self.reached = endpoint
            try:
                line = await self._inner.connect_tcp(endpoint.connect_host, endpoint.connect_port, CONNECT_PATIENCE)
                return MeteredStream(line, self._meter)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers (names in lower case) and the body, still to be read. The connection is open meanwhile."""

    host: str
    status: int
    headers: Mapping[str, str]
    stream: httpcore2.Response

    async def read_into(self, body: bytearray, max_bytes: int, *, cut: bool) -> None:
        """The decoded body, piece by piece. Past max_bytes: ends there (cut), else raises BodyRefused."""
        decoder = _decoder(self.host, self.headers.get("content-encoding", ""))
        raw_room = max_bytes
        with failures_named(self.host, while_reading=True):
            async for raw in self.stream.aiter_stream():
                raw_room -= len(raw)
                body += decoder.decode(raw, max_bytes + 1 - len(body))
                if len(body) > max_bytes or raw_room < 0:
                    break
            else:
                return
        if not cut:
            raise BodyRefused(f"{self.host} sent more than {max_bytes >> 10} KiB.")
        del body[max_bytes:]


@asynccontextmanager
async def reply_of(
    url: URL, headers: Mapping[str, str], backend: PinnedBackend, tls: ssl.SSLContext
) -> AsyncIterator[Reply]:
    """GET url through backend. Raises ConnectionFailed, CertificateRefused."""
    origin = httpcore2.Origin(url.scheme.encode(), url.raw_host, port_of(url))
    request = httpcore2.Request(
        "GET",
        httpcore2.URL(scheme=origin.scheme, host=origin.host, port=origin.port, target=url.raw_path),
        headers=[(b"Host", url.netloc), *((name.encode(), value.encode()) for name, value in headers.items())],
    )
    connection = httpcore2.AsyncHTTPConnection(origin, ssl_context=tls, network_backend=backend)
    try:
        with failures_named(url.host):
            response = await connection.handle_async_request(request)
        yield Reply(url.host, response.status, _text_headers(response.headers), response)
    finally:
        await connection.aclose()


@contextmanager
def failures_named(host: str, *, while_reading: bool = False) -> Iterator[None]:
    """What goes wrong on the line, as one of our errors."""
    try:
        yield
    except (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError, OSError) as error:
        cause = error.__cause__
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise CertificateRefused(host, f"its certificate is not valid ({cause.verify_message})") from error
        if isinstance(cause, ssl.SSLError):
            raise CertificateRefused(host, "it does not agree on an encryption") from error
        raise ConnectionFailed(host, while_reading=while_reading) from error


class _Plain:
    def decode(self, raw: bytes, _room: int) -> bytes:
        return raw


class _Gzip:
    """Inflates under a limit: a small piece must not become a large one first."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    def decode(self, raw: bytes, room: int) -> bytes:
        try:
            return self._inflater.decompress(raw, room)
        except zlib.error:
            raise BodyRefused(f"{self._host} sent a page that cannot be unpacked.") from None


def _decoder(host: str, encoding: str) -> _Plain | _Gzip:
    match encoding.strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip":
            return _Gzip(host)
    raise BodyRefused(f"{host} sent a page packed in a way that was not asked for.")


def _text_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The first of each name; bytes outside ASCII kept as UTF-8 where they are, else dropped."""
    found: dict[str, str] = {}
    for name, value in headers:
        found.setdefault(name.decode("ascii", "ignore").lower(), value.decode("utf-8", "ignore"))
    return found
