"""Every kind of change through every door, and the trail compared with what was done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from httpx2 import AsyncClient

from console.cli.surroundings import cli_context
from leads_core.accounts.permissions import Role
from leads_core.context import SYSTEM_ACTOR_ID, acting_as
from leads_core.database import Database
from leads_core.jobs import queue
from leads_core.jobs.worker import in_the_name_of
from leads_core.leads.schemas import LeadCreate, Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from leads_core.transfer.importing import ImportHandler
from tests.integration.console.conftest import PEER, Ask
from tests.integration.trail_state import differences

API = "/api/v1/leads"

#: Door: what to do with a client and a lead, the actions that must then stand in the trail, and their channel.
Deed = Callable[[AsyncClient, str], Awaitable[Any]]


async def _api_quick_add(client: AsyncClient, _: str) -> None:
    assert (await client.post(f"{API}/quick-add", json={"text": "linear.app\nbo@bitwarden.com"})).status_code == 207


async def _api_revert(client: AsyncClient, lead: str) -> None:
    await client.patch(f"{API}/{lead}", json={"city": "Bonn"})
    assert (await client.post(f"{API}/{lead}/revert", json={"seq": 1})).status_code == 200


async def _web_revert(client: AsyncClient, lead: str) -> Any:
    await client.post(f"/leads/{lead}", data={"city": "Bonn"})
    return await client.post(f"/leads/{lead}/revert", data={"seq": "1", "field": "city"})


BY_SCRIPT: dict[str, tuple[Deed, list[str]]] = {
    "create": (lambda api, _: api.post(API, json={"domain": "linear.app", "enrich": True}), ["CREATE"]),
    "quick-add": (_api_quick_add, ["CREATE", "CREATE"]),
    "update by PUT": (lambda api, lead: api.put(f"{API}/{lead}", json={"city": "Bonn"}), ["UPDATE"]),
    "update by PATCH": (lambda api, lead: api.patch(f"{API}/{lead}", json={"tags": ["a", "b"]}), ["UPDATE"]),
    "delete": (lambda api, lead: api.delete(f"{API}/{lead}"), ["DELETE"]),
    "enrich": (lambda api, lead: api.post(f"{API}/{lead}/enrich"), ["ENRICH"]),
    "revert": (_api_revert, ["UPDATE", "REVERT"]),
}

BY_HAND: dict[str, tuple[Deed, list[str]]] = {
    "create": (lambda web, _: web.post("/leads", data={"email": "bo@linear.app", "enrich": "true"}), ["CREATE"]),
    "quick-add": (lambda web, _: web.post("/leads/quick-add", data={"text": "linear.app\nvercel.com"}), ["CREATE"] * 2),
    "update": (lambda web, lead: web.post(f"/leads/{lead}", data={"city": "Bonn", "version": "1"}), ["UPDATE"]),
    "delete": (lambda web, lead: web.post(f"/leads/{lead}/delete"), ["DELETE"]),
    "enrich": (lambda web, lead: web.post(f"/leads/{lead}/enrich"), ["ENRICH"]),
    "revert": (_web_revert, ["UPDATE", "REVERT"]),
}


async def a_lead_by(api: AsyncClient) -> str:
    answer = await api.post(API, json={"email": "ana@acme.com", "company_name": "Acme"})
    return str(answer.json()["id"])


async def entries_after(owner: asyncpg.Connection, lead: str) -> list[asyncpg.Record]:
    """The entries of leads but for the one that created this lead."""
    rows = await owner.fetch("SELECT * FROM audit_log WHERE subject_kind = 'lead' ORDER BY id")
    return [row for row in rows if not (str(row["subject_id"]) == lead and row["seq"] == 1)]


@pytest.mark.parametrize(("deed", "actions"), BY_SCRIPT.values(), ids=BY_SCRIPT)
async def test_a_scripts_change_stands_in_the_trail(
    api: AsyncClient, owner: asyncpg.Connection, settings: Settings, deed: Deed, actions: list[str]
) -> None:
    lead = await a_lead_by(api)

    await deed(api, lead)

    entries = await entries_after(owner, lead)
    assert [entry["action"] for entry in entries] == actions
    assert {(entry["actor_kind"], entry["channel"]) for entry in entries} == {("token", "api")}
    assert {entry["parts"].count(f'"{PEER[0]}"') for entry in entries} == {1}
    assert await differences(owner, settings.mac_keys[0]) == []


@pytest.mark.parametrize(("deed", "actions"), BY_HAND.values(), ids=BY_HAND)
async def test_a_persons_change_stands_in_the_trail(
    api: AsyncClient, browser: Ask, owner: asyncpg.Connection, settings: Settings, deed: Deed, actions: list[str]
) -> None:
    lead = await a_lead_by(api)

    answer = await deed(await browser(Role.EDITOR), lead)

    assert answer.status_code in {200, 303}, answer.text
    entries = await entries_after(owner, lead)
    assert [entry["action"] for entry in entries] == actions
    assert {(entry["actor_kind"], entry["channel"]) for entry in entries} == {("user", "web")}
    assert await differences(owner, settings.mac_keys[0]) == []


@pytest.mark.parametrize("door", ["api", "web"])
async def test_a_restore_stands_in_the_trail(
    api: AsyncClient, browser: Ask, owner: asyncpg.Connection, settings: Settings, door: str
) -> None:
    lead = await a_lead_by(api)
    await api.delete(f"{API}/{lead}")

    web = await browser(Role.EDITOR)
    await (api.post(f"{API}/{lead}/restore") if door == "api" else web.post(f"/leads/{lead}/restore"))

    entries = await entries_after(owner, lead)
    assert [(entry["action"], entry["channel"]) for entry in entries] == [("DELETE", "api"), ("RESTORE", door)]
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_what_a_viewer_tries_leaves_no_trace(script: Ask, api: AsyncClient, owner: asyncpg.Connection) -> None:
    lead = await a_lead_by(api)
    viewer = await script(Role.VIEWER)

    answers = await asyncio.gather(
        viewer.patch(f"{API}/{lead}", json={"city": "Bonn"}), viewer.delete(f"{API}/{lead}"), viewer.post(API, json={})
    )

    assert {answer.status_code for answer in answers} == {403}
    assert await entries_after(owner, lead) == []


async def test_an_imports_changes_stand_in_the_trail_under_its_job(
    api: AsyncClient, database: Database, owner: asyncpg.Connection, settings: Settings
) -> None:
    lead = await a_lead_by(api)
    file = b"email,city\nana@acme.com,Bonn\nbo@linear.app,Oslo\n"
    answer = await api.post(f"{API}/import", files={"file": ("two.csv", file, "text/csv")})

    handler = ImportHandler(database)
    async with database.transaction() as session:
        job = await queue.take(session, UUID(answer.json()["id"]))
    assert (answer.status_code, job is not None) == (202, True)
    assert job is not None
    with acting_as(in_the_name_of(job)):
        await handler.run(job)
        await handler.run(job)

    entries = await entries_after(owner, lead)
    assert sorted(entry["action"] for entry in entries) == ["CREATE", "UPDATE"]
    assert {(entry["actor_kind"], entry["channel"], entry["task_id"]) for entry in entries} == {
        ("token", "import", job.id)
    }
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_the_command_lines_change_stands_in_the_trail_under_the_systems_name(
    database: Database, owner: asyncpg.Connection, settings: Settings
) -> None:
    with acting_as(cli_context()):
        await LeadService(database).create(LeadCreate.model_validate({"domain": "linear.app"}), source=Source.API)

    (entry,) = await owner.fetch("SELECT * FROM audit_log WHERE subject_kind = 'lead'")
    assert (entry["actor_kind"], entry["actor_id"], entry["channel"]) == ("system", SYSTEM_ACTOR_ID, "cli")
    assert await differences(owner, settings.mac_keys[0]) == []
