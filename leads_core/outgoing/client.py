"""The guard: the one way out. Every request to a machine of strangers goes through here.

http and https, ports 80 and 443, no credentials; the name resolved once, every address checked, the connection made
to that very address; each redirect checked afresh; no proxy from the environment, no cookies, nothing carried from one
host to another; everything under limits. Tests open it for named loopback addresses; nothing switches it off.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

import dns.rdata
import httpx2
from httpx2 import URL

from leads_core.errors import OutgoingRefused
from leads_core.outgoing.addresses import AddressRule, checked_url, port_of
from leads_core.outgoing.connecting import PinnedBackend, Reply, reply_of, tls_context
from leads_core.outgoing.failures import AddressRefused, BodyRefused, TookTooLong, TooManyRedirects, UrlRefused
from leads_core.outgoing.metering import Meter
from leads_core.outgoing.places import Places, time_limit
from leads_core.outgoing.recording import RequestRecord, tell
from leads_core.outgoing.resolving import Resolver, name_servers

ROBOTS_NAME = "LeadExplorer"
USER_AGENT = (
    f"{ROBOTS_NAME}/{version('lead-explorer')} (reads public company pages; heeds robots.txt for {ROBOTS_NAME})"
)
PAGE_TYPES = ("text/html", "application/xhtml+xml")
UNSTATED = ""
"""Stands in `accept` for an answer that does not say its type."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Limits:
    """seconds: name, connections, redirects and body together, without the wait for a place. max_bytes: decoded."""

    seconds: float = 10.0
    max_bytes: int = 2 << 20
    redirects: int = 5
    cut: bool = False
    """End a larger body at max_bytes in place of refusing it."""


@dataclass(frozen=True, slots=True)
class OutgoingResponse:
    """The last answer. status is any; the body is read for 2xx only. redirects: every URL that was followed, in order.

    url is the one that answered. Header names are in lower case, the first of each name.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    redirects: tuple[str, ...]

    @property
    def content_type(self) -> str:
        return _content_type(self.headers)


HopCheck = Callable[[str], Awaitable[None]]


class OutgoingClient:
    """Use as an async context manager; safe for concurrent use. One for each process: it counts what is under way.

    Two requests at once to one host, forty in all; the others wait their turn (leads_core.outgoing.places).
    nameservers: `address` or `address:port`, none for the system's. loopback: see AddressRule. ca_file: certificates
    trusted beside the system's. Raises Misconfigured.
    """

    def __init__(
        self,
        *,
        nameservers: Sequence[str] = (),
        loopback: Mapping[str, str] | None = None,
        ca_file: Path | None = None,
    ) -> None:
        self._nameservers = nameservers
        self._rule = AddressRule(loopback)
        self._ca_file = ca_file
        self._places = Places()
        self._resolver: Resolver
        self._tls: ssl.SSLContext

    async def __aenter__(self) -> Self:
        self._resolver = Resolver(await asyncio.to_thread(name_servers, self._nameservers))
        self._tls = await asyncio.to_thread(tls_context, self._ca_file)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is kept open between requests."""

    async def get(
        self,
        url: str,
        *,
        purpose: str,
        accept: Sequence[str] = PAGE_TYPES,
        before_each: HopCheck | None = None,
        limits: Limits | None = None,
    ) -> OutgoingResponse:
        """GET url, following redirects. Raises a subclass of OutgoingRefused (leads_core.outgoing.failures).

        accept: the types that are let in, UNSTATED for none. before_each is awaited with every URL before it is asked
        for, the redirects too, and may raise.
        """
        limits = limits or Limits()
        target = self._checked(url, purpose)
        first = target.host
        followed: list[str] = []
        try:
            async with time_limit(limits.seconds):
                while True:
                    if before_each:
                        await before_each(str(target))
                    async with self._places.taken(target.host):
                        response = await self._exchange(target, purpose, accept, limits)
                    if (location := _redirect_of(response)) is None:
                        return replace(response, redirects=tuple(followed))
                    if len(followed) == limits.redirects:
                        raise TooManyRedirects(first, limits.redirects)
                    target = self._checked(_joined(target, location), purpose)
                    followed.append(str(target))
        except TimeoutError:
            raise TookTooLong(target.host, limits.seconds) from None

    async def lookup(self, name: str, kind: str, *, purpose: str) -> tuple[dns.rdata.Rdata, ...]:
        """The DNS records of one kind at name. Raises as Resolver.records."""
        record = RequestRecord(datetime.now(UTC), purpose, f"dns:{name}?type={kind}", name)
        try:
            records = await self._resolver.records(name, kind)
        except OutgoingRefused as error:
            tell(replace(record, error=str(error)))
            raise
        tell(record)
        return records

    def _checked(self, url: str, purpose: str) -> URL:
        try:
            return checked_url(url)
        except OutgoingRefused as error:
            tell(RequestRecord(datetime.now(UTC), purpose, url[:200], "", error=str(error)))
            raise

    async def _exchange(self, url: URL, purpose: str, accept: Sequence[str], limits: Limits) -> OutgoingResponse:
        record = RequestRecord(datetime.now(UTC), purpose, str(url), url.host)
        meter = Meter(url.host)
        backend = PinnedBackend((), meter)
        body = bytearray()
        try:
            addresses = await self._resolver.addresses(url.host)
            backend = PinnedBackend(self._rule.endpoints(url.host, addresses, port_of(url)), meter)
            async with reply_of(url, _headers(accept), backend, self._tls) as reply:
                record = replace(record, status=reply.status)
                if _wants_body(reply, accept):
                    meter.make_room(limits.max_bytes)
                    await reply.read_into(body, limits.max_bytes, cut=limits.cut)
            return OutgoingResponse(str(url), reply.status, reply.headers, bytes(body), ())
        except OutgoingRefused as error:
            refused_at = error.address if isinstance(error, AddressRefused) else None
            record = replace(record, error=str(error), address=refused_at)
            raise
        except asyncio.CancelledError:
            record = replace(record, error="It was given up: it took too long, or the work was stopped.")
            raise
        finally:
            if backend.reached:
                record = replace(record, address=str(backend.reached.address))
            tell(replace(record, bytes=len(body)))


def _headers(accept: Sequence[str]) -> dict[str, str]:
    return {
        "User-Agent": USER_AGENT,
        "Accept": ", ".join(kind for kind in accept if kind),
        "Accept-Encoding": "gzip",
        "Connection": "close",
    }


def _wants_body(reply: Reply, accept: Sequence[str]) -> bool:
    if not 200 <= reply.status < 300:
        return False
    if (kind := _content_type(reply.headers)) not in accept:
        raise BodyRefused(f"{reply.host} answered with {kind[:60] or 'something of no stated type'}, not with text.")
    return True


def _content_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _redirect_of(response: OutgoingResponse) -> str | None:
    return response.headers.get("location") if response.status in REDIRECTS else None


def _joined(url: URL, location: str) -> str:
    try:
        return str(url.join(location.strip()))
    except (httpx2.InvalidURL, UnicodeError, ValueError):
        raise UrlRefused(f"{url.host} redirects to something that is no address.") from None
