"""GET /events: what changes, as it happens, in every open browser."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import UUID

from fastapi import APIRouter
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from console.dependencies import CurrentVisitor, GuardedRoute, requires
from console.live import Live
from leads_core.accounts.permissions import Permission
from leads_core.accounts.sessions import Sessions

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

#: How often a stream asks whether its session still lives, and tells proxies that it does.
CHECK_SECONDS = 15


@router.get("/events")
@requires(Permission.READ_LEADS)
async def events(request: Request, who: CurrentVisitor) -> Response:
    """Event `leads`: {"ids": [...]} or {"many": true}. A stream that broke comes back with Last-Event-ID."""
    live: Live = request.app.state.live
    sessions = Sessions(request.app.state.database, request.app.state.settings.signing_secret)
    stream = _while_signed_in(live, request.headers.get("last-event-id"), sessions, who.session_id)
    return EventSourceResponse(stream, ping=CHECK_SECONDS, headers={"Cache-Control": "no-store"})


async def _while_signed_in(
    live: Live, last_event_id: str | None, sessions: Sessions, session_id: UUID | None
) -> AsyncIterator[ServerSentEvent]:
    messages = live.stream(last_event_id)
    waiting = asyncio.ensure_future(anext(messages, None))
    try:
        while True:
            done, _ = await asyncio.wait({waiting}, timeout=CHECK_SECONDS)
            if session_id is not None and not done and not await sessions.is_live(session_id):
                return
            if done:
                message = waiting.result()
                if message is None:
                    return
                yield ServerSentEvent(message.data, event="leads", id=message.id)
                waiting = asyncio.ensure_future(anext(messages, None))
    finally:
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        await messages.aclose()
