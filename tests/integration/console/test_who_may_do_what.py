"""Every route with every role and with none: a route that is added must be added here too."""

from __future__ import annotations

from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx2 import AsyncClient

from leads_core.accounts.permissions import OF_ROLE, OF_SCOPE, Permission, Role
from tests.integration.console.conftest import Ask

#: Addresses that let everybody in: probes, the sign-in and its end, yes or no, and how the page looks.
OPEN = {
    "GET /livez",
    "GET /readyz",
    "GET /api/v1/leads/health",
    "GET /sign-in",
    "POST /sign-in",
    "GET /sign-in/{secret}",
    "POST /sign-in/{secret}",
    "POST /sign-out",
    "POST /settings/appearance",
    "POST /api/v1/jobs/{job_id}/result",  # signed with a shared secret
}


#: What a token may do at most.
GIVEN_BY_SCOPES = frozenset[Permission]().union(*OF_SCOPE.values())


def routes(app: FastAPI) -> list[tuple[str, str, Permission | None]]:
    """(method, path, permission) of each route, found as the app itself finds them."""
    found = []
    for router in app.state.routers:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            permission = route.endpoint.__dict__["requires"]
            found += [(method, route.path, permission) for method in sorted(route.methods - {"HEAD"})]
    return found


def address(path: str) -> str:
    for name in ("lead_id", "other_id", "job_id", "token_id", "user_id", "session_id", "view_id", "fact_id", "secret"):
        path = path.replace(f"{{{name}}}", str(uuid4()))
    return path


def test_the_open_addresses_are_these_and_no_others(app: FastAPI) -> None:
    assert {f"{method} {path}" for method, path, permission in routes(app) if permission is None} == OPEN


async def test_nobody_comes_in_without_signing_in(app: FastAPI, nobody: AsyncClient) -> None:
    for method, path, permission in routes(app):
        if permission is not None:
            answer = await nobody.request(method, address(path), headers={"Sec-Fetch-Site": "same-origin"})
            expected = 303 if method == "GET" and not path.startswith(("/api/", "/events")) else 401
            assert answer.status_code == expected, f"{method} {path}"


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_is_let_in_only_where_its_permissions_reach(app: FastAPI, browser: Ask, role: Role) -> None:
    client = await browser(role)
    for method, path, permission in routes(app):
        if permission is not None and permission not in OF_ROLE[role]:
            assert (await client.request(method, address(path))).status_code == 403, f"{role} {method} {path}"
        elif permission is not None and path != "/events":
            answer = await client.request(method, address(path))
            assert answer.status_code not in {401, 403, 500}, f"{role} {method} {path}: {answer.text}"


async def test_a_token_never_does_what_no_scope_gives_not_even_an_administrators(app: FastAPI, script: Ask) -> None:
    client = await script(Role.ADMIN)
    for method, path, permission in routes(app):
        if permission is not None and permission not in GIVEN_BY_SCOPES:
            assert (await client.request(method, address(path))).status_code == 403, f"{method} {path}"


async def test_a_forged_or_revoked_identity_is_nobodys(app: FastAPI, nobody: AsyncClient) -> None:
    for headers in ({"Authorization": "Bearer le_forged"}, {"Cookie": "leads_session=forged.by.hand"}):
        assert (await nobody.get("/api/v1/leads", headers=headers)).status_code == 401


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_site_cannot_change_anything(browser: Ask, site: str) -> None:
    client = await browser(Role.EDITOR)

    answer = await client.post("/leads/quick-add", data={"text": "acme.com"}, headers={"Sec-Fetch-Site": site})

    assert answer.status_code == 403
    assert (await client.get("/api/v1/leads")).json()["items"] == []


async def test_a_foreign_origin_is_refused_where_the_browser_sends_no_fetch_headers(browser: Ask) -> None:
    client = await browser(Role.EDITOR)
    del client.headers["Sec-Fetch-Site"]

    answer = await client.post("/leads/quick-add", data={"text": "acme.com"}, headers={"Origin": "https://evil.com"})

    assert answer.status_code == 403
