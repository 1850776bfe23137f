"""A web server over http and https that answers as a test tells it to, badly too."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import trustme

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. content_type "" sends none; headers come after it."""

    body: bytes = b""
    status: int = 200
    content_type: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def redirect(cls, to: str, status: int = 302) -> Answer:
        return cls(status=status, headers={"Location": to})


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request as it came. headers have lower-case names."""

    scheme: str
    host: str
    path: str
    headers: Mapping[str, str]


Behaviour = Callable[[SeenRequest, asyncio.StreamWriter], Awaitable[None]]
"""Writes whatever it likes, as slowly as it likes."""
Pages = Mapping[str, "Answer | Behaviour | bytes"]


class WebServer:
    """Sites by host; what no site has is 404. Certificates are issued for each site by `authority`.

    `requests` holds every request, `connections` counts the connections that were taken (http and https).
    """

    def __init__(self, authority: trustme.CA | None = None) -> None:
        self.authority = authority or trustme.CA()
        self.requests: list[SeenRequest] = []
        self.connections = 0
        self.http_port = 0
        self.https_port = 0
        self._sites: dict[str, Pages] = {}
        self._certificates: dict[str, ssl.SSLContext] = {}
        self._servers: list[asyncio.Server] = []
        self._writers: set[asyncio.StreamWriter] = set()

    def site(self, host: str, pages: Pages, *, certificate: trustme.LeafCert | None = None) -> None:
        """Serve pages (path -> answer, behaviour or HTML) at host over http and https."""
        self._sites[host] = pages
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (certificate or self.authority.issue_cert(host)).configure_cert(context)
        self._certificates[host] = context

    def requests_of(self, host: str, path: str | None = None) -> list[SeenRequest]:
        return [request for request in self.requests if request.host == host and path in {None, request.path}]

    async def __aenter__(self) -> Self:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("unknown.invalid").configure_cert(tls)
        tls.sni_callback = self._choose_certificate
        for scheme, context in (("http", None), ("https", tls)):
            self._servers.append(await asyncio.start_server(self._handler(scheme), "127.0.0.1", 0, ssl=context))
        self.http_port, self.https_port = (server.sockets[0].getsockname()[1] for server in self._servers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.close()
        for writer in self._writers:
            writer.transport.abort()

    def _choose_certificate(self, tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if context := self._certificates.get(name or ""):
            tls.context = context

    def _handler(self, scheme: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            self._writers.add(writer)
            try:
                with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                    await self._serve(scheme, reader, writer)
            finally:
                self._writers.discard(writer)
                writer.close()

        return handle

    async def _serve(self, scheme: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = _parsed(scheme, await reader.readuntil(b"\r\n\r\n"))
        self.requests.append(request)
        answer = self._sites.get(request.host, {}).get(request.path, Answer(b"not found", 404))
        if isinstance(answer, bytes):
            answer = Answer(answer)
        if isinstance(answer, Answer):
            await send(writer, answer)
        else:
            await answer(request, writer)


async def send(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """An answer with its length, whole."""
    headers = {"Content-Length": str(len(answer.body)), **answer.headers}
    if answer.content_type:
        headers["Content-Type"] = answer.content_type
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {answer.status} Whatever\r\n{head}\r\n".encode() + answer.body)
    await writer.drain()


def _parsed(scheme: str, head: bytes) -> SeenRequest:
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:]) if name}
    return SeenRequest(scheme, headers.get("host", "").partition(":")[0], lines[0].split(" ")[1], headers)
