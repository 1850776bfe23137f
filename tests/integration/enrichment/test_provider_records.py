"""How each provider did: what it gave, from the jobs; what people made of it, from the trail."""

from __future__ import annotations

from uuid import UUID, uuid4

import asyncpg
import pytest

from leads_core.audit import trail
from leads_core.context import acting_as
from leads_core.database import Database, new_id
from leads_core.enrichment import provider_records, queries
from leads_core.enrichment.merging import Fact
from leads_core.enrichment.provider_records import OfField, ProviderRecord
from leads_core.enrichment.suggestions import Suggestions
from leads_core.jobs import forgetting, queue
from leads_core.jobs.models import JobKind, JobState
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from tests.builders import a_lead, an_actor
from tests.integration.enrichment.conftest import Jobs, WorkerRunning
from tests.integration.enrichment.test_coordinator import DOMAIN, PAGE
from tests.servers.small_internet import SmallInternet

pytestmark = pytest.mark.usefixtures("acting")


async def records(database: Database) -> dict[str, ProviderRecord]:
    async with database.reader() as reader:
        found = await provider_records.provider_records(reader)
    return {record.provider: record for record in found.providers}


async def looked_up(
    database: Database, *providers: tuple[str, int, str | None, int | None], failed: bool = False
) -> None:
    """An enrichment that ended: provider, facts, why it failed, milliseconds."""
    names = ("name", "facts", "error", "milliseconds")
    result = {
        "providers": [{**dict(zip(names, one, strict=True)), "used": ["city"] * (one[1] > 1)} for one in providers]
    }
    async with database.transaction() as session:
        job_id = await queue.start(session, JobKind.ENRICHMENT, priority=0, lead_id=new_id())
        await queue.finish(session, job_id, JobState.FAILED if failed else JobState.COMPLETED, result=result)


async def found(database: Database, lead: LeadRead, source: str, **values: object) -> None:
    facts = [Fact(name, value, source, 71, trail.now(), suggestion_only=True) for name, value in values.items()]
    async with database.transaction() as session:
        await queries.replace_facts(session, lead.id, uuid4(), [source], facts)


async def test_found_rate_failures_and_times_are_those_of_the_look_ups(database: Database) -> None:
    await looked_up(database, ("dns", 2, None, 10), ("website", 3, None, 1000))
    await looked_up(database, ("dns", 1, None, 30), ("website", 0, "acme.com did not answer in 10 s.", 10_000))
    await looked_up(database, ("dns", 2, None, None), ("website", 1, None, 2000))
    await looked_up(database, ("dns", 0, "No name server answered.", 20), failed=True)

    found = await records(database)

    dns, website = found["dns"], found["website"]
    assert (dns.lookups, dns.asked, dns.found, dns.failed, dns.facts) == (4, 3, 3, 1, 5)
    assert (website.lookups, website.asked, website.found, website.failed, website.facts) == (3, 3, 2, 1, 4)
    assert (dns.median, dns.slowest, website.median, website.slowest) == (20, 30, 2000, 10_000)
    assert (dns.fields, website.fields) == ({"city": OfField(filled=2)}, {"city": OfField(filled=1)})


async def test_only_30_days_count_and_only_so_many_look_ups(
    database: Database, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        await looked_up(database, ("dns", number, None, 10))
    await owner.execute(
        "UPDATE jobs SET finished_at = now() - interval '31 days' WHERE result #>> '{providers,0,facts}' = '0'"
    )

    async with database.reader() as reader:
        found = await provider_records.provider_records(reader)
        assert (found.lookups, found.providers[0].lookups, found.providers[0].facts) == (2, 2, 3)
        fewer = provider_records.LOOKED_UP.replace(f"LIMIT {provider_records.LOOKUPS}", "LIMIT 1")
        monkeypatch.setattr(provider_records, "LOOKED_UP", fewer)
        found = await provider_records.provider_records(reader)

    assert (found.lookups, found.providers[0].facts) == (1, 2)


async def test_what_was_filled_and_then_corrected_by_hand_is_counted_by_field(
    leads: LeadService, database: Database, internet: SmallInternet, a_worker: WorkerRunning, jobs: Jobs
) -> None:
    internet.site(DOMAIN, {"/": PAGE})
    (added,) = await leads.quick_add(DOMAIN)
    assert added.lead
    async with a_worker():
        job = await jobs.ended(added.lead.enrichment_task_id)
    lead = await leads.get(added.lead.id)
    filled = {name for name, known in lead.provenance.items() if known["source"] == "website"}

    await leads.update(lead.id, LeadUpdate(city="Bonn", notes="Not the machine's."))
    await leads.update(lead.id, LeadUpdate(city="Köln", employee_count=None))

    website = (await records(database))["website"]
    assert {"city", "employee_count", "company_name"} <= filled
    assert {name for name, one in website.fields.items() if one.filled} == filled
    assert {name: one.corrected for name, one in website.fields.items() if one.corrected} == {
        "city": 1,
        "employee_count": 1,
    }
    assert website.asked == 1
    assert website.median is not None
    assert job.result
    (said,) = (one for one in job.result["providers"] if one["name"] == "website")
    assert (said["milliseconds"], set(said["used"])) == (website.median, filled)


async def test_accepted_and_dismissed_suggestions_count_for_whoever_made_them(
    leads: LeadService, database: Database
) -> None:
    lead = await leads.create(a_lead(phone="+18055550142", city="Bonn", country="US"), source=Source.FORM)
    await found(database, lead, "website", phone="+1 805 555 0177", city="Köln", industry="Tools")
    await found(database, lead, "remote", city="Köln", industry="Toys")
    suggestions = Suggestions(database)
    by_field = {one.field: one for one in await suggestions.of(lead)}

    await suggestions.accept(lead.id, [by_field["phone"].id])
    await suggestions.dismiss(lead.id, [by_field["city"].id])

    said = await records(database)
    assert said["website"].fields == {"phone": OfField(accepted=1), "city": OfField(dismissed=1)}
    assert said["remote"].fields == {"city": OfField(dismissed=1)}


async def test_what_files_and_machines_change_is_nobodys_correction(leads: LeadService, database: Database) -> None:
    lead = await leads.create(a_lead(city="Bonn"), source=Source.FORM)
    await found(database, lead, "website", city="Köln")

    with acting_as(an_actor(channel="import", task_id=UUID(int=7))):
        await leads.update(lead.id, LeadUpdate(city="Köln"))

    assert await records(database) == {}


async def test_an_erased_lead_leaves_its_records_too(database: Database, owner: asyncpg.Connection) -> None:
    await looked_up(database, ("dns", 1, None, 5))

    async with database.transaction() as session:
        await forgetting.forget_lead(session, await owner.fetchval("SELECT lead_id FROM jobs"), [])

    assert await records(database) == {}


async def test_the_records_are_read_along_indexes(database: Database, owner: asyncpg.Connection) -> None:
    await owner.execute("ANALYZE jobs; ANALYZE audit_log")
    async with database.reader() as reader:
        for query, arguments in (
            (provider_records.LOOKED_UP, [trail.now()]),
            (provider_records.MADE_OF_IT, [new_id(), ["city"]]),
        ):
            plan = "\n".join(line[0] for line in await reader.fetch(f"EXPLAIN {query}", *arguments))
            assert "Seq Scan on jobs" not in plan
            assert "Seq Scan on audit_log" not in plan
