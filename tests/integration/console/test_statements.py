"""What a page of the list costs the database, session or token included: the rows take two at most.

The console's page asks once more for views, people and preferences, and at most twice for what changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from sqlalchemy import event

from leads_core.accounts.permissions import Role
from tests.integration.console.conftest import Ask

QUERIES = [
    "",
    "?stage=won&source=api",
    "?tag=vip&country=DE&owner=me",
    "?q=acme",
    "?q=ac",
    "?sort=company_name",
    "?deleted=true",
]


@pytest.fixture
def statements(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every statement that the app sends, through either pool."""
    sent: list[str] = []
    for name in ("fetch", "fetchrow", "fetchval", "execute"):
        real = getattr(asyncpg.Connection, name)

        async def noting(self: Any, query: str, *rest: Any, _real: Any = real, **named: Any) -> Any:
            sent.append(query)
            return await _real(self, query, *rest, **named)

        monkeypatch.setattr(asyncpg.Connection, name, noting)

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    engine = app.state.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("query", QUERIES)
async def test_a_page_of_the_api_takes_at_most_three_statements(
    api: AsyncClient, statements: list[str], query: str
) -> None:
    await api.post("/api/v1/leads", json={"email": "ana@acme.com"})
    await api.get("/api/v1/leads")  # opens the pool's first connection
    statements.clear()

    assert (await api.get(f"/api/v1/leads{query}")).status_code == 200

    assert 2 <= len(statements) <= 3, statements


@pytest.mark.parametrize("query", QUERIES)
async def test_a_page_of_the_console_takes_at_most_five_statements(
    browser: Ask, statements: list[str], query: str
) -> None:
    client = await browser(Role.EDITOR)
    await client.get("/leads")
    statements.clear()

    assert (await client.get(f"/leads{query}")).status_code == 200

    assert 3 <= len(statements) <= 5, statements
