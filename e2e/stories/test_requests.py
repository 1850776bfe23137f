"""What left the house for a lead: beside it when it is opened, on a page without a script, as a file."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from e2e.conftest import NewContext
from e2e.given import a_lead
from e2e.pages.lead_panel import LeadPanel
from e2e.pages.leads_page import LeadsPage
from e2e.people import Person


def a_looked_up_lead(page: Page) -> LeadsPage:
    a_lead(page, domain="lumenstack.io", company_name="Lumenstack", enrich=True)
    leads = LeadsPage(page).open()
    expect(leads.row("Lumenstack")).to_contain_text("Completed")
    return leads


def table(page: Page) -> Locator:
    return page.get_by_role("region", name="What left the house, as a table")


def said(page: Page) -> None:
    """Whom it asked, for what, and what came back."""
    home = table(page).get_by_role("row").filter(has_text=re.compile("https://lumenstack.io/ "))
    expect(home).to_contain_text("200 OK")
    expect(home).to_contain_text("website")
    expect(table(page).get_by_role("row").filter(has_text="the mail servers of lumenstack.io")).to_contain_text("dns")


def test_it_is_fetched_when_it_is_opened_and_can_be_taken_along(page: Page) -> None:
    leads = a_looked_up_lead(page)
    leads.open_lead("Lumenstack")
    panel = LeadPanel(page)
    panel.shows("Lumenstack")
    expect(table(page)).to_have_count(0)

    panel.panel.locator("summary", has_text="What left the house").click()
    said(page)
    with page.expect_download() as taken:
        panel.panel.get_by_role("link", name="Export").click()

    file = Path(taken.value.path()).read_text("utf-8")
    assert "https://lumenstack.io/" in file
    assert taken.value.suggested_filename.startswith("requests-")


def test_it_stays_open_and_is_fetched_again_when_the_lead_changes(page: Page) -> None:
    leads = a_looked_up_lead(page)
    leads.open_lead("Lumenstack")
    panel = LeadPanel(page)
    panel.panel.locator("summary", has_text="What left the house").click()
    said(page)

    panel.set_stage("Won")
    expect(panel.newest).to_contain_text("Won")

    said(page)


def test_without_a_script_it_is_a_page(window: NewContext, rosa: Person, page: Page) -> None:
    a_looked_up_lead(page)
    plain = window(rosa, script=False).new_page()
    LeadsPage(plain, script=False).open().open_lead("Lumenstack")

    plain.locator("summary", has_text="What left the house").click()
    plain.get_by_role("link", name="Every request that was made for this lead").click()

    expect(plain.get_by_role("heading", level=1)).to_have_text("What left the house for Lumenstack")
    said(plain)
