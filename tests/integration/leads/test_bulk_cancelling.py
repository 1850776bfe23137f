"""A bulk job can be cancelled while it waits and while it runs: what was done stays, the rest is not begun."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import pytest

from leads_core import context
from leads_core.database import Database, new_id
from leads_core.enrichment.cancelling import cancel
from leads_core.errors import JobEnded
from leads_core.jobs import queue
from leads_core.jobs.backoff import Retry
from leads_core.jobs.queue import JobRead
from leads_core.jobs.worker import in_the_name_of
from leads_core.leads import bulk, bulk_job
from leads_core.leads.bulk_actions import Asked, BulkAction
from leads_core.leads.bulk_job import BulkHandler
from leads_core.leads.schemas import Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import a_lead, an_actor
from tests.integration.trail_state import differences

pytestmark = pytest.mark.usefixtures("acting")
ENRICH = Asked(BulkAction.ENRICH)


@pytest.fixture
async def ids(leads: LeadService, monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """Five leads, for batches of two."""
    monkeypatch.setattr(bulk_job, "BATCH", 2)
    return [(await leads.create(a_lead(email=f"{n}@acme.com"), source=Source.API)).id for n in range(5)]


async def taken(database: Database, job_id: UUID) -> JobRead:
    async with database.transaction() as session:
        found = await queue.take(session, job_id)
    assert found is not None
    return found


async def work(database: Database, job: JobRead) -> None:
    """What a worker does with a job that it has taken."""
    with context.acting_as(in_the_name_of(job)):
        await BulkHandler(database).run(job)


async def found(database: Database, job_id: UUID) -> JobRead:
    async with database.transaction() as session:
        job = await queue.find(session, job_id)
    assert job is not None
    return job


async def cancelling_of(database: Database, job: JobRead) -> UUID:
    async with database.transaction() as session:
        job_id = await bulk.cancelling_of(session, job.id)
    assert job_id is not None
    return job_id


async def after_one_batch(database: Database, job: JobRead, monkeypatch: pytest.MonkeyPatch) -> JobRead:
    """The job as a worker has it that has just done its first batch; the rest of its run is to come."""
    mine = await taken(database, job.id)
    real = BulkHandler._next

    async def killed(handler: BulkHandler, job_id: UUID, place: int) -> object:
        if place:
            raise RuntimeError("killed")
        return await real(handler, job_id, place)

    with monkeypatch.context() as patch:
        patch.setattr(BulkHandler, "_next", killed)
        with pytest.raises(RuntimeError):
            await work(database, mine)
    return await found(database, job.id)


async def states(leads: LeadService, ids: list[UUID]) -> list[str]:
    return [(await leads.get(one)).enrichment_status for one in ids]


async def test_one_that_waits_ends_at_once_and_nothing_is_begun(
    database: Database, leads: LeadService, ids: list[UUID], owner: asyncpg.Connection
) -> None:
    job = await cancel(database, (await bulk.start(database, ENRICH, ids)).id)

    assert (job.state, job.done, job.total) == ("cancelled", 0, 5)
    assert await states(leads, ids) == ["pending"] * 5
    assert await owner.fetchval("SELECT count(*) FROM pgqueuer WHERE dedupe_key = $1", str(job.id)) == 0


async def test_one_that_runs_ends_after_its_batch_and_counts_what_was_done(
    database: Database, leads: LeadService, ids: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await after_one_batch(database, await bulk.start(database, ENRICH, ids), monkeypatch)

    asked = await cancel(database, running.id)
    await work(database, running)

    ended = await found(database, running.id)
    assert asked.state == "running"
    assert (ended.state, ended.done, ended.total) == ("cancelled", 2, 5)
    assert ended.result == {"counts": {"started": 2}, "rows": []}
    assert await states(leads, ids) == ["in_progress"] * 2 + ["pending"] * 3


async def test_what_it_began_and_still_waits_is_ended_as_if_nobody_had_asked(
    database: Database,
    leads: LeadService,
    ids: list[UUID],
    owner: asyncpg.Connection,
    settings: Settings,
) -> None:
    other = (await leads.quick_add("other@acme.com"))[0].lead
    job = await bulk.start(database, ENRICH, ids)
    await work(database, await taken(database, job.id))
    again = await leads.get(ids[0])
    assert again.enrichment_task_id is not None
    assert other is not None
    await cancel(database, again.enrichment_task_id)
    somebody_elses = await leads.enrich(ids[0])
    at_work = (await leads.get(ids[1])).enrichment_task_id
    assert at_work is not None
    await taken(database, at_work)

    ben = an_actor(actor_name="Ben", actor_id=new_id())
    with context.acting_as(ben):
        await cancel(database, job.id)
        cancelling = await cancelling_of(database, job)
    await work(database, await taken(database, cancelling))

    assert (await found(database, cancelling)).result == {
        "counts": {"running": 2, "done": 3},
        "rows": [{"lead_id": str(one), "outcome": "running"} for one in ids[:2]],
    }
    assert await states(leads, ids) == ["in_progress"] * 2 + ["pending"] * 3
    assert (await leads.get(ids[0])).enrichment_task_id == somebody_elses.enrichment_task_id
    assert (await leads.get(other.id)).enrichment_status == "in_progress"
    assert await owner.fetchval("SELECT actor_id FROM audit_log WHERE subject_id = $1 AND seq = 3", ids[4]) == (
        ben.actor_id
    )
    waiting = await owner.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'enrichment_bulk'")
    assert waiting == 1
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_what_is_cancelled_waits_until_the_job_that_begins_it_has_ended(
    database: Database, ids: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await after_one_batch(database, await bulk.start(database, ENRICH, ids), monkeypatch)
    await cancel(database, running.id)
    cancelling = await cancelling_of(database, running)

    with pytest.raises(Retry):
        await work(database, await taken(database, cancelling))
    await work(database, await taken(database, running.id))
    await work(database, await taken(database, cancelling))

    assert (await found(database, cancelling)).result == {"counts": {"done": 2}, "rows": []}


async def test_a_worker_killed_while_it_cancels_is_taken_over_and_nothing_is_done_twice(
    database: Database,
    leads: LeadService,
    ids: list[UUID],
    monkeypatch: pytest.MonkeyPatch,
    owner: asyncpg.Connection,
    settings: Settings,
) -> None:
    job = await bulk.start(database, ENRICH, ids)
    await work(database, await taken(database, job.id))
    await cancel(database, job.id)
    cancelling = await found(database, await cancelling_of(database, job))

    await after_one_batch(database, cancelling, monkeypatch)
    await work(database, await taken(database, cancelling.id))

    assert (await found(database, cancelling.id)).result == {"counts": {"done": 5}, "rows": []}
    assert {(await leads.get(one)).version for one in ids} == {3}
    assert await states(leads, ids) == ["pending"] * 5
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_twice_is_once_and_then_it_is_said(database: Database, ids: list[UUID]) -> None:
    job = await bulk.start(database, ENRICH, ids)
    await work(database, await taken(database, job.id))

    await cancel(database, job.id)
    with pytest.raises(JobEnded):
        await cancel(database, job.id)
