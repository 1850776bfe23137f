"""Views: kept, changed, shared, the one that opens, and their counts, which never hold up the page."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

from e2e.conftest import NewContext
from e2e.given import companies
from e2e.pages.filter_bar import FilterBar
from e2e.pages.leads_page import LeadsPage
from e2e.pages.views_bar import ViewsBar
from e2e.people import Person


def test_a_view_is_kept_changed_renamed_and_deleted(any_page: Page, script: bool) -> None:
    companies(any_page, ["Ahorn"], stage="won")
    companies(any_page, ["Baker Street"], stage="lost")
    leads = LeadsPage(any_page, script=script).open("?stage=won&sort=company_name")
    views = ViewsBar(any_page)

    views.save("By name")
    views.is_open("By name")
    leads.shows("Ahorn")

    chip = FilterBar(any_page).change("Stage is Won")
    chip.tick("Lost")
    chip.show()
    leads.shows("Ahorn", "Baker Street")
    views.update()
    leads.open()
    views.open("By name")
    leads.shows("Ahorn", "Baker Street")

    views.rename("By company")
    views.is_open("By company")
    views.delete()
    expect(views.tab("By company")).to_have_count(0)
    leads.shows("Baker Street", "Ahorn")


def test_a_name_that_is_taken_is_said_and_stays_typed(any_page: Page, script: bool) -> None:
    leads, views = LeadsPage(any_page, script=script).open("?stage=new"), ViewsBar(any_page)
    views.save("Über uns")
    leads.open("?stage=lost")

    views.save("UBER UNS")

    expect(views.save_form.get_by_label("Name")).to_have_value("UBER UNS")
    expect(views.save_form).to_contain_text("You have a view of this name.")


def test_a_shared_view_is_there_for_others_who_cannot_change_it(
    window: NewContext, rosa: Person, idris: Person
) -> None:
    page, other = window(rosa).new_page(), window(idris).new_page()
    LeadsPage(page).open("?source=form")
    ViewsBar(page).save("Ours", shared=True)

    LeadsPage(other).open()
    views = ViewsBar(other)
    views.open("Ours")

    views.is_open("Ours")
    views.menu.locator("summary").first.click()
    expect(views.menu.get_by_role("button", name="Open this view first")).to_be_visible()
    expect(views.menu.get_by_role("button", name="Rename")).to_have_count(0)


def test_one_view_opens_first_and_all_leads_are_a_click_away(any_page: Page, script: bool) -> None:
    companies(any_page, ["Ahorn"], stage="won")
    companies(any_page, ["Baker Street"])
    leads, views = LeadsPage(any_page, script=script).open("?stage=won"), ViewsBar(any_page)

    views.open_first()
    leads.open()
    leads.shows("Ahorn")
    views.open("All leads")
    leads.shows("Baker Street", "Ahorn")
    views.not_first()

    leads.open()
    leads.shows("Baker Street", "Ahorn")


def test_counts_come_by_themselves_and_follow_what_changes(page: Page) -> None:
    companies(page, ["Ahorn", "Baker Street"], stage="won")
    LeadsPage(page).open()
    views = ViewsBar(page)
    expect(views.tab("Won").locator(".count")).to_have_text("2")

    companies(page, ["Stone and Sons"], stage="won")

    expect(views.tab("Won").locator(".count")).to_have_text("3")
    expect(views.tab("All leads").locator(".count")).to_have_text("3")


def test_the_page_waits_for_no_count(page: Page) -> None:
    companies(page, ["Ahorn"], stage="won")
    page.route(re.compile("/leads/counts"), _never_answered)
    leads = LeadsPage(page).open()

    leads.view("Won")

    leads.shows("Ahorn")
    expect(ViewsBar(page).tab("Won").locator(".count")).to_be_empty()


def _never_answered(_route: Route) -> None:
    """Holds a request for as long as the page waits for it."""
