"""GET /api/v1/changes: every entry once and in order, whatever commits when, and whatever breaks on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from httpx2 import AsyncClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.accounts.permissions import Role
from leads_core.audit import changes_feed
from leads_core.audit.log.sequencer import Sequencer
from leads_core.context import acting_as
from leads_core.database import Database
from leads_core.leads import seeding
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import a_lead, an_actor

Ask = Callable[[Role], Awaitable[AsyncClient]]
WRITERS, LEADS_EACH = 8, 12
FEED = "/api/v1/changes"


@pytest.fixture
def sequencer(database: Database, settings: Settings, tmp_path: Path) -> Sequencer:
    """One with a checkpoint file of its own."""
    return Sequencer(database, settings.model_copy(update={"audit_checkpoint_file": tmp_path / "checkpoints.jsonl"}))


@pytest.fixture
async def follower(script: Ask) -> AsyncClient:
    """A script that may read the trail."""
    return await script(Role.ADMIN)


class Crash(Exception):
    """What a follower may do at any moment."""


class Follower:
    """Keeps what it got together with its place, as one that writes both in one transaction."""

    def __init__(self, api: AsyncClient) -> None:
        self._api = api
        self._turns = count(1)
        self.got: list[dict[str, Any]] = []
        self.next = 0
        self.signed = 0

    async def read_on(self) -> None:
        """One page. Every third time it dies before it has kept what it read."""
        answer = (await self._api.get(f"{FEED}?after={self.next}&limit=7&wait=1")).json()
        if next(self._turns) % 3 == 0:
            raise Crash
        self.got += answer["items"]
        self.next, self.signed = answer["next"], answer["log"]["signed"]


async def test_a_follower_that_crashes_and_resumes_gets_every_entry_once_and_in_order(
    follower: AsyncClient, leads: LeadService, sequencer: Sequencer, owner: asyncpg.Connection
) -> None:
    reader, may_commit, written = Follower(follower), asyncio.Event(), asyncio.Event()

    async def hold(session: AsyncSession, _lead: LeadRead) -> None:
        while not may_commit.is_set():
            await session.execute(text("SELECT 1"))  # a transaction that is idle for long is ended
            with suppress(TimeoutError):
                await asyncio.wait_for(may_commit.wait(), 1)

    async def write(writer: int) -> None:
        with acting_as(an_actor(request_id=f"writer-{writer}")):
            for number in range(LEADS_EACH):
                is_late = writer == number == 0
                wanted = a_lead(email=f"p{number}@w{writer}.com")
                lead = await leads.create(wanted, source=Source.API, beside=hold if is_late else None)
                await leads.update(lead.id, LeadUpdate(city="Bonn"))

    async def sequence() -> None:
        while not written.is_set():
            await sequencer.run_once()
        await sequencer.run_once()

    async def follow() -> None:
        while not (written.is_set() and reader.signed == reader.next == await _entries(owner)):
            try:
                await reader.read_on()
            except Crash:
                continue
            if len(reader.got) >= 60:
                may_commit.set()

    async with asyncio.timeout(300), asyncio.TaskGroup() as running:
        running.create_task(sequence())
        running.create_task(follow())
        async with asyncio.TaskGroup() as writing:
            for writer in range(WRITERS):
                writing.create_task(write(writer))
        written.set()

    assert [entry["log_index"] for entry in reader.got] == list(range(len(reader.got)))
    ids = [entry["id"] for entry in reader.got]
    assert sorted(ids) == [str(row["id"]) for row in await owner.fetch("SELECT id FROM audit_log ORDER BY id")]
    assert len(ids) >= WRITERS * LEADS_EACH * 2
    late = next(entry for entry in reader.got if entry["new_values"].get("email") == "p0@w0.com")
    assert late["log_index"] >= 60
    assert ids != sorted(ids)


async def test_a_waiting_follower_hears_of_a_new_entry(
    follower: AsyncClient, leads: LeadService, sequencer: Sequencer, acting: object
) -> None:
    await sequencer.run_once()
    size = (await follower.get(FEED)).json()["next"]

    asks = count(1)

    async def hear() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        while not items:
            items = (await follower.get(f"{FEED}?after={size}&wait=25")).json()["items"]
            next(asks)
        return items

    async with asyncio.TaskGroup() as waiting:
        hearing = [waiting.create_task(hear()) for _ in range(40)]
        assert (await follower.get("/api/v1/leads")).status_code == 200
        lead = await leads.create(a_lead(), source=Source.API)
        await sequencer.run_once()

    assert {heard.result()[0]["lead_id"] for heard in hearing} == {str(lead.id)}
    assert next(asks) <= 3 * len(hearing), "they asked again and again instead of waiting"


async def test_a_wait_without_news_ends_with_an_empty_page_at_the_same_place(
    follower: AsyncClient, sequencer: Sequencer
) -> None:
    await sequencer.run_once()
    size = (await follower.get(FEED)).json()["next"]

    answer = (await follower.get(f"{FEED}?after={size}&wait=1")).json()

    assert answer == {"items": [], "next": size, "log": {"size": size, "signed": size}}


async def test_entries_that_wait_for_the_log_are_not_shown_yet(
    follower: AsyncClient, leads: LeadService, sequencer: Sequencer, acting: object
) -> None:
    await leads.create(a_lead(), source=Source.API)
    before = (await follower.get(FEED)).json()
    await sequencer.run_once()
    after = (await follower.get(FEED)).json()

    assert (before["items"], before["next"], before["log"]["size"]) == ([], 0, 0)
    assert after["items"][-1]["new_values"]["email"] == "ana@acme.com"
    assert after["items"][-1]["ip_address"] == "203.0.113.7"


async def test_lines_go_to_the_end_of_the_log_and_on_from_any_line(
    follower: AsyncClient, database: Database, settings: Settings, sequencer: Sequencer, owner: asyncpg.Connection
) -> None:
    await seeding.seed(database.url, settings.mac_keys[0], an_actor(), 2345)
    await sequencer.run_once()
    total = await _entries(owner)

    answer = await follower.get(FEED, headers={"Accept": "application/x-ndjson"})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    rest = await follower.get(
        f"{FEED}?after={lines[1234]['log_index'] + 1}", headers={"Accept": "application/x-ndjson"}
    )
    few = await follower.get(f"{FEED}?after=5&limit=3", headers={"Accept": "application/x-ndjson"})

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [line["log_index"] for line in lines] == list(range(total))
    assert rest.text.splitlines() == answer.text.splitlines()[1235:]
    assert few.text.splitlines() == answer.text.splitlines()[5:8]


async def test_an_entry_removed_behind_the_apps_back_keeps_its_number(
    follower: AsyncClient, leads: LeadService, sequencer: Sequencer, owner: asyncpg.Connection, acting: object
) -> None:
    for name in ("a", "b", "c"):
        await leads.create(a_lead(email=f"{name}@acme.com"), source=Source.API)
    await sequencer.run_once()
    whole = (await follower.get(FEED)).json()
    removed = whole["items"][-2]
    await owner.execute(f"""
        SET session_replication_role = replica; DELETE FROM audit_log WHERE id = '{removed["id"]}';
        SET session_replication_role = DEFAULT
    """)

    answer = (await follower.get(FEED)).json()

    assert answer["next"] == whole["next"]
    assert answer["items"][-2] == {name: removed[name] for name in ("id", "checksum", "log_index")} | {"removed": True}
    assert answer["items"][-1] == whole["items"][-1]


async def test_whence_an_entry_came_is_shown_only_to_who_may_see_it(
    browser: Ask, leads: LeadService, sequencer: Sequencer, acting: object
) -> None:
    await leads.create(a_lead(), source=Source.API)
    await sequencer.run_once()

    seen = {role: (await (await browser(role)).get(FEED)).json()["items"][-1]["ip_address"] for role in Role}

    assert seen == {Role.VIEWER: None, Role.EDITOR: None, Role.ADMIN: "203.0.113.7"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("aftr=3", "query.aftr"),
        ("after=-1", "query.after"),
        ("after=x", "query.after"),
        ("after=", "query.after"),
        ("after=1&after=2", "query.after"),
        ("after=99999999999999999999", "query.after"),
        ("limit=0", "query.limit"),
        ("limit=1001", "query.limit"),
        ("wait=soon", "query.wait"),
    ],
)
async def test_what_is_wrong_with_a_question_is_named(follower: AsyncClient, query: str, field: str) -> None:
    answer = await follower.get(f"{FEED}?{query}")

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_follower_that_has_more_than_the_log_is_told_that_it_was_set_back(follower: AsyncClient) -> None:
    answer = await follower.get(f"{FEED}?after=7&wait=25")

    assert answer.status_code == 422
    assert "The log has 0 entries, fewer than you say you have." in answer.json()["detail"]


async def test_a_page_is_read_by_the_leaves_key(database: Database) -> None:
    async with database.reader() as reader:
        statement = changes_feed.PAGE.replace("$1", "0").replace("$2", "100")
        plan = "\n".join(row[0] for row in await reader.fetch(f"EXPLAIN {statement}"))

    assert "Index Scan using audit_leaves_pkey" in plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan


async def _entries(owner: asyncpg.Connection) -> int:
    return int(await owner.fetchval("SELECT count(*) FROM audit_log"))
