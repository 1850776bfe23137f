"""The table: filters, search, sorting, paging, each in the address."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from e2e.given import a_lead, by_form, companies, in_the_bin
from e2e.pages.leads_page import LeadsPage
from e2e.pages.views_bar import ViewsBar


def test_an_empty_table_says_how_to_begin(any_page: Page) -> None:
    LeadsPage(any_page).open()

    expect(any_page.get_by_role("heading", name="No leads yet")).to_be_visible()
    expect(any_page.get_by_role("link", name="Import a list")).to_be_visible()


@pytest.mark.parametrize(
    ("group", "choice", "chip", "parameter", "shown"),
    [
        ("Stage", "Won", "Stage is Won", "stage=won", ["The won one"]),
        ("Source", "Form", "Source is Form", "source=form", ["By the form"]),
        ("Added", "By hand", "Leads added by hand", "is_manual=true", ["By the form"]),
        ("Owner", "Me", "Owner is me", "owner=me", ["My own"]),
        ("Where", "In the bin", "Leads in the bin", "deleted=true", ["Thrown away"]),
    ],
)
def test_each_filter_is_a_chip_in_the_address_and_can_be_taken_off(
    page: Page, group: str, choice: str, chip: str, parameter: str, shown: list[str]
) -> None:
    _one_of_each(page)
    leads = LeadsPage(page).open()

    leads.filter(group, choice)

    leads.shows(*shown)
    expect(page).to_have_url(re.compile(rf"\?{parameter}$"))
    page.get_by_role("link", name=f"Remove filter: {chip}").click()
    expect(page).to_have_url(re.compile(r"/leads$"))
    leads.shows("By the form", "My own", "The won one", "Another")


def test_enrichment_that_failed_is_a_filter(page: Page) -> None:
    companies(page, ["Stone and Sons"])
    leads = LeadsPage(page).open()
    leads.quick_add("no-such-company.com")
    expect(leads.row("no-such-company.com")).to_contain_text("Failed")

    leads.filter("Enrichment", "Failed")

    leads.shows("no-such-company.com")
    expect(leads.chips).to_contain_text("Enrichment is Failed")


def test_filters_work_without_a_script(any_page: Page, script: bool) -> None:
    _one_of_each(any_page)
    a_lead(any_page, domain="tagged.example.org", company_name="The tagged one", tags=["bakery"], stage="won")
    leads = LeadsPage(any_page, script=script).open()

    leads.filter("Stage", "Won")
    leads.shows("The tagged one", "The won one")
    leads.filter_by_tag("bakery")

    leads.shows("The tagged one")
    expect(leads.chips.get_by_role("listitem")).to_have_count(2)
    any_page.get_by_role("link", name="Remove filter: Tag is bakery").click()
    leads.shows("The tagged one", "The won one")


def test_views_are_links(any_page: Page, script: bool) -> None:
    _one_of_each(any_page)
    leads = LeadsPage(any_page, script=script).open()

    leads.view("Won")

    leads.shows("The won one")
    ViewsBar(any_page).is_open("Won")


def test_search_finds_while_somebody_types(page: Page) -> None:
    companies(page, ["Stone and Sons", "Stonehenge Tours", "Baker Street"])
    leads = LeadsPage(page).open()

    leads.search("stone")

    expect(leads.rows).to_have_count(2)
    expect(page).to_have_url(re.compile(r"q=stone"))
    expect(leads.search_field).to_be_focused()
    expect(leads.search_field).to_have_value("stone")
    expect(leads.row("Stone and Sons").locator("mark").first).to_have_text("Stone")


def test_search_works_without_a_script_and_keeps_the_filters(any_page: Page, script: bool) -> None:
    companies(any_page, ["Stone and Sons", "Baker Street"], stage="won")
    companies(any_page, ["Stonehenge Tours"])
    leads = LeadsPage(any_page, script=script).open("?stage=won")

    leads.search("stone")

    leads.shows("Stone and Sons")
    expect(any_page).to_have_url(re.compile(r"stage=won"))
    expect(any_page).to_have_url(re.compile(r"q=stone"))


def test_a_search_without_a_match_offers_the_way_out(any_page: Page) -> None:
    companies(any_page, ["Stone and Sons"])
    leads = LeadsPage(any_page).open("?q=stnoe&stage=won")

    expect(any_page.get_by_role("heading", name="No lead matches “stnoe”")).to_be_visible()
    any_page.get_by_role("link", name="Clear the search").click()
    expect(any_page).to_have_url(re.compile(r"\?stage=won$"))
    any_page.get_by_role("link", name="Clear the filters").click()

    leads.shows("Stone and Sons")


def test_a_column_sorts_up_and_down(any_page: Page, script: bool) -> None:
    companies(any_page, ["Baker Street", "Stone and Sons", "Ahorn"])
    leads = LeadsPage(any_page, script=script).open()
    leads.shows("Ahorn", "Stone and Sons", "Baker Street")

    leads.sort_by("Company")
    leads.shows("Ahorn", "Baker Street", "Stone and Sons")
    expect(any_page.get_by_role("columnheader", name="Company")).to_have_attribute("aria-sort", "ascending")
    leads.sort_by("Company")

    leads.shows("Stone and Sons", "Baker Street", "Ahorn")
    expect(any_page.get_by_role("columnheader", name="Company")).to_have_attribute("aria-sort", "descending")


def test_pages_go_on_and_back(any_page: Page, script: bool) -> None:
    companies(any_page, [f"Company {number:03}" for number in range(60)])
    leads = LeadsPage(any_page, script=script).open()
    expect(leads.rows).to_have_count(50)
    expect(leads.pager).to_contain_text("60 leads")

    leads.pager.get_by_role("link", name="Older").click()
    expect(leads.rows).to_have_count(10)
    expect(leads.row("Company 000")).to_be_visible()
    leads.pager.get_by_role("link", name="Newer").click()

    expect(leads.rows).to_have_count(50)
    expect(leads.row("Company 059")).to_be_visible()


def test_back_returns_to_the_list_as_it_was(page: Page) -> None:
    companies(page, ["Stone and Sons", "Baker Street"], stage="won")
    companies(page, ["Ahorn"])
    leads = LeadsPage(page).open()

    leads.view("Won")
    leads.shows("Baker Street", "Stone and Sons")
    page.go_back()

    leads.shows("Ahorn", "Baker Street", "Stone and Sons")


def test_a_filter_nobody_can_read_is_said_and_nothing_is_widened(any_page: Page) -> None:
    companies(any_page, ["Stone and Sons"])

    LeadsPage(any_page).open("?stage=golden")

    expect(any_page.get_by_role("alert")).to_contain_text("This filter cannot be read")
    expect(LeadsPage(any_page).rows).to_have_count(0)


def test_the_export_holds_what_the_filter_shows(any_page: Page, script: bool) -> None:
    companies(any_page, ["Stone and Sons"], stage="won")
    companies(any_page, ["Ahorn"])
    LeadsPage(any_page, script=script).open("?stage=won")

    with any_page.expect_download() as download:
        any_page.locator("#export-menu > summary").click()
        any_page.get_by_role("link", name="CSV columns shown").click()

    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("company_name,domain,contact_name,email,stage,enrichment_status")
    assert "Stone and Sons" in lines[1]


def _one_of_each(page: Page) -> None:
    """A lead for each filter, the newest last, and one that no filter shows."""
    another = a_lead(page, domain="another.example.org", company_name="Another", is_manual=False)
    a_lead(page, domain="won.example.org", company_name="The won one", is_manual=False, stage="won")
    me = another["created_by"]
    a_lead(page, domain="mine.example.org", company_name="My own", is_manual=False, owner_id=me)
    by_form(page, domain="form.example.org", company_name="By the form", is_manual="true")
    in_the_bin(page, domain="bin.example.org", company_name="Thrown away", is_manual=False)


def test_another_list_begins_at_its_top_and_comes_with_all_its_rows(page: Page) -> None:
    companies(page, [f"Lead {place:02}" for place in range(52)])
    leads = LeadsPage(page).open("?sort=company_name")
    leads.row("Lead 49").scroll_into_view_if_needed()
    assert page.evaluate("scrollY") > 0

    leads.sort_by("Company")

    expect(leads.row("Lead 51")).to_be_in_viewport()
    expect(leads.row("Lead 02")).to_be_visible()
    assert page.evaluate("scrollY") == 0
