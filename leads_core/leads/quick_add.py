"""Quick-Add: one field, text to leads. An email, a domain, a URL, `Name <email>`, or several of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from leads_core.leads.domains import scheme_of, shown
from leads_core.leads.normalising import (
    clean_text,
    domain_of_email,
    is_free_mail,
    normalise_domain,
    normalise_email,
    normalise_web_address,
    registrable_domain,
)

LINES_LIMIT = 100
LINE_LIMIT = 1000
NAME_LIMIT = 200

_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_BULLET = re.compile(r"[-*•·]\s+")
_IN_BRACKETS = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")
_IN_COMMENT = re.compile(r"(?P<address>[^\s()]+@[^\s()]+)\s*\((?P<name>[^()]*)\)")
_QUOTES = "\"'`“”„‘’«»"
_SEPARATORS = (";", ",", None)


@dataclass(frozen=True, slots=True)
class QuickAddLine:
    """One piece as typed: `fields` of the lead to be, or `reason` why it was not read and the `field` it is about.

    `index` counts from 0. `text` is fit to be stored: trimmed, without control characters, at most LINE_LIMIT long.
    `fields` has email, domain, contact_name, company_name and website, null where the text does not say.
    """

    index: int
    text: str
    fields: dict[str, Any] | None = None
    reason: str | None = None
    field: str | None = None


def parse_quick_add(text: str) -> list[QuickAddLine]:
    """Every lead that the text names, in its order; never raises. Blank lines are passed over.

    A line with several pieces, separated by semicolons, commas or spaces, is several leads if each piece can be read.
    Beyond LINES_LIMIT one last line says that the rest was not read.
    """
    found: list[QuickAddLine] = []
    for line in text.replace("\r", "\n").split("\n"):
        if not _storable(line):
            continue
        for piece in _pieces(line):
            if len(found) == LINES_LIMIT:
                reason = (
                    f"At most {LINES_LIMIT} leads fit in here at once. Import a file for more: the rest was not read."
                )
                return [*found, QuickAddLine(len(found), _storable(piece), reason=reason, field="text")]
            found.append(_read(len(found), piece))
    return found


def _pieces(line: str) -> Iterator[str]:
    if _read(0, line).fields is None and len(line) <= LINE_LIMIT * LINES_LIMIT:
        for separator in _SEPARATORS:
            pieces = [piece for piece in line.split(separator) if piece.strip()]
            if len(pieces) > 1 and all(_read(0, piece).fields is not None for piece in pieces[: LINES_LIMIT + 1]):
                yield from pieces
                return
    yield line


def _read(index: int, piece: str) -> QuickAddLine:
    field = "text"
    try:
        cleaned = clean_text(piece, limit=LINE_LIMIT) or ""
        address, name = _address_and_name(_BULLET.sub("", cleaned, count=1) if _BULLET.match(cleaned) else cleaned)
        field = "email" if _is_email(address) else "domain"
        fields = _person(address, name) if field == "email" else _company(address, name)
    except ValueError as refused:
        return QuickAddLine(index, _storable(piece), reason=str(refused), field=field)
    return QuickAddLine(index, _storable(piece), fields=fields)


def _storable(piece: str) -> str:
    return " ".join(_NOT_SHOWN.sub(" ", piece).split())[:LINE_LIMIT].rstrip()


def _address_and_name(text: str) -> tuple[str, str | None]:
    text = text.rstrip(" ,;")
    match = _IN_BRACKETS.fullmatch(text) or _IN_COMMENT.fullmatch(text)
    address, name = (match["address"], _name(match["name"])) if match else (text, None)
    address = address.strip(" " + _QUOTES).rstrip(".,;:!?").rstrip(" " + _QUOTES)
    if (scheme_of(address) or "") == "mailto":
        address = unquote(address[len("mailto:") :].partition("?")[0])
        # An escape may hide what was refused when it was written out.
        address = clean_text(address, limit=LINE_LIMIT) or ""
    return address, None if name and name.lower() == address.lower() else name


def _name(text: str) -> str | None:
    name = " ".join(re.sub(r"\\(.)", r"\1", text.strip().strip(_QUOTES)).split())
    return clean_text(name, limit=NAME_LIMIT)


def _is_email(address: str) -> bool:
    return "@" in address and scheme_of(address) is None and "/" not in address.partition("@")[0]


def _person(address: str, name: str | None) -> dict[str, Any]:
    email = normalise_email(address)
    host = domain_of_email(email)
    return _fields(email=email, domain=None if is_free_mail(host) else host, contact_name=name)


def _company(address: str, name: str | None) -> dict[str, Any]:
    if any(letter.isspace() for letter in address) and scheme_of(address) is None:
        raise ValueError(f"{shown(address)} is neither an email nor a domain. Type one, as ana@acme.com or acme.com.")
    domain = normalise_domain(address)
    is_page = scheme_of(address) is not None or "/" in address.rstrip("/")
    website = normalise_web_address(address) if is_page else None
    if website is not None and registrable_domain(domain) == "linkedin.com" and website.count("/") > 2:
        raise ValueError("A LinkedIn page does not tell whose lead it is. Type the email or the company's domain.")
    return _fields(domain=domain, company_name=name, website=website)


def _fields(**known: str | None) -> dict[str, Any]:
    return dict.fromkeys(("email", "domain", "contact_name", "company_name", "website")) | known
