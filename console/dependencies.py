"""What a route asks for by type, and who may come in: the checks before a body is read, in their order.

Checked in this order: 401, 403, 429, 413, 415, then the body (400, 422), then the lead (404, 412, 409).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any, TypeVar, cast

from fastapi import Depends
from fastapi.exceptions import ValidationException
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.problems import Fault
from console.rendering import Renderer
from leads_core import idempotency, rate_limit
from leads_core.accounts.permissions import Permission
from leads_core.accounts.visitor import Visitor, require
from leads_core.database import Database
from leads_core.errors import Invalid, LeadExplorerError, UnsupportedType
from leads_core.idempotency import Answer, KeyedRequest
from leads_core.leads.service import LeadService
from leads_core.settings import Settings

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
Handler = Callable[[Request], Coroutine[Any, Any, Response]]

SAFE = {"GET", "HEAD", "OPTIONS"}
JSON_TYPES = {"application/json", "application/merge-patch+json"}
FORM_TYPES = {"application/x-www-form-urlencoded", "multipart/form-data"}


def requires(permission: Permission | None, *, body: set[str] | None = None) -> Callable[[Endpoint], Endpoint]:
    """Who may call this endpoint (None: everybody), and the types of body it reads (default: JSON, of pages forms)."""

    def marked(endpoint: Endpoint) -> Endpoint:
        endpoint.__dict__["requires"] = permission
        endpoint.__dict__["reads"] = body
        return endpoint

    return marked


class GuardedRoute(APIRoute):
    """A route that says who may call it; one that does not say cannot be made."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if "requires" not in endpoint.__dict__:
            raise TypeError(f"{endpoint.__qualname__} does not say who may call it: add @requires(...).")
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        permission: Permission | None = self.endpoint.__dict__["requires"]
        types = self.endpoint.__dict__["reads"] or (JSON_TYPES if self.path.startswith("/api/") else FORM_TYPES)

        async def guarded(request: Request) -> Response:
            await admit(request, permission)
            refuse_other_types(request, types)
            try:
                return await handle(request)
            except (LeadExplorerError, HTTPException, ValidationException):
                raise
            except Exception as error:
                raise Fault from error

        return guarded


async def admit(request: Request, permission: Permission | None) -> None:
    """Raises Unauthenticated, Forbidden or RateLimited."""
    if permission is None:
        return
    who = require(visitor(request), permission)
    if request.method not in SAFE:
        limit = settings(request).rate_limit
        await rate_limit.take(pool(request), f"mutation:{who.actor_id}", per_second=limit)


def refuse_other_types(request: Request, types: set[str]) -> None:
    """Raises UnsupportedType for a body of another type; no body is none of them."""
    has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method not in SAFE and has_body and given not in types:
        raise UnsupportedType(" or ".join(sorted(types)))


def visitor(request: Request) -> Visitor | None:
    """Who asks; None where nobody is signed in."""
    return cast("Visitor | None", request.state.visitor)


def signed_in(request: Request) -> Visitor:
    """Who asks, on a route that lets nobody else in."""
    return cast(Visitor, request.state.visitor)


def pool(request: Request) -> Database:
    return cast(Database, request.app.state.database)


def settings(request: Request) -> Settings:
    return cast(Settings, request.app.state.settings)


def leads(request: Request) -> LeadService:
    return LeadService(pool(request))


def render(request: Request) -> Renderer:
    return Renderer(request.app.state.templates, request, visitor(request))


def if_version(request: Request) -> int | None:
    """The version that If-Match names. `*` and no header name none; a foreign tag matches nothing (412)."""
    text = request.headers.get("if-match")
    if text is None or text.strip() == "*":
        return None
    tag = text.strip().removeprefix("W/")
    if not (len(tag) >= 2 and tag[0] == tag[-1] == '"') or "," in tag:
        raise Invalid.of("If-Match", 'Send one entity tag, such as "3", or *.')
    number = tag[1:-1]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else -1


class Once:
    """Answers a POST with an Idempotency-Key once: the second time with the first answer."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def answer(self, produce: Callable[[], Awaitable[Answer]]) -> Response:
        """The answer that produce makes, or made the first time."""
        kept = await idempotency.answer_once(pool(self._request), await self._keyed(), produce)
        return Response(kept.body, kept.status, dict(kept.headers))

    async def _keyed(self) -> KeyedRequest | None:
        request = self._request
        key = request.headers.get("idempotency-key")
        if key is None:
            return None
        who = signed_in(request)
        parts = (request.url.query.encode(), await request.body())
        return KeyedRequest(who.actor_id, request.method, request.url.path, key, idempotency.fingerprint(*parts))


Leads = Annotated[LeadService, Depends(leads)]
Pool = Annotated[Database, Depends(pool)]
Config = Annotated[Settings, Depends(settings)]
CurrentVisitor = Annotated[Visitor, Depends(signed_in)]
AnyVisitor = Annotated[Visitor | None, Depends(visitor)]
Render = Annotated[Renderer, Depends(render)]
IfVersion = Annotated[int | None, Depends(if_version)]
OnlyOnce = Annotated[Once, Depends(Once)]
