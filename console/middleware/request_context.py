"""Who and whence: the context that entries take their origin from, and the visitor that routes ask for."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.middleware import AnswerTo
from console.middleware.client import Proxies, parsed, request_id_of, user_agent_of
from console.middleware.session_cookie import NAME
from leads_core.accounts.sessions import Sessions
from leads_core.accounts.tokens import Tokens
from leads_core.accounts.visitor import Visitor
from leads_core.context import RequestContext, acting_as
from leads_core.database import new_id
from leads_core.errors import LeadExplorerError
from leads_core.settings import Settings

#: Below these nobody is looked up: they answer without a database.
FOR_ANYBODY = ("/static/", "/livez", "/readyz")


class RequestContextMiddleware:
    """Sets scope["state"]["visitor"] (Visitor or None) and ["context"], and acts as that context further in.

    A request with a bearer token is the token's alone, valid or not: its cookie counts for nothing.
    """

    def __init__(
        self, app: ASGIApp, *, settings: Settings, sessions: Sessions, tokens: Tokens, answer: AnswerTo
    ) -> None:
        self._app = app
        self._proxies = Proxies(settings.trusted_proxies)
        self._sessions = sessions
        self._tokens = tokens
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        context = self._of_nobody(scope)
        state.update(visitor=None, context=context)
        send = _with_request_id(send, context.request_id)
        try:
            visitor = await self._visitor(scope)
        except LeadExplorerError as error:
            with acting_as(context):
                response = await self._answer(Request(scope), error)
                await response(scope, receive, send)
            return
        if visitor is not None:
            context = _of_visitor(context, visitor)
            state.update(visitor=visitor, context=context)
        with acting_as(context):
            await self._app(scope, receive, send)

    def _of_nobody(self, scope: Scope) -> RequestContext:
        headers = Headers(scope=scope)
        peer = scope["client"][0] if scope.get("client") else None
        forwarded_for, given_id = "", None
        if self._proxies.trusts(parsed(peer)):
            forwarded_for = ",".join(headers.getlist("x-forwarded-for"))
            given_id = request_id_of(headers.get("x-request-id"))
            if (scheme := headers.get("x-forwarded-proto", "").strip().lower()) in {"http", "https"}:
                scope["scheme"] = scheme
        return RequestContext(
            actor_kind="anonymous",
            actor_id=None,
            actor_name=None,
            channel="api" if scope["path"].startswith("/api/") else "web",
            ip_address=self._proxies.client_of(peer, forwarded_for),
            user_agent=user_agent_of(next((value for name, value in scope["headers"] if name == b"user-agent"), None)),
            request_id=given_id or str(new_id()),
        )

    async def _visitor(self, scope: Scope) -> Visitor | None:
        if scope["path"].startswith(FOR_ANYBODY):
            return None
        headers = Headers(scope=scope)
        scheme, _, secret = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await self._tokens.visitor_of(secret.strip())
        cookie = _cookie(headers)
        return await self._sessions.visitor_of(cookie) if cookie else None


def _of_visitor(context: RequestContext, visitor: Visitor) -> RequestContext:
    return RequestContext(
        actor_kind=visitor.kind,
        actor_id=visitor.actor_id,
        actor_name=visitor.actor_name,
        channel=context.channel,
        ip_address=context.ip_address,
        user_agent=context.user_agent,
        request_id=context.request_id,
    )


def _cookie(headers: Headers) -> str | None:
    for header in headers.getlist("cookie"):
        for pair in header.split(";"):
            name, _, value = pair.partition("=")
            if name.strip() == NAME:
                return value.strip()
    return None


def _with_request_id(send: Send, request_id: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["X-Request-Id"] = request_id
        await send(message)

    return sending
