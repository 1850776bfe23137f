"""Import and export over HTTP, by scripts and by browsers."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from httpx2 import AsyncClient
from python_calamine import CalamineWorkbook

from leads_core.accounts.permissions import Role
from leads_core.context import acting_as
from leads_core.database import Database
from leads_core.jobs import queue
from leads_core.jobs.worker import in_the_name_of
from leads_core.transfer.importing import ImportHandler

FILE = b"Company;E-Mail\r\nAcme;ana@acme.com\r\nBad;nobody\r\nCarlsberg;bo@carlsberg.com\r\n"
Work = Callable[[str], Awaitable[None]]


@pytest.fixture
def work(database: Database) -> Work:
    """What a worker does with one job."""

    async def run(job_id: str) -> None:
        async with database.transaction() as session:
            job = await queue.take(session, UUID(job_id))
        assert job is not None
        with acting_as(in_the_name_of(job)):
            await ImportHandler(database).run(job)

    return run


async def _import(api: AsyncClient, content: bytes = FILE, headers: dict[str, str] | None = None, **fields: str) -> Any:
    files = {"file": ("kunden.csv", content, "text/csv")}
    return await api.post("/api/v1/leads/import", files=files, data=fields, headers=headers or {})


async def test_an_import_is_a_job_that_says_how_many_came_in(
    api: AsyncClient, work: Work, owner: asyncpg.Connection
) -> None:
    answer = await _import(api)
    await work(answer.json()["id"])
    job = (await api.get(answer.headers["location"])).json()

    assert answer.status_code == 202
    assert job["state"] == "completed"
    assert job["progress"] == {"done": 3, "total": 3}
    assert {name: job["result"][name] for name in ("created", "updated", "unchanged", "rejected")} == {
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "rejected": 1,
    }
    assert job["result"]["rows"][0] | {"message": ""} == {"row": 3, "field": "email", "value": "nobody", "message": ""}
    entry = await owner.fetchrow(
        "SELECT channel, task_id, parts->'origin'->1 origin FROM audit_log WHERE subject_kind = 'lead'"
    )
    assert (entry["channel"], str(entry["task_id"])) == ("import", job["id"])
    assert None not in json.loads(entry["origin"]).values()


async def test_a_dry_run_counts_and_changes_nothing(api: AsyncClient, owner: asyncpg.Connection) -> None:
    answer = await _import(api, dry_run="true")

    assert answer.status_code == 200
    assert (answer.json()["created"], answer.json()["rejected"]) == (2, 1)
    assert answer.json()["columns"] == {"Company": "company_name", "E-Mail": "email"}
    assert await owner.fetchval("SELECT count(*) FROM leads") == 0
    assert await owner.fetchval("SELECT count(*) FROM jobs") == 0


async def test_a_repeated_import_with_its_key_is_one_job(api: AsyncClient) -> None:
    first = await _import(api, headers={"Idempotency-Key": "k1"})
    second = await _import(api, headers={"Idempotency-Key": "k1"})
    other = await _import(api, b"email\nx@acme.com\n", headers={"Idempotency-Key": "k1"})

    assert first.json()["id"] == second.json()["id"]
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("content", "fields", "field"),
    [
        (b"", {}, "file"),
        (b"PK\x03\x04workbook", {}, "file"),
        (b"name\nAcme\n", {}, "columns"),
        (FILE, {"existing": "merge"}, "existing"),
        (FILE, {"columns": "{"}, "columns"),
        (FILE, {"columns": '{"Nope": "email"}'}, "columns"),
        (FILE, {"columns": '{"E-Mail": "version"}'}, "columns"),
        (FILE, {"is_manual": "maybe"}, "is_manual"),
        (FILE, {"sheet": "a\x00b"}, "sheet"),
        (FILE, {"stage": "lukewarm"}, "stage"),
        (FILE, {"owner_id": "me"}, "owner_id"),
        (FILE, {"existng": "fill"}, "existng"),
    ],
)
async def test_what_is_wrong_with_an_import_is_named(api: AsyncClient, content: bytes, fields: Any, field: str) -> None:
    answer = await _import(api, content, **fields)

    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


async def test_a_body_that_is_no_upload_is_refused(api: AsyncClient) -> None:
    as_json = await api.post("/api/v1/leads/import", json={"file": "x"})
    broken = await api.post(
        "/api/v1/leads/import", content=b"nonsense", headers={"Content-Type": "multipart/form-data; boundary=x"}
    )

    assert as_json.status_code == 415
    assert broken.status_code in {400, 422}


async def test_an_export_can_be_imported_again_and_changes_nothing(api: AsyncClient, work: Work) -> None:
    nasty = {"email": "ana@acme.com", "company_name": "=HYPERLINK(1)", "notes": 'a\nb;"c"', "phone": "+49 30 123456"}
    await api.post("/api/v1/leads", json={**nasty, "tags": ["a b", "+c"], "country": "DE"})
    await api.post(
        "/api/v1/leads", json={"domain": "carlsberg.com", "company_name": "'=x", "follow_up_on": "2026-12-01"}
    )

    export = await api.get("/api/v1/leads/export")
    answer = await _import(api, export.content, existing="overwrite")
    await work(answer.json()["id"])
    job = (await api.get(answer.headers["location"])).json()

    assert export.headers["content-type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="leads-\d{4}-\d\d-\d\d\.csv"', export.headers["content-disposition"])
    assert "'=HYPERLINK(1)" in export.text
    assert ("\n=" in export.text, ",=" in export.text, '"=' in export.text) == (False, False, False)
    assert (job["result"]["unchanged"], job["result"]["rows"]) == (2, [])


async def test_an_export_has_the_leads_of_its_filter_alone(api: AsyncClient) -> None:
    for name in ("a", "b", "c"):
        await api.post("/api/v1/leads", json={"domain": f"{name}.com", "stage": "won" if name == "b" else "new"})

    lines = (await api.get("/api/v1/leads/export?format=jsonl&stage=won")).text.splitlines()
    wrong = await api.get("/api/v1/leads/export?stge=won")
    unknown = await api.get("/api/v1/leads/export?format=xml")

    assert [json.loads(line)["domain"] for line in lines] == ["b.com"]
    assert (wrong.status_code, unknown.status_code) == (422, 422)


async def test_an_exported_workbook_can_be_imported_again_and_is_kept_as_text(
    api: AsyncClient, work: Work, owner: asyncpg.Connection
) -> None:
    nasty = {"email": "ana@acme.com", "company_name": "=HYPERLINK(1)", "notes": "a\nb;c", "phone": "+49 30 123456"}
    await api.post("/api/v1/leads", json={**nasty, "tags": ["a b", "+c"], "employee_count": 40})
    await api.post("/api/v1/leads", json={"domain": "carlsberg.com", "follow_up_on": "2026-12-01"})

    export = await api.get("/api/v1/leads/export?format=xlsx")
    answer = await _import(api, export.content, existing="overwrite")
    await work(answer.json()["id"])
    job = (await api.get(answer.headers["location"])).json()

    assert (job["result"]["unchanged"], job["result"]["rows"]) == (2, [])
    # What is forgotten later is looked for in what is kept.
    kept = await owner.fetchval("SELECT string_agg(content, '' ORDER BY piece) FROM job_files")
    assert b"ana@acme.com" in kept


async def test_how_a_file_is_read_and_what_each_row_says_can_be_told(api: AsyncClient, work: Work) -> None:
    content = "Stra\xdfe;ana@acme.com\r\n".encode("latin-1")
    asked = {
        "encoding": "latin-1",
        "delimiter": ";",
        "has_names": "false",
        "tags": "fair-2026, vip",
        "source_detail": "Fair\x00",
    }
    columns = json.dumps({"Column 1": "company_name", "Column 2": "email"})

    answer = await _import(api, content, **asked, columns=columns)
    await work(answer.json()["id"])
    lead = (await api.get("/api/v1/leads")).json()["items"][0]
    wrong = {name: (await _import(api, **{name: "nonsense"})).json() for name in ("encoding", "delimiter", "has_names")}

    assert (lead["company_name"], lead["tags"]) == ("Stra\xdfe", ["fair-2026", "vip"])
    assert {name: answer["errors"][0]["field"] for name, answer in wrong.items()} == {name: name for name in wrong}


async def test_a_waiting_import_is_cancelled_and_one_that_ended_is_not(api: AsyncClient, work: Work) -> None:
    waiting, ended = (await _import(api)).json()["id"], (await _import(api)).json()["id"]
    await work(ended)

    cancelled = await api.post(f"/api/v1/jobs/{waiting}/cancel")
    refused = await api.post(f"/api/v1/jobs/{ended}/cancel")

    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert refused.status_code == 409


async def test_an_export_as_a_workbook_has_every_value_as_text(api: AsyncClient) -> None:
    made = {"email": "ana@acme.com", "company_name": "=HYPERLINK(1)", "employee_count": 40, "phone": "+49 30 123456"}
    await api.post("/api/v1/leads", json=made)

    export = await api.get("/api/v1/leads/export?format=xlsx")
    names, row = CalamineWorkbook.from_filelike(io.BytesIO(export.content)).get_sheet_by_index(0).to_python()

    assert export.headers["content-disposition"].endswith('.xlsx"')
    assert {name: dict(zip(names, row, strict=True))[name] for name in made} == {**made, "phone": "+4930123456"}


async def test_an_export_of_more_than_a_page_has_each_lead_once(api: AsyncClient, work: Work) -> None:
    content = "email\n" + "".join(f"p{n}@acme.com\n" for n in range(2345))
    answer = await _import(api, content.encode())
    await work(answer.json()["id"])

    lines = (await api.get("/api/v1/leads/export?format=jsonl")).text.splitlines()

    assert len({json.loads(line)["email"] for line in lines}) == len(lines) == 2345


async def test_the_pages_take_a_file_to_its_end_with_forms_alone(
    browser: Callable[[Role], Awaitable[AsyncClient]], work: Work, owner: asyncpg.Connection
) -> None:
    page = await browser(Role.EDITOR)
    first = await page.get("/import")
    sent = await page.post("/import", files={"file": ("<b>kunden.csv", FILE, "text/csv")})
    check = await page.get(sent.headers["location"])
    form = {"column-0": "company_name", "column-1": "email", "existing": "fill"}
    again = await page.post(sent.headers["location"], data={**form, "column-1": "", "then": "check"})
    missing = await page.get(sent.headers["location"])
    unseen = await page.post(sent.headers["location"], data={**form, "then": "import"})
    begun = await page.post(sent.headers["location"], data={**form, "then": "import"})
    waiting = await page.get(begun.headers["location"])
    await work(sent.headers["location"].rpartition("/")[2])
    done = await page.get(sent.headers["location"])
    rejected = await page.get(sent.headers["location"] + "/rejected.csv")

    assert (first.status_code, sent.status_code, again.status_code, begun.status_code) == (200, 303, 303, 303)
    assert unseen.headers["location"].endswith("?changed=1")
    assert "Import 2 leads" in check.text
    assert "&lt;b&gt;kunden" in check.text
    assert "No column goes to email or domain" in missing.text
    assert "Waiting for a worker" in waiting.text
    assert "http-equiv" in waiting.text
    assert "Imported" in done.text
    assert "http-equiv" not in done.text.split("<main")[1]
    assert rejected.text.splitlines()[1].startswith('Bad,nobody,"Row 3, email: ')
    assert await owner.fetchval("SELECT count(*) FROM leads WHERE source = 'import'") == 2


async def test_rejected_rows_can_be_mended_and_sent_again(
    browser: Callable[[Role], Awaitable[AsyncClient]], work: Work, owner: asyncpg.Connection
) -> None:
    page = await browser(Role.EDITOR)
    sent = await page.post("/import", files={"file": ("kunden.csv", FILE, "text/csv")})
    rejected = await page.get(sent.headers["location"] + "/rejected.csv")
    mended = rejected.content.replace(b"nobody", b"bad@bad.com")
    again = await page.post("/import", files={"file": ("kunden-rejected.csv", mended, "text/csv")})
    form = {"column-0": "company_name", "column-1": "email", "column-2": "", "existing": "fill", "then": "import"}
    begun = await page.post(again.headers["location"], data=form)
    await work(again.headers["location"].rpartition("/")[2])

    assert 'filename="kunden-rejected.csv"' in rejected.headers["content-disposition"]
    assert rejected.text.splitlines()[0].endswith("Company,E-Mail,Why")
    assert begun.headers["location"] == again.headers["location"]
    assert await owner.fetch("SELECT email, company_name FROM leads") == [("bad@bad.com", "Bad")]


async def test_the_page_lists_every_import_page_by_page_and_stops_one(
    browser: Callable[[Role], Awaitable[AsyncClient]],
) -> None:
    page = await browser(Role.EDITOR)
    form = {"column-0": "company_name", "column-1": "email", "existing": "fill", "then": "import"}
    for number in range(10):
        sent = await page.post("/import", files={"file": (f"file-{number}.csv", FILE, "text/csv")})
        await page.post(sent.headers["location"], data=form)

    stopped = await page.post(sent.headers["location"] + "/stop")
    shown = (await page.get(stopped.headers["location"])).text
    newest = (await page.get("/import")).text
    older = (await page.get(re.findall(r'href="(/import\?before=[^"]+)"', newest)[0])).text

    assert "3 rows of the file were not begun" in shown
    assert newest.index("file-9") < newest.index("file-8")
    assert set(re.findall(r"file-\d", newest)) | set(re.findall(r"file-\d", older)) == {f"file-{n}" for n in range(10)}
    assert "file-2" not in older


async def test_a_file_that_cannot_be_read_is_said_beside_the_field(
    browser: Callable[[Role], Awaitable[AsyncClient]],
) -> None:
    page = await browser(Role.EDITOR)

    answer = await page.post("/import", files={"file": ("x.xlsx", b"PK\x03\x04", "application/zip")})
    none = await page.post("/import", files={"other": ("x.csv", b"a", "text/csv")})

    assert answer.status_code == 422
    assert "This Excel workbook is broken" in answer.text
    assert "Choose a CSV, TSV or Excel file." in none.text


async def test_who_only_reads_cannot_import(
    browser: Callable[[Role], Awaitable[AsyncClient]], script: Callable[[Role], Awaitable[AsyncClient]]
) -> None:
    page, api = await browser(Role.VIEWER), await script(Role.VIEWER)

    assert (await page.get("/import")).status_code == 403
    assert (await _import(api)).status_code == 403
    assert (await api.get("/api/v1/leads/export")).status_code == 200
