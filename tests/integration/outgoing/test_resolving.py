"""Questions to name servers: absolute, past broken servers, over TCP where an answer is long."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from leads_core.errors import Misconfigured
from leads_core.outgoing.failures import NameDoesNotExist, NameServerFailed, NoNameServer, UrlRefused
from leads_core.outgoing.resolving import NameServer, Resolver, name_servers
from tests.servers.dns_server import DnsServer


def resolver(*servers: DnsServer, patience: float = 1.0) -> Resolver:
    return Resolver(name_servers([server.address for server in servers]), patience=patience)


@pytest.fixture
async def second_server() -> AsyncIterator[DnsServer]:
    async with DnsServer() as server:
        yield server


async def test_addresses_of_both_kinds_are_found(dns_server: DnsServer) -> None:
    dns_server.add("acme.example", "A", "8.8.8.8", "8.8.4.4")
    dns_server.add("acme.example", "AAAA", "2606:4700::1")

    found = await resolver(dns_server).addresses("acme.example")

    assert {str(address) for address in found} == {"8.8.8.8", "8.8.4.4", "2606:4700::1"}


async def test_literal_address_asks_nobody(dns_server: DnsServer) -> None:
    assert [str(address) for address in await resolver(dns_server).addresses("127.0.0.1")] == ["127.0.0.1"]
    assert dns_server.questions == []


async def test_alias_that_leads_out_of_the_answer_is_followed(dns_server: DnsServer) -> None:
    dns_server.add("acme.example", "CNAME", "shop.example")
    dns_server.add("shop.example", "CNAME", "host.example")
    dns_server.add("host.example", "A", "8.8.8.8")
    dns_server.give_one_alias_at_a_time()

    assert [record.to_text() for record in await resolver(dns_server).records("acme.example", "A")] == ["8.8.8.8"]


@pytest.mark.parametrize("one_at_a_time", [False, True])
async def test_aliases_in_a_circle_end(dns_server: DnsServer, one_at_a_time: bool) -> None:
    dns_server.add("acme.example", "CNAME", "shop.example")
    dns_server.add("shop.example", "CNAME", "acme.example")
    if one_at_a_time:
        dns_server.give_one_alias_at_a_time()

    with pytest.raises(NameServerFailed):
        await resolver(dns_server).records("acme.example", "A")


async def test_answer_too_long_for_a_datagram_comes_over_tcp(dns_server: DnsServer) -> None:
    dns_server.add("acme.example", "TXT", *(f'"{n} {"x" * 200}"' for n in range(20)))
    dns_server.truncate("acme.example")

    assert len(await resolver(dns_server).records("acme.example", "TXT")) == 20


async def test_name_that_does_not_exist_is_permanent(dns_server: DnsServer) -> None:
    with pytest.raises(NameDoesNotExist, match=r"nobody\.example does not exist\.") as refused:
        await resolver(dns_server).addresses("nobody.example")

    assert not refused.value.may_pass


async def test_name_without_records_of_the_kind_gives_none(dns_server: DnsServer) -> None:
    dns_server.add("acme.example", "A", "8.8.8.8")

    assert await resolver(dns_server).records("acme.example", "MX") == ()


@pytest.mark.parametrize("code", ["SERVFAIL", "REFUSED", "NOTIMP"])
async def test_next_server_is_asked_when_one_fails(dns_server: DnsServer, second_server: DnsServer, code: str) -> None:
    dns_server.fail("acme.example", code)
    second_server.add("acme.example", "A", "8.8.8.8")

    assert len(await resolver(dns_server, second_server).records("acme.example", "A")) == 1


async def test_next_server_is_asked_when_one_says_nothing(dns_server: DnsServer, second_server: DnsServer) -> None:
    dns_server.say_nothing_about("acme.example")
    second_server.add("acme.example", "A", "8.8.8.8")

    assert len(await resolver(dns_server, second_server).records("acme.example", "A")) == 1


async def test_failure_of_every_server_may_pass(dns_server: DnsServer) -> None:
    dns_server.fail("acme.example", "SERVFAIL")

    with pytest.raises(NameServerFailed, match=r"could not answer for acme\.example \(SERVFAIL\)") as refused:
        await resolver(dns_server).addresses("acme.example")

    assert refused.value.may_pass


async def test_silence_of_every_server_may_pass(dns_server: DnsServer) -> None:
    dns_server.say_nothing_about("acme.example")

    with pytest.raises(NoNameServer, match=r"^No name server answered\.$") as refused:
        await resolver(dns_server, patience=0.2).addresses("acme.example")

    assert refused.value.may_pass
    assert dns_server.questions.count(("acme.example", "A")) == 2


async def test_machine_without_a_network_is_told_so_at_once() -> None:
    with pytest.raises(NoNameServer, match="This machine seems to have no network") as refused:
        await Resolver([]).addresses("acme.example")

    assert not refused.value.may_pass


@pytest.mark.parametrize("name", ["acme", "localhost", "127.1", "a..example", "acme.example.", "ACME.example"])
async def test_half_a_name_is_not_asked_for(dns_server: DnsServer, name: str) -> None:
    with pytest.raises(UrlRefused):
        await resolver(dns_server).records(name, "A")

    assert dns_server.questions == []


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("9.9.9.9", NameServer("9.9.9.9", 53)),
        ("127.0.0.1:5353", NameServer("127.0.0.1", 5353)),
        ("2620:fe::9", NameServer("2620:fe::9", 53)),
        ("[2620:fe::9]:5353", NameServer("2620:fe::9", 5353)),
        ("[2620:fe::9]", NameServer("2620:fe::9", 53)),
    ],
)
def test_name_server_setting_is_address_and_port(text: str, server: NameServer) -> None:
    assert name_servers([text]) == [server]


@pytest.mark.parametrize("text", ["dns.example", "127.0.0.1:x", "127.0.0.1:0", "127.0.0.1:99999", "[::1", ""])
def test_name_server_setting_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Misconfigured, match="ENRICHMENT_NAMESERVERS"):
        name_servers([text])
