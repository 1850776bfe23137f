"""Everything by its name: pages, leads, what can be done with one, and adding what was typed."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from e2e.conftest import NewContext
from e2e.given import a_lead, companies
from e2e.pages.lead_panel import LeadPanel
from e2e.pages.leads_page import LeadsPage
from e2e.pages.palette import Palette
from e2e.people import Person


def test_a_page_is_found_by_the_beginning_of_its_words_and_is_first_the_next_time(page: Page) -> None:
    page.goto("/settings")

    Palette(page).open().choose("impo", "Import")

    expect(page).to_have_title("Import leads · Lead Explorer")
    palette = Palette(page).open()
    expect(palette.dialog.get_by_role("group", name="Recent").get_by_role("option")).to_contain_text(["Import"])
    expect(palette.selected()).to_contain_text("Import")


def test_arrows_home_and_end_walk_and_esc_gives_the_focus_back(page: Page) -> None:
    companies(page, ["Ahorn", "Stone and Sons"])
    leads = LeadsPage(page).open()
    page.keyboard.press("j")
    palette = Palette(page).open()

    for key, place in (("ArrowDown", 1), ("End", -1), ("ArrowDown", 0), ("ArrowUp", -1), ("Home", 0)):
        page.keyboard.press(key)
        expect(palette.options.nth(place)).to_have_attribute("aria-selected", "true")
        expect(palette.field).to_have_attribute(
            "aria-activedescendant", palette.options.nth(place).get_attribute("id") or ""
        )
    expect(palette.selected()).to_have_count(1)
    page.keyboard.press("Escape")

    expect(palette.dialog).to_be_hidden()
    expect(leads.row("Stone and Sons").get_by_role("link").first).to_be_focused()


def test_a_lead_is_found_as_one_types_and_opens_beside_the_table(page: Page) -> None:
    companies(page, ["Ahorn", "Baker Street", "Stone and Sons"])
    LeadsPage(page).open()

    Palette(page).open().choose("baker", "Baker Street")

    LeadPanel(page).shows("Baker Street")
    expect(page.locator("#drawer")).to_be_visible()


def test_what_can_be_done_is_done_with_the_lead_the_keys_stand_on(page: Page) -> None:
    companies(page, ["Ahorn", "Stone and Sons"])
    leads = LeadsPage(page).open()
    page.keyboard.press("j")

    Palette(page).open().choose("won", "Set stage to Won")

    expect(leads.row("Stone and Sons")).to_contain_text("Won")
    expect(leads.row("Ahorn")).not_to_contain_text("Won")
    Palette(page).open().choose("bin move", "Move to bin")
    leads.shows("Ahorn")
    Palette(page).open().choose("undo", "Undo")
    leads.shows("Stone and Sons", "Ahorn")


def test_s_offers_the_stages_of_the_lead_on_its_page(page: Page) -> None:
    lead = a_lead(page, company_name="Ahorn", domain="ahorn.example.com")
    page.goto(f"/leads/{lead['id']}")
    palette = Palette(page)

    page.keyboard.press("s")
    expect(palette.options).to_have_text([f"Set stage to {word}" for word in ("Contacted", "Qualified", "Won", "Lost")])
    page.keyboard.type("lo")
    expect(palette.selected()).to_have_text("Set stage to Lost")
    page.keyboard.press("Enter")

    expect(palette.dialog).to_be_hidden()
    expect(LeadPanel(page).panel.locator(".dot[data-stage=lost]").first).to_be_visible()


def test_what_was_typed_is_added_from_any_page(page: Page) -> None:
    page.goto("/settings")

    Palette(page).open().choose("acme-of-nowhere.com", "Add “acme-of-nowhere.com”")

    expect(LeadsPage(page).row("acme-of-nowhere.com")).to_be_visible()


def test_enter_before_the_answer_chooses_from_the_answer_and_answers_come_in_order(page: Page) -> None:
    companies(page, ["Ahorn"])
    LeadsPage(page).open()
    Palette(page).open()
    held: list[Route] = []

    def never_answers(route: Route) -> None:
        held.append(route)

    page.route("**/palette?q=set*", never_answers)

    with page.expect_request("**/palette?q=set*"):
        page.keyboard.type("set")
    page.keyboard.press("Control+a")
    page.keyboard.type("audit")
    page.keyboard.press("Enter")

    expect(page).to_have_title("Audit trail · Lead Explorer")
    assert len(held) == 1


def test_the_selection_has_its_own_actions(page: Page) -> None:
    companies(page, ["Ahorn", "Stone and Sons"])
    leads = LeadsPage(page).open()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")

    palette = Palette(page).open()

    group = palette.dialog.get_by_role("group", name="2 selected")
    expect(group.get_by_role("option", name="Move to bin")).to_have_text("Move to bin")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    page.keyboard.type("won")
    expect(palette.selected()).to_have_text("Set stage: Won")
    page.keyboard.press("Enter")

    expect(leads.row("Ahorn")).to_contain_text("Won")
    expect(leads.row("Stone and Sons")).to_contain_text("Won")


def test_without_a_script_it_is_a_page(window: NewContext, rosa: Person, page: Page) -> None:
    companies(page, ["Ahorn", "Baker Street"])
    plain = window(rosa, script=False).new_page()
    plain.goto("/settings")

    plain.get_by_role("link", name="Search everything").click()
    plain.get_by_role("searchbox", name="Search leads").fill("baker")
    plain.get_by_role("button", name="Search").click()
    plain.get_by_role("link", name="Baker Street").click()

    LeadPanel(plain).shows("Baker Street")
