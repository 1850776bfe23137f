"""The layers around the app, each seen through the whole app or a small one that shows what it sees."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs

from console import problems
from console.middleware.body_limit import BodyLimitMiddleware
from console.middleware.cross_site import CrossSiteMiddleware
from console.middleware.request_context import RequestContextMiddleware
from console.middleware.security_headers import SecurityHeadersMiddleware
from leads_core import context
from leads_core.accounts.permissions import Role
from leads_core.accounts.sessions import Sessions
from leads_core.accounts.tokens import Tokens
from leads_core.database import Database
from leads_core.errors import TooLarge
from leads_core.settings import Settings
from tests.integration.console.conftest import PEER, Ask

LIMIT = 1000


async def show(request: Request) -> Response:
    """Whom and what the layers made of the request."""
    who, visitor = context.current(), request.state.visitor
    return JSONResponse(
        {
            "actor": [who.actor_kind, str(who.actor_id), who.actor_name],
            "from": [who.channel, who.ip_address, who.user_agent],
            "request_id": who.request_id,
            "visitor": visitor.kind if visitor else None,
            "scheme": request.url.scheme,
            "read": len(await request.body()),
        }
    )


async def answer(_request: Request, error: Exception) -> Response:
    return problems.response(error)


@pytest.fixture
async def seen(database: Database, settings: Settings) -> AsyncIterator[AsyncClient]:
    """A client of a small app behind a trusted proxy."""
    behind = settings.model_copy(update={"trusted_proxies": (f"{PEER[0]}/32",)})
    app = Starlette(
        routes=[Route("/{rest:path}", show, methods=["GET", "POST", "DELETE"])],
        middleware=[
            Middleware(SecurityHeadersMiddleware),
            Middleware(
                RequestContextMiddleware,
                settings=behind,
                sessions=Sessions(database, settings.signing_secret),
                tokens=Tokens(database),
                answer=answer,
            ),
            Middleware(CrossSiteMiddleware, answer=answer, public_url="https://leads.example"),
            Middleware(BodyLimitMiddleware, default=LIMIT, larger={"/import": 3 * LIMIT}),
        ],
        exception_handlers={TooLarge: answer},
    )
    async with AsyncClient(transport=ASGITransport(app, client=PEER), base_url="http://inner:8000") as client:
        yield client


async def test_nobody_known_is_anonymous_but_never_without_a_place(seen: AsyncClient) -> None:
    del seen.headers["user-agent"]
    facts = (await seen.get("/leads")).json()

    assert facts["actor"] == ["anonymous", "None", None]
    assert facts["from"] == ["web", PEER[0], "unknown"]
    assert facts["visitor"] is None


async def test_a_proxy_we_trust_says_whence_the_request_came(seen: AsyncClient) -> None:
    told = {"X-Forwarded-For": "6.6.6.6, 2001:DB8::7", "X-Forwarded-Proto": "https", "X-Request-Id": "from-the-proxy-1"}
    answered = await seen.get("/api/v1/leads", headers=told)

    facts = answered.json()
    assert facts["from"][:2] == ["api", "2001:db8::7"]
    assert (facts["scheme"], facts["request_id"]) == ("https", "from-the-proxy-1")
    assert answered.headers["x-request-id"] == "from-the-proxy-1"
    assert "max-age" in answered.headers["strict-transport-security"]


async def test_anybody_else_is_not_believed(nobody: AsyncClient) -> None:
    told = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "X-Request-Id": "from-a-stranger"}
    answered = await nobody.get("/sign-in", headers=told)

    assert answered.headers["x-request-id"] != "from-a-stranger"
    assert "strict-transport-security" not in answered.headers


async def test_a_session_and_a_token_are_actors(seen: AsyncClient, browser: Ask, script: Ask) -> None:
    cookie = (await browser(Role.EDITOR)).headers["cookie"]
    bearer = (await script(Role.EDITOR)).headers["authorization"]

    by_cookie = (await seen.get("/leads", headers={"Cookie": cookie})).json()
    by_token = (await seen.get("/leads", headers={"Authorization": bearer})).json()
    by_both = (await seen.get("/leads", headers={"Authorization": bearer, "Cookie": cookie})).json()

    assert (by_cookie["actor"][0], by_cookie["actor"][2]) == ("user", "Editor")
    assert (by_token["actor"][0], by_token["actor"][2]) == ("token", "editor script")
    assert by_both == by_token | {"request_id": by_both["request_id"]}


async def test_beside_a_token_that_is_not_valid_the_cookie_counts_for_nothing(seen: AsyncClient, browser: Ask) -> None:
    cookie = (await browser(Role.EDITOR)).headers["cookie"]

    facts = (await seen.get("/leads", headers={"Authorization": "Bearer le_wrong", "Cookie": cookie})).json()

    assert facts["visitor"] is None


async def test_a_proxys_own_basic_sign_in_does_not_hide_the_session(seen: AsyncClient, browser: Ask) -> None:
    cookie = (await browser(Role.EDITOR)).headers["cookie"]

    facts = (await seen.get("/leads", headers={"Authorization": "Basic YTpi", "Cookie": f"other=1; {cookie}"})).json()

    assert facts["visitor"] == "user"


async def test_what_anybody_may_see_costs_no_statement(seen: AsyncClient, browser: Ask) -> None:
    cookie = (await browser(Role.EDITOR)).headers["cookie"]

    for path in ("/livez", "/readyz", "/static/app.css"):
        assert (await seen.get(path, headers={"Cookie": cookie})).json()["visitor"] is None


async def test_a_database_that_does_not_answer_is_503_in_words(settings: Settings) -> None:
    away = settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none"})
    pools = Database(away, pool_size=1)
    app = RequestContextMiddleware(
        Starlette(), settings=away, sessions=Sessions(pools, "x"), tokens=Tokens(pools), answer=answer
    )
    async with AsyncClient(transport=ASGITransport(app, client=PEER), base_url="http://test") as client:
        answered = await client.get("/leads", headers={"Authorization": "Bearer le_any"})
    await pools.close()

    assert (answered.status_code, answered.json()["type"]) == (503, "/problems/unavailable")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://inner:8000"}, 403),
        ({"Origin": "http://inner:8000"}, 200),
        ({"Origin": "https://leads.example"}, 200),
        ({"Origin": "http://inner:9000"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://[evil"}, 403),
        ({"Origin": ""}, 403),
        ({"Authorization": "Bearer le_x", "Sec-Fetch-Site": "cross-site"}, 200),
        ({"Authorization": "Basic YTpi", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_a_change_passes_only_from_our_own_pages_or_with_a_token(
    seen: AsyncClient, headers: dict[str, str], status: int
) -> None:
    assert (await seen.post("/leads", headers=headers)).status_code == status
    assert (await seen.delete("/leads", headers=headers)).status_code == status
    assert (await seen.get("/leads", headers=headers)).status_code == 200


async def test_an_origin_that_is_none_matches_no_public_address_that_is_none() -> None:
    app = CrossSiteMiddleware(Starlette(), answer=answer)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://inner") as client:
        assert (await client.post("/", headers={"Origin": "null"})).status_code == 403


async def _chunks(total: int) -> AsyncIterator[bytes]:
    for _ in range(total // 100):
        yield b"x" * 100


@pytest.mark.parametrize(("path", "limit"), [("/leads", LIMIT), ("/import", 3 * LIMIT), ("/import/", 3 * LIMIT)])
async def test_a_body_is_counted_while_it_is_read(seen: AsyncClient, path: str, limit: int) -> None:
    whole = await seen.post(path, content=_chunks(limit))
    beyond = await seen.post(path, content=_chunks(limit + 100))

    assert (whole.status_code, whole.json()["read"]) == (200, limit)
    assert (beyond.status_code, beyond.json()["type"]) == (413, "/problems/too-large")


@pytest.mark.parametrize("announced", ["10", "0", "-5", "many", "9" * 5000])
async def test_a_content_length_that_lies_helps_nobody(seen: AsyncClient, announced: str) -> None:
    answered = await seen.post("/leads", content=_chunks(LIMIT + 100), headers={"Content-Length": announced})

    assert answered.status_code == 413


async def test_a_body_announced_too_large_is_not_read(seen: AsyncClient) -> None:
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    answered = await seen.post("/leads", content=never(), headers={"Content-Length": str(LIMIT + 1)})

    assert answered.status_code == 413


@pytest.mark.parametrize("path", ["/sign-in", "/leads", "/api/v1/leads", "/nowhere", "/livez"])
async def test_every_answer_carries_the_security_headers(nobody: AsyncClient, path: str) -> None:
    headers = (await nobody.get(path)).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cache-control"] == "no-store"


async def test_each_request_is_one_line_with_what_it_wrote_and_nothing_personal(
    api: AsyncClient, owner: asyncpg.Connection
) -> None:
    with capture_logs() as lines:
        answered = await api.post("/api/v1/leads?q=personal", json={"email": "personal@acme.com"})
        await api.get(f"/api/v1/leads/{answered.json()['id']}")

    created, read = _requests(lines)
    entry = await owner.fetchrow("SELECT id, checksum FROM audit_log WHERE subject_kind = 'lead'")
    assert created["entries"] == [{"id": str(entry["id"]), "checksum": entry["checksum"].hex()}]
    assert (created["method"], created["route"], created["status"]) == ("POST", "/api/v1/leads", 201)
    assert (read["route"], read["status"], read["entries"]) == ("/api/v1/leads/{lead_id}", 200, [])
    assert created["request_id"] == answered.headers["x-request-id"]
    assert created["actor_id"] is not None
    assert created["duration_ms"] > 0
    assert "personal" not in json.dumps(lines, default=str)
    assert PEER[0] not in json.dumps(lines, default=str)


async def test_a_refused_request_has_its_line_too_and_probes_have_none(app: FastAPI, nobody: AsyncClient) -> None:
    with capture_logs() as lines:
        await nobody.get("/api/v1/leads")
        await nobody.post("/sign-in", headers={"Sec-Fetch-Site": "cross-site"})
        await nobody.get("/livez")

    assert [(line["status"], line["actor_id"]) for line in _requests(lines)] == [(401, None), (403, None)]


def _requests(lines: list[Any]) -> list[dict[str, Any]]:
    return [line for line in lines if line["event"] == "request"]
