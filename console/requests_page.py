"""What left the house for a lead, in words: to whom each request went and what came back. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from console.wording import plural
from leads_core.enrichment.outgoing_requests import OutgoingRequestRead

DNS = "dns"
WORDS_OF_KIND = {"A": "address", "AAAA": "address (IPv6)", "MX": "mail servers", "TXT": "texts", "CNAME": "alias"}


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One request: whom it asked for what (where: the address that was reached), and the answer, or why not."""

    at: datetime
    provider: str
    whom: str
    what: str
    where: str
    answer: str
    size: str
    is_refused: bool


def request_line(request: OutgoingRequestRead) -> RequestLine:
    """The request as a person reads it."""
    address = urlsplit(request.url)
    if address.scheme == DNS:
        kind = next(iter(parse_qs(address.query).get("type", [])), "")
        whom, what = "A name server", f"for the {WORDS_OF_KIND.get(kind, kind)} of {address.path}"
    else:
        whom, what = request.host, request.url
    return RequestLine(
        at=request.requested_at,
        provider=request.provider,
        whom=whom,
        what=what,
        where=request.address or "",
        answer=_answer(request, is_dns=address.scheme == DNS),
        size=plural(request.bytes, "byte") if request.bytes else "",
        is_refused=request.error is not None,
    )


def _answer(request: OutgoingRequestRead, *, is_dns: bool) -> str:
    if request.error is not None:
        return request.error
    if request.status is None:
        return "Answered" if is_dns else "No answer"
    try:
        return f"{request.status} {HTTPStatus(request.status).phrase}"
    except ValueError:
        return str(request.status)
