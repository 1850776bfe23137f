"""The front page: what today brought and how a period went, with a script and without."""

from __future__ import annotations

from datetime import UTC, datetime

from playwright.sync_api import Page, expect

from e2e.given import a_lead, companies


def test_the_front_page_shows_today_and_leads_to_the_leads_behind_its_figures(any_page: Page) -> None:
    today = datetime.now(UTC).date().isoformat()
    companies(any_page, ["Ahorn", "Baker Street"], stage="won")
    a_lead(any_page, company_name="Callback", domain="callback.example.com", follow_up_on=today)
    any_page.goto("/")

    expect(any_page.get_by_role("region", name="Due, up to a week from now").get_by_role("listitem")).to_have_count(1)
    expect(any_page.get_by_role("img", name="New leads by the stage they are in now")).to_be_visible()
    any_page.get_by_role("link", name="7 days", exact=True).click()
    any_page.locator("figure", has_text="Where they come from").get_by_text("As a table").click()
    expect(
        any_page.get_by_role("table", name="Where they come from").get_by_role("row", name="All 0 3 0 0 3")
    ).to_be_visible()

    any_page.get_by_role("link", name="1 due today", exact=True).click()
    expect(any_page.locator("tr[data-lead]")).to_have_count(1)
