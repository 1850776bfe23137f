"""A lead from Quick-Add to its end: real queue, real worker, real name and web servers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from leads_core.context import RequestContext
from leads_core.database import Database
from leads_core.enrichment import outgoing_requests, queries
from leads_core.enrichment.coordinator import Coordinator
from leads_core.enrichment.providers import FoundFact, ProviderFailed, Subject
from leads_core.erasing import Erasing, Erasure
from leads_core.jobs import backoff, queue
from leads_core.jobs.models import JobKind, JobState
from leads_core.leads.schemas import LeadRead, LeadUpdate
from leads_core.leads.service import LeadService
from tests.integration.enrichment.conftest import Jobs, WorkerRunning
from tests.servers.small_internet import SmallInternet
from tests.servers.web_server import Answer, SeenRequest, send

DOMAIN = "brandt-werkzeuge.de"
CORPUS = Path(__file__).parents[2] / "corpus"
PAGE = (CORPUS / "german_toolmaker_graph.html").read_bytes()

pytestmark = pytest.mark.usefixtures("acting")


async def quick_added(leads: LeadService, text: str = f"Ana <ana@{DOMAIN}>") -> LeadRead:
    (added,) = await leads.quick_add(text)
    assert added.lead is not None
    return added.lead


async def entries_of(owner: asyncpg.Connection, lead_id: UUID) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await owner.fetch(
        "SELECT * FROM audit_log WHERE subject_id = $1 ORDER BY seq", lead_id
    )
    return rows


async def facts_of(database: Database, lead_id: UUID) -> dict[tuple[str, str], Any]:
    async with database.transaction() as session:
        found = await queries.facts_of(session, lead_id)
    return {(read.fact.source, read.fact.field): read.fact.value for read in found}


async def test_a_quick_added_lead_is_filled_with_what_was_found_and_where_it_stands(
    leads: LeadService, internet: SmallInternet, a_worker: WorkerRunning, jobs: Jobs
) -> None:
    internet.site(DOMAIN, {"/": PAGE})
    lead = await quick_added(leads)

    async with a_worker():
        job = await jobs.ended(lead.enrichment_task_id)

    after = await leads.get(lead.id)
    assert (job.state, job.error, after.enrichment_status, after.enrichment_outcome) == (
        "completed",
        None,
        "completed",
        "found",
    )
    assert (after.company_name, after.city, after.country) == ("Brandt Werkzeuge GmbH", "Remscheid", "DE")
    assert (after.phone, after.employee_count, after.language) == ("+492191550120", 180, "de")
    known = after.provenance["company_name"]
    assert (known["source"], known["confidence"], known["url"]) == ("website", 90, f"https://{DOMAIN}/")
    assert after.enriched_at == after.updated_at
    assert (after.contact_name, "contact_name" in after.provenance) == ("Ana", False)


async def test_the_entry_speaks_in_the_name_of_whoever_asked(
    leads: LeadService,
    internet: SmallInternet,
    a_worker: WorkerRunning,
    jobs: Jobs,
    owner: asyncpg.Connection,
    ana: RequestContext,
) -> None:
    internet.site(DOMAIN, {"/": PAGE})
    lead = await quick_added(leads)

    async with a_worker():
        await jobs.ended(lead.enrichment_task_id)

    created, enriched = await entries_of(owner, lead.id)
    assert (created["action"], created["channel"]) == ("CREATE", "web")
    assert (enriched["action"], enriched["channel"], enriched["seq"]) == ("ENRICH", "worker", 2)
    assert (enriched["actor_kind"], enriched["actor_id"], enriched["task_id"], enriched["request_id"]) == (
        "user",
        ana.actor_id,
        lead.enrichment_task_id,
        ana.request_id,
    )


async def test_everything_that_was_found_is_kept_also_what_is_no_field_of_a_lead(
    leads: LeadService, database: Database, internet: SmallInternet, a_worker: WorkerRunning, jobs: Jobs
) -> None:
    internet.site(DOMAIN, {"/": PAGE})
    internet.names.add(DOMAIN, "MX", "10 aspmx.l.google.com.")
    lead = await quick_added(leads)

    async with a_worker():
        await jobs.ended(lead.enrichment_task_id)

    facts = await facts_of(database, lead.id)
    assert facts["dns", "mail_provider"] == "Google Workspace"
    assert (facts["website", "employee_count"], facts["website", "founded_on"]) == (180, "1921-04-01")
    async with database.transaction() as session:
        assert await queries.checked_at(session, lead.id) is not None


async def test_a_persons_word_stays_and_what_a_person_emptied_stays_empty(
    leads: LeadService, internet: SmallInternet, a_worker: WorkerRunning, jobs: Jobs
) -> None:
    internet.site(DOMAIN, {"/": PAGE})
    lead = await quick_added(leads)
    await leads.update(lead.id, LeadUpdate(company_name="Brandt & Söhne", city="Bonn"))
    await leads.update(lead.id, LeadUpdate(city=None))

    async with a_worker():
        await jobs.ended(lead.enrichment_task_id)

    after = await leads.get(lead.id)
    assert (after.company_name, after.city, after.employee_count) == ("Brandt & Söhne", None, 180)
    assert after.provenance["city"] == {"source": "person"}


async def test_a_word_given_while_the_page_is_being_read_stays(
    leads: LeadService, internet: SmallInternet, a_worker: WorkerRunning, jobs: Jobs, ana: RequestContext
) -> None:
    typed = asyncio.Event()

    async def page_once_typed(_request: SeenRequest, writer: asyncio.StreamWriter) -> None:
        await typed.wait()
        await send(writer, Answer(PAGE))

    internet.site(DOMAIN, {"/": page_once_typed})
    lead = await quick_added(leads)

    async with a_worker():
        await jobs.at(lead.enrichment_task_id, JobState.RUNNING)
        await leads.update(lead.id, LeadUpdate(company_name="Brandt & Söhne"))
        typed.set()
        await jobs.ended(lead.enrichment_task_id)

    after = await leads.get(lead.id)
    assert (after.company_name, after.employee_count, after.version) == ("Brandt & Söhne", 180, 3)


async def test_a_domain_that_does_not_exist_fails_at_once_in_words(
    leads: LeadService, internet: SmallInternet, a_worker: WorkerRunning, jobs: Jobs
) -> None:
    lead = await quick_added(leads)

    async with a_worker():
        job = await jobs.ended(lead.enrichment_task_id)

    after = await leads.get(lead.id)
    assert (job.state, job.attempt, after.enrichment_status) == ("failed", 1, "failed")
    assert after.enrichment_error == job.error == f"{DOMAIN} does not exist."


async def test_an_address_of_a_free_mail_service_is_read_and_nobody_is_asked(
    leads: LeadService, database: Database, internet: SmallInternet, a_worker: WorkerRunning, jobs: Jobs
) -> None:
    lead = await quick_added(leads, "ana.diaz@gmail.com")

    async with a_worker():
        await jobs.ended(lead.enrichment_task_id)

    after = await leads.get(lead.id)
    assert (after.enrichment_outcome, after.enrichment_error, after.contact_name) == ("found", None, None)
    assert (await facts_of(database, lead.id))["email", "email_kind"] == "free mail"
    assert (internet.names.questions, internet.web.requests) == ([], [])


async def test_a_site_that_stumbles_once_is_tried_again(
    leads: LeadService, internet: SmallInternet, a_worker: WorkerRunning, jobs: Jobs
) -> None:
    answers = iter([Answer(b"", 503)])

    async def page_the_second_time(_request: SeenRequest, writer: asyncio.StreamWriter) -> None:
        await send(writer, next(answers, Answer(PAGE)))

    internet.site(DOMAIN, {"/": page_the_second_time})
    lead = await quick_added(leads)

    async with a_worker():
        waiting = await jobs.at(lead.enrichment_task_id, JobState.RETRYING)
        job = await jobs.ended(lead.enrichment_task_id)

    assert "503" in (waiting.error or "")
    assert waiting.next_attempt_at is not None
    assert (job.state, job.attempt, job.error) == ("completed", 2, None)
    assert (await leads.get(lead.id)).company_name == "Brandt Werkzeuge GmbH"


async def test_the_last_attempt_keeps_what_the_others_found_and_says_what_failed(
    leads: LeadService, database: Database, internet: SmallInternet, coordinator: Coordinator, jobs: Jobs
) -> None:
    internet.site(DOMAIN, {"/": Answer(b"", 503)})
    internet.names.add(DOMAIN, "MX", "10 mx.zoho.eu.")
    lead = await quick_added(leads)
    job = await jobs.get(lead.enrichment_task_id)

    with pytest.raises(backoff.Retry, match="503"):
        await coordinator.run(replace(job, attempt=backoff.ATTEMPTS - 1))
    await coordinator.run(replace(job, attempt=backoff.ATTEMPTS))

    after = await leads.get(lead.id)
    assert (after.enrichment_status, after.enrichment_outcome) == ("completed", "partial")
    assert "503" in (after.enrichment_error or "")
    assert (await facts_of(database, lead.id))["dns", "mail_provider"] == "Zoho Mail"


async def test_a_job_that_is_done_twice_changes_nothing_the_second_time(
    leads: LeadService,
    database: Database,
    internet: SmallInternet,
    a_worker: WorkerRunning,
    coordinator: Coordinator,
    jobs: Jobs,
    owner: asyncpg.Connection,
) -> None:
    internet.site(DOMAIN, {"/": PAGE})
    lead = await quick_added(leads)
    async with a_worker():
        job = await jobs.ended(lead.enrichment_task_id)
    first = await leads.get(lead.id), await entries_of(owner, lead.id), await facts_of(database, lead.id)

    await coordinator.run(job)

    again = await leads.get(lead.id), await entries_of(owner, lead.id), await facts_of(database, lead.id)
    assert again == first
    assert await jobs.get(job.id) == job


async def test_a_job_that_is_delivered_again_after_its_end_is_not_even_begun(
    leads: LeadService, database: Database, internet: SmallInternet, a_worker: WorkerRunning, jobs: Jobs
) -> None:
    internet.site(DOMAIN, {"/": PAGE})
    lead = await quick_added(leads)

    async with a_worker():
        job = await jobs.ended(lead.enrichment_task_id)
        await jobs.left_the_queue()
        asked = len(internet.web.requests)
        async with database.transaction() as session:
            await queue.enqueue(session, JobKind.ENRICHMENT, job.id, priority=0)
        await jobs.left_the_queue()

    assert len(internet.web.requests) == asked
    assert await jobs.get(job.id) == job


async def test_a_lead_that_went_to_the_bin_is_not_looked_up(
    leads: LeadService, internet: SmallInternet, a_worker: WorkerRunning, jobs: Jobs
) -> None:
    internet.site(DOMAIN, {"/": PAGE})
    lead = await quick_added(leads)
    await leads.delete(lead.id)

    async with a_worker():
        job = await jobs.ended(lead.enrichment_task_id)

    assert (job.state, internet.web.requests) == ("failed", [])
    assert job.error == "The lead was moved to the bin before it could be looked up."
    assert (await leads.get(lead.id, deleted=True)).enrichment_status == "failed"


async def test_a_lead_that_goes_to_the_bin_while_it_is_looked_up_is_not_filled(
    leads: LeadService, internet: SmallInternet, a_worker: WorkerRunning, jobs: Jobs
) -> None:
    deleted = asyncio.Event()

    async def page_once_deleted(_request: SeenRequest, writer: asyncio.StreamWriter) -> None:
        await deleted.wait()
        await send(writer, Answer(PAGE))

    internet.site(DOMAIN, {"/": page_once_deleted})
    lead = await quick_added(leads)

    async with a_worker():
        await jobs.at(lead.enrichment_task_id, JobState.RUNNING)
        await leads.delete(lead.id)
        deleted.set()
        await jobs.ended(lead.enrichment_task_id)

    after = await leads.get(lead.id, deleted=True)
    assert (after.company_name, after.provenance, after.is_deleted) == (None, {}, True)


async def test_a_parked_page_fills_nothing_and_what_it_says_is_kept_as_suggestions(
    leads: LeadService, database: Database, internet: SmallInternet, a_worker: WorkerRunning, jobs: Jobs
) -> None:
    internet.site(DOMAIN, {"/": (CORPUS / "parked_german_host.html").read_bytes()})
    lead = await quick_added(leads)

    async with a_worker():
        await jobs.ended(lead.enrichment_task_id)

    after = await leads.get(lead.id)
    assert (after.website, after.language, after.provenance, after.enriched_at) == (None, None, {}, None)
    facts = await facts_of(database, lead.id)
    assert (facts["website", "parked"], facts["website", "website"]) == ("yes", f"https://{DOMAIN}")


async def test_a_job_past_its_deadline_is_ended_in_words_by_any_worker(
    leads: LeadService, internet: SmallInternet, a_worker: WorkerRunning, jobs: Jobs, owner: asyncpg.Connection
) -> None:
    lead = await quick_added(leads)
    await owner.execute("DELETE FROM pgqueuer")
    await owner.execute("UPDATE jobs SET state = 'running', attempt = 1, started_at = now() - interval '11 minutes'")

    async with a_worker():
        job = await jobs.ended(lead.enrichment_task_id)

    after = await leads.get(lead.id)
    assert (job.state, after.enrichment_status, internet.web.requests) == ("failed", "failed", [])
    assert after.enrichment_error == job.error == "It took longer than 10 minutes and was stopped. Try again later."


async def test_two_workers_do_each_of_many_jobs_once(
    leads: LeadService, internet: SmallInternet, a_worker: WorkerRunning, jobs: Jobs, owner: asyncpg.Connection
) -> None:
    internet.site(DOMAIN, {"/": PAGE})
    lines = "\n".join(f"person{number}@{DOMAIN}" for number in range(20))
    added = [one.lead for one in await leads.quick_add(lines) if one.lead]

    async with a_worker(), a_worker():
        ended = [await jobs.ended(lead.enrichment_task_id) for lead in added]

    assert {(job.state, job.attempt) for job in ended} == {("completed", 1)}
    assert await owner.fetchval("SELECT count(*) FROM audit_log WHERE action = 'ENRICH'") == len(added) == 20


class Broken:
    """A provider of somebody else's that breaks in a way nobody foresaw."""

    name = "register"
    fields = frozenset({"industry"})

    def applies_to(self, subject: Subject) -> bool:
        return True

    async def find(self, subject: Subject) -> list[FoundFact]:
        raise ZeroDivisionError


class Register:
    """A provider of a company's own. What it says of the city is no city."""

    name = "register"
    fields = frozenset({"industry", "city", "register_number"})

    def applies_to(self, subject: Subject) -> bool:
        return subject.country != "US"

    async def find(self, subject: Subject) -> list[FoundFact]:
        if subject.registrable_domain is None:
            raise ProviderFailed("The register knows companies by their domain only.")
        return [
            FoundFact("industry", "Toolmaking", 95),
            FoundFact("city", "x" * 500, 100),
            FoundFact("register_number", "HRB 1234", 100),
        ]


async def test_a_provider_that_breaks_loses_nothing_of_the_others(
    leads: LeadService, database: Database, jobs: Jobs
) -> None:
    lead = await quick_added(leads)

    await Coordinator(database, [Register(), Broken()]).run(await jobs.get(lead.enrichment_task_id))

    after = await leads.get(lead.id)
    assert (after.enrichment_outcome, after.enrichment_error) == ("partial", "Register could not be read")
    assert after.industry == "Toolmaking"


async def test_what_breaks_a_fields_rules_is_shown_but_fills_nothing(
    leads: LeadService, database: Database, jobs: Jobs
) -> None:
    lead = await quick_added(leads)

    await Coordinator(database, [Register()]).run(await jobs.get(lead.enrichment_task_id))

    after = await leads.get(lead.id)
    assert (after.industry, after.city, after.enrichment_outcome) == ("Toolmaking", None, "found")
    assert (await facts_of(database, lead.id))["register", "register_number"] == "HRB 1234"


async def test_each_request_that_left_the_house_can_be_read(
    leads: LeadService, database: Database, internet: SmallInternet, a_worker: WorkerRunning, jobs: Jobs
) -> None:
    internet.site(DOMAIN, {"/": PAGE})
    lead = await quick_added(leads)

    async with a_worker():
        await jobs.ended(lead.enrichment_task_id)

    async with database.transaction() as session:
        made = await outgoing_requests.requests_of(session, lead.id)
    (page,) = [request for request in made if request.url == f"https://{DOMAIN}/"]
    assert (page.provider, page.address, page.status, page.bytes) == ("website", "127.0.0.2", 200, len(PAGE))
    assert (page.task_id, page.error) == (lead.enrichment_task_id, None)
    assert f"dns:{DOMAIN}?type=MX" in {request.url for request in made if request.provider == "dns"}


async def test_what_was_asked_in_an_attempt_that_failed_is_kept_too(
    leads: LeadService, database: Database, internet: SmallInternet, coordinator: Coordinator
) -> None:
    internet.site(DOMAIN, {"/": Answer(status=503)})
    lead = await quick_added(leads)
    assert lead.enrichment_task_id is not None
    async with database.transaction() as session:
        job = await queue.take(session, lead.enrichment_task_id)
    assert job is not None

    with pytest.raises(backoff.Retry):
        await coordinator.run(job)

    async with database.transaction() as session:
        made = await outgoing_requests.requests_of(session, lead.id)
    assert 503 in {request.status for request in made}


async def test_what_was_asked_for_a_lead_that_was_erased_meanwhile_is_not_kept(
    leads: LeadService, database: Database, internet: SmallInternet, coordinator: Coordinator
) -> None:
    lead = await quick_added(leads)
    assert lead.enrichment_task_id is not None

    async def erased_while_read(_request: SeenRequest, writer: asyncio.StreamWriter) -> None:
        await Erasing(database).erase_lead(lead.id, Erasure())
        await send(writer, Answer(PAGE))

    internet.site(DOMAIN, {"/": erased_while_read})
    async with database.transaction() as session:
        job = await queue.take(session, lead.enrichment_task_id)
    assert job is not None

    await coordinator.run(job)

    async with database.transaction() as session:
        assert await outgoing_requests.requests_of(session, lead.id) == []
