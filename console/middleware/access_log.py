"""One line for each request, with what was written to the trail. No personal data: no path, address or name."""

from __future__ import annotations

import time
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leads_core.context import RequestContext

log = structlog.get_logger("access")

#: Asked for again and again by machines and browsers; a line each would hide the others.
QUIET = ("/static/", "/livez", "/readyz")


class AccessLogMiddleware:
    """Event `request`: request_id, actor_id, route, method, status, duration_ms, entries [{id, checksum}].

    status is 0 when the client went away before anything was answered.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(QUIET):
            await self._app(scope, receive, send)
            return
        status, began = 0, time.monotonic()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception:
            status = status or 500
            raise
        finally:
            log.info("request", **_line(scope, status, time.monotonic() - began))


def _line(scope: Scope, status: int, seconds: float) -> dict[str, Any]:
    context: RequestContext | None = scope.get("state", {}).get("context")
    receipts = context.receipts if context else []
    return {
        "request_id": context.request_id if context else None,
        "actor_id": str(context.actor_id) if context and context.actor_id else None,
        "method": scope["method"],
        "route": getattr(scope.get("route"), "path", None),
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
        "entries": [{"id": str(entry_id), "checksum": checksum} for entry_id, checksum in receipts],
    }
