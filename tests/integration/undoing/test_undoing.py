"""Undo of what one request did: what nobody changed since comes back, everything else is kept and named."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.accounts.permissions import Role
from leads_core.accounts.service import Accounts
from leads_core.audit.operations import Operation
from leads_core.context import RequestContext, acting_as
from leads_core.database import Database, new_id
from leads_core.erasing import Erasing, Erasure
from leads_core.errors import NotFound, StillRunning
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind, JobState
from leads_core.leads.row_matching import Existing, UpsertRow
from leads_core.leads.schemas import LeadCreate, LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from leads_core.undoing import Undoing, UndoneNow
from tests.builders import a_lead, an_actor
from tests.integration.trail_state import differences

IDRIS_ID = UUID("0193f5a0-0000-7000-8000-0000000000cc")
FOUND = {"source": "website", "confidence": 80, "found_at": "2026-11-24T12:00:00.000000Z", "url": "https://acme.com"}


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def ana() -> RequestContext:
    """Ana with a request of its own."""
    return an_actor(request_id=str(new_id()))


def idris() -> RequestContext:
    return an_actor(request_id=str(new_id()), actor_id=IDRIS_ID, actor_name="Idris Bello")


async def undone(database: Database, operation: RequestContext, by: RequestContext | None = None) -> UndoneNow:
    """Undo what happened in that context."""
    with acting_as(by or ana()):
        result = await Undoing(database).undo(Operation(request_id=operation.request_id))
    assert isinstance(result, UndoneNow)
    return result


async def made(leads: LeadService, **values: Any) -> LeadRead:
    with acting_as(ana()):
        return await leads.create(a_lead(**values), source=Source.FORM)


async def changed(leads: LeadService, lead: LeadRead, who: RequestContext, **values: Any) -> LeadRead:
    with acting_as(who):
        return await leads.update(lead.id, LeadUpdate(**values))


async def enriched(leads: LeadService, lead: LeadRead, **values: Any) -> LeadRead:
    """The lead after a machine filled these fields, in the name of Ana."""

    with acting_as(ana()):
        begun = await leads.enrich(lead.id)
    assert begun.enrichment_task_id is not None
    task_id = begun.enrichment_task_id

    async def end_the_job(session: AsyncSession, _lead: LeadRead) -> None:
        await queue.finish(session, task_id, JobState.COMPLETED)

    found = {
        **values,
        "provenance": {**lead.provenance, **dict.fromkeys(values, FOUND)},
        "enrichment_status": "completed",
        "enrichment_outcome": "found",
    }
    with acting_as(an_actor(channel="worker", task_id=task_id)):
        after = await leads.record_enrichment(lead.id, task_id, lambda *_: found, end_the_job)
    assert after is not None
    return after


async def test_an_edit_is_undone_but_what_somebody_changed_since_is_kept_and_named(
    database: Database, leads: LeadService, owner: asyncpg.Connection, settings: Settings
) -> None:
    lead = await made(leads, company_name="Acme", city="Bonn", tags=["a"])
    edit = ana()
    await changed(leads, lead, edit, company_name="Acme GmbH", city="Oslo", tags=["b"])
    await changed(leads, lead, idris(), company_name="Acme SE", phone="+4922812345")

    result = await undone(database, edit)

    after = await leads.get(lead.id)
    assert (after.company_name, after.city, after.tags, after.phone) == ("Acme SE", "Bonn", ["a"], "+4922812345")
    (kept,) = result.kept
    (one,) = kept.kept
    assert (one.reason, one.field, kept.authors[one.entry].name) == ("changed", "company_name", "Idris Bello")  # type: ignore[index]
    assert result.counts == {"put_back": 1, "kept_of": 1}
    last = await owner.fetchrow("SELECT * FROM audit_log WHERE subject_id = $1 ORDER BY seq DESC LIMIT 1", lead.id)
    assert (last["action"], last["request_id"], last["seq"]) == ("REVERT", result.request_id, after.version)
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_a_second_undo_changes_nothing_and_an_undo_is_undone_by_the_same_road(
    database: Database, leads: LeadService
) -> None:
    lead = await made(leads, city="Bonn")
    edit = ana()
    await changed(leads, lead, edit, city="Oslo")
    first, second = ana(), ana()
    await undone(database, edit, first)

    again = await undone(database, edit)
    with acting_as(second):
        redo = await Undoing(database).undo(Operation(request_id=first.request_id))

    assert again.counts == {"same": 1, "kept_of": 0}
    assert isinstance(redo, UndoneNow)
    assert (redo.counts["put_back"], (await leads.get(lead.id)).city) == (1, "Oslo")
    await undone(database, second)
    assert (await leads.get(lead.id)).city == "Bonn"


async def test_what_was_added_goes_to_the_bin_although_a_machine_filled_it(
    database: Database, leads: LeadService, owner: asyncpg.Connection, settings: Settings
) -> None:
    adding = ana()
    with acting_as(adding):
        (added,) = await leads.quick_add("hello@acme.com")
    assert added.lead is not None
    await enriched(leads, added.lead, company_name="Acme")

    result = await undone(database, adding)

    assert (result.counts["to_bin"], (await leads.get(added.lead.id, deleted=True)).company_name) == (1, "Acme")
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_what_was_added_stays_when_somebody_edited_it_since(database: Database, leads: LeadService) -> None:
    adding = ana()
    with acting_as(adding):
        lead = await leads.create(a_lead(), source=Source.FORM)
    await changed(leads, lead, idris(), stage="won")

    result = await undone(database, adding)

    (kept,) = result.kept
    assert [(one.reason, one.field, kept.authors[one.entry].name) for one in kept.kept if one.entry] == [
        ("edited", "stage", "Idris Bello")
    ]
    assert (await leads.get(lead.id)).version == 2


async def test_a_deleted_lead_comes_back_and_goes_again(database: Database, leads: LeadService) -> None:
    lead = await made(leads)
    deleting, undoing = ana(), ana()
    with acting_as(deleting):
        await leads.delete(lead.id)

    back = await undone(database, deleting, undoing)

    assert (back.counts["restored"], (await leads.get(lead.id)).deleted_at) == (1, None)
    assert (await undone(database, undoing)).counts["to_bin"] == 1
    assert (await leads.get(lead.id, deleted=True)).deleted_by == an_actor().actor_id


async def test_a_deleted_lead_stays_in_the_bin_when_its_email_is_anothers_by_now(
    database: Database, leads: LeadService
) -> None:
    lead = await made(leads)
    deleting = ana()
    with acting_as(deleting):
        await leads.delete(lead.id)
    other = await made(leads)

    result = await undone(database, deleting)

    assert result.counts == {"kept": 1, "kept_of": 1}
    assert [(one.reason, one.field, one.lead_id) for one in result.kept[0].kept] == [("identity", "email", other.id)]


async def test_an_email_that_is_anothers_by_now_is_kept_and_the_rest_comes_back(
    database: Database, leads: LeadService, owner: asyncpg.Connection, settings: Settings
) -> None:
    lead = await made(leads, email="old@acme.com", city="Bonn")
    edit = ana()
    await changed(leads, lead, edit, email="new@acme.com", city="Oslo")
    other = await made(leads, email="old@acme.com")

    result = await undone(database, edit)

    after = await leads.get(lead.id)
    assert (after.email, after.city) == ("new@acme.com", "Bonn")
    assert [(one.reason, one.lead_id) for one in result.kept[0].kept] == [("identity", other.id)]
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_a_value_that_was_a_machines_is_a_machines_again(database: Database, leads: LeadService) -> None:
    lead = await enriched(leads, await made(leads, city=None), city="Bonn", country="DE")
    edit = ana()
    await changed(leads, lead, edit, city="Oslo", country=None)

    await undone(database, edit)

    after = await leads.get(lead.id)
    assert (after.city, after.country, after.provenance) == ("Bonn", "DE", {"city": FOUND, "country": FOUND})


async def test_what_enrichment_found_is_undone_by_its_job_and_not_found_again(
    database: Database, leads: LeadService
) -> None:
    adding = ana()
    with acting_as(adding):
        lead = await leads.create(a_lead(company_name=None), source=Source.FORM, enrich=False)
    after = await enriched(leads, lead, city="Bonn")

    with acting_as(ana()):
        result = await Undoing(database).undo(Operation(task_id=after.enrichment_task_id))

    stands = await leads.get(lead.id)
    assert isinstance(result, UndoneNow)
    assert (stands.city, stands.provenance) == (None, {"city": {"source": "person"}})
    assert stands.enrichment_status == "completed"


async def test_of_an_erased_person_nothing_comes_back(database: Database, leads: LeadService) -> None:
    lead = await made(leads, contact_name="Ana Ruiz", city="Bonn")
    edit = ana()
    await changed(leads, lead, edit, contact_name="Ana R.", city="Oslo")
    with acting_as(ana()):
        await Erasing(database).erase_lead(lead.id, Erasure())

    result = await undone(database, edit)

    assert [one.reason for one in result.kept[0].kept] == ["erased"]
    assert (await leads.get(lead.id)).city == "Oslo"


async def test_an_owner_who_left_is_not_put_back(database: Database, leads: LeadService) -> None:
    with acting_as(ana()):
        users = Accounts(database)
        gone = (await users.add(email="gone@acme.com", name="Gone", role=Role.EDITOR)).id
    lead = await made(leads, owner_id=gone, city="Bonn")
    edit = ana()
    await changed(leads, lead, edit, owner_id=None, city="Oslo")
    with acting_as(ana()):
        await users.disable(gone)

    result = await undone(database, edit)

    after = await leads.get(lead.id)
    assert (after.owner_id, after.city) == (None, "Bonn")
    assert [(one.reason, one.field) for one in result.kept[0].kept] == [("owner", "owner_id")]


async def test_a_lead_keeps_an_identity(database: Database, leads: LeadService) -> None:
    with acting_as(ana()):
        lead = await leads.create(a_lead(email=None, domain="acme.com"), source=Source.FORM)
    edit = ana()
    await changed(leads, lead, edit, email="ana@gmail.com")
    await changed(leads, lead, idris(), domain=None)

    result = await undone(database, edit)

    assert (await leads.get(lead.id)).email == "ana@gmail.com"
    assert [(one.reason, one.field) for one in result.kept[0].kept] == [("no_identity", "email")]


async def test_what_nobody_did_and_what_still_runs_cannot_be_undone(database: Database) -> None:
    with acting_as(ana()):
        async with database.transaction() as session:
            job = await queue.start(session, JobKind.BULK, priority=queue.PRIORITY_BULK)

        with pytest.raises(NotFound):
            await Undoing(database).undo(Operation(request_id="nobody-did"))
        with pytest.raises(StillRunning):
            await Undoing(database).undo(Operation(task_id=job))


async def test_an_undo_and_an_import_of_the_same_addresses_never_wait_for_each_other_in_a_circle(
    database: Database, leads: LeadService, owner: asyncpg.Connection, settings: Settings
) -> None:
    emails = [f"p{n}@acme.com" for n in range(9)]
    with acting_as(ana()):
        # Their ids go up and their addresses down: the undo writes as they were deleted, the import by address.
        await leads.import_rows(rows_with(reversed(emails)), Existing.FILL)
        ids = [row["id"] for row in await owner.fetch("SELECT id FROM leads ORDER BY id")]
    deleting = ana()
    with acting_as(deleting):
        async with database.one_transaction():
            for lead_id in ids:
                await leads.delete(lead_id)
    other = await made(leads, email="other@acme.com")

    in_the_middle = owner.transaction()
    await in_the_middle.start()
    await owner.execute("SET LOCAL session_replication_role = replica")
    await owner.execute("UPDATE leads SET email = $1 WHERE id = $2", emails[4], other.id)
    with acting_as(ana()):
        both = asyncio.gather(
            undone(database, deleting), leads.import_rows(rows_with(emails, city="Bonn"), Existing.OVERWRITE)
        )
        while await owner.fetchval(WAITING) < 2:
            await asyncio.sleep(0.01)
            await owner.execute("SELECT pg_stat_clear_snapshot()")
        await in_the_middle.rollback()
        await both

    assert await owner.fetchval("SELECT count(*) FROM leads WHERE deleted_at IS NULL") == len(emails) + 1
    assert await differences(owner, settings.mac_keys[0]) == []


def rows_with(emails: Iterable[str], **values: Any) -> list[UpsertRow]:
    given = frozenset({"email", *values})
    return [UpsertRow(number, LeadCreate(email=email, **values), given) for number, email in enumerate(emails, 1)]
