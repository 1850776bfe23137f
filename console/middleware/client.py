"""What a request's headers say of its sender, as far as they are believed. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

USER_AGENT_LIMIT = 500
UNKNOWN = "unknown"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class Proxies:
    """The proxies whose word is taken for where a request came from (setting TRUSTED_PROXIES)."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._networks: list[Network] = [ip_network(part, strict=False) for part in trusted]

    def trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)

    def client_of(self, peer: str | None, forwarded_for: str) -> str:
        """The client's address: the last in the chain that no proxy of ours added. `unknown` when there is none."""
        address = parsed(peer)
        if address is None:
            return UNKNOWN
        for hop in reversed([part for part in forwarded_for.split(",") if part.strip()]):
            if not self.trusts(address):
                break
            before = parsed(hop)
            if before is None:  # a proxy of ours let through what no address is: nothing left of it is to be believed
                break
            address = before
        return str(address)


def parsed(text: str | None) -> Address | None:
    """An address in its one spelling: without port, brackets and zone; IPv4 where it is one mapped into IPv6."""
    if not text:
        return None
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


#: Controls, invisible marks, surrogates, private characters, and what ends a line.
LEFT_OUT = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def user_agent_of(header: bytes | None) -> str:
    """The browser's name for itself, in one line of at most 500 characters without control characters."""
    if not header:
        return UNKNOWN
    try:
        text = header.decode("utf-8")
    except UnicodeDecodeError:
        text = header.decode("latin-1")
    kept = "".join(character for character in text if unicodedata.category(character) not in LEFT_OUT)
    return kept[:USER_AGENT_LIMIT].strip() or UNKNOWN


def request_id_of(header: str | None) -> str | None:
    """A request id that a trusted proxy gave, if it looks like one."""
    return header if header and _REQUEST_ID.fullmatch(header) else None
