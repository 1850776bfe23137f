"""A lead beside the table: opened, walked, closed, always in the address."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from e2e.given import a_lead, companies
from e2e.pages.lead_panel import LeadPanel
from e2e.pages.leads_page import LeadsPage


def test_the_drawer_opens_over_the_table_and_esc_gives_the_focus_back(page: Page) -> None:
    companies(page, ["Ahorn", "Stone and Sons"])
    leads = LeadsPage(page).open()

    leads.open_lead("Stone and Sons")

    panel = LeadPanel(page)
    panel.shows("Stone and Sons")
    expect(panel.drawer).to_be_visible()
    expect(panel.name).to_be_focused()
    expect(leads.rows).to_have_count(2)
    expect(page).to_have_url(re.compile(r"/leads/[0-9a-f-]{36}$"))
    expect(page).to_have_title("Stone and Sons · Lead Explorer")
    page.keyboard.press("Escape")
    expect(panel.drawer).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/leads$"))
    expect(page).to_have_title("Leads · Lead Explorer")
    expect(leads.row("Stone and Sons").get_by_role("link").first).to_be_focused()


def test_j_and_k_walk_on_while_the_drawer_is_open(page: Page) -> None:
    companies(page, ["Ahorn", "Baker Street", "Stone and Sons"])
    LeadsPage(page).open().open_lead("Stone and Sons")
    panel = LeadPanel(page)
    panel.shows("Stone and Sons")

    page.keyboard.press("j")
    panel.shows("Baker Street")
    page.keyboard.press("j")
    panel.shows("Ahorn")
    page.keyboard.press("k")

    panel.shows("Baker Street")
    expect(LeadsPage(page).row("Baker Street")).to_have_attribute("aria-current", "true")


def test_one_step_back_closes_the_drawer_however_far_one_walked(page: Page) -> None:
    companies(page, ["Ahorn", "Baker Street", "Stone and Sons"])
    leads = LeadsPage(page).open("?sort=company_name")
    leads.open_lead("Ahorn")
    panel = LeadPanel(page)
    panel.shows("Ahorn")
    page.get_by_role("button", name="Next lead (j)").click()
    panel.shows("Baker Street")

    page.go_back()

    expect(panel.drawer).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/leads\?sort=company_name$"))
    leads.shows("Ahorn", "Baker Street", "Stone and Sons")


def test_the_address_of_a_drawer_is_the_lead_s_page(page: Page) -> None:
    companies(page, ["Stone and Sons"])
    LeadsPage(page).open().open_lead("Stone and Sons")
    LeadPanel(page).shows("Stone and Sons")

    page.reload()

    LeadPanel(page).shows("Stone and Sons")
    expect(page.locator("#drawer")).to_have_count(0)


def test_an_edit_in_the_drawer_is_seen_in_the_table_behind_it(page: Page) -> None:
    a_lead(page, email="mara@example.org", company_name="Stone and Sons", contact_name="Mara")
    leads = LeadsPage(page).open()
    leads.open_lead("Stone and Sons")
    panel = LeadPanel(page)

    panel.edit()
    panel.panel.get_by_label("Contact", exact=True).fill("Maria")
    panel.press("Save lead")

    panel.shows("Stone and Sons")
    expect(panel.drawer).to_be_visible()
    expect(leads.row("Stone and Sons")).to_contain_text("Maria")


def test_every_entry_of_the_trail_says_who_what_whence_and_when(page: Page) -> None:
    lead = a_lead(page, email="mara@example.org", company_name="Stone and Sons")
    page.goto(f"/leads/{lead['id']}")
    panel = LeadPanel(page)
    panel.set_stage("Contacted")
    expect(panel.trail).to_have_count(2)

    page.reload()

    expect(panel.newest).to_contain_text("You changed stage from New to Contacted")
    expect(panel.newest).to_contain_text("just now")
    expect(panel.newest.locator(".where")).to_contain_text("Web")
    expect(panel.newest.locator(".where")).to_contain_text("127.0.0.1")
    expect(panel.trail.last).to_contain_text("You")
    expect(panel.trail.last.locator(".where")).to_contain_text("API")
