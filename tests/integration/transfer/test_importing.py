"""What a file does to the leads, by identity; and that no kill, race or hostile cell breaks it."""

from __future__ import annotations

import asyncio
import json

import pytest

from leads_core.context import acting_as
from leads_core.jobs import queue
from leads_core.jobs.worker import in_the_name_of
from leads_core.leads.row_matching import Existing
from leads_core.leads.schemas import LeadCreate, LeadUpdate, Source
from leads_core.transfer import checking, uploads
from leads_core.transfer.import_options import ImportOptions
from leads_core.transfer.importing import ImportHandler
from tests.integration.transfer.conftest import COMPANIES, counts


async def trail_is_whole(rows) -> bool:
    """Every lead's version is the number of its entries, none waits unlogged twice, and seq has no gap."""
    broken = await rows(
        """SELECT l.id FROM leads l LEFT JOIN audit_log a ON a.subject_id = l.id
           GROUP BY l.id HAVING count(a.id) <> l.version OR max(a.seq) <> l.version"""
    )
    waiting = await rows("SELECT (SELECT count(*) FROM audit_log) - (SELECT count(*) FROM audit_pending) AS n")
    return not broken and waiting == [{"n": 0}]


async def test_the_companies_come_in_and_the_same_file_again_writes_nothing(run_import, rows):
    content = COMPANIES.read_bytes()

    first = await run_import(content, file_name="companies.csv")
    entries = await rows("SELECT count(*) n FROM audit_log")
    again = await run_import(content, file_name="companies.csv")

    # gov.uk is a public suffix, and no company's domain.
    assert (first.state, first.error, counts(first)) == ("completed", None, (2458, 0, 0, 1))
    assert (again.state, counts(again)) == ("completed", (0, 0, 2458, 1))
    assert await rows("SELECT count(*) n FROM audit_log") == entries == [{"n": 2458}]
    assert await trail_is_whole(rows)


async def test_a_new_lead_says_where_it_came_from_and_its_entry_who_brought_it(run_import, rows, ana):
    job = await run_import("Firma;E-Mail\nAcme;Ana@ACME.com\n", file_name="kunden.csv", is_manual=True)

    lead = (await rows("SELECT * FROM leads"))[0]
    assert (lead["email"], lead["domain"], lead["source"]) == ("ana@acme.com", "acme.com", "import")
    assert (lead["source_detail"], lead["is_manual"]) == ("kunden.csv, row 2", True)
    assert lead["search_text"] == "ana@acme.com\nacme"
    entry = (await rows("SELECT * FROM audit_log"))[0]
    assert (entry["action"], entry["channel"], entry["task_id"], entry["actor_id"]) == (
        "CREATE",
        "import",
        job.id,
        ana.actor_id,
    )
    origin = json.loads(entry["parts"])["origin"][1]
    assert origin == {"actor_name": ana.actor_name, "ip_address": ana.ip_address, "user_agent": ana.user_agent}


async def test_fill_overwrite_and_leave(run_import, leads, acting):
    wanted = LeadCreate(email="ana@acme.com", company_name="Acme", city="Berlin")
    lead = await leads.create(wanted, source=Source.FORM)
    file = "email,company_name,job_title,city\nana@acme.com,ACME Inc,CTO,\n"

    left = await run_import(file, existing=Existing.LEAVE)
    after_leave = await leads.get(lead.id)
    filled = await run_import(file)
    after_fill = await leads.get(lead.id)
    overwritten = await run_import(file, existing=Existing.OVERWRITE)
    after_overwrite = await leads.get(lead.id)

    assert [counts(job) for job in (left, filled, overwritten)] == [(0, 0, 1, 0), (0, 1, 0, 0), (0, 1, 0, 0)]
    assert after_leave == lead
    assert (after_fill.company_name, after_fill.job_title, after_fill.version) == ("Acme", "CTO", 2)
    # An empty cell empties nothing.
    assert (after_overwrite.company_name, after_overwrite.city, after_overwrite.version) == ("ACME Inc", "Berlin", 3)


async def test_a_row_without_email_means_the_domains_own_lead_else_the_oldest_there(run_import, leads, acting):
    oldest = await leads.create(LeadCreate(email="first@acme.com", job_title="CEO"), source=Source.FORM)
    await leads.create(LeadCreate(email="second@acme.com"), source=Source.FORM)
    alone = await leads.create(LeadCreate(domain="carlsberg.com"), source=Source.FORM)
    await leads.create(LeadCreate(email="x@carlsberg.com"), source=Source.FORM)

    job = await run_import(
        "domain,company_name,job_title\nacme.com,Acme,CTO\ncarlsberg.com,Carlsberg,\n", existing=Existing.OVERWRITE
    )

    assert counts(job) == (0, 2, 0, 0)
    assert (await leads.get(alone.id)).company_name == "Carlsberg"
    # Found by its domain alone, a person's lead is filled and never overwritten.
    filled = await leads.get(oldest.id)
    assert (filled.company_name, filled.job_title) == ("Acme", "CEO")


async def test_rows_that_touch_one_lead_write_an_entry_each_and_come_to_rest(run_import, rows):
    file = "email,domain,company_name,city\nana@acme.com,,,Bonn\n,acme.com,Acme,Berlin\nbo@acme.com,,Other,\n"

    first = await run_import(file, existing=Existing.OVERWRITE)
    again = await run_import(file, existing=Existing.OVERWRITE)

    assert counts(first) == (2, 1, 0, 0)
    assert counts(again) == (0, 0, 3, 0)
    ana = (await rows("SELECT * FROM leads WHERE email = 'ana@acme.com'"))[0]
    assert (ana["company_name"], ana["city"], ana["version"]) == ("Acme", "Bonn", 2)
    assert await trail_is_whole(rows)


async def test_a_lead_in_the_bin_is_no_conflict_and_an_erased_one_is_left_alone(run_import, leads, acting, owner, rows):
    binned = await leads.create(LeadCreate(email="ana@acme.com"), source=Source.FORM)
    await leads.delete(binned.id)
    erased = await leads.create(LeadCreate(domain="gone.com"), source=Source.FORM)
    await owner.execute(
        "SET session_replication_role = replica; UPDATE leads SET erased_at = now() WHERE domain = 'gone.com';"
        " SET session_replication_role = DEFAULT"
    )

    job = await run_import("email,domain,company_name\nana@acme.com,,Acme\n,gone.com,Gone\n")

    assert counts(job) == (2, 0, 0, 0)
    assert (await leads.get(erased.id)).company_name is None


async def test_nobody_who_left_is_given_a_lead_by_a_file_and_who_has_one_keeps_it(run_import, leads, acting, owner):
    nora = await owner.fetchval(
        "INSERT INTO users (id, name, role, version, created_at)"
        " VALUES (gen_random_uuid(), 'Nora', 'editor', 1, now()) RETURNING id"
    )
    lead = await leads.create(LeadCreate(email="ana@acme.com", owner_id=nora), source=Source.API)
    await owner.execute("UPDATE users SET disabled_at = now()")

    done = await run_import(f"email,owner_id\nana@acme.com,{nora}\nbo@acme.com,{nora}\n")

    assert counts(done) == (0, 0, 1, 1)
    assert (await leads.get(lead.id)).owner_id == nora


async def test_a_persons_word_from_a_file_replaces_a_machines(run_import, leads, acting, owner):
    lead = await leads.create(LeadCreate(email="ana@acme.com", city="Bonn"), source=Source.FORM)
    await owner.execute(
        """SET session_replication_role = replica;
           UPDATE leads SET provenance = '{"city": {"source": "website", "confidence": 80}}';
           SET session_replication_role = DEFAULT"""
    )

    filled = await run_import("email,city\nana@acme.com,Berlin\n")
    overwritten = await run_import("email,city\nana@acme.com,Berlin\n", existing=Existing.OVERWRITE)

    assert (counts(filled), counts(overwritten)) == ((0, 0, 1, 0), (0, 1, 0, 0))
    assert ((await leads.get(lead.id)).city, (await leads.get(lead.id)).provenance) == ("Berlin", {})


async def test_enrichment_begins_for_each_new_lead_when_asked(run_import, rows):
    await run_import("email\nana@acme.com\nbo@carlsberg.com\n", enrich=True)

    assert await rows("SELECT enrichment_status s, count(*) n FROM leads GROUP BY 1") == [{"s": "in_progress", "n": 2}]
    jobs = await rows(
        """SELECT j.state, j.wanted, q.priority FROM jobs j JOIN leads l ON l.enrichment_task_id = j.id
           JOIN pgqueuer q ON q.dedupe_key = j.id::text"""
    )
    assert [(job["state"], json.loads(job["wanted"]), job["priority"]) for job in jobs] == [
        ("queued", {"status_before": "pending"}, 0)
    ] * 2


@pytest.mark.parametrize(
    ("file", "field", "words"),
    [
        ("email\nmara@@bitwarden.com\n", "email", "@"),
        ("email,domain\n,intranet\n", "domain", "ending"),
        ("email,name\n,Nobody\n", "email", "email or a domain"),
        ("email,country\na@b.com,Narnia\n", "country", "country"),
        ("email,employees\na@b.com,many\n", "employee_count", "whole number"),
        ("email,employees\na@b.com,99999999999\n", "employee_count", "less than"),
        ("email,stage\na@b.com,sold\n", "stage", "new"),
        ("email,follow up\na@b.com,someday\n", "follow_up_on", "Give a day"),
        ("email,owner_id\na@b.com,0193f5a0-0000-7000-8000-000000000001\n", "owner_id", "no such user"),
        ("email,company\na@b.com,N\x00L\n", "company_name", "U+0000"),
        ("email,company\na@b.com," + "x" * 300 + "\n", "company_name", "200"),
        ("email,name\na@b.com,x,y\n", "row", "3 cells"),
    ],
)
async def test_a_row_that_cannot_come_in_says_which_field_and_why(run_import, rows, file, field, words):
    job = await run_import(file + "good@acme.com\n")

    assert counts(job) == (1, 0, 0, 1)
    refused = job.result["rows"][0]
    assert (refused["row"], refused["field"]) == (2, field)
    assert words in refused["message"]


async def test_the_second_row_of_an_identity_names_the_first(run_import):
    job = await run_import("email,domain\nana@acme.com,\n,b.com\nANA@acme.com,\n,www.b.com\n")

    assert counts(job) == (2, 0, 0, 2)
    messages = [(row["row"], row["message"]) for row in job.result["rows"]]
    assert messages == [(4, "Twice in this file: first in row 2."), (5, "Twice in this file: first in row 3.")]


async def test_hostile_cells_are_kept_as_text_or_refused(run_import, rows):
    content = (
        "email,company_name,notes\n"
        "a@b.com,=HYPERLINK(1),'=2+2\n"
        'c@d.com,<script>alert(1)</script>,"\'; DROP TABLE leads;--"\n'
        "e@f.com,a\u202eb,x\n"
    ).encode()
    broken = b"g@h.com,\xed\xa0\x80,x\n" + "i@j.com,Müller Straße,ü\n".encode()

    job = await run_import(content + broken)

    assert counts(job)[0] >= 3
    assert BROKEN_WORDS in {row["message"] for row in job.result["rows"]}
    names = {row["email"]: row["company_name"] for row in await rows("SELECT email, company_name FROM leads")}
    assert names["a@b.com"] == "=HYPERLINK(1)"
    assert names["c@d.com"] == "<script>alert(1)</script>"
    assert names["i@j.com"] == "Müller Straße"
    notes = await rows("SELECT notes FROM leads WHERE email = 'a@b.com'")
    assert notes == [{"notes": "=2+2"}]


BROKEN_WORDS = "These bytes are no text in the file's encoding. Save the file as CSV UTF-8 and import it again."


async def test_all_refused_rows_are_kept_for_download_and_the_result_lists_the_first(run_import, database):
    file = "email\n" + "".join(f"bad{n}\n" for n in range(1203))

    job = await run_import(file)
    kept = [row async for row in uploads.refused_rows(database, job.id)]

    assert (counts(job), len(job.result["rows"])) == ((0, 0, 0, 1203), 1000)
    assert [row[0] for row in kept] == list(range(2, 1205))
    assert kept[0][4] == ["bad0"]


async def test_a_check_counts_what_the_import_then_does(database, leads, acting, run_import, rows):
    await leads.create(LeadCreate(email="old@acme.com", company_name="Acme"), source=Source.FORM)
    await leads.create(LeadCreate(domain="carlsberg.com"), source=Source.FORM)
    lines = [
        "old@acme.com,,Changed,Bonn",
        ",carlsberg.com,Carlsberg,",
        "bad,,,",
        "new@nine.com,,Nine,",
        ",nine.com,Nine,",
    ]
    lines += [f"p{n}@many.com,,Many,Ulm" for n in range(600)] + [
        ",many.com,Many,Ulm",
        ",nine.com,Again,",
        ",fresh.com,,",
    ]
    content = "\n".join(["email,domain,company_name,city", *lines]).encode()

    for existing in Existing:
        with await uploads.fetch(database, await _draft(database, content)) as file:
            table = await checking.recognise(file)
            plan = await checking.plan(leads, file, table, ImportOptions(existing=existing))
        before = await rows("SELECT count(*) n FROM audit_log")
        assert before == [{"n": 2}]
        if existing is Existing.FILL:
            expected = plan
    job = await run_import(content)

    assert counts(job) == (expected.created, expected.updated, expected.unchanged, expected.rejected)
    assert job.result["rows"] == expected.rows


async def test_a_worker_that_dies_half_way_is_followed_by_one_that_ends_the_file(
    database, start_import, attempt, rows, monkeypatch
):
    file = "email,company\n" + "".join(f"p{n}@acme.com,Acme\n" if n % 100 else "bad\n" for n in range(1700))
    job_id = await start_import(file.encode())

    with pytest.raises(_Killed):
        await attempt(job_id, _DiesInItsThirdBatch(database))
    half = (await rows("SELECT done, state, (SELECT count(*) FROM leads) AS leads FROM jobs"))[0]
    job = await attempt(job_id)

    assert half == {"done": 1000, "state": "running", "leads": 990}
    assert (job.state, job.attempt, job.done, counts(job)) == ("completed", 2, 1700, (1683, 0, 0, 17))
    assert [row[0] async for row in uploads.refused_rows(database, job_id)] == [2 + 100 * n for n in range(17)]
    assert await trail_is_whole(rows)


async def test_an_import_keeps_nothing_of_batches_that_are_in(database, start_import):
    job_id = await start_import(("email\n" + "".join(f"p{n}@acme.com\n" for n in range(700))).encode())
    async with database.transaction() as session:
        job = await queue.take(session, job_id)

    with acting_as(in_the_name_of(job)) as worker:
        await ImportHandler(database).run(job)

    assert worker.receipts == []


async def test_a_worker_that_was_overtaken_writes_no_more(database, start_import, rows):
    job_id = await start_import(("email\n" + "".join(f"p{n}@acme.com\n" for n in range(700))).encode())
    async with database.transaction() as session:
        slow = await queue.take(session, job_id)
    async with database.transaction() as session:
        other = await queue.take(session, job_id)

    with acting_as(in_the_name_of(slow)):
        await ImportHandler(database).run(slow)
    nothing = await rows("SELECT count(*) n FROM leads")
    with acting_as(in_the_name_of(other)):
        await ImportHandler(database).run(other)

    assert nothing == [{"n": 0}]
    assert await rows("SELECT state, done FROM jobs") == [{"state": "completed", "done": 700}]


async def test_two_imports_of_one_file_at_once_make_each_lead_once(start_import, attempt, rows):
    lines = [f"p{n}@acme{n % 40}.com,,Acme" if n % 3 else f",only{n}.com,Only" for n in range(1500)]
    forwards = "\n".join(["email,domain,company", *lines]).encode()
    backwards = "\n".join(["email,domain,company", *reversed(lines)]).encode()
    ids = [await start_import(content) for content in (forwards, backwards, forwards)]

    jobs = await asyncio.gather(*(attempt(job_id) for job_id in ids))

    assert [job.state for job in jobs] == ["completed"] * 3
    assert sum(counts(job)[0] for job in jobs) == 1500
    assert all(sum(counts(job)) == 1500 and counts(job)[3] == 0 for job in jobs)
    assert await rows("SELECT count(*) n, max(version) v FROM leads") == [{"n": 1500, "v": 1}]
    assert await trail_is_whole(rows)


async def test_an_import_beside_people_who_edit_loses_neither(start_import, attempt, leads, acting, rows):
    made = [await leads.create(LeadCreate(email=f"p{n}@acme.com"), source=Source.FORM) for n in range(60)]
    file = "email,city\n" + "".join(f"p{n}@acme.com,Berlin\n" for n in range(60))

    job, *_ = await asyncio.gather(
        attempt(await start_import(file.encode())),
        *(leads.update(lead.id, LeadUpdate(job_title="CTO")) for lead in made),
    )

    assert job.state == "completed"
    assert await rows("SELECT city, job_title, version, count(*) n FROM leads GROUP BY 1, 2, 3") == [
        {"city": "Berlin", "job_title": "CTO", "version": 3, "n": 60}
    ]
    assert await trail_is_whole(rows)


async def test_a_file_that_was_forgotten_ends_the_job_in_words(start_import, attempt, owner):
    job_id = await start_import(b"email\na@b.com\n")
    await owner.execute("DELETE FROM job_files")

    job = await attempt(job_id)

    assert (job.state, "7 days" in job.error) == ("failed", True)


class _Killed(BaseException):
    """What no handler catches, as no handler survives a kill."""


class _DiesInItsThirdBatch(ImportHandler):
    batches = 0

    async def _import_batch(self, *arguments):
        self.batches += 1
        if self.batches == 3:
            raise _Killed
        await super()._import_batch(*arguments)


async def _draft(database, content: bytes):
    pieces = [content, b""]

    async def read(_size: int) -> bytes:
        return pieces.pop(0)

    return await uploads.draft(database, read, ImportOptions().document())
