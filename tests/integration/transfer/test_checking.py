"""What a check says before an import, and what the import then makes of it."""

from __future__ import annotations

import io
from typing import Any

import pytest

from leads_core.jobs import queue
from leads_core.jobs.models import JobState
from leads_core.leads.row_matching import Existing
from leads_core.leads.schemas import LeadCreate, LeadUpdate, Source
from leads_core.transfer import checking, uploads
from leads_core.transfer.forgetting import Needles, files_holding, forget_files
from leads_core.transfer.import_options import ForAllRows, ImportOptions
from tests.integration.transfer.conftest import counts

FILE = (
    b"email,city,company\nold@acme.com,Bonn,Acme\nsame@acme.com,Ulm,\nnew@acme.com,Bonn,\nbad,,\nold@acme.com,Kiel,\n"
)


@pytest.fixture
def check(database, acting):
    """A file sent and looked at: the draft."""

    async def looked_at(content: bytes, **options: Any):
        job_id = await uploads.draft(database, uploads.reading(io.BytesIO(content)), ImportOptions().document())
        await checking.look(database, job_id, ImportOptions(**options))
        return await found(database, job_id)

    return looked_at


async def found(database, job_id):
    async with database.transaction() as session:
        return await queue.find(session, job_id)


async def begin(database, draft):
    wanted = {name: value for name, value in draft.wanted.items() if name not in {"draft", "check"}}
    return await uploads.begin(database, draft.id, wanted=wanted, total=draft.result["file"]["total"])


async def test_a_check_shows_each_row_with_what_it_would_change(check, database, leads, acting):
    old = await leads.create(LeadCreate(email="old@acme.com", city="Berlin", company_name="A"), source=Source.FORM)
    await leads.create(LeadCreate(email="same@acme.com", city="Ulm"), source=Source.FORM)

    draft = await check(FILE, existing=Existing.OVERWRITE)
    changed, *more = await checking.rows_of(database, draft, "updated", 1)
    created = await checking.rows_of(database, draft, "created", 1)
    unchanged = await checking.rows_of(database, draft, "unchanged", 1)

    plan = draft.result["plan"]
    assert (plan["created"], plan["updated"], plan["unchanged"], plan["rejected"]) == (1, 1, 1, 2)
    assert (changed.number, changed.lead_id, more) == (2, old.id, [])
    assert changed.fields == (("company_name", "A", "Acme"), ("city", "Berlin", "Bonn"))
    assert created[0].fields == (("email", None, "new@acme.com"), ("domain", None, "acme.com"), ("city", None, "Bonn"))
    assert (unchanged[0].number, unchanged[0].lead_name) == (3, "same@acme.com")
    assert "first in row 2" in plan["rows"][1]["message"]
    assert [row[0] async for row in uploads.refused_rows(database, draft.id)] == [5, 6]


async def test_a_large_file_is_checked_by_a_job_that_begins_anew_after_a_dead_worker(
    check, attempt, database, rows, monkeypatch
):
    monkeypatch.setattr(checking, "AT_ONCE", 100)
    file = b"email\n" + b"".join(b"p%d@acme.com\n" % n if n % 10 else b"bad\n" for n in range(1200))

    waiting = await check(file)
    await rows("UPDATE jobs SET done = 500, attempt = 1 RETURNING id")  # a worker had come so far
    checked = await attempt(waiting.id)
    done = await rows("SELECT count(*) n FROM leads")
    assert await begin(database, checked)
    imported = await attempt(checked.id)

    assert (waiting.state, waiting.total, waiting.result["plan"]) == ("queued", 1200, None)
    assert (checked.wanted["draft"], checked.is_finished, checked.result["plan"]["created"]) == (True, True, 1080)
    assert done == [{"n": 0}]
    assert (imported.state, counts(imported), imported.result["differed"]) == ("completed", (1080, 0, 0, 120), 0)
    assert len([row async for row in uploads.refused_rows(database, imported.id)]) == 120


async def test_what_was_changed_after_the_check_is_not_overwritten_and_is_counted(
    check, attempt, database, leads, acting
):
    for email in ("a@acme.com", "b@acme.com", "c@acme.com"):
        await leads.create(LeadCreate(email=email, city="Berlin"), source=Source.FORM)
    file = b"email,city,industry\na@acme.com,Bonn,x\nb@acme.com,Bonn,x\nc@acme.com,Bonn,x\nd@acme.com,Bonn,x\n"
    draft = await check(file, existing=Existing.OVERWRITE)

    lead_id = (await checking.rows_of(database, draft, "updated", 1))[0].lead_id
    await leads.update(lead_id, LeadUpdate(city="Hamburg"))
    await leads.create(LeadCreate(email="d@acme.com", city="Bonn", industry="x"), source=Source.FORM)
    await begin(database, draft)
    job = await attempt(draft.id)

    assert counts(job) == (0, 3, 1, 0)
    assert job.result["differed"] == 2
    kept = await leads.get(lead_id)
    assert (kept.city, kept.industry) == ("Hamburg", "x")


async def test_an_import_that_is_stopped_keeps_what_it_did_and_begins_no_more(
    start_import, attempt, database, rows, monkeypatch
):
    job_id = await start_import(b"email\n" + b"".join(b"p%d@acme.com\n" % n for n in range(1700)))
    looked = 0
    is_to_stop = queue.is_to_stop

    async def stopped_in_the_second_batch(session, asked):
        nonlocal looked
        looked += 1
        if looked == 2:
            await queue.stop(session, asked)
        return await is_to_stop(session, asked)

    monkeypatch.setattr(queue, "is_to_stop", stopped_in_the_second_batch)
    job = await attempt(job_id)
    again = await attempt(job_id)

    assert (job.state, job.done, counts(job)) == (JobState.CANCELLED, 500, (500, 0, 0, 0))
    assert (again.done, await rows("SELECT count(*) n FROM leads")) == (500, [{"n": 500}])


async def test_tags_and_defaults_for_all_rows_are_added_once(run_import, leads, acting, rows):
    await leads.create(LeadCreate(email="old@acme.com", tags=["vip"], stage="won"), source=Source.FORM)
    for_all = ForAllRows.parse(tags="fair-2026, vip", stage="contacted", source_detail="Fair")
    file = b"email,tags\nold@acme.com,\nnew@acme.com,bakery\n"

    first = await run_import(file, for_all=for_all)
    second = await run_import(file, for_all=for_all)

    assert (counts(first), counts(second)) == ((1, 1, 0, 0), (0, 0, 2, 0))
    assert await rows("SELECT email, tags, stage, source_detail FROM leads ORDER BY created_at") == [
        {
            "email": "old@acme.com",
            "tags": ["vip", "fair-2026"],
            "stage": "won",
            "source_detail": None,
        },
        {
            "email": "new@acme.com",
            "tags": ["bakery", "fair-2026", "vip"],
            "stage": "contacted",
            "source_detail": "Fair",
        },
    ]


async def test_a_draft_that_is_begun_twice_is_begun_once(check, database, rows):
    draft = await check(FILE)

    assert [await begin(database, draft), await begin(database, draft)] == [True, False]
    assert await rows("SELECT count(*) n FROM pgqueuer") == [{"n": 1}]


async def test_a_person_who_is_forgotten_stands_in_no_draft_either(check, database, rows):
    draft = await check(FILE + b"ana@bad,x,\n")
    needles = Needles(["ana@bad", "old@acme.com"])

    async with database.transaction() as session:
        holding = await files_holding(session, needles)
        await forget_files(session, holding, needles)
    left = await found(database, draft.id)

    assert holding == [draft.id]
    assert "ana@bad" not in str(left.result)
    assert "old@acme.com" not in str(left.result)
    assert await checking.rows_of(database, left, "created", 1) == []
