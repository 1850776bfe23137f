"""/enrichment: what waits, what failed and why, tried again together; a lead's own, cancelled."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import pytest
from httpx2 import AsyncClient
from selectolax.lexbor import LexborHTMLParser

from leads_core.accounts.permissions import Role
from leads_core.context import acting_as
from leads_core.database import Database
from leads_core.enrichment.coordinator import Coordinator
from leads_core.jobs import queue
from leads_core.jobs.models import JobState
from leads_core.leads.bulk_job import BulkHandler
from tests.builders import an_actor
from tests.integration.console.conftest import Ask
from tests.integration.console.pages.reading import read, words

SCRIPT = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def editor(browser: Ask) -> AsyncClient:
    return await browser(Role.EDITOR)


def table(page: LexborHTMLParser, name: str) -> list[list[str]]:
    return [[words(cell) for cell in row.css("td, th")] for row in page.css(f"table.{name} tbody tr")]


def figures(page: LexborHTMLParser) -> dict[str, str]:
    return {words(one.css_first("dt")): words(one.css_first("dd")) for one in page.css("dl.figures > div")}


async def quick_added(client: AsyncClient, domain: str) -> dict[str, str]:
    lead: dict[str, str] = (await client.post("/api/v1/leads/quick-add", json={"text": domain})).json()
    return lead


async def failed(client: AsyncClient, database: Database, domain: str, why: str) -> dict[str, str]:
    lead = await quick_added(client, domain)
    async with database.transaction() as session:
        job = await queue.find(session, UUID(lead["enrichment_task_id"]))
    assert job
    with acting_as(an_actor(channel="worker")):
        await Coordinator(database, []).give_up(job, why)
    return lead


async def test_an_empty_queue_says_so(editor: AsyncClient) -> None:
    page = read(await editor.get("/enrichment"))

    assert figures(page)["waiting"] == "0"
    assert "Nothing waits and nothing runs." in page.html
    assert "No worker runs" not in page.html
    assert not page.css("form[action='/enrichment/retry']")
    assert "Nothing is looked up again by itself." in page.html
    assert page.css_matches("a[href='/leads?checked_to=90d']")


async def test_what_waits_is_listed_and_that_no_worker_runs_is_said(editor: AsyncClient, database: Database) -> None:
    waits, again = await quick_added(editor, "waits.com"), await quick_added(editor, "again.com")
    task = UUID(again["enrichment_task_id"])
    async with database.transaction() as session:
        await queue.take(session, task)
        why = "website: again.com did not answer in 10 s."
        await queue.put_back(session, task, state=JobState.RETRYING, error=why, delay=47.5)

    page = read(await editor.get("/enrichment"))

    rows = table(page, "jobs")
    assert [row[:4] for row in rows] == [
        ["again.com", "Tries again", "", "1 of 3"],
        ["waits.com", "Waiting", "", "0 of 3"],
    ]
    assert rows[0][5].startswith("Website: again.com did not answer in 10 s. Next try in 4")
    assert figures(page)["running, 0 workers"] == "0"
    assert words(page.css_first("[role=alert]")).startswith("No worker runs")
    assert page.css_first("table.jobs a").attributes["href"] == f"/leads/{again['id']}"  # type: ignore[union-attr]
    assert waits["id"] in page.html


async def test_without_a_script_list_lead_and_queue_say_how_to_see_what_became_of_it(editor: AsyncClient) -> None:
    lead = await quick_added(editor, "waits.com")

    for path in ("/enrichment", f"/leads/{lead['id']}", "/leads"):
        said = read(await editor.get(path)).css_first("noscript a")

        assert said is not None, path
        assert (words(said), said.attributes["href"]) == ("Look again", path)


async def test_failed_ones_are_grouped_and_tried_again_together(
    editor: AsyncClient, database: Database, owner: asyncpg.Connection
) -> None:
    gone = [await failed(editor, database, name, f"{name} does not exist.") for name in ("a.com", "b.com")]
    await failed(editor, database, "slow.com", "slow.com did not answer in 10 s.")
    page = read(await editor.get("/enrichment"))
    assert [row[:2] for row in table(page, "reasons")] == [
        ["The domain does not exist.", "2"],
        ["The site did not answer in 10 s.", "1"],
    ]

    answer = await editor.post("/enrichment/retry", data={"reason": "The domain does not exist."})

    assert answer.status_code == 303
    job_id = UUID(answer.headers["location"].removeprefix("/jobs/"))
    frozen = await owner.fetch("SELECT lead_id FROM bulk_items WHERE job_id = $1", job_id)
    assert {str(row["lead_id"]) for row in frozen} == {lead["id"] for lead in gone}
    await _run(database, job_id)
    page = read(await editor.get("/enrichment"))
    assert [row[0] for row in table(page, "reasons")] == ["The site did not answer in 10 s."]
    assert figures(page)["waiting"] == "2"


async def _run(database: Database, job_id: UUID) -> None:
    async with database.transaction() as session:
        job = await queue.take(session, job_id)
    assert job
    with acting_as(an_actor(channel="worker")):
        await BulkHandler(database).run(job)


async def test_everything_that_failed_is_tried_again_with_one_button(
    editor: AsyncClient, database: Database, owner: asyncpg.Connection
) -> None:
    for name in ("a.com", "b.com"):
        await failed(editor, database, name, f"{name} does not exist.")
    await failed(editor, database, "slow.com", "slow.com did not answer in 10 s.")

    page = read(await editor.post("/enrichment/retry", headers=SCRIPT))

    assert "Enriching 3 leads" in words(page.css_first("#bulk-job"))
    assert await owner.fetchval("SELECT count(*) FROM bulk_items") == 3
    assert "0 of 3 leads put into the queue" in read(await editor.get("/enrichment")).html


async def test_a_reason_for_which_nothing_failed_any_more_starts_nothing(
    editor: AsyncClient, owner: asyncpg.Connection
) -> None:
    page = read(await editor.post("/enrichment/retry", data={"reason": "Never said."}), 422)

    assert "they were tried again already" in page.html
    assert await owner.fetchval("SELECT count(*) FROM jobs") == 0


async def test_who_only_reads_sees_the_queue_and_is_offered_nothing(
    browser: Ask, editor: AsyncClient, database: Database
) -> None:
    await quick_added(editor, "waits.com")
    await failed(editor, database, "a.com", "a.com does not exist.")

    page = read(await (await browser(Role.VIEWER)).get("/enrichment"))

    assert len(table(page, "jobs")) == len(table(page, "reasons")) == 1
    assert not page.css("main form")


async def test_a_script_is_given_the_queue_alone(editor: AsyncClient) -> None:
    page = read(await editor.get("/enrichment", headers=SCRIPT))

    assert page.css_first("#enrichment-queue")
    assert page.css_first("header") is None
    assert "Sources" not in page.html


async def test_a_lead_that_waits_is_cancelled_and_gets_its_status_back(
    editor: AsyncClient, owner: asyncpg.Connection
) -> None:
    lead = await quick_added(editor, "waits.com")

    answer = await editor.post(f"/leads/{lead['id']}/enrichment/cancel", data={"then": "/enrichment"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/enrichment")
    after = (await editor.get(f"/api/v1/leads/{lead['id']}")).json()
    assert (after["enrichment_status"], after["enrichment_task_id"]) == ("pending", None)
    assert await owner.fetchval("SELECT state FROM jobs") == "cancelled"
    assert await owner.fetchval("SELECT count(*) FROM pgqueuer") == 0


async def test_what_a_worker_has_is_not_cancelled(editor: AsyncClient, database: Database) -> None:
    lead = await quick_added(editor, "runs.com")
    async with database.transaction() as session:
        await queue.take(session, UUID(lead["enrichment_task_id"]))

    page = read(await editor.post(f"/leads/{lead['id']}/enrichment/cancel", headers=SCRIPT), 409)

    assert "A worker is at this job just now." in words(page.css_first("[role=alert]"))
    assert table(read(await editor.get("/enrichment")), "jobs")[0][1] == "In progress"


async def test_row_drawer_and_api_say_when_it_is_tried_again_and_why(
    editor: AsyncClient, database: Database, owner: asyncpg.Connection
) -> None:
    lead, late = await quick_added(editor, "again.com"), await quick_added(editor, "late.com")
    task = UUID(lead["enrichment_task_id"])
    async with database.transaction() as session:
        await queue.take(session, task)
        why = "website: again.com did not answer in 10 s."
        await queue.put_back(session, task, state=JobState.RETRYING, error=why, delay=47.5)
    back = "UPDATE jobs SET created_at = now() - interval '1 minute' WHERE id = $1"
    await owner.execute(back, UUID(late["enrichment_task_id"]))

    table = read(await editor.get("/leads"))
    panel = read(await editor.get(f"/leads/{lead['id']}"))
    job = (await editor.get(f"/api/v1/leads/{lead['id']}/enrichment")).json()["job"]

    said = "Tries again Website: again.com did not answer in 10 s. Next try in 4"
    assert words(table.css_first(f"#lead-{lead['id']} .c-enrichment")).startswith(said)
    assert words(table.css_first(f"#lead-{late['id']} .c-enrichment")) == "Waiting for its turn"
    assert words(panel.css_first(".facts-line .dot[data-state]")).startswith(said)
    assert panel.css_first(f"form[action='/leads/{lead['id']}/enrichment/cancel']")
    assert (job["state"], job["attempt"], job["error"]) == ("retrying", 1, why)
    assert job["next_attempt_at"]


async def test_what_runs_offers_no_way_to_cancel_it(editor: AsyncClient, database: Database) -> None:
    lead = await quick_added(editor, "runs.com")
    async with database.transaction() as session:
        await queue.take(session, UUID(lead["enrichment_task_id"]))

    panel = read(await editor.get(f"/leads/{lead['id']}"))

    assert words(panel.css_first(".facts-line .dot[data-state]")) == "In progress"
    assert not panel.css("form[action$='/enrichment/cancel']")
