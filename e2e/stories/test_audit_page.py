"""The trail over everything: who did what, filtered and paged, and the log behind it, verified before one's eyes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.axe import scrolls_sideways, violations
from e2e.conftest import NewContext
from e2e.given import a_change, a_lead, companies, in_the_bin
from e2e.pages.audit_page import AuditPage
from e2e.people import Person, arrive
from e2e.server import RunningServer, running_server


def test_what_happened_stands_there_newest_first_and_leads_to_the_lead(any_page: Page) -> None:
    lead = a_lead(any_page, email="mara@example.org", company_name="Stone and Sons")
    a_change(any_page, lead, stage="won")

    trail = AuditPage(any_page).open("?subject_kind=lead")

    expect(trail.rows).to_have_count(2)
    expect(trail.rows.first).to_contain_text("changed")
    expect(trail.rows.first).to_contain_text("Stage New → Won")
    expect(trail.rows.first).to_contain_text("127.0.0.1")
    trail.rows.first.get_by_role("link", name="Stone and Sons").first.click()
    expect(any_page).to_have_url(re.compile(rf"/leads/{lead['id']}\?at=2"))
    expect(any_page.get_by_role("heading", name="Stone and Sons")).to_be_visible()


def test_filters_are_chosen_in_a_form_and_removed_one_by_one(any_page: Page) -> None:
    companies(any_page, ["Ahorn", "Baker Street"])
    in_the_bin(any_page, email="old@example.org", company_name="Sonos (old)")
    trail = AuditPage(any_page).open()

    trail.filter("Moved to the bin", "Leads", "Today", Who="Me")

    expect(trail.rows).to_have_count(1)
    expect(trail.rows.first).to_contain_text("Sonos (old) in the bin")
    words = ("When is today", "Did is Moved to the bin", "About is Leads", "Who is you")
    expect(trail.chips).to_have_text([re.compile(chip) for chip in words])
    expect(trail.total).to_have_text("1 entry")
    trail.without("Did is Moved to the bin")
    expect(trail.rows).to_have_count(4)
    any_page.get_by_role("link", name="Clear").click()
    expect(trail.chips).to_have_count(0)
    expect(any_page).to_have_url(re.compile(r"/audit$"))


def test_pages_go_to_older_entries_and_back(any_page: Page) -> None:
    companies(any_page, [f"Company {number}" for number in range(55)])
    trail = AuditPage(any_page).open("?subject_kind=lead")
    expect(trail.rows).to_have_count(50)
    expect(trail.rows.first).to_contain_text("Company 54")

    trail.older()
    expect(trail.rows).to_have_count(5)
    expect(trail.rows.last).to_contain_text("Company 0")
    trail.newer()

    expect(trail.rows.first).to_contain_text("Company 54")


def test_one_job_one_export_and_one_user_are_a_click_away(any_page: Page) -> None:
    any_page.context.request.get("/api/v1/leads/export")
    trail = AuditPage(any_page).open("?subject_kind=export")
    expect(trail.rows).to_have_count(2)

    trail.rows.first.get_by_role("link").first.click()

    expect(trail.rows).to_have_count(2)
    expect(trail.chips).to_have_count(1)


def test_an_export_takes_the_filter_along(page: Page, tmp_path: Path) -> None:
    companies(page, ["Ahorn", "Baker Street"])
    AuditPage(page).open("?action=CREATE&subject_kind=lead")

    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()

    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    kinds = [json.loads(line)["kind"] for line in path.read_text().splitlines()]
    assert kinds == ["header", "entry", "entry", "footer"]


def test_the_filter_opens_by_its_key_and_closes_by_escape(page: Page) -> None:
    AuditPage(page).open()

    page.keyboard.press("f")
    expect(page.get_by_role("form", name="Filter")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.get_by_role("form", name="Filter")).to_be_hidden()


def test_a_checkpoint_is_kept_elsewhere(any_page: Page) -> None:
    a_lead(any_page, email="mara@example.org", company_name="Stone and Sons")
    trail = AuditPage(any_page)

    def is_signed() -> None:
        expect(trail.open().seal).not_to_have_text("Not signed yet", timeout=500)

    _until(is_signed)
    expect(trail.log).to_contain_text("Sealed on this machine only.")
    any_page.get_by_text("Keep a checkpoint elsewhere").click()
    any_page.get_by_label("Where I keep it").fill("mail to the auditor")
    any_page.get_by_role("button", name="I keep this checkpoint elsewhere").click()

    expect(trail.log).to_contain_text("mail to the auditor")
    expect(trail.open().row("kept a checkpoint")).to_contain_text("mail to the auditor")


def test_who_may_not_see_addresses_is_shown_none_and_offered_no_file(
    browser: Browser, window: NewContext, server: RunningServer, page: Page
) -> None:
    a_lead(page, email="mara@example.org", company_name="Stone and Sons")
    link = server.leads("user", "add", "otto@example.com", "--name", "Otto", "--role", "viewer")["sign_in_link"]
    otto = window(arrive(browser, link, "Otto", "otto@example.com")).new_page()

    otto.goto("/leads")
    otto.get_by_role("navigation", name="Main").get_by_role("link", name="Audit").click()

    trail = AuditPage(otto)
    expect(trail.row("Stone and Sons")).to_be_visible()
    expect(otto.locator("table.audit")).not_to_contain_text("127.0.0.1")
    expect(otto.get_by_role("link", name="Export")).to_have_count(0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of this story's own: on the shared one the trail is emptied between stories, as only a tamperer does."""
    with running_server() as running:
        yield running


@pytest.fixture(scope="module")
def ada(browser: Browser, whole: RunningServer) -> Person:
    assert whole.first_link
    return arrive(browser, whole.first_link, "Ada Example", "ada@example.com")


def test_a_verification_is_begun_followed_and_names_what_somebody_changed_behind_the_app(
    browser: Browser, whole: RunningServer, ada: Person
) -> None:
    context = browser.new_context(base_url=whole.url, storage_state=ada.state, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    lead = a_lead(page, email="mara@example.org", company_name="Stone and Sons")
    trail = AuditPage(page)
    _until(lambda: expect(trail.open().seal).to_contain_text("checkpoint", timeout=500))

    trail.verify_now()
    expect(trail.seal).to_contain_text("Verified up to checkpoint", timeout=60_000)
    page.get_by_text("How it was checked").click()
    expect(trail.log).to_contain_text("nothing wrong")

    whole.by_sql(f"UPDATE leads SET stage = 'won', version = version WHERE id = '{lead['id']}'")  # noqa: S608 - our own id
    trail.open().verify_now()

    expect(trail.seal).to_contain_text("Broken: 1 finding", timeout=60_000)
    findings = page.get_by_role("region", name="What the verification found")
    expect(findings).to_contain_text("Lead changed: Stage")
    assert violations(page) == ""
    page.set_viewport_size({"width": 320, "height": 844})
    assert not scrolls_sideways(page)
    findings.get_by_role("link", name="Stone and Sons").click()
    expect(page.get_by_role("heading", name="Stone and Sons")).to_be_visible()
    context.close()


def _until(holds: Callable[[], object], *, tries: int = 40) -> None:
    """Look again until it holds: a worker signs within two seconds of a change."""
    for _ in range(tries - 1):
        try:
            holds()
        except AssertionError:
            continue
        return
    holds()
