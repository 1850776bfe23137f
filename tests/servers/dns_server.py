"""A name server over UDP and TCP that answers as a test tells it to."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Sequence
from types import TracebackType
from typing import Self, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

TTL = 60


class DnsServer:
    """Answers questions about the names added to it; any other name does not exist (NXDOMAIN).

    `questions` holds (name, kind) of every question, in order.
    """

    def __init__(self) -> None:
        self.questions: list[tuple[str, str]] = []
        self._records: dict[tuple[str, str], list[list[str]]] = defaultdict(list)
        self._codes: dict[str, dns.rcode.Rcode] = {}
        self._silent: set[str] = set()
        self._truncated: set[str] = set()
        self._one_alias_at_a_time = False
        self._transport: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None
        self.address = ""

    def add(self, name: str, kind: str, *values: str) -> None:
        """The records of one kind at name, from now on."""
        self._records[name, kind] = [list(values)]

    def change_answers(self, name: str, kind: str, *answers: Sequence[str]) -> None:
        """The first question gets the first answer, the next the second; the last answer stays."""
        self._records[name, kind] = [list(answer) for answer in answers]

    def fail(self, name: str, code: str = "SERVFAIL") -> None:
        self._codes[name] = dns.rcode.from_text(code)

    def say_nothing_about(self, name: str) -> None:
        self._silent.add(name)

    def truncate(self, name: str) -> None:
        """Over UDP the answer says only that it is too long; over TCP it is whole."""
        self._truncated.add(name)

    def give_one_alias_at_a_time(self) -> None:
        """Answer with a CNAME alone, so that who asks has to follow it."""
        self._one_alias_at_a_time = True

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._serve_tcp, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self._transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(self), ("127.0.0.1", port))
        self.address = f"127.0.0.1:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._transport
        assert self._server
        self._transport.close()
        self._server.close()

    def answer(self, wire: bytes, *, over_udp: bool) -> bytes | None:
        """The answer to a question in wire format; None for silence."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.questions.append((name, kind))
        if name in self._silent:
            return None
        response = dns.message.make_response(query, recursion_available=True)
        if name in self._codes:
            response.set_rcode(self._codes[name])
        elif over_udp and name in self._truncated:
            response.flags |= dns.flags.TC
        else:
            self._fill(response, name, kind)
        return response.to_wire(max_size=1232 if over_udp else 65535)

    def _fill(self, response: dns.message.Message, name: str, kind: str) -> None:
        for _ in range(20):
            if values := self._values(name, kind):
                response.answer.append(dns.rrset.from_text(f"{name}.", TTL, "IN", kind, *values))
                return
            if not (alias := self._values(name, "CNAME")):
                break
            response.answer.append(dns.rrset.from_text(f"{name}.", TTL, "IN", "CNAME", f"{alias[0]}."))
            if self._one_alias_at_a_time:
                return
            name = alias[0]
        if not any(known == name for known, _ in self._records):
            response.set_rcode(dns.rcode.NXDOMAIN)

    def _values(self, name: str, kind: str) -> list[str]:
        answers = self._records.get((name, kind))
        if not answers:
            return []
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            length = int.from_bytes(await reader.readexactly(2), "big")
            if answer := self.answer(await reader.readexactly(length), over_udp=False):
                writer.write(len(answer).to_bytes(2, "big") + answer)
                await writer.drain()
        writer.close()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        if answer := self._server.answer(data, over_udp=True):
            self._transport.sendto(answer, peer)
