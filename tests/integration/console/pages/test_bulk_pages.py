"""Many leads at once in the browser: what may be ticked, what is begun, and the page of the job."""

from __future__ import annotations

import csv
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

import asyncpg
import pytest
from httpx2 import AsyncClient, Response

from leads_core.accounts.permissions import Role
from leads_core.context import acting_as
from leads_core.database import Database
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.jobs.worker import in_the_name_of
from leads_core.leads.bulk_job import BulkHandler
from leads_core.leads.service import LeadService
from tests.integration.console.pages.reading import status_of

Ask = Callable[[Role], Awaitable[AsyncClient]]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def rosa(browser: Ask) -> AsyncClient:
    return await browser(Role.EDITOR)


@pytest.fixture
def by_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is few enough to be done at once."""
    monkeypatch.setattr("console.routes.pages.bulk.AT_ONCE", 0)


async def added(client: AsyncClient, *domains: str) -> None:
    for domain in domains:
        await client.post(
            "/leads", data={"domain": domain, "enrich": "false"}, headers={"Sec-Fetch-Site": "same-origin"}
        )


async def begun(client: AsyncClient, **fields: str) -> str:
    answer = await client.post(
        "/leads/bulk", data={"do": "enrich", **fields}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def test_whoever_only_reads_is_offered_no_boxes(browser: Ask, rosa: AsyncClient) -> None:
    await added(rosa, "acme.com")

    assert 'form="bulk"' in (await rosa.get("/leads")).text
    assert "bulk" not in (await (await browser(Role.VIEWER)).get("/leads")).text.replace("bulk-job", "")


async def test_what_lies_in_the_bin_can_only_come_back(rosa: AsyncClient, owner: asyncpg.Connection) -> None:
    await added(rosa, "acme.com")
    lead = await owner.fetchval("SELECT id FROM leads")
    await rosa.post(f"/leads/{lead}/delete", headers={"Sec-Fetch-Site": "same-origin"})

    answer = (await rosa.get("/leads?deleted=true")).text

    assert 'name="do" value="restore"' in answer
    assert 'value="delete"' not in answer
    assert 'value="set_stage:won"' not in answer


@pytest.mark.usefixtures("by_a_worker")
async def test_the_page_of_a_job_says_how_far_it_is_and_how_it_ended(rosa: AsyncClient, database: Database) -> None:
    await added(rosa, "acme.com", "ahorn.com")
    address = await begun(rosa, scope="all", query="")
    waiting = (await rosa.get(address)).text

    async with database.transaction() as session:
        job = await queue.take(session, UUID(address.rpartition("/")[2]))
    assert job is not None
    with acting_as(in_the_name_of(job)):
        await BulkHandler(database).run(job)
    ended = (await rosa.get(address)).text

    assert "Enriching 2 leads" in waiting
    assert "0 of 2 leads" in waiting
    assert 'http-equiv="refresh"' in waiting
    assert "Enrichment of 2 leads" in ended
    assert 'http-equiv="refresh"' not in ended


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"do": "enrich"}, "No lead is meant"),
        ({"do": "enrich", "id": "acme"}, "Choose leads in the table"),
        ({"do": "paint", "scope": "all"}, "Choose what to do with them"),
        ({"do": "enrich", "scope": "all", "query": "stgae=won"}, "There is no such filter"),
        ({"do": "enrich", "scope": "all", "query": "stage=lost"}, "No lead is meant"),
    ],
    ids=["no tick", "no id", "no action", "unknown filter", "nothing matches"],
)
async def test_what_cannot_be_meant_is_said_and_starts_nothing(
    rosa: AsyncClient, owner: asyncpg.Connection, fields: dict[str, str], sentence: str
) -> None:
    await added(rosa, "acme.com")

    for header in ({}, {"HX-Request": "true", "HX-Request-Type": "partial"}):
        answer = await rosa.post("/leads/bulk", data=fields, headers={"Sec-Fetch-Site": "same-origin", **header})
        assert status_of(answer) == 422
        assert sentence in answer.text
    assert await owner.fetchval("SELECT count(*) FROM jobs") == 0


async def test_two_thousand_ticks_are_read(rosa: AsyncClient, owner: asyncpg.Connection) -> None:
    await added(rosa, "acme.com")
    lead = await owner.fetchval("SELECT id FROM leads")
    body = "do=enrich&" + "&".join([f"id={lead}"] * 2_000)

    answer = await rosa.post("/leads/bulk", content=body, headers={"Sec-Fetch-Site": "same-origin", **FORM})

    assert answer.status_code == 303
    assert await owner.fetchval("SELECT total FROM jobs WHERE kind = 'bulk'") == 1


@pytest.mark.usefixtures("acting")
async def test_every_kind_of_job_leads_to_its_page(
    rosa: AsyncClient, leads: LeadService, database: Database, owner: asyncpg.Connection
) -> None:
    lead = (await leads.quick_add("mara@acme.com"))[0].lead
    assert lead is not None
    async with database.transaction() as session:
        imported = await queue.start(session, JobKind.IMPORT, priority=queue.PRIORITY_ASKED, wanted={})

    assert (await rosa.get(f"/jobs/{lead.enrichment_task_id}")).headers["location"] == f"/leads/{lead.id}"
    assert (await rosa.get(f"/jobs/{imported}")).headers["location"] == f"/import/{imported}"
    assert (await rosa.get(f"/jobs/{lead.id}")).status_code == 404


@pytest.mark.usefixtures("by_a_worker")
async def test_a_job_is_cancelled_from_its_page_and_from_the_notice(
    rosa: AsyncClient, browser: Ask, owner: asyncpg.Connection
) -> None:
    await added(rosa, "acme.com", "ahorn.com")
    same_site = {"Sec-Fetch-Site": "same-origin"}
    address, second = await begun(rosa, scope="all", query=""), await begun(rosa, scope="all", query="")
    assert f'action="{address}/cancel"' in (await rosa.get(address)).text
    viewer = await browser(Role.VIEWER)
    assert "/cancel" not in (await viewer.get(address)).text

    plain = await rosa.post(f"{address}/cancel", headers=same_site)
    partial = {"HX-Request": "true", "HX-Request-Type": "partial", **same_site}
    notice = await rosa.post(f"{second}/cancel", data={"brief": "1"}, headers=partial)
    again = await rosa.post(f"{address}/cancel", headers=same_site)

    assert (plain.status_code, plain.headers["location"]) == (303, address)
    assert "Cancelled" in (await rosa.get(address)).text
    assert 'id="bulk-job"' in notice.text
    assert "Cancelled" in notice.text
    assert again.status_code == 303
    assert await owner.fetchval("SELECT count(*) FROM leads WHERE enrichment_status <> 'pending'") == 0


async def ticked(rosa: AsyncClient, owner: asyncpg.Connection, **fields: str) -> Response:
    """Every live lead with the version the page shows, and one click."""
    rows = await owner.fetch("SELECT id, version FROM leads WHERE deleted_at IS NULL ORDER BY id")
    pairs = [("id", str(row["id"])) for row in rows]
    pairs.append(("seen", " ".join(f"{row['id']}:{row['version']}" for row in rows)))
    body = urlencode([*pairs, *fields.items()])
    return await rosa.post("/leads/bulk", content=body, headers={"Sec-Fetch-Site": "same-origin", **FORM})


@pytest.mark.parametrize(
    ("fields", "column", "value"),
    [
        ({"do": "set_stage:won"}, "stage", "won"),
        ({"do": "add_tags", "tags": "VIP, fair"}, "tags", ["VIP", "fair"]),
        ({"do": "", "tags": "VIP"}, "tags", ["VIP"]),
        ({"do": "set_follow_up", "follow_up_on": "2027-01-31"}, "follow_up_on", date(2027, 1, 31)),
        ({"do": "", "follow_up_on": "2027-01-31"}, "follow_up_on", date(2027, 1, 31)),
        ({"do": "set_follow_up:tomorrow"}, "follow_up_on", datetime.now(UTC).date() + timedelta(days=1)),
        ({"do": "set_follow_up:none"}, "follow_up_on", None),
        ({"do": "delete"}, "deleted_at IS NOT NULL", True),
    ],
    ids=str,
)
async def test_each_button_and_field_of_the_bar_does_what_it_says(
    rosa: AsyncClient, owner: asyncpg.Connection, fields: dict[str, str], column: str, value: object
) -> None:
    await added(rosa, "acme.com", "ahorn.com")

    answer = await ticked(rosa, owner, **fields)

    assert answer.status_code == 303
    page = (await rosa.get(answer.headers["location"])).text
    assert "2 leads" in page
    rows = await owner.fetch(f"SELECT {column} AS value FROM leads")
    assert [row["value"] for row in rows] == [value, value]


async def test_me_is_an_owner_and_nobody_too(rosa: AsyncClient, owner: asyncpg.Connection) -> None:
    await added(rosa, "acme.com")

    await ticked(rosa, owner, do="set_owner:me")
    mine = await owner.fetchval("SELECT owner_id FROM leads")
    await ticked(rosa, owner, do="set_owner:none")

    assert mine == await owner.fetchval("SELECT id FROM users WHERE role = 'editor'")
    assert await owner.fetchval("SELECT owner_id FROM leads") is None


@pytest.mark.parametrize(
    "fields",
    [{"do": "set_stage:golden"}, {"do": "add_tags", "tags": " , "}, {"do": "set_follow_up"}, {"do": "set_owner"}],
    ids=str,
)
async def test_a_value_that_is_missing_or_wrong_is_said(
    rosa: AsyncClient, owner: asyncpg.Connection, fields: dict[str, str]
) -> None:
    await added(rosa, "acme.com")

    answer = await ticked(rosa, owner, **fields)

    assert answer.status_code == 422
    assert "Nothing was started" in answer.text
    assert await owner.fetchval("SELECT version FROM leads") == 1


async def test_a_conflict_is_named_on_the_page_and_in_the_file(
    rosa: AsyncClient, browser: Ask, owner: asyncpg.Connection
) -> None:
    await added(rosa, "acme.com", "ahorn.com")
    lead = await owner.fetchrow("SELECT id, version FROM leads WHERE domain = 'acme.com'")
    other = await browser(Role.ADMIN)
    body = {"stage": "lost"}
    await other.patch(f"/api/v1/leads/{lead['id']}", json=body, headers={"Sec-Fetch-Site": "same-origin"})
    ids = [row["id"] for row in await owner.fetch("SELECT id FROM leads ORDER BY domain")]
    pairs = [("do", "set_stage:won"), ("seen", f"{lead['id']}:{lead['version']}"), *(("id", str(one)) for one in ids)]

    answer = await rosa.post("/leads/bulk", content=urlencode(pairs), headers={"Sec-Fetch-Site": "same-origin", **FORM})
    address = answer.headers["location"]
    page, file = (await rosa.get(address)).text, await rosa.get(f"{address}/rows.csv")

    assert "Stage set to Won on 1 of 2 leads" in page
    assert "set it to Lost." in page
    lines = list(csv.reader(file.text.removeprefix("\ufeff").splitlines()))
    assert [(line[1], line[2]) for line in lines[1:]] == [("acme.com", "Conflict"), ("ahorn.com", "Done")]
    assert lines[1][5]
    assert "ahorn.com" in (await rosa.get(f"{address}?outcome=done")).text


async def test_exactly_the_ticked_leads_are_exported_and_the_trail_says_so(
    rosa: AsyncClient, owner: asyncpg.Connection
) -> None:
    await added(rosa, "acme.com", "ahorn.com", "other.com")
    ids = [row["id"] for row in await owner.fetch("SELECT id FROM leads ORDER BY domain LIMIT 2")]
    body = urlencode([("format", "csv"), *(("id", str(one)) for one in ids)])
    headers = {"Sec-Fetch-Site": "same-origin", **FORM}

    chosen = await rosa.post("/leads/bulk/export", content=body, headers=headers)
    everything = await rosa.post(
        "/leads/bulk/export", data={"scope": "all", "query": "stage=new", "format": "xlsx"}, headers=headers
    )

    rows = list(csv.DictReader(chosen.text.removeprefix("\ufeff").splitlines()))
    assert [row["domain"] for row in rows] == ["acme.com", "ahorn.com"]
    assert everything.headers["location"] == "/api/v1/leads/export?stage=new&format=xlsx"
    assert await owner.fetchval("SELECT count(*) FROM audit_log WHERE action = 'EXPORT'") == 2
