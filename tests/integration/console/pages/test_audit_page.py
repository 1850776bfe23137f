"""/audit: who did what, filters in the address, how the log behind it stands, and what may be taken away."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest
from httpx2 import AsyncClient
from selectolax.lexbor import LexborHTMLParser, LexborNode

from leads_core.accounts.permissions import Role
from leads_core.audit.log.sequencer import Sequencer
from leads_core.database import Database, new_id
from leads_core.settings import Settings
from tests.integration.console.conftest import Ask
from tests.integration.console.pages.reading import read, words

SCRIPT = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def admin(browser: Ask) -> AsyncClient:
    return await browser(Role.ADMIN)


@pytest.fixture
async def signed(database: Database, settings: Settings, owner: asyncpg.Connection) -> Sequencer:
    """A log that is brought up to date when asked: its file belongs to this test alone."""
    settings.checkpoint_file.unlink(missing_ok=True)
    return Sequencer(database, settings)


async def a_lead(client: AsyncClient, **given: str) -> str:
    answer = await client.post("/api/v1/leads", json={"email": "ana@acme.com", "company_name": "Acme", **given})
    return str(answer.json()["id"])


def rows(page: LexborHTMLParser) -> list[list[str]]:
    """Every row's cells but the time."""
    return [[words(cell) for cell in row.css("td, th")][1:] for row in page.css("table.audit tbody tr")]


def text(page: LexborHTMLParser, selector: str) -> str:
    return words(found(page, selector))


def found(page: LexborHTMLParser, selector: str) -> LexborNode:
    node = page.css_first(selector)
    assert node is not None, selector
    return node


def address(page: LexborHTMLParser, selector: str) -> str:
    return str(found(page, selector).attributes["href"])


async def test_a_row_says_who_did_what_to_what_through_where_and_from_where(admin: AsyncClient) -> None:
    lead = await a_lead(admin)
    await admin.patch(f"/api/v1/leads/{lead}", json={"stage": "won"})

    page = read(await admin.get("/audit"))

    assert rows(page)[0] == ["Admin", "changed", "Acme", "Stage New → Won", "API", "198.51.100.7", "waits"]
    assert rows(page)[1][:5] == ["Admin", "added", "Acme", "ana@acme.com through the API", "API"]
    assert address(page, "table.audit tbody th a") == f"/leads/{lead}?at=2"


async def test_addresses_are_for_those_who_may_see_them(browser: Ask, admin: AsyncClient) -> None:
    await a_lead(admin)

    page = read(await (await browser(Role.VIEWER)).get("/audit"))

    assert "198.51.100.7" not in page.html
    assert "From" not in [words(head) for head in page.css("table.audit thead th")]


async def test_what_may_not_be_taken_away_is_not_offered(browser: Ask, admin: AsyncClient, signed: Sequencer) -> None:
    await a_lead(admin)
    await signed.run_once()
    viewer = await browser(Role.VIEWER)

    hers, theirs = read(await admin.get("/audit")), read(await viewer.get("/audit"))

    assert hers.css_matches('a[href="/audit/export"]')
    assert hers.css_matches('form[action="/audit/checkpoint"]')
    assert not theirs.css_matches('a[href="/audit/export"]')
    assert not theirs.css_matches('form[action="/audit/checkpoint"]')
    assert (await viewer.get("/audit/export")).status_code == 403
    assert (await viewer.post("/audit/checkpoint", data={"place": "here"})).status_code == 403


async def test_the_navigation_leads_there(admin: AsyncClient) -> None:
    assert read(await admin.get("/leads")).css_matches('nav a[href="/audit"]')


async def test_filters_stand_in_the_address_and_go_one_by_one(admin: AsyncClient) -> None:
    lead = await a_lead(admin)
    await admin.delete(f"/api/v1/leads/{lead}")

    page = read(await admin.get("/audit?action=DELETE&subject_kind=lead&when=today"))

    assert [row[1] for row in rows(page)] == ["moved to the bin"]
    assert [words(chip) for chip in page.css(".chip > span")] == [
        "Did is Moved to the bin",
        "About is Leads",
        "When is today",
    ]
    assert address(page, ".chip a.x") == "/audit?subject_kind=lead&when=today"
    assert page.css_matches('a[href="/audit/export?action=DELETE&subject_kind=lead&when=today"]')
    assert page.css_matches('#filter-form input[value="DELETE"][checked]')


async def test_a_form_without_a_script_leads_to_an_address_without_what_says_nothing(admin: AsyncClient) -> None:
    answer = await admin.get("/audit?when=any&action=CREATE&actor=&field=&occurred_from=")

    assert (answer.status_code, answer.headers["location"]) == (303, "/audit?action=CREATE")


async def test_a_filter_nobody_can_read_is_said_and_nothing_is_shown(admin: AsyncClient) -> None:
    await a_lead(admin)

    answer = await admin.get("/audit?action=EXPLODE")

    page = LexborHTMLParser(answer.text)
    assert answer.status_code == 422
    assert text(page, "#audit-page .notice h2") == "This filter cannot be read"
    assert rows(page) == []
    assert (await admin.get("/audit/export?action=EXPLODE")).status_code == 422


async def test_pages_follow_each_other_by_links(admin: AsyncClient) -> None:
    for number in range(60):
        await a_lead(admin, email=f"a{number}@acme.com")

    first = read(await admin.get("/audit?subject_kind=lead"))
    second = read(await admin.get(address(first, 'a[rel="next"]')))

    assert (len(rows(first)), len(rows(second))) == (50, 10)
    assert text(first, ".pager strong") == "60 entries"
    assert rows(read(await admin.get(address(second, 'a[rel="prev"]')))) == rows(first)


async def test_a_script_gets_the_entries_alone(admin: AsyncClient) -> None:
    answer = await admin.get("/audit?subject_kind=user", headers=SCRIPT)

    assert answer.text.lstrip().startswith('<div id="audit-page"')
    assert "<html" not in answer.text


async def test_leads_in_the_bin_and_leads_that_are_gone_keep_a_name(
    admin: AsyncClient, owner: asyncpg.Connection
) -> None:
    binned = await a_lead(admin)
    await admin.delete(f"/api/v1/leads/{binned}")
    gone = await a_lead(admin, email="eve@acme.com")
    await owner.execute("SET session_replication_role = replica")
    await owner.execute("DELETE FROM leads WHERE id = $1::uuid", gone)
    await owner.execute("SET session_replication_role = DEFAULT")

    page = read(await admin.get("/audit?subject_kind=lead"))

    assert [row[2] for row in rows(page)] == [f"A lead that is gone {gone[-8:]}", "Acme in the bin", "Acme in the bin"]


async def test_before_anything_has_happened_it_says_so(admin: AsyncClient, owner: asyncpg.Connection) -> None:
    await owner.execute("SET session_replication_role = replica")
    await owner.execute("DELETE FROM audit_log")
    await owner.execute("SET session_replication_role = DEFAULT")

    assert text(read(await admin.get("/audit")), ".blank h2") == "Nothing has happened yet"
    assert text(read(await admin.get("/audit?action=MERGE")), ".blank h2") == "No entry has all of this"


async def test_everything_of_one_export_is_found_by_its_name(admin: AsyncClient) -> None:
    await admin.get("/api/v1/leads/export")
    page = read(await admin.get("/audit?subject_kind=export"))

    assert [row[1] for row in rows(read(await admin.get(address(page, "table.audit tbody th a"))))] == [
        "exported",
        "began to export",
    ]


async def test_hostile_values_stay_text(admin: AsyncClient) -> None:
    await a_lead(admin, company_name="<script>alert(1)</script>", notes="<img src=x>")

    page = read(await admin.get("/audit"))

    assert rows(page)[0][2] == "<script>alert(1)</script>"
    assert not page.css_matches("table.audit script, table.audit img")


async def test_an_entry_gets_its_number_and_the_seal_its_checkpoint(admin: AsyncClient, signed: Sequencer) -> None:
    await a_lead(admin)
    assert text(read(await admin.get("/audit")), ".seal") == "Not signed yet"

    await signed.run_once()
    page = read(await admin.get("/audit"))

    assert text(page, ".seal") == "Signed up to checkpoint 1, not verified yet"
    assert [row[-1] for row in rows(page)] == ["3", "2", "1", "0"]
    assert "Nothing newer waits." in text(page, ".log")
    assert "Sealed on this machine only." in text(page, ".log")


async def test_an_alarm_and_a_refused_entry_are_said_with_what_to_do(
    admin: AsyncClient, signed: Sequencer, owner: asyncpg.Connection
) -> None:
    lead = await a_lead(admin)
    await owner.execute("SET session_replication_role = replica")
    await owner.execute("UPDATE audit_log SET channel = 'cli' WHERE subject_id = $1::uuid", lead)
    await owner.execute("SET session_replication_role = DEFAULT")
    await signed.run_once()
    await owner.execute("UPDATE audit_signing SET alarm = 'The disk is full: make room.', alarmed_at = now()")
    if await owner.fetchval("SELECT count(*) FROM audit_signing") == 0:
        await owner.execute(
            "INSERT INTO audit_signing (alarm, alarmed_at) VALUES ('The disk is full: make room.', now())"
        )

    page = read(await admin.get("/audit"))

    assert text(page, ".seal") == "Signing has stopped"
    notices = [words(notice) for notice in page.css(".log .notice")]
    assert "The disk is full: make room." in notices[0]
    assert "The log refused 1 entry" in notices[1]
    assert rows(page)[0][-1] == "refused"


async def test_a_verification_is_asked_for_once_and_followed(admin: AsyncClient) -> None:
    answers = [await admin.post("/audit/verify") for _ in range(2)]
    page = read(await admin.get("/audit"))

    assert {(answer.status_code, answer.headers["location"]) for answer in answers} == {(303, "/audit")}
    assert text(page, "#log .verifying output") == "The verification waits for a worker."
    assert found(page, "#log [hx-trigger]").attributes["hx-get"] == "/audit/log"
    assert page.css_matches("noscript meta")
    again = await admin.get("/audit/log", headers=SCRIPT)
    assert again.text.lstrip().startswith('<div class="pad-head" id="log"')
    assert "<noscript>" not in again.text


async def keep_result(owner: asyncpg.Connection, *findings: dict[str, str | None], leaves: int) -> None:
    result = {"ok": not findings, "entries": 4, "leads": 1, "leaves": leaves, "checkpoints": 1}
    result |= {"findings": list(findings), "warnings": ["A clock went back."], "not_checked": []}
    now = datetime.now(UTC)
    await owner.execute(
        "INSERT INTO audit_verifications (id, started_at, finished_at, ok, result) VALUES ($1, $2, $2, $3, $4)",
        *(new_id(), now, not findings, json.dumps(result)),
    )


async def test_the_last_verification_is_shown_with_what_it_went_through(
    admin: AsyncClient, signed: Sequencer, owner: asyncpg.Connection
) -> None:
    await a_lead(admin)
    await signed.run_once()
    await keep_result(owner, leaves=4)

    page = read(await admin.get("/audit"))

    assert text(page, ".seal") == "Verified up to checkpoint 1"
    checked = text(page, ".log-fields")
    assert "nothing wrong" in checked
    assert "4 recomputed: parts, checksum, MAC" in checked
    assert "A clock went back." in checked


async def test_findings_are_said_in_words_with_a_link_to_the_lead(
    admin: AsyncClient, owner: asyncpg.Connection
) -> None:
    lead, unknown = await a_lead(admin), str(uuid4())
    await keep_result(
        owner,
        {"kind": "lead_changed", "entry": None, "subject": lead, "field": "stage", "detail": "It is won here."},
        {"kind": "removed", "entry": unknown, "subject": unknown, "field": None, "detail": "It is gone."},
        leaves=4,
    )

    page = read(await admin.get("/audit"))

    assert text(page, ".seal") == "Broken: 2 findings"
    first, second = [words(item) for item in page.css(".findings li")]
    assert first == "Lead changed: Stage Acme It is won here."
    assert second == f"Removed: {unknown} It is gone. Entry {unknown} ."
    assert page.css_matches(f'.findings a[href="/leads/{lead}"]')


async def test_the_newest_checkpoint_is_a_file_to_keep(admin: AsyncClient, signed: Sequencer) -> None:
    assert (await admin.get("/audit/checkpoint")).status_code == 404
    await a_lead(admin)
    await signed.run_once()

    answer = await admin.get("/audit/checkpoint")

    name, size, *_ = answer.text.splitlines()
    assert (name.endswith("/audit"), size) == (True, "4")
    assert answer.headers["content-disposition"] == 'attachment; filename="checkpoint-1.txt"'


async def test_keeping_a_checkpoint_elsewhere_is_an_entry_and_changes_the_seal(
    admin: AsyncClient, signed: Sequencer
) -> None:
    await a_lead(admin)
    await signed.run_once()

    answer = await admin.post("/audit/checkpoint", data={"number": "1", "place": "mail to the auditor"})

    page = read(await admin.get("/audit"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/audit")
    assert "Kept elsewhere up to 4 entries: mail to the auditor" in text(page, ".log")
    assert rows(page)[0][1:4] == ["kept a checkpoint", "The log", "mail to the auditor · 4 entries"]


async def test_a_place_that_says_nothing_is_refused_beside_the_field(admin: AsyncClient, signed: Sequencer) -> None:
    await a_lead(admin)
    await signed.run_once()

    answer = await admin.post("/audit/checkpoint", data={"number": "1", "place": "  "})

    page = LexborHTMLParser(answer.text)
    assert answer.status_code == 422
    assert "Say in 1 to 200 characters" in text(page, "#place-error")


async def test_an_export_takes_the_pages_filter(admin: AsyncClient) -> None:
    lead = await a_lead(admin)

    answer = await admin.get("/audit/export?action=CREATE&subject_kind=lead&when=today")

    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[0]["complete"] is False
    assert [line["subject_id"] for line in lines if line["kind"] == "entry"] == [lead]
