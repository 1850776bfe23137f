"""One key for each thing people do all day; silent while somebody types."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from e2e.given import a_lead, companies
from e2e.pages.lead_panel import LeadPanel
from e2e.pages.leads_page import LeadsPage


def test_n_adds_and_slash_searches(page: Page) -> None:
    leads = LeadsPage(page).open()

    page.keyboard.press("n")
    expect(leads.quick_field).to_be_focused()
    page.keyboard.type("n/?")
    expect(leads.quick_field).to_have_value("n/?")
    page.keyboard.press("Escape")
    page.keyboard.press("/")

    expect(leads.search_field).to_be_focused()
    expect(leads.search_field).to_have_value("")


def test_shift_enter_makes_a_line_and_enter_sends(page: Page) -> None:
    leads = LeadsPage(page).open()

    page.keyboard.press("n")
    page.keyboard.type("one@example.org")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two@example.org")
    expect(leads.quick_field).to_have_value("one@example.org\ntwo@example.org")
    page.keyboard.press("Enter")

    expect(leads.rows).to_have_count(2)


def test_j_and_k_move_and_enter_opens(page: Page) -> None:
    companies(page, ["Ahorn", "Baker Street", "Stone and Sons"])
    leads = LeadsPage(page).open()
    expect(leads.rows).to_have_count(3)

    page.keyboard.press("j")
    expect(leads.row("Stone and Sons").get_by_role("link").first).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(leads.row("Baker Street").get_by_role("link").first).to_be_focused()
    page.keyboard.press("Enter")

    LeadPanel(page).shows("Baker Street")


def test_e_edits_the_row_and_esc_leaves_it(page: Page) -> None:
    companies(page, ["Stone and Sons"])
    LeadsPage(page).open()
    panel = LeadPanel(page)

    page.keyboard.press("j")
    page.keyboard.press("e")
    panel.shows("Edit Stone and Sons")
    page.keyboard.press("Escape")

    panel.shows("Stone and Sons")


def test_hash_moves_the_row_to_the_bin_and_u_brings_it_back(page: Page) -> None:
    companies(page, ["Ahorn", "Stone and Sons"])
    leads = LeadsPage(page).open()

    page.keyboard.press("j")
    page.keyboard.press("#")
    leads.shows("Ahorn")
    expect(page.locator("#toasts")).to_contain_text("Stone and Sons moved to the bin.")
    page.keyboard.press("u")

    leads.shows("Stone and Sons", "Ahorn")


def test_r_enriches_the_row(page: Page) -> None:
    a_lead(page, domain="lumenstack.io", company_name="Lumenstack ApS")
    leads = LeadsPage(page).open()
    expect(leads.row("Lumenstack ApS")).to_contain_text("Pending")

    page.keyboard.press("j")
    page.keyboard.press("r")

    expect(leads.row("Lumenstack ApS")).to_contain_text("Completed")
    expect(leads.row("Lumenstack ApS")).to_contain_text("DK")


def test_f_opens_the_filter_and_esc_closes_it(page: Page) -> None:
    LeadsPage(page).open()
    menu = page.locator("#filter-menu")

    page.keyboard.press("f")
    expect(menu.get_by_role("checkbox").first).to_be_focused()
    page.keyboard.press("Escape")

    expect(menu.locator(".pop")).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()


def test_question_mark_lists_the_keys(page: Page) -> None:
    LeadsPage(page).open()

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/leads$"))


def test_the_first_tab_skips_to_the_content(any_page: Page) -> None:
    LeadsPage(any_page).open()

    any_page.keyboard.press("Tab")

    expect(any_page.get_by_role("link", name="Skip to content")).to_be_focused()
    expect(any_page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
