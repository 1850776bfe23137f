"""What enrichment found and a person had typed otherwise: taken over or waved away, by whom stands in the trail."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.conftest import NewContext
from e2e.given import a_lead
from e2e.pages.lead_panel import LeadPanel
from e2e.pages.leads_page import LeadsPage
from e2e.pages.suggestions_panel import SuggestionsPanel
from e2e.people import Person, arrive
from e2e.server import RunningServer

TYPED = {"company_name": "Lumen", "city": "Aarhus", "country": "DK", "employee_count": 120, "phone": "+45 33 12 34 56"}
MARA = "mara.lindqvist@lumenstack.io"


@pytest.fixture(scope="module")
def victor(browser: Browser, server: RunningServer, rosa: Person) -> Person:
    """Somebody who only reads."""
    link = server.leads("user", "add", "victor@example.com", "--name", "Victor", "--role", "viewer")["sign_in_link"]
    return arrive(browser, link, "Victor", "victor@example.com")


def a_looked_up_lead(page: Page, **fields: Any) -> dict[str, Any]:
    """A lead at lumenstack.io with values of its own, once its enrichment has ended."""
    lead = a_lead(page, **{**TYPED, "domain": "lumenstack.io", "enrich": True, **fields})
    leads = LeadsPage(page).open()
    expect(page.locator(f"#lead-{lead['id']}")).to_contain_text("Completed")
    assert leads
    return lead


def opened(page: Page, lead: dict[str, Any], *, script: bool = True) -> tuple[LeadPanel, SuggestionsPanel]:
    """The lead: with a script in the drawer, without on its page."""
    leads = LeadsPage(page, script=script).open()
    page.locator(f"#lead-{lead['id']}").get_by_role("link").first.click()
    assert leads
    panel = LeadPanel(page)
    panel.shows(lead["company_name"])
    return panel, SuggestionsPanel(page)


def test_what_was_found_is_used(page: Page, window: NewContext, rosa: Person, script: bool) -> None:
    lead = a_looked_up_lead(page)
    panel, suggestions = opened(window(rosa, script=script).new_page(), lead, script=script)

    suggestions.are_for("company", "city")
    expect(suggestions.of("city")).to_contain_text("Copenhagen was found for city. You have Aarhus.")
    expect(suggestions.of("city")).to_contain_text("Found by website")
    suggestions.use("city")

    suggestions.are_for("company")
    expect(panel.detail("City")).to_contain_text("Copenhagen")
    expect(panel.newest).to_contain_text("You changed city")
    expect(panel.newest).to_contain_text("Aarhus")


def test_what_i_have_is_kept_and_not_suggested_again(
    page: Page, window: NewContext, rosa: Person, script: bool
) -> None:
    lead = a_looked_up_lead(page)
    panel, suggestions = opened(window(rosa, script=script).new_page(), lead, script=script)

    suggestions.keep_mine("city")

    suggestions.are_for("company")
    expect(panel.detail("City")).to_contain_text("Aarhus")
    expect(panel.newest).to_contain_text("You dismissed “Copenhagen” for city")
    page.context.request.post(f"/api/v1/leads/{lead['id']}/enrich")
    LeadsPage(page).open()
    expect(page.locator(f"#lead-{lead['id']}")).to_contain_text("Completed")
    _, again = opened(page, lead)
    again.are_for("company")


def test_one_answer_holds_for_every_lead_of_the_company_and_one_undo_takes_it_back(
    page: Page, window: NewContext, rosa: Person, script: bool
) -> None:
    leads = [a_looked_up_lead(page, email=f"{name}@lumenstack.io") for name in ("ana", "bo", "cy")]
    panel, suggestions = opened(window(rosa, script=script).new_page(), leads[0], script=script)

    suggestions.use_everywhere("city", "Use for all 3 leads at lumenstack.io")

    suggestions.are_for("company")
    expect(panel.newest).to_contain_text("You changed city")
    for lead in leads:
        after = page.context.request.get(f"/api/v1/leads/{lead['id']}").json()
        assert after["city"] == "Copenhagen"

    panel.page.get_by_role("button", name="Undo", exact=True).first.click()

    suggestions.are_for("company", "city")
    for lead in leads:
        after = page.context.request.get(f"/api/v1/leads/{lead['id']}").json()
        assert after["city"] == "Aarhus"


def test_all_that_was_found_is_used_at_once(page: Page, window: NewContext, rosa: Person, script: bool) -> None:
    lead = a_looked_up_lead(page)
    panel, suggestions = opened(window(rosa, script=script).new_page(), lead, script=script)

    suggestions.use_all(by_key=script)

    panel.shows("Lumenstack")
    expect(panel.detail("City")).to_contain_text("Copenhagen")
    expect(suggestions.section).to_have_count(0)


def test_all_that_i_have_is_kept_at_once(page: Page, window: NewContext, rosa: Person, script: bool) -> None:
    lead = a_looked_up_lead(page)
    panel, suggestions = opened(window(rosa, script=script).new_page(), lead, script=script)

    suggestions.keep_all(by_key=script)

    expect(suggestions.section).to_have_count(0)
    panel.shows("Lumen")
    expect(panel.newest).to_contain_text("You dismissed a suggestion for")


def test_a_guess_from_an_address_is_a_suggestion_that_fills_nothing(page: Page) -> None:
    lead = a_looked_up_lead(page, email=MARA, company_name="Lumenstack", city="Copenhagen")
    _, suggestions = opened(page, lead)

    suggestions.are_for("contact")
    expect(suggestions.of("contact")).to_contain_text("Mara Lindqvist")
    expect(suggestions.of("contact")).not_to_contain_text("You have")
    expect(suggestions.of("contact").get_by_role("button", name="Dismiss")).to_be_visible()


def test_y_uses_the_first_and_m_keeps_mine(page: Page) -> None:
    lead = a_looked_up_lead(page)
    panel, suggestions = opened(page, lead)
    suggestions.are_for("company", "city")

    page.keyboard.press("y")
    expect(suggestions.section.locator("form.suggest")).to_have_count(1)
    page.keyboard.press("m")

    expect(suggestions.section).to_have_count(0)
    expect(panel.newest).to_contain_text("You dismissed")


def test_of_two_who_decide_the_second_is_told(page: Page, window: NewContext, idris: Person) -> None:
    lead = a_looked_up_lead(page)
    _, suggestions = opened(page, lead)
    suggestions.are_for("company", "city")
    his = window(idris).new_page()
    facts = his.context.request.get(f"/api/v1/leads/{lead['id']}/facts").json()["items"]
    city = next(fact["id"] for fact in facts if fact["field"] == "city" and fact["suggestion"])

    page.route("**/events", lambda route: route.abort())
    his.context.request.post(f"/api/v1/leads/{lead['id']}/suggestions/dismiss", data={"ids": [city]})
    answer = page.context.request.post(f"/leads/{lead['id']}/suggestions", form={"accept": city}, max_redirects=0)

    assert answer.status == 409
    assert "It is not suggested any more" in answer.text()


def test_a_viewer_reads_them_and_decides_nothing(page: Page, window: NewContext, victor: Person, script: bool) -> None:
    lead = a_looked_up_lead(page)
    _, suggestions = opened(window(victor, script=script).new_page(), lead, script=script)

    suggestions.are_for("company", "city")
    expect(suggestions.section.get_by_role("button")).to_have_count(0)
