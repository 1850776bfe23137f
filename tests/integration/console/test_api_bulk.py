"""POST /api/v1/leads/bulk: which leads, whose right, how often, and what the job says afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from httpx2 import AsyncClient

from leads_core.accounts.permissions import Role
from leads_core.context import acting_as
from leads_core.database import Database
from leads_core.jobs import queue
from leads_core.jobs.worker import in_the_name_of
from leads_core.leads.bulk_job import BulkHandler

LEADS = "/api/v1/leads"
BULK = f"{LEADS}/bulk"
Ask = Callable[[Role], Awaitable[AsyncClient]]
Work = Callable[[str], Awaitable[None]]


@pytest.fixture
def work(database: Database) -> Work:
    """What a worker does with one job."""

    async def run(job_id: str) -> None:
        async with database.transaction() as session:
            job = await queue.take(session, UUID(job_id))
        assert job is not None
        with acting_as(in_the_name_of(job)):
            await BulkHandler(database).run(job)

    return run


async def a_lead(api: AsyncClient, **fields: Any) -> dict[str, Any]:
    lead: dict[str, Any] = (await api.post(LEADS, json=fields)).json()
    return lead


async def status_of(api: AsyncClient, lead: dict[str, Any]) -> str:
    return str((await api.get(f"{LEADS}/{lead['id']}")).json()["enrichment_status"])


async def test_a_selection_becomes_a_job_that_says_what_became_of_each(
    api: AsyncClient, work: Work, owner: asyncpg.Connection
) -> None:
    acme, ahorn, other = [await a_lead(api, domain=f"{name}.com") for name in ("acme", "ahorn", "other")]
    nobody = str(uuid4())

    answer = await api.post(BULK, json={"action": "enrich", "ids": [acme["id"], ahorn["id"], nobody, acme["id"]]})
    waiting = answer.json()
    await work(waiting["id"])
    done = (await api.get(answer.headers["location"])).json()

    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/v1/jobs/{waiting['id']}"
    assert (waiting["kind"], waiting["state"], waiting["progress"]) == ("bulk", "queued", {"done": 0, "total": 3})
    assert (done["state"], done["progress"]) == ("completed", {"done": 3, "total": 3})
    assert done["result"] == {
        "counts": {"started": 2, "gone": 1},
        "rows": [{"lead_id": nobody, "outcome": "gone"}],
    }
    assert [await status_of(api, lead) for lead in (acme, ahorn, other)] == ["in_progress", "in_progress", "pending"]
    entry = await owner.fetchrow("SELECT actor_kind, channel, task_id FROM audit_log WHERE action = 'ENRICH' LIMIT 1")
    assert (entry["actor_kind"], str(entry["task_id"])) == ("token", waiting["id"])


async def test_what_became_of_each_lead_is_paged_and_says_who_was_first(
    api: AsyncClient, script: Ask, work: Work
) -> None:
    acme, ahorn, other = [await a_lead(api, domain=f"{name}.com") for name in ("acme", "ahorn", "other")]
    await (await script(Role.ADMIN)).patch(f"{LEADS}/{acme['id']}", json={"stage": "lost"})
    asked = {"action": "set_stage", "values": {"stage": "won"}, "ids": [lead["id"] for lead in (acme, ahorn, other)]}
    job = (await api.post(BULK, json={**asked, "versions": {acme["id"]: 1}})).json()
    await work(job["id"])
    rows = f"/api/v1/jobs/{job['id']}/rows"

    first = (await api.get(rows, params={"limit": 2})).json()
    second = (await api.get(rows, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    conflicts = (await api.get(rows, params={"outcome": "conflict"})).json()
    refused = [await api.get(rows, params=given) for given in ({"outcom": "conflict"}, {"outcome": "won"})]

    assert [len(first["items"]), len(second["items"]), second["next_cursor"]] == [2, 1, None]
    outcomes = {row["lead_id"]: row["outcome"] for row in (*first["items"], *second["items"])}
    assert outcomes == {acme["id"]: "conflict", ahorn["id"]: "done", other["id"]: "done"}
    (conflict,) = conflicts["items"]
    assert (conflict["lead_id"], conflict["name"], conflict["values"]) == (acme["id"], "acme.com", {"stage": "lost"})
    assert conflict["by"]["name"]
    said = [(answer.status_code, answer.json()["errors"][0]["field"]) for answer in refused]
    assert said == [(422, "query.outcom"), (422, "query.outcome")]


async def test_a_stage_is_set_where_nobody_said_otherwise_since(api: AsyncClient, script: Ask, work: Work) -> None:
    acme, ahorn = [await a_lead(api, domain=f"{name}.com") for name in ("acme", "ahorn")]
    await (await script(Role.EDITOR)).patch(f"{LEADS}/{acme['id']}", json={"stage": "lost"})

    answer = await api.post(
        BULK,
        json={
            "action": "set_stage",
            "values": {"stage": "won"},
            "ids": [acme["id"], ahorn["id"]],
            "versions": {acme["id"]: acme["version"]},
        },
    )
    await work(answer.json()["id"])
    result = (await api.get(answer.headers["location"])).json()["result"]

    assert result["counts"] == {"conflict": 1, "done": 1}
    assert [row["lead_id"] for row in result["rows"]] == [acme["id"]]
    stages = [(await api.get(f"{LEADS}/{lead['id']}")).json()["stage"] for lead in (acme, ahorn)]
    assert stages == ["lost", "won"]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"stage": "won", "country": ["PT", "DE"]}, ["acme", "ahorn"]),
        ({"stage": "!won"}, ["other"]),
        ({"q": "ah"}, ["ahorn"]),
        ({"q": "ahor"}, ["ahorn"]),
        ({}, ["acme", "ahorn", "other"]),
    ],
    ids=["filters", "not", "short search", "search", "everything"],
)
async def test_a_filter_means_what_it_means_in_a_list(
    api: AsyncClient, work: Work, wanted: dict[str, Any], names: list[str]
) -> None:
    for name, fields in (("acme", {"stage": "won", "country": "PT"}), ("ahorn", {"stage": "won", "country": "DE"})):
        await a_lead(api, domain=f"{name}.com", company_name=name, **fields)
    await a_lead(api, domain="other.com", company_name="other", country="PT")
    listed = (await api.get(LEADS, params=wanted)).json()["items"]

    job = (await api.post(BULK, json={"action": "enrich", "filter": wanted})).json()
    await work(job["id"])
    after = (await api.get(LEADS, params={"enrichment_status": "in_progress"})).json()["items"]

    assert sorted(lead["company_name"] for lead in after) == names
    assert sorted(lead["company_name"] for lead in listed) == names


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "enrich"}, "ids"),
        ({"action": "enrich", "ids": [str(uuid4())], "filter": {}}, "ids"),
        ({"action": "enrich", "ids": []}, "ids"),
        ({"action": "enrich", "ids": ["acme"]}, "ids.0"),
        ({"action": "enrich", "filter": {"stage": "won"}}, "ids"),
        ({"action": "enrich", "filter": {"stgae": "won"}}, "filter.stgae"),
        ({"action": "enrich", "filter": {"stage": "golden"}}, "filter.stage"),
        ({"action": "enrich", "filter": {"stage": 1}}, "filter.stage"),
        ({"action": "paint", "filter": {}}, "action"),
        ({"filter": {}}, "action"),
        ({"action": "enrich", "filter": {}, "sort": "domain"}, "sort"),
        ({"action": "set_stage", "filter": {}}, "values.stage"),
        ({"action": "set_stage", "values": {"stage": "golden"}, "filter": {}}, "values.stage"),
        ({"action": "set_owner", "values": {"owner_id": str(uuid4())}, "filter": {}}, "values.owner_id"),
        ({"action": "delete", "ids": [str(uuid4())], "versions": {str(uuid4()): 1}}, "versions."),
        ({"action": "delete", "filter": {}, "versions": {str(uuid4()): 1}}, "versions"),
    ],
    ids=[
        "neither", "both", "no id", "not an id", "nothing matches", "unknown filter", "value no lead can have",
        "not text", "unknown action", "no action", "unknown field",
        "no value", "no such value", "no such owner", "version of another", "version with a filter",
    ],
)  # fmt: skip
async def test_what_cannot_be_meant_is_named_and_starts_nothing(
    api: AsyncClient, owner: asyncpg.Connection, body: dict[str, Any], field: str
) -> None:
    await a_lead(api, domain="acme.com")

    answer = await api.post(BULK, json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith(field)
    assert all(error["message"] for error in answer.json()["errors"])
    assert await owner.fetchval("SELECT count(*) FROM jobs") == 0
    assert await owner.fetchval("SELECT count(*) FROM bulk_items") == 0


async def test_a_repeat_with_its_key_is_one_job(api: AsyncClient, owner: asyncpg.Connection) -> None:
    await a_lead(api, domain="acme.com")
    body, key = {"action": "enrich", "filter": {}}, {"Idempotency-Key": "b1"}

    first, second = [await api.post(BULK, json=body, headers=key) for _ in range(2)]
    other = await api.post(BULK, json={"action": "enrich", "filter": {"stage": "new"}}, headers=key)

    assert (first.status_code, second.status_code, other.status_code) == (202, 202, 422)
    assert (first.json()["id"], first.headers["location"]) == (second.json()["id"], second.headers["location"])
    assert await owner.fetchval("SELECT count(*) FROM jobs") == 1


async def test_only_who_may_change_leads_may_change_many(api: AsyncClient, script: Ask) -> None:
    await a_lead(api, domain="acme.com")
    body = {"action": "enrich", "filter": {}}

    answers = {role: (await (await script(role)).post(BULK, json=body)).status_code for role in Role}

    assert answers == {Role.VIEWER: 403, Role.EDITOR: 202, Role.ADMIN: 202}


async def test_a_viewer_can_read_how_far_it_is(api: AsyncClient, script: Ask) -> None:
    await a_lead(api, domain="acme.com")
    job = (await api.post(BULK, json={"action": "enrich", "filter": {}})).json()

    answer = await (await script(Role.VIEWER)).get(f"/api/v1/jobs/{job['id']}")

    assert (answer.status_code, answer.json()["progress"]) == (200, {"done": 0, "total": 1})


async def test_one_that_waits_can_be_cancelled_and_changes_nothing(api: AsyncClient) -> None:
    acme = await a_lead(api, domain="acme.com")
    job = (await api.post(BULK, json={"action": "enrich", "ids": [acme["id"]]})).json()

    answer = await api.post(f"/api/v1/jobs/{job['id']}/cancel")

    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert await status_of(api, acme) == "pending"
