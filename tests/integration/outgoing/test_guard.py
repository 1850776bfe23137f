"""Ways around the guard, each tried against real servers, with connections counted at the socket."""

from __future__ import annotations

import asyncio
import gzip
from asyncio import StreamWriter, sleep
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from leads_core.errors import OutgoingRefused
from leads_core.outgoing.client import USER_AGENT, Limits, OutgoingClient
from leads_core.outgoing.failures import (
    AddressRefused,
    BodyRefused,
    CertificateRefused,
    ConnectionFailed,
    NameDoesNotExist,
    NameHasNoAddress,
    TookTooLong,
    TooManyRedirects,
    UrlRefused,
)
from leads_core.outgoing.recording import RequestRecord, recorded_requests
from tests.servers.dns_server import DnsServer
from tests.servers.small_internet import SmallInternet
from tests.servers.web_server import Answer, Behaviour, SeenRequest, WebServer

Connected = list[tuple[str, int]]
PAGE = b"<title>Acme</title>"
PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104
    "224.0.0.1",
]
PRIVATE6 = [
    "::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "fe80::1",
    "fc00::1",
    "2001:db8::1",
    "::7f00:1",
]
DISGUISED = ["2130706433", "0x7f000001", "017700000001", "127.1", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:7f00:1]"]


async def test_page_is_read_from_the_checked_address_with_the_names_certificate(
    internet: SmallInternet, guard: OutgoingClient, connected: Connected
) -> None:
    internet.site("acme.example", {"/": PAGE})

    answer = await guard.get("https://acme.example/", purpose="website")

    assert (answer.status, answer.body, answer.url, answer.redirects) == (200, PAGE, "https://acme.example/", ())
    assert connected == [("127.0.0.1", internet.web.https_port)]


async def test_request_is_honest_and_carries_nothing_else(internet: SmallInternet, guard: OutgoingClient) -> None:
    internet.site("acme.example", {"/": Answer.redirect("https://other.example/x"), "/again": Answer(PAGE)})
    internet.site("other.example", {"/x": Answer(PAGE, headers={"Set-Cookie": "a=b"})})

    await guard.get("https://acme.example/", purpose="website")
    await guard.get("https://other.example/x", purpose="website")

    assert {frozenset(request.headers) for request in internet.web.requests} == {
        frozenset({"host", "user-agent", "accept", "accept-encoding", "connection"})
    }
    assert internet.web.requests[0].headers["user-agent"] == USER_AGENT


@pytest.mark.parametrize("host", DISGUISED)
async def test_disguised_loopback_address_is_never_connected(
    internet: SmallInternet, guard: OutgoingClient, connected: Connected, host: str
) -> None:
    internet.names.add(host, "A", "127.0.0.2")

    with pytest.raises(OutgoingRefused):
        await guard.get(f"http://{host}/", purpose="website")

    assert (connected, internet.names.questions) == ([], [])


@pytest.mark.parametrize("address", PRIVATE)
async def test_name_that_leads_to_a_private_address_is_never_connected(
    dns_server: DnsServer, guard: OutgoingClient, connected: Connected, address: str
) -> None:
    dns_server.add("acme.example", "A", address)

    with pytest.raises(AddressRefused) as refused:
        await guard.get("http://acme.example/", purpose="website")

    assert (connected, refused.value.address, refused.value.may_pass) == ([], address, False)


@pytest.mark.parametrize("address", PRIVATE6)
async def test_name_that_leads_to_a_private_ipv6_address_is_never_connected(
    dns_server: DnsServer, guard: OutgoingClient, connected: Connected, address: str
) -> None:
    dns_server.add("acme.example", "A", "127.0.0.2")
    dns_server.add("acme.example", "AAAA", address)

    with pytest.raises(AddressRefused):
        await guard.get("http://acme.example/", purpose="website")

    assert connected == []


async def test_one_private_address_among_several_answers_refuses_all(
    dns_server: DnsServer, guard: OutgoingClient, connected: Connected
) -> None:
    dns_server.add("acme.example", "A", "127.0.0.2", "10.0.0.1")

    with pytest.raises(AddressRefused):
        await guard.get("http://acme.example/", purpose="website")

    assert connected == []


@pytest.mark.parametrize("one_at_a_time", [False, True])
async def test_alias_to_a_private_address_is_never_connected(
    dns_server: DnsServer, guard: OutgoingClient, connected: Connected, one_at_a_time: bool
) -> None:
    dns_server.add("acme.example", "CNAME", "shop.example")
    dns_server.add("shop.example", "CNAME", "inner.example")
    dns_server.add("inner.example", "A", "10.0.0.1")
    if one_at_a_time:
        dns_server.give_one_alias_at_a_time()

    with pytest.raises(AddressRefused):
        await guard.get("http://acme.example/", purpose="website")

    assert connected == []


async def test_name_is_asked_for_absolutely_and_never_under_a_search_domain(
    dns_server: DnsServer, guard: OutgoingClient, connected: Connected
) -> None:
    dns_server.add("acme.example.corp.example", "A", "127.0.0.2")

    with pytest.raises(NameDoesNotExist):
        await guard.get("http://acme.example/", purpose="website")

    assert {name for name, _ in dns_server.questions} == {"acme.example"}
    assert connected == []


@pytest.mark.parametrize("host", ["localhost", "intranet"])
async def test_name_of_the_local_network_is_not_asked_for(
    dns_server: DnsServer, guard: OutgoingClient, connected: Connected, host: str
) -> None:
    with pytest.raises(UrlRefused):
        await guard.get(f"http://{host}/", purpose="website")

    assert (connected, dns_server.questions) == ([], [])


async def test_name_that_changes_its_answer_between_check_and_connect_gains_nothing(
    internet: SmallInternet, guard: OutgoingClient, connected: Connected
) -> None:
    internet.site("acme.example", {"/": PAGE})
    internet.names.change_answers("acme.example", "A", ["127.0.0.2"], ["10.0.0.1"])

    answer = await guard.get("http://acme.example/", purpose="website")

    assert answer.body == PAGE
    assert connected == [("127.0.0.1", internet.web.http_port)]
    assert internet.names.questions.count(("acme.example", "A")) == 1


async def test_name_that_changes_its_answer_before_a_redirect_is_checked_afresh(
    internet: SmallInternet, guard: OutgoingClient, connected: Connected
) -> None:
    internet.site("acme.example", {"/": Answer.redirect("/next"), "/next": PAGE})
    internet.names.change_answers("acme.example", "A", ["127.0.0.2"], ["10.0.0.1"])

    with pytest.raises(AddressRefused):
        await guard.get("http://acme.example/", purpose="website")

    assert connected == [("127.0.0.1", internet.web.http_port)]


@pytest.mark.parametrize(
    "target",
    [
        "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/", "http://2130706433/",
        "http://127.0.0.1/", "//127.0.0.1/", "http://inner.example/", "file:///etc/passwd", "ftp://acme.example/",
        "gopher://acme.example/", "http://user:secret@acme.example/", "http://acme.example:8080/", "http://localhost/",
        "javascript:alert(1)", "http://[", "http://acme.example:99999999/",
    ],
)  # fmt: skip
async def test_redirect_to_what_must_not_be_reached_is_not_followed(
    internet: SmallInternet, guard: OutgoingClient, connected: Connected, target: str
) -> None:
    internet.names.add("inner.example", "A", "192.168.0.1")
    internet.site("acme.example", {"/": Answer.redirect(target)})

    with pytest.raises(OutgoingRefused) as refused:
        await guard.get("http://acme.example/", purpose="website")

    assert not refused.value.may_pass
    assert connected == [("127.0.0.1", internet.web.http_port)]


async def test_five_redirects_are_followed_and_a_sixth_is_not(internet: SmallInternet, guard: OutgoingClient) -> None:
    internet.site("acme.example", {**{f"/{n}": Answer.redirect(f"/{n + 1}") for n in range(6)}, "/6": PAGE})

    answer = await guard.get("http://acme.example/1", purpose="website")
    with pytest.raises(TooManyRedirects):
        await guard.get("http://acme.example/0", purpose="website")

    assert answer.redirects == tuple(f"http://acme.example/{n}" for n in range(2, 7))
    assert (answer.url, answer.body) == ("http://acme.example/6", PAGE)


async def test_redirect_in_a_circle_ends(internet: SmallInternet, guard: OutgoingClient) -> None:
    internet.site("acme.example", {"/": Answer.redirect("/")})

    with pytest.raises(TooManyRedirects):
        await guard.get("http://acme.example/", purpose="website")

    assert len(internet.web.requests) == 6


async def test_proxy_from_the_environment_is_not_used(
    internet: SmallInternet, guard: OutgoingClient, connected: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    internet.site("acme.example", {"/": PAGE})
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    await guard.get("http://acme.example/", purpose="website")
    await guard.get("https://acme.example/", purpose="website")

    assert connected == [("127.0.0.1", internet.web.http_port), ("127.0.0.1", internet.web.https_port)]


async def endless(_: SeenRequest, writer: StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def endless_headers(_: SeenRequest, writer: StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: " + b"x" * 8192 + b"\r\n")
        await writer.drain()


async def slow(_: SeenRequest, writer: StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await sleep(0.05)


async def broken_off(_: SeenRequest, writer: StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()


async def silent(_: SeenRequest, writer: StreamWriter) -> None:
    await sleep(60)


async def empty_gzip_blocks(_: SeenRequest, writer: StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n")
    writer.write(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")
    while True:
        writer.write(b"\x00\x00\x00\xff\xff" * 10000)
        await writer.drain()


@pytest.mark.parametrize("behaviour", [endless, empty_gzip_blocks])
async def test_endless_body_is_ended_at_the_limit(internet: SmallInternet, guard: OutgoingClient, behaviour) -> None:  # type: ignore[no-untyped-def]
    internet.site("acme.example", {"/": behaviour})

    with pytest.raises(BodyRefused, match="sent more than 2048 KiB"):
        await guard.get("http://acme.example/", purpose="website")


async def test_body_of_exactly_the_limit_is_read(internet: SmallInternet, guard: OutgoingClient) -> None:
    internet.site("acme.example", {"/": b"x" * (2 << 20), "/more": b"x" * ((2 << 20) + 1)})

    answer = await guard.get("http://acme.example/", purpose="website")
    with pytest.raises(BodyRefused):
        await guard.get("http://acme.example/more", purpose="website")

    assert len(answer.body) == 2 << 20


async def test_packed_body_counts_by_what_it_unpacks_to(
    internet: SmallInternet, guard: OutgoingClient, requests_made: list[RequestRecord]
) -> None:
    bomb = gzip.compress(b"\0" * (64 << 20))
    internet.site("acme.example", {"/": Answer(bomb, headers={"Content-Encoding": "gzip"})})

    with pytest.raises(BodyRefused):
        await guard.get("http://acme.example/", purpose="website")

    assert requests_made[-1].bytes == (2 << 20) + 1


async def test_packed_page_is_unpacked(internet: SmallInternet, guard: OutgoingClient) -> None:
    internet.site("acme.example", {"/": Answer(gzip.compress(PAGE), headers={"Content-Encoding": "gzip"})})

    assert (await guard.get("http://acme.example/", purpose="website")).body == PAGE


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "nonsense"])
async def test_packing_that_was_not_asked_for_is_refused(
    internet: SmallInternet, guard: OutgoingClient, encoding: str
) -> None:
    internet.site("acme.example", {"/": Answer(PAGE, headers={"Content-Encoding": encoding})})

    with pytest.raises(BodyRefused):
        await guard.get("http://acme.example/", purpose="website")


async def test_broken_packing_is_refused(internet: SmallInternet, guard: OutgoingClient) -> None:
    internet.site("acme.example", {"/": Answer(b"no gzip at all", headers={"Content-Encoding": "gzip"})})

    with pytest.raises(BodyRefused, match="cannot be unpacked"):
        await guard.get("http://acme.example/", purpose="website")


@pytest.mark.parametrize("behaviour", [slow, silent])
async def test_slow_answer_is_given_up_at_the_time_limit(
    internet: SmallInternet, guard: OutgoingClient, behaviour: Behaviour
) -> None:
    internet.site("acme.example", {"/": behaviour})

    with pytest.raises(TookTooLong, match=r"acme\.example did not answer in 0\.3 s\.") as refused:
        await guard.get("http://acme.example/", purpose="website", limits=Limits(seconds=0.3))

    assert refused.value.may_pass


async def test_time_limit_holds_for_all_redirects_together(internet: SmallInternet, guard: OutgoingClient) -> None:
    async def slow_redirect(request: SeenRequest, writer: StreamWriter) -> None:
        await sleep(0.2)
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: {request.path}x\r\nContent-Length: 0\r\n\r\n".encode())

    internet.site("acme.example", {"/" + "x" * n: slow_redirect for n in range(6)})

    with pytest.raises(TookTooLong):
        await guard.get("http://acme.example/", purpose="website", limits=Limits(seconds=0.5))


async def test_endless_headers_are_given_up(internet: SmallInternet, guard: OutgoingClient) -> None:
    internet.site("acme.example", {"/": endless_headers})

    with pytest.raises(ConnectionFailed):
        await guard.get("http://acme.example/", purpose="website")


async def test_answer_that_breaks_off_may_pass(internet: SmallInternet, guard: OutgoingClient) -> None:
    internet.site("acme.example", {"/": broken_off})

    with pytest.raises(ConnectionFailed, match="broke off its answer") as refused:
        await guard.get("http://acme.example/", purpose="website")

    assert refused.value.may_pass


@pytest.mark.parametrize("kind", ["image/png", "application/pdf", "application/octet-stream", "video/mp4", ""])
async def test_what_is_no_text_is_not_read(internet: SmallInternet, guard: OutgoingClient, kind: str) -> None:
    internet.site("acme.example", {"/": Answer(PAGE, content_type=kind)})

    with pytest.raises(BodyRefused, match="not with text"):
        await guard.get("http://acme.example/", purpose="website")


async def test_error_status_is_given_back_without_its_body(internet: SmallInternet, guard: OutgoingClient) -> None:
    internet.site("acme.example", {"/": Answer(b"{}", 503, "application/json")})

    answer = await guard.get("http://acme.example/", purpose="website")

    assert (answer.status, answer.body) == (503, b"")


async def test_certificate_of_another_name_is_refused(internet: SmallInternet, guard: OutgoingClient) -> None:
    other = internet.web.authority.issue_cert("other.example")
    internet.site("acme.example", {"/": PAGE}, certificate=other)

    with pytest.raises(CertificateRefused, match="not valid") as refused:
        await guard.get("https://acme.example/", purpose="website")

    assert (refused.value.may_pass, internet.web.requests) == (False, [])


async def test_expired_certificate_is_refused(internet: SmallInternet, guard: OutgoingClient) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    expired = internet.web.authority.issue_cert("acme.example", not_after=yesterday)
    internet.site("acme.example", {"/": PAGE}, certificate=expired)

    with pytest.raises(CertificateRefused, match="expired"):
        await guard.get("https://acme.example/", purpose="website")


async def test_certificate_that_is_not_valid_yet_is_refused(internet: SmallInternet, guard: OutgoingClient) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    early = internet.web.authority.issue_cert("acme.example", not_before=tomorrow)
    internet.site("acme.example", {"/": PAGE}, certificate=early)

    with pytest.raises(CertificateRefused, match="not yet valid"):
        await guard.get("https://acme.example/", purpose="website")

    assert internet.web.requests == []


async def test_certificate_of_an_unknown_authority_is_refused(internet: SmallInternet, guard: OutgoingClient) -> None:
    internet.site("acme.example", {"/": PAGE}, certificate=trustme.CA().issue_cert("acme.example"))

    with pytest.raises(CertificateRefused):
        await guard.get("https://acme.example/", purpose="website")


async def test_authority_from_the_environment_is_not_trusted(
    internet: SmallInternet, monkeypatch: pytest.MonkeyPatch
) -> None:
    internet.site("acme.example", {"/": PAGE})
    monkeypatch.setenv("SSL_CERT_FILE", str(internet.ca_file))

    async with OutgoingClient(nameservers=internet.nameservers, loopback=internet.loopback) as guard:
        with pytest.raises(CertificateRefused):
            await guard.get("https://acme.example/", purpose="website")


async def test_guard_without_loopback_setting_reaches_no_loopback(
    internet: SmallInternet, connected: Connected, tmp_path: Path
) -> None:
    internet.site("acme.example", {"/": PAGE})

    async with OutgoingClient(nameservers=internet.nameservers) as guard:
        with pytest.raises(AddressRefused):
            await guard.get("http://acme.example/", purpose="website")

    assert (connected, internet.web.connections) == ([], 0)


async def test_next_address_is_tried_when_the_first_takes_no_connection(
    internet: SmallInternet, requests_made: list[RequestRecord]
) -> None:
    internet.site("acme.example", {"/": PAGE})
    internet.names.add("acme.example", "A", "127.0.0.3")
    internet.names.add("acme.example", "AAAA", "::1")

    async with OutgoingClient(
        nameservers=internet.nameservers,
        loopback={"127.0.0.3:80": "127.0.0.1:1", "[::1]:80": internet.loopback["127.0.0.2:80"]},
    ) as guard:
        answer = await guard.get("http://acme.example/", purpose="website")

    assert (answer.body, requests_made[-1].address) == (PAGE, "::1")


async def test_connection_refused_by_every_address_may_pass(internet: SmallInternet) -> None:
    internet.names.add("acme.example", "A", "127.0.0.3")

    async with OutgoingClient(nameservers=internet.nameservers, loopback={"127.0.0.3:80": "127.0.0.1:1"}) as guard:
        with pytest.raises(ConnectionFailed, match="did not take the connection") as refused:
            await guard.get("http://acme.example/", purpose="website")

    assert refused.value.may_pass


async def test_name_without_address_is_said_so(dns_server: DnsServer, guard: OutgoingClient) -> None:
    dns_server.add("acme.example", "MX", "10 mail.acme.example.")

    with pytest.raises(NameHasNoAddress, match="has no website"):
        await guard.get("http://acme.example/", purpose="website")


async def test_each_request_is_told_with_address_status_and_bytes(
    internet: SmallInternet, guard: OutgoingClient, requests_made: list[RequestRecord]
) -> None:
    internet.site("acme.example", {"/": Answer.redirect("http://10.0.0.1/secret"), "/page": PAGE})

    await guard.get("https://acme.example/page", purpose="website")
    with pytest.raises(AddressRefused):
        await guard.get("https://acme.example/", purpose="website")

    told = [(record.purpose, record.url, record.address, record.status, record.bytes) for record in requests_made]
    assert told == [
        ("website", "https://acme.example/page", "127.0.0.2", 200, len(PAGE)),
        ("website", "https://acme.example/", "127.0.0.2", 302, 0),
        ("website", "http://10.0.0.1/secret", "10.0.0.1", None, 0),
    ]
    assert [record.error for record in requests_made[:2]] == [None, None]
    assert requests_made[2].error == "10.0.0.1 is not reached: 10.0.0.1 is private."


async def test_request_that_was_given_up_is_told_too(
    internet: SmallInternet, guard: OutgoingClient, requests_made: list[RequestRecord]
) -> None:
    internet.site("acme.example", {"/": silent})

    with pytest.raises(TookTooLong):
        await guard.get("http://acme.example/", purpose="website", limits=Limits(seconds=0.2))

    assert (requests_made[0].address, requests_made[0].status) == ("127.0.0.2", None)
    assert requests_made[0].error


async def test_the_requests_for_one_lead_are_told_from_those_for_another(
    internet: SmallInternet, guard: OutgoingClient
) -> None:
    internet.site("acme.example", {"/": PAGE, "/other": PAGE})

    async def read(path: str) -> list[str]:
        with recorded_requests() as records:
            await asyncio.gather(*(guard.get(f"http://acme.example{path}", purpose="website") for _ in range(2)))
        return [record.url for record in records]

    assert await asyncio.gather(read("/"), read("/other")) == [
        ["http://acme.example/"] * 2,
        ["http://acme.example/other"] * 2,
    ]


async def test_two_names_at_one_address_never_share_a_connection(
    internet: SmallInternet, guard: OutgoingClient, web_server: WebServer
) -> None:
    internet.site("acme.example", {"/": PAGE})
    internet.site("other.example", {"/": PAGE})

    for host in ("acme.example", "other.example", "acme.example"):
        await guard.get(f"https://{host}/", purpose="website")

    assert web_server.connections == 3
