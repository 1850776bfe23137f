"""What left the house, in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from console.requests_page import request_line
from leads_core.enrichment.outgoing_requests import OutgoingRequestRead

AT = datetime(2026, 11, 24, 14, 31, tzinfo=UTC)


def a_request(**given: Any) -> OutgoingRequestRead:
    usual: dict[str, Any] = {
        "id": UUID(int=1), "task_id": UUID(int=2), "requested_at": AT, "provider": "website",
        "url": "https://acme.com/imprint", "host": "acme.com", "address": "192.0.2.1", "status": 200, "bytes": 4210,
        "error": None,
    }  # fmt: skip
    return OutgoingRequestRead(**(usual | given))


@pytest.mark.parametrize(
    ("request_", "whom", "what", "answer", "size"),
    [
        (a_request(), "acme.com", "https://acme.com/imprint", "200 OK", "4,210 bytes"),
        (a_request(status=799, bytes=0), "acme.com", "https://acme.com/imprint", "799", ""),
        (a_request(status=None, bytes=0), "acme.com", "https://acme.com/imprint", "No answer", ""),
        (
            a_request(url="dns:acme.com?type=MX", status=None, bytes=0, provider="dns"),
            "A name server",
            "for the mail servers of acme.com",
            "Answered",
            "",
        ),
        (
            a_request(url="dns:_dmarc.acme.com?type=TXT", status=None, error="The name does not exist.", bytes=0),
            "A name server",
            "for the texts of _dmarc.acme.com",
            "The name does not exist.",
            "",
        ),
    ],
    ids=["page", "odd status", "no answer", "name server", "no name"],
)
def test_a_request_says_whom_it_asked_and_what_came_back(
    request_: OutgoingRequestRead, whom: str, what: str, answer: str, size: str
) -> None:
    line = request_line(request_)

    assert (line.whom, line.what, line.answer, line.size) == (whom, what, answer, size)
    assert line.is_refused == (request_.error is not None)
