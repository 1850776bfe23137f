"""Undo of what a job did to many leads: all but what people edited since, named; and no kill breaks it."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from leads_core.audit.operations import Operation
from leads_core.context import acting_as
from leads_core.database import Database, new_id
from leads_core.enrichment import cancelling
from leads_core.erasing import Erasing, Erasure
from leads_core.errors import JobEnded
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.jobs.queue import JobRead
from leads_core.jobs.worker import Handler, in_the_name_of
from leads_core.leads.row_matching import Existing
from leads_core.leads.schemas import LeadRead, LeadUpdate
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from leads_core.transfer import uploads
from leads_core.transfer.import_options import ImportOptions
from leads_core.transfer.importing import ImportHandler
from leads_core.undoing import UndoHandler, Undoing, records
from tests.builders import an_actor
from tests.integration.trail_state import differences

IDRIS_ID = UUID("0193f5a0-0000-7000-8000-0000000000cc")
pytestmark = pytest.mark.usefixtures("acting")
Run = Callable[..., Awaitable[JobRead]]
BY_EMAIL = "SELECT * FROM leads WHERE deleted_at IS NULL ORDER BY email"
KEPT_BY_LEAD = ("version", "updated_at", "updated_by", "deleted_at", "deleted_by", "arrival", "bucket")


async def attempt(database: Database, job_id: UUID, handler: Handler) -> JobRead:
    """One delivery of a job, as the worker makes it. Gives the job afterwards."""
    async with database.transaction() as session:
        job = await queue.take(session, job_id)
    assert job is not None
    with acting_as(in_the_name_of(job)):
        await handler.run(job)
    async with database.transaction() as session:
        after = await queue.find(session, job_id)
    assert after is not None
    return after


async def imported(database: Database, content: str, existing: Existing = Existing.FILL) -> JobRead:
    file = io.BytesIO(content.encode())

    async def read(size: int) -> bytes:
        return file.read(size)

    async with database.transaction() as session:
        wanted = ImportOptions(file_name="leads.csv", existing=existing).document()
        job_id = await queue.start(session, JobKind.IMPORT, priority=0, wanted=wanted)
        await uploads.keep(session, job_id, read)
    return await attempt(database, job_id, ImportHandler(database))


async def undone(database: Database, job: JobRead) -> JobRead:
    started = await Undoing(database).undo(Operation(task_id=job.id))
    assert isinstance(started, JobRead)
    return await attempt(database, started.id, UndoHandler(database))


async def by_idris(leads: LeadService, lead_id: UUID, **values: Any) -> LeadRead:
    with acting_as(an_actor(request_id=str(new_id()), actor_id=IDRIS_ID, actor_name="Idris Bello")):
        return await leads.update(lead_id, LeadUpdate(**values))


async def standing(owner: asyncpg.Connection) -> dict[str, dict[str, Any]]:
    """The live leads by their email, without what every change moves on."""
    rows = await owner.fetch(BY_EMAIL)
    return {row["email"]: {name: row[name] for name in row.keys() if name not in KEPT_BY_LEAD} for row in rows}  # noqa: SIM118


def file_of(numbers: range, city: str) -> str:
    return "Email,Company,City\n" + "".join(f"p{n}@acme.com,Acme {n},{city}\n" for n in numbers)


async def test_an_import_of_ten_thousand_rows_is_undone_but_for_what_people_edited_since(
    database: Database, leads: LeadService, owner: asyncpg.Connection, settings: Settings
) -> None:
    await imported(database, file_of(range(3_000), "Bonn"))
    before = await standing(owner)
    job = await imported(database, file_of(range(10_000), "Oslo"), Existing.OVERWRITE)
    ids = {row["email"]: row["id"] for row in await owner.fetch(BY_EMAIL)}
    await by_idris(leads, ids["p0@acme.com"], city="Rome")
    await by_idris(leads, ids["p1@acme.com"], stage="won")
    await by_idris(leads, ids["p9999@acme.com"], stage="won")
    await Erasing(database).erase_lead(ids["p2@acme.com"], Erasure())

    undo = await undone(database, job)

    assert (undo.state, undo.done, undo.total) == ("completed", 10_000, 10_000)
    assert undo.result is not None
    assert undo.result["counts"] == {"put_back": 2_998, "to_bin": 6_999, "kept": 3, "kept_of": 3}
    named = {row["lead_id"]: [(one["reason"], one["field"]) for one in row["kept"]] for row in undo.result["rows"]}
    assert named == {
        str(ids["p0@acme.com"]): [("changed", "city")],
        str(ids["p2@acme.com"]): [("erased", None)],
        str(ids["p9999@acme.com"]): [("edited", "stage")],
    }
    whose = {
        each.lead_id: author.name async for each in Undoing(database).kept_by(undo) for author in each.authors.values()
    }
    assert {whose[ids[f"p{n}@acme.com"]] for n in (0, 9999)} == {"Idris Bello"}
    after = await standing(owner)
    changed = {email for email in before if email in after and before[email] != after[email]}
    assert changed == {"p0@acme.com", "p1@acme.com"}
    assert after.keys() - before.keys() == {"p9999@acme.com", None}
    assert {after["p1@acme.com"][name] for name in ("city", "stage")} == {"Bonn", "won"}
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_an_undo_that_was_cut_off_goes_on_where_it_stopped_and_is_undone_whole(
    database: Database, owner: asyncpg.Connection, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leads_core.undoing.job.BATCH", 100)
    job = await imported(database, file_of(range(350), "Bonn"))
    before = await standing(owner)
    started = await Undoing(database).undo(Operation(task_id=job.id))
    again = await Undoing(database).undo(Operation(task_id=job.id))
    assert isinstance(started, JobRead)
    assert again == started
    real, batches = LeadService.undo, 0

    async def breaks_in_the_third_batch(service: LeadService, *given: Any, **named: Any) -> Any:
        nonlocal batches
        batches += 1
        result = await real(service, *given, **named)
        if batches == 3:
            raise RuntimeError("the worker was killed")
        return result

    monkeypatch.setattr(LeadService, "undo", breaks_in_the_third_batch)
    with pytest.raises(RuntimeError):
        await attempt(database, started.id, UndoHandler(database))
    undo = await attempt(database, started.id, UndoHandler(database))

    assert (undo.state, undo.attempt, undo.done, undo.result) == (
        "completed", 2, 350, {"counts": {"to_bin": 350}, "rows": []},
    )  # fmt: skip
    assert await owner.fetchval("SELECT count(*) FROM audit_log WHERE task_id = $1", undo.id) == 350
    redo = await undone(database, undo)
    assert redo.result == {"counts": {"restored": 350}, "rows": []}
    assert await standing(owner) == before
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_a_stopped_undo_ends_after_its_batch_and_the_rest_is_undone_when_asked_again(
    database: Database, owner: asyncpg.Connection, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leads_core.undoing.job.BATCH", 100)
    job = await imported(database, file_of(range(350), "Bonn"))
    started = await Undoing(database).undo(Operation(task_id=job.id))
    assert isinstance(started, JobRead)
    real = LeadService.undo

    async def stopped_during_the_first_batch(service: LeadService, *given: Any, **named: Any) -> Any:
        await cancelling.cancel(database, started.id)
        return await real(service, *given, **named)

    monkeypatch.setattr(LeadService, "undo", stopped_during_the_first_batch)
    undo = await attempt(database, started.id, UndoHandler(database))
    monkeypatch.setattr(LeadService, "undo", real)

    assert (undo.state, undo.done, undo.result) == ("cancelled", 100, {"counts": {"to_bin": 100}, "rows": []})
    rest = await undone(database, job)
    assert rest.result == {"counts": {"to_bin": 250, "same": 100}, "rows": []}
    assert await standing(owner) == {}
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_an_undo_stopped_while_it_waits_puts_nothing_back_and_counts_as_none(database: Database) -> None:
    job = await imported(database, file_of(range(350), "Bonn"))
    started = await Undoing(database).undo(Operation(task_id=job.id))
    assert isinstance(started, JobRead)

    ended = await cancelling.cancel(database, started.id)

    assert (ended.state, ended.done, await records.standing(database, [job.id])) == ("cancelled", 0, {})
    with pytest.raises(JobEnded):
        await cancelling.cancel(database, started.id)
