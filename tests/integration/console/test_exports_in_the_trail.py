"""What leaves through the API stands in the trail: before its first byte, and when it ends, however it ends."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from starlette.types import Message

from leads_core.accounts.permissions import Role
from leads_core.accounts.schemas import UserRead
from leads_core.context import acting_as
from leads_core.database import Database
from leads_core.leads import seeding
from leads_core.settings import Settings
from leads_core.transfer import exporting, readers
from tests.builders import an_actor

Ask = Callable[[Role], Awaitable[AsyncClient]]


@pytest.fixture
async def many_leads(database: Database, settings: Settings) -> None:
    """More than two pages of an export."""
    with acting_as(an_actor()):
        await seeding.seed(database.url, settings.mac_keys[0], an_actor(), 2345, progress=lambda _done: None)


async def export_entries(owner: asyncpg.Connection) -> list[dict[str, Any]]:
    """Entries of exports in order, each with what its part data says."""
    rows = await owner.fetch("SELECT * FROM audit_log WHERE action = 'EXPORT' ORDER BY id")
    values = [{f: new for f, (_, new) in json.loads(row["parts"])["data"][1].items()} for row in rows]
    return [{**row, "says": said} for row, said in zip(rows, values, strict=True)]


@pytest.mark.parametrize("as_format", ["csv", "xlsx", "jsonl"])
async def test_an_export_says_who_took_what_and_which_bytes(
    script: Ask, people: dict[Role, UserRead], owner: asyncpg.Connection, as_format: str
) -> None:
    api = await script(Role.EDITOR)
    for domain, stage in (("a.com", "won"), ("b.com", "new"), ("c.com", "lost")):
        await api.post("/api/v1/leads", json={"domain": domain, "stage": stage})

    answer = await api.get(f"/api/v1/leads/export?stage=won&sort=domain&owner=!me&format={as_format}&stage=lost")
    begin, end = await export_entries(owner)

    wanted = f"owner=%21{people[Role.EDITOR].id}&sort=domain&stage=lost&stage=won"
    assert begin["says"] == {"what": "leads", "format": as_format, "filter": wanted}
    assert end["says"] == {"rows": 2, "sha256": hashlib.sha256(answer.content).hexdigest(), "complete": True}
    assert begin["subject_id"] == end["subject_id"]
    for entry in (begin, end):
        assert (entry["subject_kind"], entry["seq"], entry["actor_kind"]) == ("export", None, "token")
        assert json.loads(entry["parts"])["origin"][1]["ip_address"] == "198.51.100.7"


async def test_an_export_of_everything_says_so_and_compression_is_no_part_of_the_file(
    api: AsyncClient, many_leads: None, owner: asyncpg.Connection
) -> None:
    answer = await api.get("/api/v1/leads/export", headers={"Accept-Encoding": "gzip"})
    begin, end = await export_entries(owner)

    assert begin["says"]["filter"] == ""
    assert end["says"] == {"rows": 2345, "sha256": hashlib.sha256(answer.content).hexdigest(), "complete": True}


@pytest.mark.parametrize("as_format", ["csv", "xlsx", "jsonl"])
async def test_an_export_of_some_columns_has_those_in_their_order_and_says_which(
    api: AsyncClient, owner: asyncpg.Connection, as_format: str
) -> None:
    await api.post("/api/v1/leads", json={"domain": "a.com", "employee_count": 7, "tags": ["x", "y"]})

    answer = await api.get(f"/api/v1/leads/export?format={as_format}&columns=tags,domain&columns=employee_count")
    begin, end = await export_entries(owner)

    assert begin["says"]["columns"] == "tags,domain,employee_count"
    assert end["says"]["rows"] == 1
    assert _table(answer.content, as_format) == [["tags", "domain", "employee_count"], ["x,y", "a.com", "7"]]


async def test_what_is_refused_is_no_export(api: AsyncClient, owner: asyncpg.Connection) -> None:
    for wrong in ("format=xml", "stge=won", "sort=height", "columns=email,height", "columns=,"):
        assert (await api.get(f"/api/v1/leads/export?{wrong}")).status_code == 422

    assert await export_entries(owner) == []


async def test_a_client_that_hangs_up_leaves_an_entry_of_what_was_sent(
    app: FastAPI, api: AsyncClient, many_leads: None, owner: asyncpg.Connection
) -> None:
    sent = await _hang_up_after_the_first_piece(app, api.headers["Authorization"])
    begin, end = await export_entries(owner)

    assert begin["says"]["what"] == "leads"
    assert end["says"] == {"rows": 1000, "sha256": hashlib.sha256(sent).hexdigest(), "complete": False}


async def test_an_export_that_breaks_leaves_an_entry_that_says_so(
    api: AsyncClient, many_leads: None, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = exporting._pages

    async def broken(*given: Any) -> Any:
        async for page in pages(*given):
            yield page
            raise OSError("the disk is gone")

    monkeypatch.setattr(exporting, "_pages", broken)
    await api.get("/api/v1/leads/export")
    _, end = await export_entries(owner)

    assert (end["says"]["rows"], end["says"]["complete"]) == (1000, False)


async def test_nothing_is_sent_when_the_beginning_cannot_be_written(
    api: AsyncClient, many_leads: None, owner: asyncpg.Connection
) -> None:
    await owner.execute("ALTER TABLE audit_log ADD CONSTRAINT no_exports CHECK (action <> 'EXPORT') NOT VALID")
    try:
        answer = await api.get("/api/v1/leads/export")
    finally:
        await owner.execute("ALTER TABLE audit_log DROP CONSTRAINT no_exports")

    assert answer.status_code >= 500
    assert b"@" not in answer.content


async def _hang_up_after_the_first_piece(app: FastAPI, token: str) -> bytes:
    """Ask for an export as a server would hand it over, and be gone when the first piece has come."""
    sent, arrived, asked = bytearray(), asyncio.Event(), False

    async def receive() -> Message:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await arrived.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            sent.extend(message["body"])
            arrived.set()
            await asyncio.Event().wait()

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/api/v1/leads/export",
        "raw_path": b"/api/v1/leads/export",
        "query_string": b"format=jsonl",
        "root_path": "",
        "headers": [(b"authorization", token.encode()), (b"host", b"test")],
        "client": ("198.51.100.7", 40000),
        "server": ("test", 80),
    }
    await app(scope, receive, send)
    return bytes(sent)


def _table(content: bytes, as_format: str) -> list[list[str]]:
    """Names and rows of a small file."""
    if as_format == "jsonl":
        lead = json.loads(content)
        return [list(lead), [",".join(lead["tags"]), lead["domain"], str(lead["employee_count"])]]
    file = readers.opened(io.BytesIO(content))
    file.seek(0)
    # Of a workbook, what its sheets are called comes first.
    return list(csv.reader(io.StringIO(file.read().decode("utf-8-sig"))))[-2:]
