"""One key for each thing people do all day; silent while somebody types."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from e2e.conftest import NewContext
from e2e.given import a_lead, companies
from e2e.pages.lead_panel import LeadPanel
from e2e.pages.leads_page import LeadsPage
from e2e.pages.palette import Palette
from e2e.people import Person

FURTHEST = 60


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


def test_g_and_a_letter_go_to_a_page(page: Page) -> None:
    LeadsPage(page).open()

    for letter, title in (("a", "Audit trail"), ("i", "Import leads"), ("s", "Profile · Settings"), ("l", "Leads")):
        page.keyboard.press("g")
        page.keyboard.press(letter)
        expect(page).to_have_title(f"{title} · Lead Explorer")


def test_a_key_that_is_held_down_acts_once(page: Page) -> None:
    companies(page, ["Ahorn"])
    leads = LeadsPage(page).open()

    page.keyboard.press("j")
    for _ in range(4):
        page.keyboard.down("x")
    page.keyboard.up("x")

    expect(leads.row("Ahorn").get_by_role("checkbox")).to_be_checked()


def test_keys_are_silent_in_dialogs_while_a_letter_is_composed_and_with_a_modifier(page: Page) -> None:
    leads = LeadsPage(page).open()
    compose = "document.dispatchEvent(new KeyboardEvent('keydown', { key: 'n', bubbles: true, isComposing: true }))"

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("n")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.evaluate(compose.replace("document.d", "document.body.d"))
    page.keyboard.press("Alt+n")

    expect(leads.quick_field).not_to_be_focused()


def test_single_keys_can_be_switched_off_and_on_again(page: Page) -> None:
    page.goto("/settings/keyboard")
    page.get_by_label("Single keys act").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".notice")).to_contain_text("Saved.")
    leads = LeadsPage(page).open()

    for key in ("n", "?", "g", "a"):
        page.keyboard.press(key)
    expect(leads.quick_field).not_to_be_focused()
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/leads$"))
    Palette(page).open().choose("keys", "Keys")
    expect(page.get_by_role("dialog", name="Keyboard")).to_contain_text("Single keys are off.")
    page.goto("/settings/keyboard")
    page.get_by_label("Single keys act").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".notice")).to_contain_text("Saved.")
    page.keyboard.press("?")

    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()


@pytest.mark.parametrize("single_keys", [True, False], ids=["single keys", "by name"])
def test_a_day_by_keyboard_alone(window: NewContext, rosa: Person, page: Page, *, single_keys: bool) -> None:
    """Sign in, add, filter, edit, read the trail, delete and undo, without a mouse."""
    page.context.request.post("/settings/keyboard", form={"single_keys": "true" if single_keys else "false"})
    hers = window().new_page()

    def do(keys: str, typed: str, name: str) -> None:
        if single_keys:
            for key in keys.split(" "):
                hers.keyboard.press(key)
        else:
            Palette(hers).open().choose(typed, name)

    leads, panel = LeadsPage(hers), LeadPanel(hers)
    hers.goto("/sign-in")
    for label, text in (("Email", rosa.email), ("Password", rosa.password)):
        _tab_to(hers.get_by_label(label))
        hers.keyboard.type(text)
    hers.keyboard.press("Enter")
    expect(hers).to_have_title("Leads · Lead Explorer")

    do("n", "add a", "Add a lead")
    hers.keyboard.type("Mara Lindqvist <mara@example.org>")
    hers.keyboard.press("Enter")
    expect(leads.row("Mara Lindqvist")).to_be_visible()
    hers.keyboard.press("Escape")
    do("/", "search the", "Search the table")
    hers.keyboard.type("mara")
    expect(hers).to_have_url(re.compile(r"q=mara"))
    _tab_to(leads.row("Mara Lindqvist").get_by_role("link").first)
    hers.keyboard.press("Enter")
    panel.shows("example.org")
    _tab_to(panel.panel.get_by_role("link", name="Add City"))
    hers.keyboard.press("Enter")
    expect(hers.get_by_role("textbox", name="City")).to_be_focused()
    hers.keyboard.type("Porto")
    hers.keyboard.press("Enter")
    expect(panel.detail("City")).to_contain_text("Porto")
    expect(panel.trail.first).to_contain_text("Porto")
    do("#", "move to bin", "Move to bin")
    expect(leads.rows).to_have_count(0)
    do("u", "undo", "Undo")

    expect(leads.rows).to_have_count(1)
    do("g a", "audit", "Audit")
    expect(hers).to_have_title("Audit trail · Lead Explorer")


def _tab_to(wanted: Locator) -> None:
    """Tab after Tab, as somebody without a mouse gets there."""
    for _ in range(FURTHEST):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        wanted.page.keyboard.press("Tab")
    raise AssertionError(f"{FURTHEST} times Tab do not lead there")
