"""The table works as each person wants it, and its cells are changed where they stand."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from e2e.conftest import NewContext
from e2e.faults import Faults
from e2e.given import a_lead
from e2e.pages.table_page import TablePage
from e2e.people import Person

STONE = {"email": "mara@bitwarden.com", "company_name": "Bitwarden", "contact_name": "Mara Stone", "city": "Porto"}


def test_chosen_columns_stay_on_every_device(any_page: Page, script: bool, window: NewContext, rosa: Person) -> None:
    a_lead(any_page, **STONE)
    table = TablePage(any_page, script=script).open()
    menu = table.choose_columns()
    for label in ("Domain", "Enrichment", "Source"):
        menu.get_by_label(label, exact=True).uncheck()
    menu.get_by_label("City", exact=True).check()
    before = table.width("stage")
    menu.get_by_role("combobox", name="Width of Stage").select_option("Wide")
    if not script:
        menu.get_by_role("button", name="Save").click()
    table.columns("Company", "Contact", "Email", "Stage", "Country", "Added", "City")

    if not script:
        table.choose_columns()
    menu.get_by_role("button", name="Move City to the left").click()

    table.columns("Company", "Contact", "Email", "Stage", "Country", "City", "Added")
    expect(table.cell("Bitwarden", "city")).to_have_text("Porto")
    elsewhere = TablePage(window(rosa).new_page()).open()
    elsewhere.columns("Company", "Contact", "Email", "Stage", "Country", "City", "Added")
    assert elsewhere.width("stage") > before * 1.4
    elsewhere.choose_columns().get_by_role("button", name="Standard columns").click()
    elsewhere.columns("Company", "Domain", "Contact", "Email", "Stage", "Enrichment", "Country", "Source", "Added")


def test_a_column_is_as_wide_as_it_was_dragged_or_moved_with_the_arrows(page: Page) -> None:
    a_lead(page, **STONE)
    table = TablePage(page).open()
    before = table.width("email")
    box = table.edge("Email").bounding_box()
    assert box
    with page.expect_response("**/leads/columns"):
        page.mouse.move(box["x"] + 4, box["y"] + 8)
        page.mouse.down()
        page.mouse.move(box["x"] + 44, box["y"] + 8, steps=4)
        page.mouse.up()
    expect(page.locator(".sheet.own")).to_be_visible()
    page.reload()
    assert abs(table.width("email") - before - 40) <= 2

    with page.expect_response("**/leads/columns"):
        table.edge("Stage").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
    expect(table.edge("Stage")).to_be_focused()
    page.reload()
    assert int(table.edge("Stage").get_attribute("aria-valuenow") or 0) == round(table.width("stage"))


def test_a_column_is_taken_by_its_head_and_put_down_elsewhere(page: Page) -> None:
    a_lead(page, **STONE)
    table = TablePage(page).open()
    table.drag("email", before="domain")
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator(".drop-line")).to_have_count(0)

    table.drag("email", before="domain")
    with page.expect_response("**/leads/columns"):
        page.mouse.up()

    table.columns("Company", "Email", "Domain", "Contact", "Stage", "Enrichment", "Country", "Source", "Added")
    expect(page).to_have_url(re.compile("/leads$"))


def test_cells_are_reached_and_changed_with_the_keyboard_alone(page: Page) -> None:
    a_lead(page, **STONE)
    table = TablePage(page).open()
    page.keyboard.press("j")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(table.cell("Bitwarden", "contact")).to_be_focused()

    page.keyboard.press("Enter")
    page.keyboard.type("Mara Lind")
    page.keyboard.press("Tab")
    page.keyboard.type("mara.lind@bitwarden.com")
    page.keyboard.press("Enter")

    expect(table.cell("Bitwarden", "email")).to_have_text("mara.lind@bitwarden.com")
    expect(table.cell("Bitwarden", "email")).to_be_focused()
    expect(table.cell("Bitwarden", "contact")).to_have_text("Mara Lind")
    page.keyboard.press("u")
    expect(table.cell("Bitwarden", "email")).to_have_text("mara@bitwarden.com")
    expect(table.cell("Bitwarden", "email")).to_be_focused()


def test_esc_gives_up_and_shift_tab_goes_back(page: Page) -> None:
    a_lead(page, **STONE)
    table = TablePage(page).open()
    table.cell("Bitwarden", "email").dblclick()
    expect(table.editor("Email of Bitwarden")).to_have_value("mara@bitwarden.com")
    page.keyboard.press("Shift+Tab")
    expect(table.editor("Contact of Bitwarden")).to_be_focused()
    page.keyboard.type("Nobody")
    page.keyboard.press("Escape")

    expect(table.cell("Bitwarden", "contact")).to_have_text("Mara Stone")
    expect(table.cell("Bitwarden", "contact")).to_be_focused()
    expect(page.locator("#toasts")).to_be_empty()


def test_what_is_not_valid_is_said_under_the_cell_and_stays_typed(page: Page) -> None:
    a_lead(page, **STONE)
    a_lead(page, email="idris@other.com", company_name="Other")
    table = TablePage(page).open()
    table.cell("Bitwarden", "email").dblclick()
    page.keyboard.type("mara@bitwarden")
    page.keyboard.press("Enter")
    expect(table.problem()).to_be_visible()
    expect(table.editor("Email of Bitwarden")).to_have_value("mara@bitwarden")
    expect(table.editor("Email of Bitwarden")).to_be_focused()

    table.editor("Email of Bitwarden").fill("idris@other.com")
    page.keyboard.press("Enter")

    expect(table.problem()).to_contain_text("idris@other.com is already a lead.")
    table.problem().get_by_role("link", name="Open Other").click()
    expect(page.locator("#lead-name")).to_have_text("Other")
    expect(table.editor("Email of Bitwarden")).to_have_value("idris@other.com")


def test_a_conflict_shows_both_values_and_who_was_first(page: Page, window: NewContext, idris: Person) -> None:
    a_lead(page, **STONE)
    table = TablePage(page).open()
    table.cell("Bitwarden", "contact").dblclick()
    page.keyboard.type("Mara Lindqvist")
    theirs = TablePage(window(idris).new_page()).open()
    theirs.cell("Bitwarden", "contact").dblclick()
    theirs.page.keyboard.type("M. Stone")
    theirs.page.keyboard.press("Enter")
    expect(theirs.cell("Bitwarden", "contact")).to_have_text("M. Stone")
    expect(page.locator("#status")).to_have_text("1 lead changed.")

    expect(table.editor("Contact of Bitwarden")).to_have_value("Mara Lindqvist")
    page.keyboard.press("Enter")

    expect(table.problem()).to_contain_text("Idris Bello changed Bitwarden first.")
    expect(table.problem().locator("dd")).to_have_text(["M. Stone", "Mara Lindqvist"])
    page.get_by_role("button", name="Keep mine").click()
    expect(table.cell("Bitwarden", "contact")).to_have_text("Mara Lindqvist")
    expect(theirs.cell("Bitwarden", "contact")).to_have_text("Mara Lindqvist")


def test_a_row_in_work_outlives_that_it_leaves_the_list(page: Page, window: NewContext, idris: Person) -> None:
    a_lead(page, **STONE, stage="new")
    a_lead(page, email="ana@ahorn.de", company_name="Ahorn")
    table = TablePage(page).open("?stage=new")
    table.cell("Bitwarden", "contact").dblclick()
    page.keyboard.type("Mara Lindqvist")
    theirs = TablePage(window(idris).new_page()).open()
    theirs.cell("Bitwarden", "stage").dblclick()
    theirs.editor("Stage of Bitwarden").select_option("won")
    theirs.page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_text("1 lead changed.")

    expect(table.editor("Contact of Bitwarden")).to_be_focused()
    page.keyboard.press("Enter")

    table.shows("Ahorn")
    expect(theirs.cell("Bitwarden", "contact")).to_have_text("Mara Lindqvist")


def test_a_change_without_a_connection_waits_and_is_sent_when_it_is_back(page: Page, faults: Faults) -> None:
    a_lead(page, **STONE)
    table = TablePage(page).open()
    table.cell("Bitwarden", "email").dblclick()
    page.keyboard.type("mara.lind@bitwarden.com")
    page.route("**/cell", lambda route: route.abort())
    page.keyboard.press("Enter")
    expect(table.problem()).to_contain_text("No connection.")
    page.unroute("**/cell")

    page.evaluate("dispatchEvent(new Event('online'))")

    expect(table.cell("Bitwarden", "email")).to_have_text("mara.lind@bitwarden.com")
    _was_cut_off(faults)


def test_without_a_connection_the_page_says_since_when_and_can_try_again_at_once(page: Page, faults: Faults) -> None:
    a_lead(page, **STONE)
    for address in ("**/events", "**/cell"):
        page.route(address, lambda route: route.abort())
    table = TablePage(page).open()
    table.cell("Bitwarden", "email").dblclick()
    page.keyboard.type("mara.lind@bitwarden.com")
    page.keyboard.press("Enter")
    expect(table.problem()).to_contain_text("No connection.")
    strip = page.get_by_role("status").filter(has_text="No connection since")
    expect(strip).to_contain_text("You can read on; a cell you change waits and is sent when it is back.")
    page.unroute("**/events")
    page.unroute("**/cell")

    strip.get_by_role("button", name="Try now").click()

    expect(table.cell("Bitwarden", "email")).to_have_text("mara.lind@bitwarden.com")
    expect(strip).to_be_hidden()
    _was_cut_off(faults)


def test_stage_owner_and_follow_up_are_one_key_away_and_work_without_a_script(any_page: Page, script: bool) -> None:
    a_lead(any_page, **STONE)
    table = TablePage(any_page, script=script).open()
    menu = table.choose_columns()
    menu.get_by_label("Owner", exact=True).check()
    menu.get_by_label("Follow up", exact=True).check()
    if script:
        table.columns(
            "Company",
            "Domain",
            "Contact",
            "Email",
            "Stage",
            "Enrichment",
            "Country",
            "Source",
            "Added",
            "Owner",
            "Follow up",
        )
        any_page.keyboard.press("Escape")
    else:
        menu.get_by_role("button", name="Save").click()

    for button in ("Won", "Assign to me", "Tomorrow"):
        if script:
            table.names().first.focus()
            any_page.keyboard.press("s")
        else:
            any_page.goto("/leads")
            table.row("Bitwarden").get_by_role("link", name="Actions for Bitwarden").click()
        table.actions.get_by_role("button", name=button, exact=True).click()
        if script:
            expect(table.actions).to_be_hidden()

    expect(table.cell("Bitwarden", "stage")).to_have_text("Won")
    expect(table.cell("Bitwarden", "owner")).to_have_text("Rosa Engel")
    expect(table.cell("Bitwarden", "follow_up")).to_have_text("Tomorrow")


def test_a_list_that_cannot_be_read_says_so_in_its_place(page: Page, faults: Faults) -> None:
    a_lead(page, **STONE)
    table = TablePage(page).open()
    page.route("**/leads?sort=*", lambda route: route.abort())
    table.sort_by("Company")
    notice = page.get_by_role("alert").filter(has_text="The list could not be read")
    expect(notice).to_be_visible()
    page.unroute("**/leads?sort=*")

    notice.get_by_role("button", name="Try again").click()

    expect(page.get_by_role("columnheader", name="Company")).to_have_attribute("aria-sort", "ascending")
    expect(notice).to_have_count(0)
    _was_cut_off(faults)


def _was_cut_off(faults: Faults) -> None:
    """The browser's own words for what the story did, and nothing else."""
    assert all("net::ERR_FAILED" in seen or "Failed to fetch" in seen for seen in faults.seen), faults.seen
    faults.seen.clear()
