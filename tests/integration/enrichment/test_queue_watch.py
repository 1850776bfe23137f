"""What the queue looks like: counts by state, what failed grouped by reason, what is asked just now, who works."""

from __future__ import annotations

from typing import Protocol

import asyncpg
import pytest

from leads_core.database import Database
from leads_core.enrichment import kept_answers, queue_watch
from leads_core.enrichment.coordinator import Coordinator
from leads_core.enrichment.kept_answers import Question
from leads_core.jobs import queue
from leads_core.jobs.alive import workers_alive
from leads_core.jobs.models import JobState
from leads_core.leads.schemas import LeadRead
from leads_core.leads.service import LeadService
from tests.integration.enrichment.conftest import Jobs, WorkerRunning
from tests.servers.small_internet import SmallInternet

pytestmark = pytest.mark.usefixtures("acting")


class Fail(Protocol):
    async def __call__(self, domain: str, error: str, *, ago: str = "0 s") -> LeadRead: ...


async def added(leads: LeadService, *domains: str) -> list[LeadRead]:
    return [one.lead for one in await leads.quick_add("\n".join(domains)) if one.lead]


@pytest.fixture
def failed(leads: LeadService, database: Database, owner: asyncpg.Connection) -> Fail:
    """Adds a lead whose enrichment ended with this sentence, so long ago."""

    async def fail(domain: str, error: str, *, ago: str = "0 s") -> LeadRead:
        (lead,) = await added(leads, domain)
        async with database.transaction() as session:
            job = await queue.find(session, lead.enrichment_task_id or lead.id)
        assert job
        await Coordinator(database, []).give_up(job, error)
        back = "UPDATE jobs SET finished_at = finished_at - $2::text::interval WHERE id = $1"
        await owner.execute(back, job.id, ago)
        return lead

    return fail


async def test_each_state_is_counted_and_the_oldest_that_waits_is_named(
    leads: LeadService, database: Database, owner: asyncpg.Connection, failed: Fail
) -> None:
    one, two, three, four = await added(leads, "one.com", "two.com", "three.com", "four.com")
    await owner.execute("UPDATE jobs SET created_at = now() - interval '1 hour' WHERE id = $1", two.enrichment_task_id)
    async with database.transaction() as session:
        for lead in (three, four):
            assert lead.enrichment_task_id
            await queue.take(session, lead.enrichment_task_id)
        assert four.enrichment_task_id
        state, error = JobState.RETRYING, "website: four.com did not answer in 10 s."
        await queue.put_back(session, four.enrichment_task_id, state=state, error=error, delay=60)
    await failed("five.com", "five.com does not exist.")

    async with database.reader() as reader:
        now, rows = await queue_watch.queue_now(reader), await queue_watch.at_hand(reader)

    assert (now.waiting, now.running, now.retrying, now.completed, now.failed) == (2, 1, 1, 0, 1)
    assert now.oldest_at == await owner.fetchval("SELECT created_at FROM jobs WHERE id = $1", two.enrichment_task_id)
    assert [row.lead_id for row in rows] == [three.id, four.id, two.id, one.id]
    assert rows[1].error == error
    assert rows[1].next_attempt_at


async def test_a_running_one_says_which_providers_are_asked_for_its_domain(
    leads: LeadService, database: Database
) -> None:
    asked, waits = await added(leads, "asked.com", "waits.com")
    async with database.transaction() as session:
        assert asked.enrichment_task_id
        await queue.take(session, asked.enrichment_task_id)
    for domain in ("asked.com", "waits.com"):
        assert await kept_answers.claim(database, Question("website", domain, domain)) is None
    answered = Question("dns", "asked.com", "asked.com")
    assert await kept_answers.claim(database, answered) is None
    await kept_answers.keep(database, answered, [], None)

    async with database.reader() as reader:
        rows = {row.lead_id: row.asked for row in await queue_watch.at_hand(reader)}

    assert rows == {asked.id: ["website"], waits.id: []}


async def test_what_failed_is_grouped_by_reason_without_the_names_in_it(database: Database, failed: Fail) -> None:
    gone = [await failed(name, f"{name} does not exist.") for name in ("a.com", "b.de", "c.co.uk")]
    slow = await failed("slow.com", "slow.com did not answer in 10 s.")

    async with database.reader() as reader:
        groups = await queue_watch.failed_by_reason(reader)
        ids = await queue_watch.failed_leads(reader, "The domain does not exist.", 100)
        every = await queue_watch.failed_leads(reader, None, 100)

    assert [(group.reason, group.leads) for group in groups] == [
        ("The domain does not exist.", 3),
        ("The site did not answer in 10 s.", 1),
    ]
    assert set(ids) == {lead.id for lead in gone}
    assert set(every) == {slow.id, *ids}


async def test_what_is_old_was_tried_again_or_lies_in_the_bin_counts_no_more(
    leads: LeadService, database: Database, failed: Fail
) -> None:
    await failed("old.com", "old.com does not exist.", ago="8 days")
    again = await failed("again.com", "again.com does not exist.")
    binned = await failed("binned.com", "binned.com does not exist.")
    await leads.enrich(again.id)
    await leads.delete(binned.id)

    async with database.reader() as reader:
        assert await queue_watch.failed_by_reason(reader) == []
        assert await queue_watch.failed_leads(reader, None, 100) == []


async def test_only_the_newest_failures_are_looked_at(database: Database, failed: Fail) -> None:
    for number in range(3):
        await failed(f"old{number}.com", "No name server answered.", ago=f"{number} days")

    async with database.reader() as reader:
        (group,) = await queue_watch.failed_by_reason(reader, limit=2)

    assert group.leads == 2


async def test_a_worker_is_alive_while_it_is_connected(
    leads: LeadService, database: Database, internet: SmallInternet, a_worker: WorkerRunning, jobs: Jobs
) -> None:
    async with database.reader() as reader:
        assert await workers_alive(reader) == 0
        (lead,) = await added(leads, "nobody-has-this.com")
        async with a_worker():
            await jobs.ended(lead.enrichment_task_id)
            assert await workers_alive(reader) == 1
        assert await workers_alive(reader) == 0


@pytest.mark.parametrize("query", [queue_watch.COUNTS, queue_watch.AT_HAND, queue_watch.MANY])
async def test_no_query_of_the_queue_reads_the_whole_of_a_long_history(
    database: Database, owner: asyncpg.Connection, query: str
) -> None:
    await _history(owner)

    async with database.reader() as reader:
        plan = await reader.fetch(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {query}")

    lines = [line[0] for line in plan]
    assert not [line for line in lines if "Seq Scan on jobs" in line]
    assert {"ix_jobs_enrichments_waiting", "ix_jobs_unfinished"} & {word for line in lines for word in line.split()}, (
        "\n".join(lines)
    )


async def _history(owner: asyncpg.Connection) -> None:
    await owner.execute(
        """INSERT INTO jobs (id, kind, state, actor_kind, origin, request_id, created_at, finished_at, result)
           SELECT gen_random_uuid(), 'enrichment', 'completed', 'user', '{}', 'r', at, at, '{"providers": []}'
           FROM generate_series(now() - interval '60 days', now() - interval '2 days', interval '20 minutes') AS at"""
    )
    await owner.execute("ANALYZE jobs")
