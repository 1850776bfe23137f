"""Names to records, asked of name servers directly: absolute names, no search list, no hosts file, CNAME followed.

The system's resolver is never used: it reads 2130706433 and 127.1 as 127.0.0.1, and tries search domains.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import product
from time import monotonic

import dns.asyncquery
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.resolver

from leads_core.errors import Misconfigured, OutgoingRefused
from leads_core.outgoing.addresses import Address, is_sound_name, literal_address
from leads_core.outgoing.failures import (
    NameDoesNotExist,
    NameHasNoAddress,
    NameServerFailed,
    NoNameServer,
    UrlRefused,
)

MAX_SERVERS = 3
MAX_QUESTIONS = 6  # one for each CNAME that leads out of the answer that holds it
PATIENCE = 1.5
LIFETIME = 4.0  # seconds for one question, all servers and tries together


@dataclass(frozen=True, slots=True)
class NameServer:
    """Where questions go. Not under the guard: it is the operator's own choice."""

    address: str
    port: int = 53


def name_servers(settings: Sequence[str]) -> list[NameServer]:
    """The name servers to ask: `address` or `address:port` each, the system's when none is given.

    Reads /etc/resolv.conf in that case. Raises Misconfigured.
    """
    if settings:
        return [_name_server(text.strip()) for text in settings]
    try:
        system = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return []
    return [NameServer(str(address), system.port) for address in system.nameservers][:MAX_SERVERS]


class Resolver:
    """Answers of the name servers. Safe for concurrent use; keeps nothing. patience: seconds for one server."""

    def __init__(self, servers: Sequence[NameServer], *, patience: float = PATIENCE) -> None:
        self._servers = list(servers)
        self._patience = patience

    async def addresses(self, host: str) -> list[Address]:
        """Every address of host, A and AAAA. Raises NameDoesNotExist, NameHasNoAddress, and as `records`."""
        if (literal := literal_address(host)) is not None:
            return [literal]
        found = await asyncio.gather(self.records(host, "A"), self.records(host, "AAAA"), return_exceptions=True)
        addresses = [ip_address(record.to_text()) for answer in found if isinstance(answer, tuple) for record in answer]
        if addresses:
            # one half may have failed: some name servers never answer for AAAA
            return addresses
        for failure in found:
            if isinstance(failure, BaseException):
                raise failure
        raise NameHasNoAddress(host)

    async def records(self, name: str, kind: str) -> tuple[dns.rdata.Rdata, ...]:
        """The records of one kind at name; none when the name exists without them.

        Raises NameDoesNotExist, NameServerFailed, NoNameServer, UrlRefused (the name is not one).
        """
        wanted = dns.rdatatype.from_text(kind)
        asked = _absolute(name)
        for _ in range(MAX_QUESTIONS):
            message = await self._ask(name, dns.message.make_query(asked, wanted, use_edns=0, payload=1232))
            with _unreadable_answers_fail(name):
                chain = message.resolve_chaining()
            if chain.answer is not None:
                return tuple(chain.answer)
            if message.rcode() == dns.rcode.NXDOMAIN:
                raise NameDoesNotExist(name)
            if chain.canonical_name == asked:
                return ()
            asked = chain.canonical_name
        raise NameServerFailed(name, "its aliases lead in a circle")

    async def _ask(self, name: str, query: dns.message.QueryMessage) -> dns.message.QueryMessage:
        failure: OutgoingRefused = NoNameServer(unreachable=True)
        unreachable: set[NameServer] = set()
        give_up = monotonic() + LIFETIME
        for _, server in product(range(2), self._servers):
            patience = min(self._patience, give_up - monotonic())
            if server in unreachable or patience <= 0:
                continue
            try:
                message, _ = await dns.asyncquery.udp_with_fallback(
                    query, server.address, patience, server.port, ignore_unexpected=True, ignore_errors=True
                )
            except OSError:
                unreachable.add(server)
            except (dns.exception.DNSException, EOFError):
                if not isinstance(failure, NameServerFailed):
                    failure = NoNameServer(unreachable=False)
            else:
                code = message.rcode()
                if isinstance(message, dns.message.QueryMessage) and code in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                    return message
                failure = NameServerFailed(name, dns.rcode.to_text(code))
        raise failure


def _absolute(name: str) -> dns.name.Name:
    if not is_sound_name(name):
        raise UrlRefused("The address names no full host name.")
    try:
        return dns.name.from_text(name + ".")
    except dns.exception.DNSException:
        raise UrlRefused("The address names no full host name.") from None


@contextlib.contextmanager
def _unreadable_answers_fail(name: str) -> Iterator[None]:
    try:
        yield
    except dns.exception.DNSException:
        raise NameServerFailed(name, "its answer makes no sense") from None


def _name_server(text: str) -> NameServer:
    host, port = text, "53"
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        port = (rest.removeprefix(":") or "53") if closed else ""
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        server = NameServer(str(ip_address(host)), int(port))
    except ValueError:
        raise Misconfigured(f"ENRICHMENT_NAMESERVERS: {text!r} is not address or address:port.") from None
    if not 0 < server.port < 65536:
        raise Misconfigured(f"ENRICHMENT_NAMESERVERS: {text!r} has no sound port.")
    return server
