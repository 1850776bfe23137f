"""The app on a real database, and clients for every kind of visitor."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient

from console.app import create_app
from console.middleware.session_cookie import NAME as SESSION_COOKIE
from leads_core.accounts.permissions import OF_ROLE, OF_SCOPE, Role, Scope
from leads_core.accounts.schemas import UserRead
from leads_core.accounts.service import Accounts
from leads_core.accounts.sessions import Sessions, open_session
from leads_core.accounts.tokens import Tokens
from leads_core.context import acting_as
from leads_core.database import Database
from leads_core.settings import Settings
from tests.builders import an_actor

PEER = ("198.51.100.7", 40000)
AGENT = {"User-Agent": "tests/1"}


@pytest.fixture(scope="session")
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    app = create_app(settings)
    yield app
    await app.state.database.close()


def client(app: FastAPI, **options: object) -> AsyncClient:
    """A client whose faults of ours are answers (500), not exceptions in the test."""
    transport = ASGITransport(app, raise_app_exceptions=False, client=PEER)
    return AsyncClient(transport=transport, base_url="http://test", **options)  # type: ignore[arg-type]


@pytest.fixture
async def people(database: Database) -> dict[Role, UserRead]:
    """One user of each role."""
    accounts = Accounts(database)
    with acting_as(an_actor()):
        return {role: await accounts.add(role.value.capitalize(), role) for role in Role}


Ask = Callable[[Role], Awaitable[AsyncClient]]


@pytest.fixture
async def script(app: FastAPI, database: Database, people: dict[Role, UserRead]) -> AsyncIterator[Ask]:
    """A client with a token of somebody in this role, with every scope the role reaches."""
    opened: list[AsyncClient] = []

    async def make(role: Role) -> AsyncClient:
        scopes = [scope for scope in Scope if OF_SCOPE[scope] <= OF_ROLE[role]]
        with acting_as(an_actor()):
            token = await Tokens(database).create(people[role].id, f"{role} script", scopes)
        opened.append(client(app, headers={**AGENT, "Authorization": f"Bearer {token.token}"}))
        return opened[-1]

    yield make
    for one in opened:
        await one.aclose()


@pytest.fixture
async def browser(
    app: FastAPI, database: Database, settings: Settings, people: dict[Role, UserRead]
) -> AsyncIterator[Ask]:
    """A client with the session of somebody in this role."""
    opened: list[AsyncClient] = []

    async def make(role: Role) -> AsyncClient:
        with acting_as(an_actor()):
            async with database.transaction() as session:
                session_id = await open_session(session, people[role].id)
        cookie = Sessions(database, settings.signing_secret).cookie_of(session_id)
        headers = {**AGENT, "Cookie": f"{SESSION_COOKIE}={cookie}", "Sec-Fetch-Site": "same-origin"}
        opened.append(client(app, headers=headers))
        return opened[-1]

    yield make
    for one in opened:
        await one.aclose()


@pytest.fixture
async def api(script: Ask) -> AsyncClient:
    """An editor's script."""
    return await script(Role.EDITOR)


@pytest.fixture
async def nobody(app: FastAPI, database: Database) -> AsyncIterator[AsyncClient]:
    async with client(app, headers=AGENT) as one:
        yield one
