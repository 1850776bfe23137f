"""Which URLs and addresses may be reached. Pure: no socket, no name server.

An allow-rule, kept as a table of our own: `ipaddress.is_global` of Python 3.11 differs between its patch versions and
lets 6to4 pass. IPv4: globally routable by IANA's special-purpose registry, not multicast, not 192.0.0.0/24, not
192.88.99.0/24. IPv6: inside 2000::/3, which leaves out IPv4-mapped, NAT64, loopback, link-local, unique local and
multicast by itself, but not the special ranges within it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from httpx2 import URL, InvalidURL

from leads_core.errors import Misconfigured
from leads_core.outgoing.failures import AddressRefused, UrlRefused

Address = IPv4Address | IPv6Address

IPV4_REFUSED: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), reason)
    for network, reason in (
        ("0.0.0.0/8", "means this machine"),
        ("10.0.0.0/8", "is private"),
        ("100.64.0.0/10", "belongs to a provider's inner network"),
        ("127.0.0.0/8", "is this machine itself"),
        ("169.254.0.0/16", "is link-local"),
        ("172.16.0.0/12", "is private"),
        ("192.0.0.0/24", "is reserved for protocols"),
        ("192.0.2.0/24", "is reserved for documentation"),
        ("192.88.99.0/24", "is a 6to4 relay"),
        ("192.168.0.0/16", "is private"),
        ("198.18.0.0/15", "is reserved for measurements"),
        ("198.51.100.0/24", "is reserved for documentation"),
        ("203.0.113.0/24", "is reserved for documentation"),
        ("224.0.0.0/4", "is multicast"),
        ("240.0.0.0/4", "is reserved"),
    )
)
IPV6_GLOBAL = IPv6Network("2000::/3")
IPV6_REFUSED: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), reason)
    for network, reason in (
        ("2001::/23", "is reserved for protocols"),  # Teredo, ORCHID, benchmarking
        ("2001:db8::/32", "is reserved for documentation"),
        ("2002::/16", "is a 6to4 relay"),
        ("3fff::/20", "is reserved for documentation"),
    )
)

MAX_URL = 2048
TRIED = 3
PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_UNSOUND = re.compile(r"[\x00-\x20\x7f\\]")


def refusal(address: Address) -> str | None:
    """Why this address must not be reached, as the end of a sentence; None when it may."""
    if isinstance(address, IPv4Address):
        return next((f"{address} {reason}" for network, reason in IPV4_REFUSED if address in network), None)
    if address.scope_id is not None:
        return f"{address} names a network card"
    if address not in IPV6_GLOBAL:
        return f"{address} is not on the public internet"
    return next((f"{address} {reason}" for network, reason in IPV6_REFUSED if address in network), None)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A checked address, and where the connection to it is made: there, unless the settings lead it elsewhere."""

    address: Address
    connect_host: str
    connect_port: int


class AddressRule:
    """The allow-rule, with the named loopback addresses that the settings let through.

    loopback maps `address:port` to `address:port`, `[::1]:443` for IPv6. Both sides must be loopback addresses: a
    setting may open this machine to itself, never the network around it. Raises Misconfigured.
    """

    def __init__(self, loopback: Mapping[str, str] | None = None) -> None:
        self._loopback = {_loopback_pair(at): _loopback_pair(to) for at, to in (loopback or {}).items()}

    def endpoints(self, host: str, addresses: Iterable[Address], port: int) -> list[Endpoint]:
        """Where host may be reached, IPv4 first, at most TRIED of each family: a name with a thousand addresses must
        not have a thousand machines called. Raises AddressRefused when any of its addresses must not be reached."""
        endpoints = [self._endpoint(host, address, port) for address in addresses]
        families = ([each for each in endpoints if each.address.version == version][:TRIED] for version in (4, 6))
        return [endpoint for family in families for endpoint in family]

    def _endpoint(self, host: str, address: Address, port: int) -> Endpoint:
        if led_to := self._loopback.get((address, port)):
            return Endpoint(address, str(led_to[0]), led_to[1])
        if reason := refusal(address):
            raise AddressRefused(host, str(address), reason)
        return Endpoint(address, str(address), port)


def checked_url(text: str) -> URL:
    """A URL that may be asked for: http or https, port 80 or 443, no credentials, a host of one clear spelling.

    The fragment is dropped. Raises UrlRefused, AddressRefused for a host that is an address in disguise.
    """
    if len(text) > MAX_URL or _UNSOUND.search(text):
        raise UrlRefused("The address is too long or holds characters that no address has.")
    try:
        url = URL(text).copy_with(fragment=None)
        host = url.raw_host.decode("ascii").lower()
    except (InvalidURL, UnicodeError, ValueError):
        raise UrlRefused("The address is not a sound URL.") from None
    if url.scheme not in PORTS:
        raise UrlRefused(f"Only http and https are asked for, not {url.scheme[:20] or 'nothing'}.")
    if url.userinfo or "@" in url.netloc.decode("ascii", "replace") or "@" in _authority(text):
        raise UrlRefused("An address with a user name in it is not asked for.")
    if port_of(url) not in PORTS.values():
        raise UrlRefused(f"Only the ports 80 and 443 are asked for, not {url.port}.")
    return url.copy_with(host=_checked_host(host), raw_path=url.raw_path)


def port_of(url: URL) -> int:
    """The port that is connected to: the one written, else the scheme's."""
    return url.port if url.port is not None else PORTS[url.scheme]


def literal_address(host: str) -> Address | None:
    """The address that host spells in its one full form (127.0.0.1, ::1); None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_sound_name(name: str) -> bool:
    """Whether name is a full, lower-case, IDNA-encoded name without a trailing dot, and no number in disguise."""
    return bool(_NAME.fullmatch(name)) and not _NUMBER.fullmatch(name.rpartition(".")[2])


def _checked_host(host: str) -> str:
    if ":" in host:
        if literal_address(host) is None or "%" in host:
            raise AddressRefused(host[:60], None, "an address that names a network card, or none at all")
        return host
    host = host.removesuffix(".")
    if literal_address(host) is not None:
        return host
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        # 2130706433, 0x7f.1, 127.1, 0177.0.0.1: browsers and the system's resolver read these as 127.0.0.1
        raise AddressRefused(host[:60], None, "its name is a number, which hides an address")
    if not is_sound_name(host):
        raise UrlRefused("The address names no full host name.")
    return host


def _authority(text: str) -> str:
    return re.split(r"[/?#]", text.partition("://")[2], maxsplit=1)[0]


def _loopback_pair(text: str) -> tuple[Address, int]:
    host, _, port = text.strip().rpartition(":")
    try:
        address, number = ip_address(host.removeprefix("[").removesuffix("]")), int(port)
    except ValueError:
        raise Misconfigured(f"ENRICHMENT_LOOPBACK: {text!r} is not address:port.") from None
    if not address.is_loopback or not 0 < number < 65536:
        raise Misconfigured(f"ENRICHMENT_LOOPBACK: {text!r} is not a loopback address and a port.")
    return address, number
