"""What waits can be cancelled, as if nobody had asked; what a worker has, cannot."""

from __future__ import annotations

import asyncpg
import pytest

from leads_core.database import Database
from leads_core.enrichment.cancelling import cancel
from leads_core.enrichment.coordinator import Coordinator
from leads_core.errors import JobEnded, JobRunning
from leads_core.jobs import queue
from leads_core.jobs.models import JobState
from leads_core.leads.schemas import LeadRead
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.integration.enrichment.conftest import Jobs
from tests.integration.trail_state import differences

pytestmark = pytest.mark.usefixtures("acting")


@pytest.fixture
async def lead(leads: LeadService) -> LeadRead:
    (added,) = await leads.quick_add("ana@acme.com")
    assert added.lead is not None
    return added.lead


async def test_a_cancelled_job_puts_back_the_status_before_it(
    database: Database, leads: LeadService, lead: LeadRead, jobs: Jobs, owner: asyncpg.Connection, settings: Settings
) -> None:
    assert lead.enrichment_task_id is not None

    job = await cancel(database, lead.enrichment_task_id)

    after = await leads.get(lead.id)
    assert (job.state, job.is_finished) == ("cancelled", True)
    assert (after.enrichment_status, after.enrichment_task_id, after.version) == ("pending", None, 2)
    assert await owner.fetchval("SELECT count(*) FROM pgqueuer") == 0
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_an_enrichment_asked_for_again_and_cancelled_leaves_what_the_first_one_said(
    database: Database, leads: LeadService, lead: LeadRead
) -> None:
    assert lead.enrichment_task_id is not None
    async with database.transaction() as session:
        job = await queue.take(session, lead.enrichment_task_id)
    assert job is not None
    await Coordinator(database, []).run(job)
    first = await leads.get(lead.id)
    again = await leads.enrich(lead.id)
    assert again.enrichment_task_id is not None

    await cancel(database, again.enrichment_task_id)

    after = await leads.get(lead.id)
    assert (after.enrichment_status, after.enrichment_error) == (first.enrichment_status, first.enrichment_error)
    assert first.enrichment_status == "failed"


async def test_what_waits_for_its_next_attempt_can_be_cancelled_and_is_not_tried_again(
    database: Database, lead: LeadRead, owner: asyncpg.Connection
) -> None:
    assert lead.enrichment_task_id is not None
    async with database.transaction() as session:
        await queue.take(session, lead.enrichment_task_id)
        await queue.put_back(session, lead.enrichment_task_id, state=JobState.RETRYING, error="Later.", delay=60)

    await cancel(database, lead.enrichment_task_id)

    async with database.transaction() as session:
        assert await queue.take(session, lead.enrichment_task_id) is None


async def test_what_a_worker_has_or_what_has_ended_cannot_be_cancelled(database: Database, lead: LeadRead) -> None:
    assert lead.enrichment_task_id is not None
    async with database.transaction() as session:
        job = await queue.take(session, lead.enrichment_task_id)
    assert job is not None
    with pytest.raises(JobRunning):
        await cancel(database, job.id)

    await Coordinator(database, []).give_up(job, "Stopped.")

    with pytest.raises(JobEnded):
        await cancel(database, job.id)
