"""Since you were away: what others changed is said, shown, marked, and cleared on all devices."""

from __future__ import annotations

from playwright.sync_api import expect

from e2e.axe import violations
from e2e.conftest import NewContext
from e2e.given import a_change, a_lead
from e2e.pages.leads_page import LeadsPage
from e2e.people import Person


def test_what_others_changed_is_marked_until_it_is_seen(
    window: NewContext, rosa: Person, idris: Person, script: bool
) -> None:
    page, elsewhere = window(rosa, script=script).new_page(), window(idris).new_page()
    stone = a_lead(page, company_name="Stone", domain="stone.example.com")
    LeadsPage(page).open()
    a_change(elsewhere, stone, stage="won")
    a_lead(elsewhere, company_name="News", domain="news.example.com")
    leads = LeadsPage(page).open()
    away = page.get_by_role("region", name="Since you were away")

    expect(away).to_contain_text("1 new, 1 changed")
    said = "Idris Bello changed this just now. Before: New"
    expect(leads.row("Stone").locator("[data-was]")).to_have_attribute("title", said)
    expect(leads.row("Stone").locator("[data-was]")).to_have_accessible_description(said)
    if script:
        leads.names().filter(has_text="Stone").focus()
        for _ in range(4):
            page.keyboard.press("ArrowRight")
        expect(leads.row("Stone").locator("[data-was]")).to_be_focused()
        expect(page.get_by_text(said)).to_be_visible()
        assert violations(page) == ""
        page.keyboard.press("ArrowRight")
        expect(page.get_by_text(said)).to_have_count(0)
    away.get_by_role("link", name="1 changed").click()
    expect(leads.row("Stone")).to_be_visible()
    away.get_by_role("button", name="Seen").click()

    expect(away).to_have_count(0)
    other_device = window(rosa).new_page()
    LeadsPage(other_device).open()
    expect(other_device.locator("[data-was], .away")).to_have_count(0)
