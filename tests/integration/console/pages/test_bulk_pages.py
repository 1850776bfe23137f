"""Many leads at once in the browser: what may be ticked, what is begun, and the page of the job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg
import pytest
from httpx2 import AsyncClient

from leads_core.accounts.permissions import Role
from leads_core.context import acting_as
from leads_core.database import Database
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.jobs.worker import in_the_name_of
from leads_core.leads.bulk_job import BulkHandler
from leads_core.leads.service import LeadService

Ask = Callable[[Role], Awaitable[AsyncClient]]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def rosa(browser: Ask) -> AsyncClient:
    return await browser(Role.EDITOR)


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


async def test_there_is_nothing_to_tick_in_the_bin(rosa: AsyncClient, owner: asyncpg.Connection) -> None:
    await added(rosa, "acme.com")
    lead = await owner.fetchval("SELECT id FROM leads")
    await rosa.post(f"/leads/{lead}/delete", headers={"Sec-Fetch-Site": "same-origin"})

    answer = (await rosa.get("/leads?deleted=true")).text

    assert "acme.com" in answer
    assert 'form="bulk"' not in answer


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
        assert answer.status_code == 422
        assert sentence in answer.text
    assert await owner.fetchval("SELECT count(*) FROM jobs") == 0


async def test_two_thousand_ticks_are_read(rosa: AsyncClient, owner: asyncpg.Connection) -> None:
    await added(rosa, "acme.com")
    lead = await owner.fetchval("SELECT id FROM leads")
    body = "do=enrich&" + "&".join([f"id={lead}"] * 2_000)

    answer = await rosa.post("/leads/bulk", content=body, headers={"Sec-Fetch-Site": "same-origin", **FORM})

    assert answer.status_code == 303
    assert await owner.fetchval("SELECT total FROM jobs") == 1


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
