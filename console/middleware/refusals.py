"""Refusals as a page's own scripts get them: for any answer from 400 on the browser writes an error of its own."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The status that the answer would have had.
REFUSED = "X-Refused"


class RefusalsMiddleware:
    """A 4xx that a script of the console asked for (HX-Request) comes as 200, with its status in X-Refused.

    A refused form is no error of the page, so nothing shall stand in the browser's console. Forms and links without a
    script, and the API, get the status itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "hx-request" not in Headers(scope=scope) or scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start" and 400 <= message["status"] < 500:
                MutableHeaders(scope=message)[REFUSED] = str(message["status"])
                message["status"] = 200
            await send(message)

        await self._app(scope, receive, telling)
