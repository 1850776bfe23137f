"""More ways around the guard: each range, each spelling, each status, with connections counted at the socket."""

from __future__ import annotations

import gzip
from asyncio import StreamWriter
from ipaddress import IPv6Network, ip_network

import pytest

from leads_core.errors import OutgoingRefused
from leads_core.outgoing.addresses import IPV4_REFUSED, IPV6_REFUSED
from leads_core.outgoing.client import Limits, OutgoingClient
from leads_core.outgoing.failures import AddressRefused, BodyRefused, ConnectionFailed, ReadingForbidden
from leads_core.outgoing.robots import Robots
from tests.servers.dns_server import DnsServer
from tests.servers.small_internet import SmallInternet
from tests.servers.web_server import Answer, Behaviour, SeenRequest

Connected = list[tuple[str, int]]
PAGE = b"<title>Acme</title>"
OUTSIDE_THE_PUBLIC_IPV6 = (
    "::/128", "::1/128", "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64",
    "100:0:0:1::/64", "4000::/3", "5f00::/16", "8000::/1", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)  # fmt: skip
RANGES = [
    *(network for network, _ in (*IPV4_REFUSED, *IPV6_REFUSED)),
    *(ip_network(text) for text in OUTSIDE_THE_PUBLIC_IPV6),
]
BOUNDS = [str(address) for network in RANGES for address in (network[0], network[-1])]
WRAPPED = [  # a public address in them is no better: what unwraps it decides where it leads
    "::ffff:8.8.8.8", "::ffff:10.0.0.1", "::8.8.8.8", "64:ff9b::8.8.8.8", "64:ff9b::a00:1", "64:ff9b:1::a00:1",
    "2002:808:808::1", "2002:a00:1::1", "2001:0:808:808::1", "::ffff:0:10.0.0.1", "fe80::5efe:10.0.0.1",
]  # fmt: skip


def bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


@pytest.mark.parametrize("address", [*BOUNDS, *WRAPPED])
async def test_reserved_address_is_never_connected_whether_it_stands_in_the_url_or_behind_a_name(
    dns_server: DnsServer, guard: OutgoingClient, connected: Connected, address: str
) -> None:
    dns_server.add("acme.example", "AAAA" if ":" in address else "A", address)

    for host in ("acme.example", bracketed(address)):
        for scheme in ("http", "https"):
            with pytest.raises(AddressRefused):
                await guard.get(f"{scheme}://{host}/", purpose="website")

    assert connected == []


def test_ranges_are_those_of_both_families() -> None:
    assert {isinstance(network, IPv6Network) for network in RANGES} == {True, False}


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.0.0.1.", "2130706433", "2130706433.", "0x7f000001", "0X7F000001", "0x7F.0x0.0x0.0x1",
        "017700000001", "0177.0.0.1", "0177.0x0.0.1", "0x7f.0.0.01", "127.0.0x1", "00000177.0.0.1", "127.1", "127.0.1",
        "0x7f.1", "0177.1", "0", "0x0", "1", "10.1", "0xa9fea9fe", "2852039166", "169.254.43518", "4294967295",
        "4294967297", "127.0.0.256", "127.0.0.1.1", "１２７.０.０.１", "①②⑦.⓪.⓪.①", "127。0。0。1", "127.0.0.１",
        "%31%32%37.0.0.1", "127%2e0%2e0%2e1", "acme.example%00.10.0.0.1", "acme.example%2f@10.0.0.1",
        "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "[fe80::1%25lo]",
        "[fe80::1%lo]", "[::1%251]", "[127.0.0.1]", "[::1", "::1", "[]", "LOCALHOST", "localhost.", "localhost。",
        "ｌｏｃａｌｈｏｓｔ", "ⓛocalhost", "loc\u00adalhost", "xn--localhost-", "localhost\u200b",
    ],
)  # fmt: skip
async def test_address_in_any_spelling_is_never_connected_or_asked_about(
    internet: SmallInternet, guard: OutgoingClient, connected: Connected, host: str
) -> None:
    internet.names.add(host, "A", "127.0.0.2")

    for url in (f"http://{host}/", f"https://{host}/", f"http://{host}:80/"):
        with pytest.raises(OutgoingRefused) as refused:
            await guard.get(url, purpose="website")
        assert not refused.value.may_pass

    assert (connected, internet.names.questions) == ([], [])


@pytest.mark.parametrize(
    "url",
    [
        "http://user@acme.example/", "http://user:secret@acme.example/", "http://:secret@acme.example/",
        "http://@acme.example/", "http://acme.example@127.0.0.1/", "http://127.0.0.1@acme.example/",
        "http://acme.example:80@127.0.0.1:80/", "http://acme.example\\@127.0.0.1/", "http://acme.example/\\..\\@x",
        "http://acme.example#@127.0.0.1/ ", "http://acme.example:8080/", "http://acme.example:22/", "http://acme.example:25/",
        "http://acme.example:0/", "http://acme.example:65536/", "http://acme.example:-80/", "http://acme.example:８０８０/",
        "ftp://acme.example/", "file:///etc/passwd", "file://acme.example/x", "gopher://acme.example:80/_x",
        "dict://acme.example:80/x", "ws://acme.example/", "unix:///var/run/docker.sock", "data:text/html,x",
        "javascript:alert(1)", "jar:http://acme.example/!/", "//acme.example/", "acme.example", "http:acme.example",
        "http://acme.example/\r\nX-Injected: 1", "http://acme.example\t.evil.example/", " http://acme.example/",
    ],
)  # fmt: skip
async def test_url_with_credentials_another_port_or_another_scheme_is_never_asked_for(
    internet: SmallInternet, guard: OutgoingClient, connected: Connected, url: str
) -> None:
    internet.site("acme.example", {"/": PAGE})

    with pytest.raises(OutgoingRefused):
        await guard.get(url, purpose="website")

    assert (connected, internet.web.connections, internet.names.questions) == ([], 0, [])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_kind_of_redirect_leads_to_a_private_address(
    internet: SmallInternet, guard: OutgoingClient, connected: Connected, status: int
) -> None:
    internet.site("acme.example", {"/": Answer.redirect("https://other.example/", status)})
    internet.site("other.example", {"/": Answer.redirect("http://169.254.169.254/latest/meta-data/", status)})

    with pytest.raises(AddressRefused):
        await guard.get("https://acme.example/", purpose="website")

    assert connected == [("127.0.0.1", internet.web.https_port)] * 2


@pytest.mark.parametrize("status", [200, 201, 300, 304, 305, 306, 399, 401])
async def test_address_named_by_an_answer_that_is_no_redirect_is_not_followed(
    internet: SmallInternet, guard: OutgoingClient, connected: Connected, status: int
) -> None:
    elsewhere = {"Location": "http://10.0.0.1/", "Refresh": "0; url=http://10.0.0.1/", "Link": "<http://10.0.0.1/>"}
    body = b'<meta http-equiv="refresh" content="0; url=http://10.0.0.1/"><img src="http://10.0.0.1/x">'
    internet.site("acme.example", {"/": Answer(body if status == 200 else b"", status, headers=elsewhere)})

    answer = await guard.get("http://acme.example/", purpose="website")

    assert (answer.status, answer.redirects) == (status, ())
    assert connected == [("127.0.0.1", internet.web.http_port)]


async def test_redirect_carries_no_credential_and_no_cookie_to_the_next_host(
    internet: SmallInternet, guard: OutgoingClient
) -> None:
    given = {
        "Location": "https://other.example/",
        "Set-Cookie": "session=1; Domain=example",
        "WWW-Authenticate": "Basic",
    }
    internet.site("acme.example", {"/": Answer(status=302, headers=given)})
    internet.site("other.example", {"/": PAGE})

    await guard.get("https://acme.example/", purpose="website")

    (request,) = internet.web.requests_of("other.example")
    assert {"cookie", "authorization", "referer", "origin"}.isdisjoint(request.headers)


async def test_name_that_changes_its_answer_after_its_robots_file_is_checked_afresh(
    internet: SmallInternet, guard: OutgoingClient, connected: Connected
) -> None:
    internet.site("acme.example", {"/": PAGE, "/robots.txt": Answer(b"", content_type="text/plain")})
    internet.names.change_answers("acme.example", "A", ["127.0.0.2"], ["10.0.0.1"])
    robots = Robots()

    async def allowed(url: str) -> None:
        await robots.check(url, guard, purpose="website")

    with pytest.raises(AddressRefused):
        await guard.get("http://acme.example/", purpose="website", before_each=allowed)

    assert connected == [("127.0.0.1", internet.web.http_port)]
    assert [request.path for request in internet.web.requests] == ["/robots.txt"]


async def test_one_private_ipv6_address_among_public_ones_refuses_all(
    dns_server: DnsServer, guard: OutgoingClient, connected: Connected
) -> None:
    dns_server.add("acme.example", "A", "127.0.0.2")
    dns_server.add("acme.example", "AAAA", "2606:4700::1111", "2606:4700::1112", "fd00::1")

    with pytest.raises(AddressRefused):
        await guard.get("http://acme.example/", purpose="website")

    assert connected == []


async def endless_chunks(_: SeenRequest, writer: StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        await writer.drain()


async def longer_than_it_says(_: SeenRequest, writer: StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nshort" + b"x" * 100_000)
    await writer.drain()


async def no_http_at_all(_: SeenRequest, writer: StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.9\r\n" * 10)
    await writer.drain()


async def upgrades(_: SeenRequest, writer: StreamWriter) -> None:
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    await writer.drain()


async def broken_gzip(_: SeenRequest, writer: StreamWriter) -> None:
    body = gzip.compress(PAGE * 100)[:-30] + b"\0" * 30
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()


@pytest.mark.parametrize(
    ("behaviour", "refusal"),
    [
        (endless_chunks, BodyRefused),
        (no_http_at_all, ConnectionFailed),
        (upgrades, ConnectionFailed),
        (broken_gzip, BodyRefused),
    ],
)
async def test_answer_that_breaks_the_protocol_or_never_ends_is_given_up(
    internet: SmallInternet, guard: OutgoingClient, behaviour: Behaviour, refusal: type[OutgoingRefused]
) -> None:
    internet.site("acme.example", {"/": behaviour})

    with pytest.raises(refusal):
        await guard.get("http://acme.example/", purpose="website", limits=Limits(seconds=2))


async def test_no_more_is_read_than_an_answer_said_it_holds(internet: SmallInternet, guard: OutgoingClient) -> None:
    internet.site("acme.example", {"/": longer_than_it_says})

    assert (await guard.get("http://acme.example/", purpose="website")).body == b"short"


async def bomb(_: SeenRequest, writer: StreamWriter) -> None:
    body = gzip.compress(b"User-agent: *\nDisallow: /\n" + b"#" * (64 << 20))
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()


async def broken_off(_: SeenRequest, writer: StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nUser-agent: *\n")
    await writer.drain()


@pytest.mark.parametrize(
    ("file", "refusal"),
    [
        (bomb, ReadingForbidden),  # its beginning holds
        (broken_off, ConnectionFailed),
        (Answer.redirect("ftp://acme.example/robots.txt"), OutgoingRefused),
        (Answer.redirect("http://user:secret@acme.example/robots.txt"), OutgoingRefused),
        (Answer.redirect("http://acme.example:8080/robots.txt"), OutgoingRefused),
        (Answer.redirect("http://inner.example/robots.txt"), AddressRefused),
    ],
)
async def test_robots_file_that_misbehaves_opens_no_page(
    internet: SmallInternet,
    guard: OutgoingClient,
    connected: Connected,
    file: Answer | Behaviour,
    refusal: type[OutgoingRefused],
) -> None:
    internet.names.add("inner.example", "A", "192.168.0.1")
    internet.site("acme.example", {"/": PAGE, "/robots.txt": file})
    robots = Robots()

    async def allowed(url: str) -> None:
        await robots.check(url, guard, purpose="website")

    with pytest.raises(refusal):
        await guard.get("http://acme.example/", purpose="website", before_each=allowed)

    assert [request.path for request in internet.web.requests] == ["/robots.txt"]
    assert connected == [("127.0.0.1", internet.web.http_port)]
