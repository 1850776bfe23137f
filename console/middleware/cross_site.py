"""Refuses changes that another site made a browser send: by Sec-Fetch-Site, else by Origin."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from console.middleware import AnswerTo
from leads_core.errors import Forbidden

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class CrossSiteMiddleware:
    """Lets a change pass only from our own pages, from a token's holder, or from what is no browser."""

    def __init__(self, app: ASGIApp, *, answer: AnswerTo, public_url: str | None = None) -> None:
        self._app = app
        self._answer = answer
        self._public_host = urlsplit(public_url).netloc.lower() if public_url else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE and not self._is_ours(Headers(scope=scope)):
            error = Forbidden("This came from another site. Open Lead Explorer itself and do it there.")
            response = await self._answer(Request(scope), error)
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, headers: Headers) -> bool:
        """A browser attaches cookies by itself, but never a token: with one, no other site can be behind it."""
        if headers.get("authorization", "").lower().startswith("bearer "):
            return True
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in {"same-origin", "none"}
        origin = headers.get("origin")
        if origin is None:
            return True  # no browser of the last ten years: they send one of the two with every change
        host = _host_in(origin)
        return host is not None and host in {headers.get("host", "").lower(), self._public_host}


def _host_in(origin: str) -> str | None:
    """Host and port of an origin; None for `null` and for what is none."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
