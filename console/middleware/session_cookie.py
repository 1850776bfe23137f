"""The browser's cookie: HttpOnly, SameSite=Lax, Secure under https."""

from __future__ import annotations

from typing import Literal, TypedDict

from starlette.requests import Request
from starlette.responses import Response

from leads_core.accounts.sessions import LIFETIME_DAYS

NAME = "leads_session"


class _Attributes(TypedDict):
    path: str
    secure: bool
    httponly: bool
    samesite: Literal["lax"]


def give(request: Request, response: Response, cookie: str) -> None:
    """Let the browser keep this signed value (SignedIn.cookie) as long as a session can live."""
    response.set_cookie(NAME, cookie, max_age=LIFETIME_DAYS * 24 * 60 * 60, **_attributes(request))


def take_away(request: Request, response: Response) -> None:
    """Let the browser forget it."""
    response.delete_cookie(NAME, **_attributes(request))


def _attributes(request: Request) -> _Attributes:
    return {"path": "/", "secure": request.url.scheme == "https", "httponly": True, "samesite": "lax"}
