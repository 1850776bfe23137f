"""What somebody may not do is not offered, and nothing they read is missing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.conftest import NewContext
from e2e.given import a_lead
from e2e.pages.lead_panel import LeadPanel
from e2e.pages.leads_page import LeadsPage
from e2e.people import Person, arrive
from e2e.server import RunningServer


@pytest.fixture(scope="module")
def vera(browser: Browser, server: RunningServer, rosa: Person) -> Person:
    """Somebody who only reads."""
    link = server.leads("user", "add", "vera@example.com", "--name", "Vera", "--role", "viewer")["sign_in_link"]
    return arrive(browser, link, "Vera", "vera@example.com")


def test_a_viewer_reads_everything_and_is_offered_no_change(
    window: NewContext, vera: Person, page: Page, script: bool
) -> None:
    lead = a_lead(page, email="mara@example.org", company_name="Stone and Sons", city="Lisbon")
    hers = window(vera, script=script).new_page()
    leads = LeadsPage(hers, script=script).open()

    expect(leads.quick_field).to_have_count(0)
    expect(hers.get_by_role("link", name="New lead")).to_have_count(0)
    leads.open_lead("Stone and Sons")
    panel = LeadPanel(hers)
    panel.shows("Stone and Sons")
    expect(panel.detail("City")).to_have_text("Lisbon")
    expect(panel.panel.get_by_role("button")).to_have_count(0)
    expect(panel.newest.locator(".where")).not_to_contain_text("127.0.0.1")
    hers.goto(f"/leads/{lead['id']}/edit")
    expect(hers.locator("main")).to_contain_text("Your role does not allow this.")


def test_a_viewer_s_keys_change_nothing(window: NewContext, vera: Person, page: Page) -> None:
    a_lead(page, email="mara@example.org", company_name="Stone and Sons")
    hers = window(vera).new_page()
    leads = LeadsPage(hers).open()

    hers.keyboard.press("n")
    hers.keyboard.press("j")
    hers.keyboard.press("#")

    expect(hers.locator("#toasts")).to_contain_text("You are not allowed to do this")
    leads.open().shows("Stone and Sons")
