"""Counts a request's body while it is read, so that nobody fills the memory."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leads_core.errors import TooLarge
from leads_core.transfer.readers import FILE_LIMIT

MIB = 1024 * 1024
DEFAULT_LIMIT = MIB
#: Path to its own limit in bytes.
LARGER: Mapping[str, int] = {"/api/v1/leads/import": FILE_LIMIT, "/import": FILE_LIMIT}


class BodyLimitMiddleware:
    """Reading more than the limit raises TooLarge where the body is read: after 401, 403 and 429, which read none.

    What Content-Length says only makes it quicker: it is never believed.
    """

    def __init__(self, app: ASGIApp, *, default: int = DEFAULT_LIMIT, larger: Mapping[str, int] = LARGER) -> None:
        self._app = app
        self._default = default
        self._larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._larger.get(scope["path"].rstrip("/"), self._default)
        announced = _announced(Headers(scope=scope))
        read = 0

        async def counting() -> Message:
            nonlocal read
            if announced > limit:
                raise TooLarge(limit)
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise TooLarge(limit)
            return message

        await self._app(scope, counting, send)


def _announced(headers: Headers) -> int:
    """Content-Length in bytes; 0 where there is none or it is no number."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
