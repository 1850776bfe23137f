"""One action on many leads: exactly the set at the click, each with its entry and its job, nothing done twice."""

from __future__ import annotations

from uuid import UUID, uuid4

import asyncpg
import pytest

from leads_core.context import RequestContext
from leads_core.database import Database
from leads_core.errors import Invalid
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.jobs.queue import JobRead
from leads_core.leads import bulk, bulk_items, bulk_job
from leads_core.leads.bulk_actions import Asked, BulkAction
from leads_core.leads.bulk_job import BulkHandler
from leads_core.leads.filters import LeadFilter
from leads_core.leads.ordering import Sort
from leads_core.leads.queries import page_of_leads
from leads_core.leads.schemas import Source
from leads_core.leads.seeding import seed
from leads_core.leads.service import LeadService
from leads_core.paging import Cursors
from leads_core.settings import Settings
from tests.builders import a_lead
from tests.integration.trail_state import differences

pytestmark = pytest.mark.usefixtures("acting")
ENRICH = Asked(BulkAction.ENRICH)


async def taken(database: Database, job: JobRead) -> JobRead:
    async with database.transaction() as session:
        found = await queue.take(session, job.id)
    assert found is not None
    return found


async def ended(database: Database, job: JobRead) -> JobRead:
    await BulkHandler(database).run(await taken(database, job))
    async with database.transaction() as session:
        found = await queue.find(session, job.id)
    assert found is not None
    return found


async def test_each_lead_of_the_selection_is_enriched_with_its_entry_and_its_job(
    database: Database, leads: LeadService, owner: asyncpg.Connection, settings: Settings
) -> None:
    ids = [(await leads.create(a_lead(email=f"{n}@acme.com"), source=Source.API)).id for n in range(3)]
    other = await leads.create(a_lead(email="other@acme.com"), source=Source.API)

    job = await ended(database, await bulk.start(database, ENRICH, ids))

    assert (job.state, job.done, job.total, job.result) == ("completed", 3, 3, {"counts": {"started": 3}, "rows": []})
    after = [await leads.get(one) for one in ids]
    assert {(one.enrichment_status, one.version) for one in after} == {("in_progress", 2)}
    assert (await leads.get(other.id)).version == 1
    jobs = await owner.fetch(
        "SELECT id, lead_id, wanted ->> 'status_before' AS before FROM jobs WHERE lead_id IS NOT NULL"
    )
    assert {(row["id"], row["lead_id"], row["before"]) for row in jobs} == {
        (one.enrichment_task_id, one.id, "pending") for one in after
    }
    lanes = await owner.fetch("SELECT DISTINCT entrypoint, priority FROM pgqueuer WHERE entrypoint LIKE 'enrich%'")
    assert [tuple(lane) for lane in lanes] == [("enrichment_bulk", queue.PRIORITY_BULK)]
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_what_cannot_be_enriched_is_named_and_holds_up_nobody(database: Database, leads: LeadService) -> None:
    running = (await leads.quick_add("running@acme.com"))[0].lead
    binned = await leads.create(a_lead(email="binned@acme.com"), source=Source.API)
    free = await leads.create(a_lead(email="free@acme.com"), source=Source.API)
    assert running is not None
    await leads.delete(binned.id)
    nobody = uuid4()

    job = await ended(database, await bulk.start(database, ENRICH, [running.id, binned.id, free.id, nobody, free.id]))

    assert job.result == {
        "counts": {"running": 1, "gone": 2, "started": 1},
        "rows": [
            {"lead_id": str(running.id), "outcome": "running"},
            {"lead_id": str(binned.id), "outcome": "gone"},
            {"lead_id": str(nobody), "outcome": "gone"},
        ],
    }


async def test_the_set_is_that_of_the_click(database: Database, leads: LeadService) -> None:
    ids = [(await leads.create(a_lead(email=f"{n}@acme.com"), source=Source.API)).id for n in range(2)]
    job = await bulk.start(database, ENRICH, LeadFilter.from_query({"domain": ["acme.com"]}))
    later = await leads.create(a_lead(email="later@acme.com"), source=Source.API)

    await ended(database, job)

    assert {(await leads.get(one)).enrichment_status for one in ids} == {"in_progress"}
    assert (await leads.get(later.id)).enrichment_status == "pending"


async def test_a_job_that_was_cut_off_goes_on_where_it_stopped(
    database: Database, leads: LeadService, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_job, "BATCH", 2)
    ids = [(await leads.create(a_lead(email=f"{n}@acme.com"), source=Source.API)).id for n in range(5)]
    job = await bulk.start(database, ENRICH, ids)
    handler = BulkHandler(database)
    first = await taken(database, job)
    real = LeadService.enrich_many

    async def breaks_in_the_second_batch(service: LeadService, some: list[UUID]) -> object:
        if ids[2] in some:
            raise RuntimeError("the worker was killed")
        return await real(service, some)

    monkeypatch.setattr(LeadService, "enrich_many", breaks_in_the_second_batch)
    with pytest.raises(RuntimeError):
        await handler.run(first)
    monkeypatch.setattr(LeadService, "enrich_many", real)

    done = await ended(database, job)

    assert (done.done, done.result) == (5, {"counts": {"started": 5}, "rows": []})
    assert await owner.fetchval("SELECT count(*) FROM audit_log WHERE action = 'ENRICH'") == 5
    assert await owner.fetchval("SELECT count(*) FROM bulk_items WHERE outcome = 'started'") == 5


async def test_a_worker_that_was_thought_dead_does_nothing_more(
    database: Database, leads: LeadService, owner: asyncpg.Connection
) -> None:
    ids = [(await leads.create(a_lead(email=f"{n}@acme.com"), source=Source.API)).id for n in range(2)]
    job = await bulk.start(database, ENRICH, ids)
    stale = await taken(database, job)
    await taken(database, job)

    await BulkHandler(database).run(stale)

    assert await owner.fetchval("SELECT count(*) FROM audit_log WHERE action = 'ENRICH'") == 0


@pytest.mark.parametrize("wanted", [[], LeadFilter.from_query({"domain": ["nobody.com"]})], ids=["ids", "filter"])
async def test_an_empty_set_is_said_and_starts_nothing(
    database: Database, owner: asyncpg.Connection, wanted: list[UUID] | LeadFilter
) -> None:
    with pytest.raises(Invalid, match="No lead is meant"):
        await bulk.start(database, ENRICH, wanted)

    assert await owner.fetchval("SELECT count(*) FROM jobs") == 0


async def test_a_set_that_is_too_large_is_said_and_freezes_nothing(
    database: Database, leads: LeadService, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "LARGEST", 2)
    ids = [(await leads.create(a_lead(email=f"{n}@acme.com"), source=Source.API)).id for n in range(3)]

    for wanted in (ids, LeadFilter.from_query({})):
        with pytest.raises(Invalid, match="Narrow the filter"):
            await bulk.start(database, ENRICH, wanted)

    assert await owner.fetchval("SELECT count(*) FROM bulk_items") == 0


QUERIES = (
    {},
    {"deleted": ["true"]},
    {"stage": ["new", "won"]},
    {"stage": ["!lost"], "is_manual": ["true"]},
    {"country": ["DE"], "owner": ["none"]},
    {"country": ["!DE"]},
    {"q": ["aurelia"]},
    {"q": ["an"]},
    {"q": ["an"], "deleted": ["true"]},
    {"has_email": ["false"], "created_from": ["2020-01-01"]},
    {"tag": ["vip"], "stage": ["new"]},
    {"enrichment_status": ["completed"], "enrichment_outcome": ["found"]},
    {"stage": ["new"], "is_manual": ["true", "false"]},
)


@pytest.mark.parametrize("query", QUERIES, ids=str)
async def test_a_filter_freezes_exactly_what_its_list_shows(
    database: Database, seeded: asyncpg.Connection, query: dict[str, list[str]]
) -> None:
    wanted = LeadFilter.from_query(query)
    shown: list[UUID] = []
    cursor = None
    while True:
        async with database.reader() as reader:
            page = await page_of_leads(
                reader, wanted, Sort.parse(None, in_bin=wanted.deleted), cursor, 200, cursors=Cursors("secret")
            )
        shown += [lead.id for lead in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break

    job_id = await seeded.fetchval("SELECT id FROM jobs WHERE kind = 'bulk'")
    statement, values = bulk_items.freezing(wanted, job_id, bulk.LARGEST)
    await seeded.execute(statement, *values)

    frozen = await seeded.fetch("SELECT lead_id FROM bulk_items WHERE job_id = $1 ORDER BY place", job_id)
    assert [row["lead_id"] for row in frozen] == sorted(shown)


@pytest.fixture
async def seeded(
    database: Database, owner: asyncpg.Connection, owner_url: str, settings: Settings, ana: RequestContext
) -> asyncpg.Connection:
    """Four hundred seeded leads, and a job to freeze for."""
    await seed(owner_url, settings.mac_keys[0], ana, 400)
    async with database.transaction() as session:
        await queue.start(session, JobKind.BULK, priority=queue.PRIORITY_ASKED)
    return owner
