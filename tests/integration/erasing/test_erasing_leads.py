"""A lead's person forgotten: nothing of them stays anywhere, and the trail holds as before."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from leads_core import idempotency
from leads_core.accounts.permissions import Role
from leads_core.accounts.service import Accounts
from leads_core.audit.record import entry as record
from leads_core.context import RequestContext, acting_as
from leads_core.database import Database, new_id
from leads_core.enrichment import kept_answers, outgoing_requests
from leads_core.enrichment import queries as enrichment
from leads_core.enrichment.coordinator import Coordinator
from leads_core.enrichment.merging import Fact
from leads_core.enrichment.providers import FoundFact, Subject
from leads_core.erasing import Erasing, Erasure
from leads_core.errors import Erased, Gone, Invalid, NotFound, StaleVersion, StillRunning
from leads_core.idempotency import Answer, KeyedRequest, answer_once
from leads_core.jobs import queue
from leads_core.jobs.models import JobState
from leads_core.leads.row_matching import Existing, UpsertRow
from leads_core.leads.schemas import LeadCreate, LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.outgoing.recording import RequestRecord
from leads_core.settings import Settings
from leads_core.transfer.uploads import PIECE
from tests.builders import ANA_ID, a_lead
from tests.integration.erasing.conftest import WhereIs
from tests.integration.trail_state import differences

pytestmark = pytest.mark.usefixtures("acting")

PERSON = {
    "email": "zoe.quixote@acme.com",
    "contact_name": "Zoë Quixote",
    "job_title": "Head of Windmills",
    "phone": "+34911222333",
    "linkedin_url": "https://www.linkedin.com/in/zoe-quixote",
    "source_detail": "met Zoë in Toledo",
}
TEXT = {"description": "rides Rocinante", "notes": "likes lentils on Fridays"}
DATA = {"company_name": "Acme", "city": "Toledo", "tags": ["mills"], "employee_count": 50}
FIRST_EMAIL = "z.q@acme.com"
BETRAYING = ("quixote", "z.q@acme", "windmills", "911222333", "zoë in toledo")

CSV = "email,contact_name,notes\nzoe.quixote@acme.com,Zoë Quixote,likes lentils\nbea@other.com,Bea,x\nbroken,{},y\n"
BEA = UUID("0193f5a0-0000-7000-8000-0000000000be")


@pytest.fixture
async def zoe(leads: LeadService) -> LeadRead:
    """A lead with a history: another email before, a life in the bin, a note."""
    lead = await leads.create(a_lead(**PERSON, **DATA), source=Source.FORM)
    await leads.update(lead.id, LeadUpdate(email=FIRST_EMAIL))
    await leads.delete(lead.id)
    await leads.restore(lead.id)
    return await leads.update(lead.id, LeadUpdate(email=PERSON["email"], **TEXT))


async def entries_of(owner: asyncpg.Connection, lead_id: UUID) -> list[dict[str, Any]]:
    rows = await owner.fetch("SELECT * FROM audit_log WHERE subject_id = $1 ORDER BY seq, id", lead_id)
    return [{**dict(row), "parts": json.loads(row["parts"])} for row in rows]


async def test_nothing_of_the_person_stays_and_the_trail_holds(
    database: Database,
    owner: asyncpg.Connection,
    settings: Settings,
    erasing: Erasing,
    leads: LeadService,
    zoe: LeadRead,
    where_is: WhereIs,
    run_import: Callable[..., Awaitable[queue.JobRead]],
) -> None:
    await _leave_traces(database, owner, leads, zoe, run_import)
    assert await where_is(*BETRAYING) >= {
        *("leads.email", "leads.search_text", "audit_log.parts", "lead_facts.value", "idempotency_keys.body"),
        *("jobs.error", "jobs.result", "job_files.content", "pgqueuer_log.traceback"),
        *("outgoing_requests.url", "provider_answers.facts"),
    }

    erased = await erasing.erase_lead(zoe.id, Erasure())

    assert await where_is(*BETRAYING) == set()
    assert (erased.erased_at is not None, erased.erased_by) == (True, ANA_ID)
    assert {field: getattr(erased, field) for field in DATA} == DATA
    assert erased.notes == TEXT["notes"]
    assert await differences(owner, settings.mac_keys[0]) == []
    assert await owner.fetchval("SELECT sum(n) FROM lead_counts") == await owner.fetchval(
        "SELECT count(*) FROM leads WHERE deleted_at IS NULL"
    )


async def test_the_entry_says_how_every_field_of_the_part_stands_and_the_earlier_ones_hold_its_digest(
    owner: asyncpg.Connection, erasing: Erasing, zoe: LeadRead
) -> None:
    before = await entries_of(owner, zoe.id)

    erased = await erasing.erase_lead(zoe.id, Erasure(frozenset({"person", "text"}), keep=frozenset({"job_title"})))

    *earlier, last = await entries_of(owner, zoe.id)
    assert (last["action"], last["seq"], last["occurred_at"]) == ("ERASE", zoe.version + 1, erased.erased_at)
    assert set(last["parts"]) == {"origin", "person", "text"}
    assert last["parts"]["person"][1] == {
        **{field: [None, None] for field in record.fields_of("person")},
        "job_title": [None, "Head of Windmills"],
        "provenance": [None, None],
    }
    assert last["parts"]["text"][1] == {
        **{field: [None, None] for field in record.fields_of("text")},
        "provenance": [None, None],
    }
    assert [{**now, "parts": None} for now in earlier] == [{**was, "parts": None} for was in before]
    for was, now in zip(before, earlier, strict=True):
        gone = {name: record.digest(part) for name, part in was["parts"].items() if name in {"person", "text"}}
        assert now["parts"] == {**was["parts"], **gone}


@pytest.mark.parametrize(
    ("wanted", "stays"),
    [
        (Erasure(), {**TEXT, **DATA, "domain": "acme.com"}),
        (Erasure(frozenset({"text"})), {**PERSON, **DATA, "domain": "acme.com", "registrable_domain": "acme.com"}),
        (
            Erasure(frozenset({"person", "data"}), keep=frozenset({"domain", "city"})),
            {**TEXT, "domain": "acme.com", "registrable_domain": "acme.com", "city": "Toledo", "company_name": None},
        ),
        (
            Erasure(frozenset({"person", "text", "data"})),
            {"domain": None, "registrable_domain": None, "tags": [], "employee_count": None, "stage": "new"},
        ),
    ],
    ids=["person", "text", "person and data but domain and city", "everything"],
)
async def test_what_is_not_asked_for_stays(
    owner: asyncpg.Connection,
    settings: Settings,
    erasing: Erasing,
    zoe: LeadRead,
    wanted: Erasure,
    stays: dict[str, Any],
) -> None:
    erased = await erasing.erase_lead(zoe.id, wanted)

    assert {field: getattr(erased, field) for field in stays} == stays
    assert all(getattr(erased, field) in (None, []) for field in wanted.going)
    assert (erased.erased_at is not None) == wanted.of_person
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_what_it_foresees_is_what_it_does(erasing: Erasing, leads: LeadService, zoe: LeadRead) -> None:
    wanted = Erasure(frozenset({"person", "text"}), keep=frozenset({"notes"}))

    foreseen = await erasing.foresee(zoe.id, wanted)
    unchanged = await leads.get(zoe.id)
    erased = await erasing.erase_lead(zoe.id, wanted)

    assert unchanged == zoe
    assert set(foreseen.goes) == {*PERSON, "description"}
    assert foreseen.entries == 3
    assert all(getattr(erased, field) is None for field in foreseen.goes)
    assert all(getattr(erased, field) == value for field, value in foreseen.stays.items())


async def test_a_second_time_changes_nothing(owner: asyncpg.Connection, erasing: Erasing, zoe: LeadRead) -> None:
    first = await erasing.erase_lead(zoe.id, Erasure())
    before = await entries_of(owner, zoe.id)

    again = await erasing.erase_lead(zoe.id, Erasure())

    assert again == first
    assert await entries_of(owner, zoe.id) == before


async def test_who_comes_back_is_forgotten_again(
    owner: asyncpg.Connection,
    settings: Settings,
    erasing: Erasing,
    leads: LeadService,
    zoe: LeadRead,
    where_is: WhereIs,
) -> None:
    await erasing.erase_lead(zoe.id, Erasure())
    await leads.update(zoe.id, LeadUpdate(contact_name="Zoë Quixote"))
    await leads.update(zoe.id, LeadUpdate(contact_name=None))

    again = await erasing.erase_lead(zoe.id, Erasure())

    assert await where_is(*BETRAYING) == set()
    assert again.version == zoe.version + 4
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_a_lead_in_the_bin_can_be_erased_and_restored(
    owner: asyncpg.Connection,
    settings: Settings,
    erasing: Erasing,
    leads: LeadService,
    zoe: LeadRead,
    where_is: WhereIs,
) -> None:
    await leads.delete(zoe.id)

    erased = await erasing.erase_lead(zoe.id, Erasure())
    restored = await leads.restore(zoe.id)

    assert (erased.is_deleted, restored.is_deleted) == (True, False)
    assert (restored.email, restored.domain, restored.erased_at) == (None, "acme.com", erased.erased_at)
    assert await where_is(*BETRAYING) == set()
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_an_erased_lead_holds_no_identity(erasing: Erasing, leads: LeadService, zoe: LeadRead) -> None:
    await erasing.erase_lead(zoe.id, Erasure())

    (quick,) = await leads.quick_add("acme.com")
    same_person = await leads.create(a_lead(email=PERSON["email"]), source=Source.FORM, despite_bin=False)
    wanted = LeadCreate(domain="acme.com", city="Rome")
    (row,) = await leads.import_rows([UpsertRow(2, wanted, frozenset({"domain", "city"}))], Existing.OVERWRITE)

    assert quick.lead is not None
    assert zoe.id not in {quick.lead.id, same_person.id, row.lead_id}
    assert (await leads.get(zoe.id)).city == "Toledo"


async def test_an_erased_lead_is_not_enriched_again(erasing: Erasing, leads: LeadService, zoe: LeadRead) -> None:
    await erasing.erase_lead(zoe.id, Erasure())

    with pytest.raises(Erased):
        await leads.enrich(zoe.id)


class Late:
    """A provider that finds the person while the lead is being erased."""

    name = "late"
    fields = frozenset({"contact_name"})

    def __init__(self, meanwhile: Callable[[], Awaitable[Any]]) -> None:
        self._meanwhile = meanwhile

    def applies_to(self, subject: Subject) -> bool:
        return True

    async def find(self, subject: Subject) -> list[FoundFact]:
        await self._meanwhile()
        return [
            FoundFact("contact_name", "Zoë Quixote", 90, "https://acme.com/quixote"),
            FoundFact("description", "Quixote's mills", 90, "https://acme.com/quixote"),
        ]


@pytest.mark.parametrize("parts", [{"person"}, {"text"}])
async def test_an_enrichment_that_runs_writes_nothing_afterwards(
    database: Database,
    owner: asyncpg.Connection,
    settings: Settings,
    erasing: Erasing,
    leads: LeadService,
    where_is: WhereIs,
    parts: set[str],
) -> None:
    (added,) = await leads.quick_add("acme.com")
    assert added.lead is not None
    lead_id, task_id = added.lead.id, added.lead.enrichment_task_id
    assert task_id is not None

    async def meanwhile() -> None:
        await erasing.erase_lead(lead_id, Erasure(frozenset(parts)))

    async with database.transaction() as session:
        job = await queue.take(session, task_id)
    assert job is not None
    await Coordinator(database, [Late(meanwhile)]).run(job)

    after = await leads.get(lead_id)
    async with database.transaction() as session:
        ended = await queue.find(session, task_id)
    assert ended is not None
    assert ended.state == JobState.CANCELLED.value
    assert (after.enrichment_status, after.enrichment_task_id, after.version) == ("pending", None, 3)
    assert await where_is("quixote") == set()
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_updates_meanwhile_come_before_or_after_but_not_between(
    owner: asyncpg.Connection, settings: Settings, erasing: Erasing, leads: LeadService, zoe: LeadRead
) -> None:
    changes = [leads.update(zoe.id, LeadUpdate(city=f"City {n}", phone=f"+3491122233{n}")) for n in range(8)]

    await asyncio.gather(*changes[:4], erasing.erase_lead(zoe.id, Erasure()), *changes[4:])

    entries = await entries_of(owner, zoe.id)
    at = next(n for n, entry in enumerate(entries) if entry["action"] == "ERASE")
    assert len(entries) == zoe.version + 9
    assert all(isinstance(entry["parts"].get("person", ""), str) for entry in entries[:at])
    assert all(isinstance(entry["parts"].get("person", []), list) for entry in entries[at:])
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_two_at_once_write_one_entry(owner: asyncpg.Connection, erasing: Erasing, zoe: LeadRead) -> None:
    await asyncio.gather(*(erasing.erase_lead(zoe.id, Erasure()) for _ in range(4)))

    entries = await entries_of(owner, zoe.id)
    assert [entry["action"] for entry in entries].count("ERASE") == 1


async def test_an_event_of_the_lead_that_a_faster_clock_has_dated_is_covered_by_the_order_of_ids(
    owner: asyncpg.Connection, erasing: Erasing, zoe: LeadRead
) -> None:
    ahead = UUID(int=new_id().int + (60_000 << 80))
    parts = {"origin": ["s", {}], "person": ["s", {"contact_name": ["Zoë Quixote", None]}]}
    await owner.execute(
        """INSERT INTO audit_log (id, subject_kind, subject_id, action, actor_kind, channel, occurred_at, v, parts,
           checksum, mac) VALUES ($1, 'lead', $2, 'DISMISS', 'user', 'web', now(), 1, $3, '', '')""",
        ahead,
        zoe.id,
        json.dumps(parts),
    )

    await erasing.erase_lead(zoe.id, Erasure())

    entries = {entry["action"]: entry for entry in await entries_of(owner, zoe.id)}
    assert isinstance(entries["DISMISS"]["parts"]["person"], str)
    assert entries["ERASE"]["id"] > ahead


async def test_a_repeat_of_a_request_that_named_the_person_is_told_that_its_answer_is_gone(
    database: Database, leads: LeadService, erasing: Erasing
) -> None:
    request = KeyedRequest(ANA_ID, "POST", "/api/v1/leads", "key-1", idempotency.fingerprint(b"", b"{}"))

    async def produce() -> Answer:
        lead = await leads.create(a_lead(**PERSON), source=Source.API)
        return Answer(201, {}, lead.model_dump_json().encode(), (lead.id,))

    answer = await answer_once(database, request, produce)
    await erasing.erase_lead(UUID(json.loads(answer.body)["id"]), Erasure())

    with pytest.raises(Gone):
        await answer_once(database, request, produce)


async def test_while_an_import_with_the_person_runs_nothing_is_erased(
    erasing: Erasing, leads: LeadService, zoe: LeadRead, start_import: Callable[..., Awaitable[UUID]]
) -> None:
    await start_import(CSV.encode("utf-16"))

    with pytest.raises(StillRunning, match="has not ended"):
        await erasing.erase_lead(zoe.id, Erasure())

    assert await leads.get(zoe.id) == zoe


async def test_another_persons_files_and_rows_stay(
    owner: asyncpg.Connection,
    erasing: Erasing,
    zoe: LeadRead,
    run_import: Callable[..., Awaitable[queue.JobRead]],
) -> None:
    others = await run_import("email\nbea@other.com\n")
    mixed = await run_import(CSV.replace("{}", "Zoe.Quixote@acme.com") + "broken too,Bea,z\n")

    await erasing.erase_lead(zoe.id, Erasure())

    kept = await owner.fetch("SELECT job_id, piece FROM job_files ORDER BY job_id, piece DESC")
    refused = json.loads(await owner.fetchval("SELECT content FROM job_files WHERE piece < 0"))
    assert [(row["job_id"], row["piece"] >= 0) for row in kept] == [(others.id, True), (mixed.id, False)]
    assert [row[4][0] for row in refused] == ["broken too"]


async def test_a_person_on_the_seam_of_two_pieces_of_a_file_is_found(
    owner: asyncpg.Connection,
    erasing: Erasing,
    zoe: LeadRead,
    run_import: Callable[..., Awaitable[queue.JobRead]],
) -> None:
    filling = "domain,notes\n" + "".join(f"d{n}.com,{'x' * 200}\n" for n in range(1400))
    at_seam = filling[: PIECE - 8] + "zoe.quixote@acme.com" + filling[PIECE - 8 :]
    await run_import(at_seam)
    pieces = await owner.fetch("SELECT content FROM job_files WHERE piece >= 0")
    assert not any(b"zoe.quixote@acme.com" in row["content"] for row in pieces)

    await erasing.erase_lead(zoe.id, Erasure(keep=frozenset({"job_title"})))

    assert await owner.fetchval("SELECT count(*) FROM job_files WHERE piece >= 0") == 0


async def test_another_lead_erased_at_the_same_moment_waits_its_turn(
    database: Database, erasing: Erasing, leads: LeadService, zoe: LeadRead, ana: RequestContext
) -> None:
    accounts = Accounts(database)
    await accounts.add("Root", Role.ADMIN)
    sancho = await accounts.add("Sancho", Role.EDITOR)
    with acting_as(replace(ana, actor_id=sancho.id, actor_name="Sancho")):
        others = [await leads.create(a_lead(email=f"p{n}@acme.com"), source=Source.FORM) for n in range(6)]
        for lead in (*others, zoe):
            await leads.update(lead.id, LeadUpdate(contact_name="Somebody Else"))

    await asyncio.gather(
        erasing.erase_user(sancho.id), *(erasing.erase_lead(lead.id, Erasure()) for lead in (*reversed(others), zoe))
    )

    assert all([(await leads.get(lead.id)).erased_at is not None for lead in (*others, zoe)])
    assert (await accounts.get(sancho.id)).is_erased


async def test_what_cannot_be_erased_is_refused_in_words(erasing: Erasing, leads: LeadService, zoe: LeadRead) -> None:
    domain_only = await leads.create(a_lead(email=None, domain="mills.com"), source=Source.FORM)

    for parts, keep, field in [
        ({"everything"}, (), "parts"),
        (set(), (), "parts"),
        ({"person"}, {"city"}, "keep"),
        ({"person"}, {"nonsense"}, "keep"),
    ]:
        with pytest.raises(Invalid) as refused:
            Erasure(frozenset(parts), frozenset(keep))
        assert refused.value.errors[0].field == field
    with pytest.raises(Invalid, match="Keep the domain"):
        await erasing.erase_lead(domain_only.id, Erasure(frozenset({"data"})))
    with pytest.raises(NotFound):
        await erasing.erase_lead(new_id(), Erasure())
    with pytest.raises(StaleVersion):
        await erasing.erase_lead(zoe.id, Erasure(), if_version=1)
    assert await leads.get(zoe.id) == zoe


async def _leave_traces(
    database: Database,
    owner: asyncpg.Connection,
    leads: LeadService,
    zoe: LeadRead,
    run_import: Callable[..., Awaitable[queue.JobRead]],
) -> None:
    """Facts, a kept answer, a failed job, uploads in two encodings with a refused row, the queue's log."""
    now = datetime.now(UTC)
    enriching = await leads.enrich(zoe.id)
    assert enriching.enrichment_task_id is not None
    facts = [Fact("contact_name", "Zoë Quixote", "website", 90, now, "https://acme.com/quixote", False)]
    async with database.transaction() as session:
        await enrichment.replace_facts(session, zoe.id, new_id(), ["website"], facts)
        request = RequestRecord(purpose="website", url="https://acme.com/quixote", when=now, host="acme.com")
        await outgoing_requests.note(session, zoe.id, new_id(), [request])
        result = {"providers": [{"name": "email", "error": "zoe.quixote@acme.com bounced"}]}
        await queue.finish(
            session, enriching.enrichment_task_id, JobState.FAILED, error="no zoe.quixote@acme.com", result=result
        )
    question = kept_answers.Question("website", "acme.com", "acme.com")
    await kept_answers.claim(database, question)
    await kept_answers.keep(database, question, facts, None)
    request = KeyedRequest(BEA, "POST", f"/api/v1/leads/{zoe.id}/restore", "k", b"x")

    async def produce() -> Answer:
        again = await leads.restore(zoe.id)
        return Answer(200, {}, again.model_dump_json().encode(), (zoe.id,))

    await answer_once(database, request, produce)
    await run_import(CSV.replace("{}", "Zoe.Quixote@acme.com"))
    await run_import(CSV.replace("{}", "x").encode("utf-16"))
    await owner.execute(
        "INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint, traceback)"
        """ VALUES (1, 'exception', 0, 'enrichment', '{"text": "Key (email)=(zoe.quixote@acme.com) exists"}')"""
    )
