"""What comes out of the printer: black on white, without bars, and what one was looking at."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from e2e.given import a_lead, companies
from e2e.pages.lead_panel import LeadPanel
from e2e.pages.leads_page import LeadsPage


def test_a_list_prints_its_leads_and_says_what_they_are(page: Page) -> None:
    companies(page, ["Ahorn", "Baker Street"], stage="won")
    leads = LeadsPage(page).open("?stage=won")

    page.emulate_media(media="print", color_scheme="dark")

    leads.shows("Baker Street", "Ahorn")
    expect(page.get_by_role("heading", name="Leads", level=1)).to_be_in_viewport()
    expect(page.locator(".chip").first).to_contain_text("Won")
    expect(page.locator(".pager")).to_contain_text("2 leads match")
    for bar in (".top", ".tools", ".bulk", "#filter-menu", ".c-check >> nth=0"):
        expect(page.locator(bar)).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(10, 10, 10)"


def test_the_lead_in_the_drawer_prints_instead_of_the_table(page: Page) -> None:
    companies(page, ["Ahorn"])
    a_lead(page, company_name="Stone and Sons", domain="stone.example.com", city="Lisbon")
    leads = LeadsPage(page).open()
    leads.open_lead("Stone and Sons")
    LeadPanel(page).shows("Stone and Sons")

    page.emulate_media(media="print")

    expect(LeadPanel(page).panel.get_by_text("Lisbon").first).to_be_visible()
    expect(page.locator("table.leads")).to_be_hidden()
    expect(page.locator(".drawer-bar")).to_be_hidden()
