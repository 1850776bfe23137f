"""Leads whose last look-up is old are looked up again, within a budget, and nobody's status changes by it."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from leads_core.context import acting_as
from leads_core.database import Database
from leads_core.enrichment import refreshing
from leads_core.enrichment.coordinator import Coordinator
from leads_core.enrichment.providers import FoundFact, ProviderFailed, Subject
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.jobs.queue import JobRead
from leads_core.jobs.worker import in_the_name_of
from leads_core.leads.filters import LeadFilter
from leads_core.leads.ordering import Sort
from leads_core.leads.queries import page_of_leads
from leads_core.leads.schemas import LeadRead, LeadUpdate
from leads_core.leads.service import LeadService
from leads_core.paging import Cursors
from leads_core.settings import Settings
from tests.integration.trail_state import differences

pytestmark = pytest.mark.usefixtures("acting")


class Register:
    """Says what it is told to."""

    name = "register"
    fields = frozenset({"industry"})

    def __init__(self, industry: str) -> None:
        self.answer: list[FoundFact] | ProviderFailed = [FoundFact("industry", industry, 95)]

    def applies_to(self, subject: Subject) -> bool:
        return True

    async def find(self, subject: Subject) -> list[FoundFact]:
        if isinstance(self.answer, ProviderFailed):
            raise self.answer
        return self.answer


@pytest.fixture
def yearly(settings: Settings) -> Settings:
    return settings.model_copy(update={"enrichment_refresh_days": 365, "enrichment_refresh_budget": 2})


async def enriched(database: Database, leads: LeadService, email: str, industry: str = "Tools") -> LeadRead:
    """A lead that was looked up once."""
    (added,) = await leads.quick_add(email)
    assert added.lead is not None
    await Coordinator(database, [Register(industry)]).run(await taken(database))
    return await leads.get(added.lead.id)


async def taken(database: Database) -> JobRead:
    """The one job that waits."""
    async with database.transaction() as session:
        (job_id,) = await session.scalars(WAITING)
        job = await queue.take(session, job_id)
    assert job is not None
    return job


async def last_looked_up(database: Database, until: str) -> list[UUID]:
    """The leads of the list that were looked up by then and not since."""
    wanted = LeadFilter.from_query({"checked_to": until})
    async with database.reader() as reader:
        page = await page_of_leads(reader, wanted, Sort(), None, 50, cursors=Cursors("a secret for tests"))
    return [lead.id for lead in page.items]


WAITING = text("SELECT id FROM jobs WHERE state = 'queued'")
AGES = "UPDATE enrichment_checks SET checked_at = checked_at - interval '400 days'"


async def test_an_old_look_up_is_made_again_and_what_is_new_is_filled_in(
    database: Database, leads: LeadService, owner: asyncpg.Connection, yearly: Settings
) -> None:
    lead = await enriched(database, leads, "ana@acme.com")
    await owner.execute(AGES)

    assert await refreshing.plan(database, yearly) == 1
    job = await taken(database)
    with acting_as(in_the_name_of(job)):
        await Coordinator(database, [Register("Drills")]).run(job)

    after = await leads.get(lead.id)
    assert (after.industry, after.version, after.enrichment_status) == ("Drills", lead.version + 1, "completed")
    assert after.enrichment_task_id == lead.enrichment_task_id
    entry = await owner.fetchrow(
        "SELECT action, actor_kind, parts #>> '{origin,1,actor_name}' AS name FROM audit_log"
        " WHERE subject_id = $1 ORDER BY seq DESC LIMIT 1",
        lead.id,
    )
    assert tuple(entry) == ("ENRICH", "system", "Scheduled refresh")
    assert await differences(owner, yearly.mac_keys[0]) == []


@pytest.mark.parametrize("says", [[FoundFact("industry", "Tools", 95)], ProviderFailed("Down.")], ids=["same", "fails"])
async def test_a_look_up_that_finds_the_same_writes_no_entry_but_its_knowledge_is_young_again(
    database: Database, leads: LeadService, owner: asyncpg.Connection, yearly: Settings, says: object
) -> None:
    lead = await enriched(database, leads, "ana@acme.com")
    await owner.execute(AGES)
    assert await last_looked_up(database, "365d") == [lead.id]
    await refreshing.plan(database, yearly)
    register = Register("Tools")
    register.answer = says  # type: ignore[assignment]

    await Coordinator(database, [register]).run(await taken(database))

    assert await leads.get(lead.id) == lead
    assert await last_looked_up(database, "365d") == []
    assert await last_looked_up(database, "today") == [lead.id]
    assert await refreshing.plan(database, yearly) == 0


async def test_a_persons_word_stays_in_a_refresh_too(
    database: Database, leads: LeadService, owner: asyncpg.Connection, yearly: Settings
) -> None:
    lead = await enriched(database, leads, "ana@acme.com")
    await leads.update(lead.id, LeadUpdate.model_validate({"industry": "Ours"}))
    await owner.execute(AGES)
    await refreshing.plan(database, yearly)

    await Coordinator(database, [Register("Drills")]).run(await taken(database))

    assert (await leads.get(lead.id)).industry == "Ours"


async def test_the_budget_of_a_day_is_kept_and_the_oldest_come_first(
    database: Database, leads: LeadService, owner: asyncpg.Connection, yearly: Settings
) -> None:
    three = [await enriched(database, leads, f"{name}@acme.com") for name in ("ana", "bo", "cy")]
    for days, lead in zip((400, 600, 500), three, strict=True):
        await owner.execute(
            "UPDATE enrichment_checks SET checked_at = now() - make_interval(days => $2) WHERE lead_id = $1",
            lead.id,
            days,
        )

    assert (await refreshing.plan(database, yearly), await refreshing.plan(database, yearly)) == (2, 0)

    planned = await owner.fetch("SELECT lead_id FROM jobs WHERE state = 'queued' ORDER BY id")
    assert {row["lead_id"] for row in planned} == {three[1].id, three[2].id}
    lanes = await owner.fetch(
        "SELECT entrypoint FROM pgqueuer WHERE dedupe_key IN (SELECT id::text FROM jobs WHERE state = 'queued')"
    )
    assert {lane["entrypoint"] for lane in lanes} == {"enrichment_bulk"}


async def test_a_look_up_that_somebody_asks_for_meanwhile_goes_before(
    database: Database, leads: LeadService, owner: asyncpg.Connection, yearly: Settings
) -> None:
    lead = await enriched(database, leads, "ana@acme.com")
    await owner.execute(AGES)
    await refreshing.plan(database, yearly)
    refresh = await taken(database)
    asked = await leads.enrich(lead.id)

    await Coordinator(database, [Register("Drills")]).run(refresh)

    assert await leads.get(lead.id) == asked


async def test_leads_in_the_bin_and_those_just_checked_are_left_alone(
    database: Database, leads: LeadService, owner: asyncpg.Connection, yearly: Settings
) -> None:
    binned = await enriched(database, leads, "ana@acme.com")
    await owner.execute(AGES)
    await leads.delete(binned.id)
    await enriched(database, leads, "bo@acme.com")

    assert await refreshing.plan(database, yearly) == 0


async def test_without_a_setting_nothing_is_planned(
    database: Database, leads: LeadService, owner: asyncpg.Connection, settings: Settings
) -> None:
    await enriched(database, leads, "ana@acme.com")
    await owner.execute(AGES)

    assert await refreshing.plan(database, settings) == 0
    assert JobKind.ENRICHMENT.value not in {
        row["kind"] for row in await owner.fetch("SELECT kind FROM jobs WHERE finished_at IS NULL")
    }
