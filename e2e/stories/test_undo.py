"""One undo for everything: from the toast, by `u`, in the drawer and /audit. What people edited since is kept."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from e2e.conftest import NewContext
from e2e.given import a_change, a_lead
from e2e.pages.audit_page import AuditPage
from e2e.pages.lead_form import LeadForm
from e2e.pages.lead_panel import LeadPanel
from e2e.pages.leads_page import LeadsPage
from e2e.people import Person
from e2e.server import RunningServer
from e2e.states import an_import_of_three_batches, undo_ended

STONE = {"email": "mara@example.org", "company_name": "Stone and Sons", "city": "Lisbon"}


def stone(page: Page, **fields: Any) -> dict[str, Any]:
    return a_lead(page, **{**STONE, **fields})


def test_an_edit_is_undone_from_the_toast_done_again_and_undone_by_a_key_after_a_reload(page: Page) -> None:
    stone(page)
    LeadsPage(page).open().open_lead("Stone and Sons")
    panel, toast = LeadPanel(page), page.locator(".toast")
    panel.set_stage("Won")
    expect(toast).to_contain_text("Stone and Sons: stage changed.")

    toast.get_by_role("button", name="Undo").click()
    expect(toast).to_contain_text("Stone and Sons: stage put back.")
    expect(page.locator(".facts-line")).to_contain_text("New")
    toast.get_by_role("button", name="Redo").click()
    expect(page.locator(".facts-line")).to_contain_text("Won")
    expect(toast.get_by_role("button", name="Redo")).to_be_visible()
    page.reload()
    expect(toast).to_have_count(0)
    page.keyboard.press("u")

    expect(page.locator(".facts-line")).to_contain_text("New")
    expect(toast).to_contain_text("put back")


def test_what_was_added_in_haste_goes_with_one_key(page: Page) -> None:
    leads = LeadsPage(page).open()
    leads.quick_add("hello@no-such-company.com")
    expect(leads.rows).to_have_count(1)
    expect(page.locator(".toast")).to_contain_text("added.")

    page.locator("h1, .nav a").first.focus()
    page.keyboard.press("u")

    expect(leads.rows).to_have_count(0)
    expect(page.locator(".toast")).to_contain_text("moved to the bin.")


def test_what_somebody_changed_since_is_kept_and_named(page: Page, window: NewContext, idris: Person) -> None:
    lead = stone(page)
    his = window(idris).new_page()
    page.goto(f"/leads/{lead['id']}/edit")
    LeadForm(page).fill(city="Porto", job_title="Buyer").save()
    expect(page.locator(".toast")).to_contain_text("changed.")
    a_change(his, lead, city="Braga")

    page.locator(".toast").get_by_role("button", name="Undo").click()

    expect(page.locator(".toast")).to_contain_text("City kept: Idris Bello changed it since.")
    expect(LeadPanel(page).detail("City")).to_contain_text("Braga")


def test_an_operation_is_undone_beside_its_entry_with_and_without_a_script(any_page: Page) -> None:
    lead = stone(any_page)
    a_change(any_page, lead, city="Porto", stage="won")
    any_page.goto(f"/leads/{lead['id']}")
    panel = LeadPanel(any_page)

    panel.newest.get_by_role("button", name="Undo this").click()

    expect(panel.detail("City")).to_contain_text("Lisbon")
    expect(panel.newest).to_contain_text("put back")


def test_without_a_script_the_page_after_a_form_offers_undo(window: NewContext, rosa: Person) -> None:
    plain = window(rosa, script=False).new_page()
    lead = stone(plain)
    plain.goto(f"/leads/{lead['id']}/edit")
    LeadForm(plain).fill(city="Porto").save()
    notice = plain.locator(".undo-notice")

    notice.get_by_role("button", name="Undo").click()

    expect(LeadPanel(plain).detail("City")).to_contain_text("Lisbon")
    expect(notice.get_by_role("button", name="Redo")).to_be_visible()


def test_the_trail_of_everything_shows_what_an_undo_is_about_first(page: Page) -> None:
    lead = stone(page)
    a_change(page, lead, city="Porto")
    AuditPage(page).open("?action=UPDATE")

    page.get_by_role("link", name="Undo:").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Undo this change of 1 lead")
    page.get_by_role("button", name="Undo 1 lead").click()

    page.goto(f"/leads/{lead['id']}")
    expect(LeadPanel(page).detail("City")).to_contain_text("Lisbon")


def test_an_import_is_undone_but_for_what_somebody_edited_and_the_page_says_which(page: Page) -> None:
    undo_ended(page)

    expect(page.get_by_role("row", name="To the bin")).to_contain_text("209")
    expect(page.get_by_role("table").last).to_contain_text("Kept out of the bin: you changed stage since.")
    page.reload()
    expect(page.get_by_role("row", name="To the bin")).to_contain_text("209")
    page.get_by_role("link", name="See the leads").click()
    LeadsPage(page).shows("Lead 007")


def test_an_undo_that_runs_is_stopped_where_it_is_and_the_rest_asked_for(page: Page, server: RunningServer) -> None:
    middle = an_import_of_three_batches(page)
    job = page.locator("#job")

    page.get_by_role("link", name="Undo", exact=True).click()
    with server.holding(middle):
        page.get_by_role("button", name="Undo more than").click()
        stop = job.get_by_role("button", name="Stop")
        stop.focus()
        # It looks again each second, and the keys keep their place.
        for _ in range(2):
            with page.expect_response("**/undo/*"):
                pass
        expect(stop).to_be_focused()
        page.keyboard.press("Enter")
        expect(job.locator(".dot")).to_have_text("Stopping")

    expect(job.get_by_role("heading", level=1)).to_have_text(re.compile("^Undo of (500|1,000) of 1,010 leads$"))
    expect(job.get_by_role("button", name="Redo")).to_be_visible()
    job.get_by_role("button", name="Undo the rest").click()
    expect(job.get_by_role("heading", level=1)).to_have_text("Undo of 1,010 leads")
    LeadsPage(page).open("?deleted=true&q=Lead 1009").shows("Lead 1009")
