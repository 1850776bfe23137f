"""Answers that drip, lie or flood, names with a thousand addresses, encryption too weak to trust."""

from __future__ import annotations

import asyncio
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from leads_core.errors import OutgoingRefused
from leads_core.outgoing.addresses import TRIED
from leads_core.outgoing.client import Limits, OutgoingClient
from leads_core.outgoing.failures import AddressRefused, BodyRefused, CertificateRefused, ConnectionFailed, TookTooLong
from tests.servers.small_internet import SmallInternet
from tests.servers.web_server import Behaviour, SeenRequest

Connected = list[tuple[str, int]]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def drips(beginning: bytes, drop: bytes) -> Behaviour:
    async def behave(_: SeenRequest, writer: StreamWriter) -> None:
        writer.write(beginning)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.02)

    return behave


def floods(beginning: bytes, piece: bytes) -> Behaviour:
    async def behave(_: SeenRequest, writer: StreamWriter) -> None:
        writer.write(beginning)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)  # drain() alone gives nobody else a turn once a TLS line is gone

    return behave


def says(text: bytes) -> Behaviour:
    async def behave(_: SeenRequest, writer: StreamWriter) -> None:
        writer.write(text)
        await writer.drain()

    return behave


def limits_for(refusal: type[OutgoingRefused]) -> Limits:
    """Little patience where patience is what ends it."""
    return Limits(seconds=0.3 if refusal is TookTooLong else 10, max_bytes=64 << 10)


FLOOD = floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
DRIP = drips(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x")


@pytest.mark.parametrize(
    ("behaviour", "refusal"),
    [
        (drips(b"", b"H"), TookTooLong),
        (DRIP, TookTooLong),
        (drips(CHUNKED + b"5;", b"x"), TookTooLong),
        (drips(CHUNKED, b"1\r\nx\r\n"), TookTooLong),
        (floods(HEAD, b"A: b\r\n" * 1000), ConnectionFailed),
        (FLOOD, BodyRefused),
        (floods(CHUNKED, b"1;" + b"e" * 50_000 + b"\r\nx\r\n"), BodyRefused),
        (floods(CHUNKED + b"5;", b"x" * 50_000), ConnectionFailed),
        (floods(CHUNKED + b"0\r\n", b"X-Trailer: x\r\n" * 1000), ConnectionFailed),
        (says(b"<title>Acme</title>"), ConnectionFailed),  # HTTP/0.9
        (says(HEAD + b"Content-Length: 5\r\nContent-Length: 9\r\n\r\nshort"), ConnectionFailed),
        (says(HEAD + b"Content-Length: -1\r\n\r\nshort"), ConnectionFailed),
        (says(HEAD + b"Content-Length: 99999999999999999999999\r\n\r\nshort"), ConnectionFailed),
        (says(CHUNKED + b"-1\r\nx\r\n"), ConnectionFailed),
        (says(CHUNKED + b"FFFFFFFFFFFFFFFFFFFFFFF\r\nx\r\n"), ConnectionFailed),
        (says(HEAD + b"Content-Encoding: deflate\r\n\r\nx"), BodyRefused),
        (says(HEAD + b"Content-Encoding: br\r\n\r\nx"), BodyRefused),
    ],
)
async def test_answer_that_drips_lies_or_floods_is_given_up(
    internet: SmallInternet, guard: OutgoingClient, behaviour: Behaviour, refusal: type[OutgoingRefused]
) -> None:
    internet.site("acme.example", {"/": behaviour})

    with pytest.raises(refusal):
        await guard.get("http://acme.example/", purpose="website", limits=limits_for(refusal))


@pytest.mark.parametrize(("behaviour", "refusal"), [(DRIP, TookTooLong), (FLOOD, BodyRefused)])
async def test_encryption_hides_no_flood(
    internet: SmallInternet, guard: OutgoingClient, behaviour: Behaviour, refusal: type[OutgoingRefused]
) -> None:
    internet.site("acme.example", {"/": behaviour})

    with pytest.raises(refusal):
        await guard.get("https://acme.example/", purpose="website", limits=limits_for(refusal))


async def test_of_a_thousand_addresses_each_is_checked_and_few_are_called(
    internet: SmallInternet, connected: Connected
) -> None:
    many = [f"127.0.{number // 250}.{number % 250 + 1}" for number in range(1000)]
    internet.names.add("many.example", "A", *many)
    internet.names.add("trap.example", "A", *many, "10.0.0.1")
    for name in ("many.example", "trap.example"):
        internet.names.truncate(name)
    nobody = {f"{address}:80": "127.0.0.1:1" for address in many}

    async with OutgoingClient(nameservers=internet.nameservers, loopback=nobody) as guard:
        with pytest.raises(ConnectionFailed):
            await guard.get("http://many.example/", purpose="website")
        assert [port for _, port in connected].count(1) == TRIED
        with pytest.raises(AddressRefused):
            await guard.get("http://trap.example/", purpose="website")

    assert [port for _, port in connected].count(1) == TRIED


@pytest.mark.parametrize(
    "host", ["ｍetadata.google.internal", "METADATA.google.internal.", "meta\u00addata.google。internal"]
)
async def test_name_in_another_spelling_leads_to_no_other_place(
    internet: SmallInternet, guard: OutgoingClient, connected: Connected, host: str
) -> None:
    internet.names.add("metadata.google.internal", "A", "169.254.169.254")

    with pytest.raises(OutgoingRefused):
        await guard.get(f"http://{host}/", purpose="website")

    assert connected == []


def weak_certificate(authority: trustme.CA, context: ssl.SSLContext, folder: Path) -> None:
    """A certificate of the trusted authority over a key of 1024 bits."""
    issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    signing = load_pem_private_key(authority.private_key_pem.bytes(), None)
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is the point
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(issuer.subject, x509.Name([]), key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("acme.example")]), critical=True)
        .sign(signing, SHA256())
    )
    file = folder / "weak.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    context.load_cert_chain(file)


def old_protocol(authority: trustme.CA, context: ssl.SSLContext, _folder: Path) -> None:
    """TLS 1.1 and nothing newer."""
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    authority.issue_cert("acme.example").configure_cert(context)


Weakness = Callable[[trustme.CA, ssl.SSLContext, Path], None]
Weak = Callable[[Weakness], Awaitable[int]]


@pytest.fixture
async def weak_server(internet: SmallInternet, tmp_path: Path) -> AsyncIterator[Weak]:
    """Serves over TLS that is as weak as it is told to; gives the port."""
    servers: list[asyncio.Server] = []

    async def answer(_reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(HEAD + b"\r\n")
        writer.close()

    async def serve(weakness: Weakness) -> int:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")
        weakness(internet.web.authority, context, tmp_path)
        servers.append(await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context))
        port: int = servers[0].sockets[0].getsockname()[1]
        return port

    yield serve
    for server in servers:
        server.close()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
@pytest.mark.parametrize(
    ("weakness", "refusal"), [(weak_certificate, CertificateRefused), (old_protocol, ConnectionFailed)]
)
async def test_encryption_that_is_too_weak_is_refused(
    internet: SmallInternet, weak_server: Weak, weakness: Weakness, refusal: type[OutgoingRefused]
) -> None:
    internet.names.add("acme.example", "A", "127.0.0.2")
    loopback = {"127.0.0.2:443": f"127.0.0.1:{await weak_server(weakness)}"}

    async with OutgoingClient(nameservers=internet.nameservers, loopback=loopback, ca_file=internet.ca_file) as guard:
        with pytest.raises(refusal):
            await guard.get("https://acme.example/", purpose="website")
