"""A lead's past: read, filtered, gone back to, put back; and the seal that says whether to believe it."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from e2e.axe import scrolls_sideways, violations
from e2e.conftest import NewContext
from e2e.given import a_change, a_lead
from e2e.pages.lead_panel import LeadPanel
from e2e.pages.leads_page import LeadsPage
from e2e.pages.trail_panel import TrailPanel
from e2e.people import Person, arrive
from e2e.server import RunningServer

STONE = {"email": "mara@example.org", "company_name": "Stone and Sons", "city": "Lisbon"}
ADDED = "You added it through the API"
MOVED = "You changed stage from New to Won"
EDITED = "You changed phone and city"


@pytest.fixture
def stone(page: Page) -> dict[str, Any]:
    """A lead of three entries: added, moved to Won, phone and city changed."""
    lead = a_lead(page, **STONE)
    a_change(page, lead, stage="won")
    return a_change(page, lead, city="Porto", phone="+351210000000")


def sealed(page: Page, lead: dict[str, Any]) -> TrailPanel:
    """The lead's trail, once a checkpoint covers all of it. Without a script one has to look again."""
    trail = TrailPanel(page)

    def is_sealed() -> None:
        trail.open(lead)
        expect(trail.pill).to_contain_text("Sealed up to checkpoint", timeout=1_000)

    for _ in range(10):
        with suppress(AssertionError):
            is_sealed()
            return trail
    is_sealed()
    return trail


@pytest.fixture(scope="module")
def nora(browser: Browser, server: RunningServer, rosa: Person) -> Person:
    """Somebody who only reads."""
    link = server.leads("user", "add", "nora@example.com", "--name", "Nora", "--role", "viewer")["sign_in_link"]
    return arrive(browser, link, "Nora", "nora@example.com")


def test_the_trail_is_filtered_and_the_chips_take_the_filters_away(any_page: Page, stone: dict[str, Any]) -> None:
    trail = TrailPanel(any_page).open(stone)
    trail.says(EDITED, MOVED, ADDED)

    trail.filter("Field", "Stage")
    trail.says(MOVED, ADDED)
    trail.filter("What", "Changed")
    trail.says(MOVED)
    expect(any_page).to_have_url(re.compile(r"\?action=UPDATE&field=stage$"))
    trail.chips.get_by_role("link", name="Remove filter: Field is Stage").click()
    trail.says(EDITED, MOVED)
    trail.panel.get_by_role("link", name="Clear the trail's filters").click()

    trail.says(EDITED, MOVED, ADDED)
    any_page.reload()
    trail.says(EDITED, MOVED, ADDED)


def test_the_filters_work_in_the_drawer_and_it_stays_open(page: Page, stone: dict[str, Any]) -> None:
    LeadsPage(page).open().open_lead("Stone and Sons")
    trail = TrailPanel(page)

    trail.filter("Field", "City")

    trail.says(EDITED, ADDED)
    expect(page.locator("#drawer")).to_be_visible()
    expect(page.get_by_role("heading", name="Trail")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()


def test_a_value_is_put_back_and_that_can_be_undone(any_page: Page, script: bool, stone: dict[str, Any]) -> None:
    trail = TrailPanel(any_page).open(stone)

    trail.put_back("city: Lisbon")

    expect(LeadPanel(any_page).detail("City")).to_contain_text("Lisbon")
    trail.says("You put back city", EDITED, MOVED, ADDED)
    said = trail.toast if script else trail.notice
    expect(said).to_contain_text("City is Lisbon again.")
    said.get_by_role("button", name="Undo").click()
    expect(LeadPanel(any_page).detail("City")).to_contain_text("Porto")
    trail.says("You put back city", "You put back city", EDITED, MOVED, ADDED)


def test_a_lead_is_put_back_to_an_entry(any_page: Page, script: bool, stone: dict[str, Any]) -> None:
    trail = TrailPanel(any_page).open(stone)

    trail.put_back_to(1)

    trail.says("You put back phone, city and stage", EDITED, MOVED, ADDED)
    expect(any_page.locator(".facts-line")).to_contain_text("New")
    expect(trail.toast if script else trail.notice).to_contain_text("Put back phone, city and stage.")


def test_the_time_machine_shows_each_moment_and_what_is_different_today(any_page: Page, stone: dict[str, Any]) -> None:
    trail = TrailPanel(any_page).open(stone)

    trail.as_it_stood(2)

    expect(trail.notice).to_contain_text(MOVED)
    expect(trail.notice).to_contain_text("2 fields are different today.")
    expect(trail.then("City")).to_contain_text("Lisbon")
    expect(trail.then("City")).to_contain_text("Today: Porto")
    expect(trail.then("Stage")).not_to_contain_text("Today")
    trail.panel.get_by_role("link", name="Entry 1", exact=True).click()
    expect(trail.then("Stage")).to_contain_text("Today: Won")
    trail.panel.get_by_role("link", name="Entry 2", exact=True).click()
    trail.panel.get_by_role("link", name="Entry 3", exact=True).click()
    expect(trail.notice).to_contain_text("Nothing is different today.")
    trail.panel.get_by_role("link", name="Back to today").click()
    LeadPanel(any_page).shows("Stone and Sons")


def test_a_value_is_put_back_from_the_time_machine(any_page: Page, stone: dict[str, Any]) -> None:
    trail = TrailPanel(any_page).open(stone, "?at=1")

    trail.then("City").get_by_role("button").click()

    LeadPanel(any_page).shows("Stone and Sons")
    expect(LeadPanel(any_page).detail("City")).to_contain_text("Lisbon")
    expect(any_page).to_have_url(re.compile(rf"/leads/{stone['id']}(\?reverted=4)?$"))


def test_the_time_machine_opens_in_the_drawer_and_esc_leads_back_to_today(page: Page, stone: dict[str, Any]) -> None:
    LeadsPage(page).open().open_lead("Stone and Sons")
    trail = TrailPanel(page)

    trail.as_it_stood(1)

    expect(page.locator("#lead-name")).to_be_focused()
    expect(page.locator("#drawer")).to_be_visible()
    page.keyboard.press("Escape")
    LeadPanel(page).shows("Stone and Sons")
    expect(page.locator("#drawer")).to_be_visible()


def test_a_change_by_somebody_else_does_not_end_the_look_back(page: Page, stone: dict[str, Any]) -> None:
    trail = TrailPanel(page).open(stone, "?at=1")
    expect(trail.then("City")).to_contain_text("Today: Porto")

    a_change(page, stone, city="Braga")

    expect(trail.then("City")).to_contain_text("Today: Braga")
    expect(page.locator("#lead-name")).to_contain_text("as it stood")


def test_what_comes_too_late_does_not_take_the_reader_back(page: Page, stone: dict[str, Any]) -> None:
    trail = TrailPanel(page).open(stone, "?at=1")
    address = re.compile(r"\?at=1$")
    held: list[Route] = []
    page.route(address, lambda route: held.append(route))  # noqa: PLW0108 - Playwright takes no builtin
    with page.expect_request(address):
        a_change(page, stone, city="Braga")

    trail.panel.get_by_role("link", name="Back to today").click()
    LeadPanel(page).shows("Stone and Sons")
    with page.expect_response(address) as late:
        for route in held:
            route.continue_()
    late.value.finished()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")

    LeadPanel(page).shows("Stone and Sons")


def test_by_keyboard_alone_a_value_comes_back(page: Page, stone: dict[str, Any]) -> None:
    trail = TrailPanel(page).open(stone)
    button = trail.panel.get_by_role("button", name="Put back city: Lisbon", exact=True)

    button.focus()
    page.keyboard.press("Enter")

    expect(LeadPanel(page).detail("City")).to_contain_text("Lisbon")
    page.keyboard.press("u")
    expect(LeadPanel(page).detail("City")).to_contain_text("Porto")


def test_in_the_drawer_a_value_comes_back_and_the_reader_stays_where_they_were(
    page: Page, stone: dict[str, Any]
) -> None:
    page.set_viewport_size({"width": 1440, "height": 500})
    LeadsPage(page).open().open_lead("Stone and Sons")
    trail = TrailPanel(page)

    trail.put_back("city: Lisbon")

    trail.says("You put back city", EDITED, MOVED, ADDED)
    expect(page.get_by_role("heading", name="Trail")).to_be_focused()
    assert page.locator("#drawer").evaluate("drawer => drawer.scrollTop") > 0
    expect(LeadsPage(page).row("Stone and Sons")).to_have_attribute("aria-current", "true")


def test_an_email_that_another_lead_has_by_now_is_not_put_back(any_page: Page, page: Page) -> None:
    lead = a_lead(page, **STONE)
    a_change(page, lead, email="maria@example.org")
    a_lead(page, email="mara@example.org", company_name="Baker Street")
    trail = TrailPanel(any_page).open(lead)

    trail.put_back("email: mara@example.org")

    expect(trail.notice).to_contain_text("mara@example.org is a lead of its own by now")
    trail.notice.get_by_role("link", name="Open that one").click()
    LeadPanel(any_page).shows("Baker Street")


def test_a_page_that_is_behind_puts_nothing_back(
    any_page: Page, script: bool, page: Page, stone: dict[str, Any]
) -> None:
    trail = TrailPanel(any_page).open(stone)
    any_page.route("**/events", lambda route: route.abort()) if script else None
    trail.panel.locator("input[name=version]").first.wait_for(state="attached")
    any_page.context.request.post(f"/leads/{stone['id']}", form={"notes": "Called"})

    answer = any_page.context.request.post(
        f"/leads/{stone['id']}/revert", form={"seq": "1", "version": str(stone["version"])}
    )

    assert answer.status == 412
    assert "It was changed meanwhile" in answer.text()


def test_a_viewer_looks_back_and_is_offered_no_change(
    window: NewContext, nora: Person, script: bool, stone: dict[str, Any]
) -> None:
    hers = window(nora, script=script).new_page()
    trail = TrailPanel(hers).open(stone)

    expect(trail.pill).to_contain_text(re.compile("Sealed|wait"))
    trail.as_it_stood(1)

    expect(trail.then("City")).to_contain_text("Today: Porto")
    expect(trail.panel.get_by_role("button", name=re.compile("Put"))).to_have_count(0)
    expect(trail.notice).not_to_contain_text("127.0.0.1")


def test_the_seal_comes_by_itself_when_the_checkpoint_does(page: Page, stone: dict[str, Any]) -> None:
    trail = TrailPanel(page).open(stone)

    expect(trail.pill).to_contain_text("Sealed up to checkpoint")
    LeadPanel(page).set_stage("Lost")
    trail.says("You changed stage from Won to Lost", EDITED, MOVED, ADDED)
    expect(trail.pill).to_contain_text("Sealed up to checkpoint")
    expect(trail.pill).to_contain_text("on this machine only")
    trail.pill.click()
    expect(trail.seal).to_contain_text("4 entries, just now: parts, checksum, MAC.")


def test_without_a_script_the_seal_opens_too(window: NewContext, rosa: Person, stone: dict[str, Any]) -> None:
    trail = TrailPanel(window(rosa, script=False).new_page()).open(stone)

    trail.pill.click()

    expect(trail.seal).to_contain_text("3 entries, just now: parts, checksum, MAC.")


def test_a_checkpoint_kept_elsewhere_is_said_with_its_place(
    page: Page, server: RunningServer, stone: dict[str, Any]
) -> None:
    trail = TrailPanel(page).open(stone)
    expect(trail.pill).to_contain_text("Sealed up to checkpoint")
    server.leads("audit", "checkpoint", "--kept-at", "mail to the auditor")

    page.reload()

    expect(trail.pill).to_contain_text("kept elsewhere")
    trail.pill.click()
    expect(trail.seal).to_contain_text("mail to the auditor")


def test_a_broken_trail_says_where_and_nothing_is_put_back_from_it(
    any_page: Page, server: RunningServer, stone: dict[str, Any]
) -> None:
    trail = sealed(any_page, stone)
    server.by_sql(
        """UPDATE audit_log SET parts = jsonb_set(parts, '{data,1,stage,1}', '"lost"')"""  # noqa: S608 - our own id
        f" WHERE subject_id = '{stone['id']}' AND seq = 2"
    )

    any_page.reload()

    expect(trail.pill).to_contain_text("Broken at entry 2")
    expect(trail.notice).to_contain_text("do not edit this lead")
    trail.pill.click()
    expect(trail.seal).to_contain_text("It does not say any more what was written.")
    expect(trail.seal).to_contain_text("Tell an administrator; do not edit this lead.")
    expect(trail.panel.get_by_role("button", name=re.compile("Put back"))).to_have_count(0)
    trail.pill.click()
    trail.as_it_stood(1)
    expect(trail.panel.get_by_role("button", name=re.compile("Put"))).to_have_count(0)


def test_a_lead_changed_past_the_app_is_broken_too(page: Page, server: RunningServer, stone: dict[str, Any]) -> None:
    trail = sealed(page, stone)
    server.by_sql(f"UPDATE leads SET city = 'Rome' WHERE id = '{stone['id']}'")  # noqa: S608 - our own id

    page.reload()

    expect(trail.pill).to_contain_text("Broken at the lead: City")
    trail.pill.click()
    expect(trail.seal).to_contain_text("The lead was changed past the app.")
    assert violations(page) == ""


@pytest.mark.parametrize("query", ["", "?at=1", "?field=city", "?reverted=4"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(page: Page, stone: dict[str, Any], query: str) -> None:
    page.context.request.post(f"/leads/{stone['id']}/revert", form={"seq": "1", "field": "city"})
    sealed(page, stone)
    trail = TrailPanel(page).open(stone, query)

    assert violations(page) == ""
    for opened in (trail.menu.locator("summary"), trail.pill):
        opened.click()
        assert violations(page) == ""
        for width in (320, 390, 720):
            page.set_viewport_size({"width": width, "height": 844})
            assert not scrolls_sideways(page), f"{width} px"
        page.set_viewport_size({"width": 1440, "height": 900})
