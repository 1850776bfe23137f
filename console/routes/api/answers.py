"""How the API writes JSON: straight from values, without a model between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

#: One encoder for all answers: it keeps no state between them.
ENCODER = msgspec.json.Encoder()


def encoded(body: Any) -> bytes:
    """JSON bytes: ids as text, times in RFC 3339, dates as 2026-11-24."""
    return ENCODER.encode(body)


def json_answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The body as an answer."""
    return Response(encoded(body), status, headers, "application/json")
