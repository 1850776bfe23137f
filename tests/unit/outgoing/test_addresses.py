"""Which addresses and URLs may be reached."""

from ipaddress import ip_address, ip_network

import pytest

from leads_core.errors import Misconfigured, OutgoingRefused
from leads_core.outgoing.addresses import AddressRule, checked_url, is_sound_name, refusal
from leads_core.outgoing.failures import AddressRefused, UrlRefused

REFUSED_RANGES = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32",
    "::/128", "::1/128", "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64",
    "100:0:0:1::/64", "2001::/23", "2001::/32", "2001:2::/48", "2001:10::/28", "2001:20::/28", "2001:db8::/32",
    "2002::/16", "3fff::/20", "4000::/3", "5f00::/16", "8000::/1", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
]  # fmt: skip
JUST_OUTSIDE = [
    "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
    "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0",
    "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
    "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255", "8.8.8.8",
    "2000::", "2001:200::", "2001:db7:ffff::", "2001:db9::", "2003::", "2606:4700::1111", "3ffe:ffff::", "3fff:1000::",
]  # fmt: skip


@pytest.mark.parametrize("network", REFUSED_RANGES)
def test_first_and_last_address_of_a_reserved_range_are_refused(network: str) -> None:
    reserved = ip_network(network)

    assert refusal(reserved[0]) is not None
    assert refusal(reserved[-1]) is not None


@pytest.mark.parametrize("address", JUST_OUTSIDE)
def test_public_address_beside_a_reserved_range_may_be_reached(address: str) -> None:
    assert refusal(ip_address(address)) is None


@pytest.mark.parametrize("address", ["::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::", "2001:0:808:808::"])
def test_public_ipv4_address_wrapped_in_ipv6_is_refused_too(address: str) -> None:
    assert refusal(ip_address(address)) is not None


def test_address_with_a_zone_is_refused() -> None:
    assert refusal(ip_address("2606:4700::1%eth0")) == "2606:4700::1%eth0 names a network card"


def test_one_refused_address_among_several_refuses_the_name() -> None:
    with pytest.raises(AddressRefused, match=r"acme\.com is not reached: 10\.0\.0\.1 is private"):
        AddressRule().endpoints("acme.com", [ip_address("8.8.8.8"), ip_address("10.0.0.1")], 443)


def test_ipv4_is_tried_before_ipv6() -> None:
    endpoints = AddressRule().endpoints("acme.com", [ip_address("2606:4700::1"), ip_address("8.8.8.8")], 443)

    assert [endpoint.connect_host for endpoint in endpoints] == ["8.8.8.8", "2606:4700::1"]


def test_named_loopback_address_is_let_through_at_its_port_alone() -> None:
    rule = AddressRule({"127.0.0.2:443": "127.0.0.1:18443", "[::1]:443": "[::1]:18444"})

    (endpoint,) = rule.endpoints("acme.example", [ip_address("127.0.0.2")], 443)
    (endpoint6,) = rule.endpoints("acme.example", [ip_address("::1")], 443)

    assert (endpoint.connect_host, endpoint.connect_port) == ("127.0.0.1", 18443)
    assert (endpoint6.connect_host, endpoint6.connect_port) == ("::1", 18444)
    for address, port in (("127.0.0.2", 80), ("127.0.0.1", 443), ("127.0.0.1", 18443), ("::ffff:127.0.0.2", 443)):
        with pytest.raises(AddressRefused):
            rule.endpoints("acme.example", [ip_address(address)], port)


@pytest.mark.parametrize(
    ("at", "to"),
    [
        ("10.0.0.1:443", "127.0.0.1:18443"),
        ("127.0.0.2:443", "10.0.0.1:443"),
        ("127.0.0.2:443", "8.8.8.8:443"),
        ("localhost:443", "127.0.0.1:18443"),
        ("127.0.0.2", "127.0.0.1:18443"),
        ("127.0.0.2:0", "127.0.0.1:18443"),
        ("127.0.0.2:443", "127.0.0.1:65536"),
    ],
)
def test_settings_cannot_open_anything_but_loopback(at: str, to: str) -> None:
    with pytest.raises(Misconfigured, match="ENRICHMENT_LOOPBACK"):
        AddressRule({at: to})


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("https://acme.example", "https://acme.example/"),
        ("HTTPS://ACME.example./About?x=1#part", "https://acme.example/About?x=1"),
        ("http://acme.example:443/", "http://acme.example:443/"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("http://[2606:4700::1]/", "http://[2606:4700::1]/"),
    ],
)
def test_sound_url_is_asked_for_in_one_spelling(text: str, asked: str) -> None:
    assert str(checked_url(text)) == asked


@pytest.mark.parametrize(
    "url",
    [
        "ftp://acme.example/", "file:///etc/passwd", "gopher://acme.example/", "javascript:alert(1)",
        "data:text/html,x",
        "acme.example", "//acme.example/", "", "http:/acme.example", "http:///path", "https://:443/",
        "http://user@acme.example/", "http://user:secret@acme.example/", "http://@acme.example/",
        "http://8.8.8.8@acme.example/", "http://acme.example\\@10.0.0.1/", "http://acme.example:8080/",
        "http://acme.example:22/", "http://acme.example:0/", "http://acme.example:99999/", "http://acme.example:x/",
        "http://localhost/", "http://intranet/", "http://a b.example/", "http://acme.example/\r\nHost: x",
        "http://acme\x00.example/", "http://ex%61mple.com/", "http://-.example/", "http://a..example/",
        "http://[fe80::1]extra/", "http://[::1", "http://" + "a" * 64 + ".example/",
        "http://" + "a." * 130 + "example/",
        "https://acme.example/" + "a" * 2048, "http://①②⑦.⓪.⓪.①/",
    ],
)  # fmt: skip
def test_unsound_url_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        checked_url(url)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433", "0x7f000001", "0x7f.1", "127.1", "127.0.1", "0177.0.0.1", "0177.0x0.0.1", "00000177.1",
        "0x7f.0.0x1",
        "1", "0", "0x", "acme.0x7f", "acme.127", "127.0.0.1.1", "[fe80::1%25eth0]", "[fe80::1%eth0]", "127.0.0.256",
        "[::ffff:127.0.0.1%251]",
    ],
)  # fmt: skip
def test_address_in_disguise_is_refused_before_any_name_server_is_asked(host: str) -> None:
    with pytest.raises(OutgoingRefused):
        checked_url(f"http://{host}/")


@pytest.mark.parametrize("name", ["acme.com", "xn--bcher-kva.example", "_dmarc.acme.com", "a.io", "1.acme.com"])
def test_full_name_is_sound(name: str) -> None:
    assert is_sound_name(name)


@pytest.mark.parametrize(
    "name", ["", "acme", "acme.com.", "Acme.com", ".acme.com", "a..b", "acme.1", "acme.0x1", "a b.c"]
)
def test_half_a_name_or_a_number_is_not_sound(name: str) -> None:
    assert not is_sound_name(name)
