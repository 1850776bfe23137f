"""`leads bench` against a real server: every operation is measured and judged, and nothing is left behind."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import asyncpg
import pytest
import uvicorn

from console.app import create_app
from console.cli import bench as module
from console.cli.bench import bench
from leads_core.accounts.permissions import Role, Scope
from leads_core.accounts.service import Accounts
from leads_core.accounts.tokens import Tokens
from leads_core.context import acting_as
from leads_core.database import Database
from leads_core.errors import Misconfigured, Unavailable
from leads_core.settings import Settings
from tests.builders import an_actor


@pytest.fixture
async def url(settings: Settings, database: Database) -> AsyncIterator[str]:
    """The address of a server on loopback."""
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving
    await app.state.database.close()


@pytest.fixture
async def token(database: Database) -> str:
    with acting_as(an_actor()):
        editor = await Accounts(database).add("Eva", Role.EDITOR)
        made = await Tokens(database).create(editor.id, "bench", [Scope.LEADS_READ, Scope.LEADS_WRITE])
    return str(made.token)


async def test_bench_measures_every_operation_and_leaves_no_live_lead(
    url: str, token: str, owner: asyncpg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    status = await bench(url=url, token=token, count=3, as_json=True)

    found = json.loads(capsys.readouterr().out)
    names = [operation["name"] for operation in found["operations"]]
    assert (status, found["ok"]) == (0, True)
    assert names[:5] == ["list", "list, next page", "list, last changed", "filter", "search"]
    assert names[5:] == ["create", "quick-add", "read", "update", "delete", "restore"]
    assert all(0 < one["p50_ms"] <= one["p95_ms"] <= one["p99_ms"] for one in found["operations"])
    assert await owner.fetchval("SELECT count(*) FROM leads WHERE deleted_at IS NULL") == 0
    assert await owner.fetchval("SELECT count(*) FROM leads") == 6


async def test_an_operation_above_the_promise_fails_by_name(
    url: str, token: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PROMISED_MS", 0.0)

    assert await bench(url=url, token=token, count=2) == 1

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines if line.startswith(("create", "read", "restore"))] == ["FAIL"] * 3
    assert lines[-1].startswith("FAIL")


async def test_a_server_that_is_not_there_or_refuses_is_said(url: str, token: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(Unavailable, match="does not answer"):
        await bench(url=nowhere, token=token)
    with pytest.raises(Misconfigured, match="401"):
        await bench(url=url, token="le_wrong")
    with pytest.raises(Misconfigured, match="LEADS_TOKEN"):
        await bench(url=url)
