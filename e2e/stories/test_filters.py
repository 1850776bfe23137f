"""Filters as people set them: from the menu, in place on a chip, with a script and without."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

from e2e.given import a_lead, companies
from e2e.pages.filter_bar import FilterBar
from e2e.pages.leads_page import LeadsPage
from e2e.pages.measuring import requests_made


def test_a_chip_is_changed_where_it_stands(any_page: Page, script: bool) -> None:
    companies(any_page, ["Ahorn"], stage="won")
    companies(any_page, ["Baker Street"], stage="lost")
    companies(any_page, ["Stone and Sons"])
    leads = LeadsPage(any_page, script=script).open("?stage=won&sort=company_name")

    chip = FilterBar(any_page).change("Stage is Won")
    chip.tick("Lost")
    chip.show()
    leads.shows("Ahorn", "Baker Street")
    expect(any_page).to_have_url(re.compile(r"\?stage=won&stage=lost&sort=company_name$"))

    chip = FilterBar(any_page).change("Stage is Won or Lost")
    chip.set_operator("Stage", "is not")
    chip.show()

    leads.shows("Stone and Sons")
    expect(any_page).to_have_url(re.compile(r"stage=%21won&stage=%21lost"))
    FilterBar(any_page).remove("Stage is not Won or Lost")
    leads.shows("Ahorn", "Baker Street", "Stone and Sons")


def test_what_is_empty_and_what_is_not_is_found(any_page: Page, script: bool) -> None:
    a_lead(any_page, domain="a.example.org", company_name="Tagged", tags=["vip", "bakery"], country="DE")
    a_lead(any_page, domain="b.example.org", company_name="Untagged")
    leads = LeadsPage(any_page, script=script).open()

    menu = FilterBar(any_page).open()
    menu.set_operator("Tag", "is empty")
    menu.show()
    leads.shows("Untagged")
    expect(any_page).to_have_url(re.compile(r"\?tag=none$"))

    chip = FilterBar(any_page).change("Tag is empty")
    chip.set_operator("Tag", "is")
    chip.type("Tag", "bakery")
    chip.show()
    leads.shows("Tagged")

    menu = FilterBar(any_page).open()
    menu.type("Country", "Germany")
    menu.show()
    leads.shows("Tagged")
    expect(any_page).to_have_url(re.compile(r"\?tag=bakery&country=DE$"))


def test_days_are_chosen_by_name_or_by_date(any_page: Page, script: bool) -> None:
    a_lead(any_page, domain="a.example.org", company_name="Long ago", follow_up_on="2020-01-15")
    a_lead(any_page, domain="b.example.org", company_name="Far away", follow_up_on="2099-01-15")
    a_lead(any_page, domain="c.example.org", company_name="Never")
    leads = LeadsPage(any_page, script=script).open()

    menu = FilterBar(any_page).open()
    menu.choose_days("Follow-up", "Overdue")
    menu.show()
    leads.shows("Long ago")
    expect(any_page).to_have_url(re.compile(r"\?follow_up_to=yesterday$"))

    chip = FilterBar(any_page).change("Follow-up until yesterday")
    chip.choose_days("Follow-up", "Dates:")
    chip.set_dates(start="2099-01-01")
    chip.show()
    leads.shows("Far away")
    FilterBar(any_page).change("Follow-up from 1 Jan 2099")


def test_a_chip_that_takes_the_place_of_another_shows_its_own_values(page: Page) -> None:
    companies(page, ["Ahorn"], stage="won")
    LeadsPage(page).open("?stage=new")
    chip = FilterBar(page).change("Stage is New")
    chip.tick("Won")
    chip.show()
    FilterBar(page).change("Stage is New or Won")

    LeadsPage(page).view("Enrichment failed")

    form = FilterBar(page).change("Enrichment is Failed").form
    expect(form.get_by_role("checkbox", checked=True)).to_have_count(1)
    expect(form.get_by_label("Failed", exact=True)).to_be_checked()


def test_owners_are_chosen_by_name(page: Page) -> None:
    mine = a_lead(page, domain="a.example.org", company_name="Mine")
    a_lead(page, domain="b.example.org", company_name="Owned", owner_id=mine["created_by"])
    leads = LeadsPage(page).open()

    menu = FilterBar(page).open()
    menu.set_operator("Owner", "is somebody")
    menu.show()

    leads.shows("Owned")
    expect(leads.chips).to_contain_text("Owner is somebody")


def test_a_form_takes_one_request_and_leaves_a_short_address(page: Page) -> None:
    companies(page, ["Ahorn"], stage="won")
    leads = LeadsPage(page).open()
    menu = FilterBar(page).open()
    menu.tick("Won")

    with requests_made(page) as made:
        menu.show()
        expect(leads.chips).to_contain_text("Won")

    assert len([request for request in made if request.startswith("GET leads?")]) == 1, made
    expect(page).to_have_url(re.compile(r"/leads\?stage=won$"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"/leads$"))


def test_tags_in_use_are_suggested(page: Page) -> None:
    a_lead(page, domain="a.example.org", tags=["vip", "bakery"])
    LeadsPage(page).open()

    menu = FilterBar(page).open()
    menu.field("Tag").focus()

    expect(page.locator("#tags-in-use option")).to_have_count(2)


def test_search_finds_without_accents_and_marks_each_column(page: Page) -> None:
    a_lead(
        page,
        email="zoe@zoelenz.example.org",
        domain="zoelenz.example.org",
        company_name="Zoë Lenz",
        contact_name="Łukasz Zoé",
    )
    companies(page, ["Ahorn"])
    leads = LeadsPage(page).open()

    leads.search("ZOE")

    expect(leads.rows).to_have_count(1)
    marks = leads.rows.first.locator("mark")
    expect(marks).to_have_text(["Zoë", "zoe", "Zoé", "zoe", "zoe"])


def test_the_answer_to_an_earlier_key_never_overtakes_a_later_one(page: Page) -> None:
    companies(page, ["Stone and Sons", "Stonehenge Tours", "Ahorn"])
    leads = LeadsPage(page).open()
    page.route(re.compile(r"q=sto$"), _never_answered)

    with page.expect_request(re.compile(r"q=sto$")) as first:
        leads.search("sto")
    leads.search("nehenge")
    expect(page).to_have_url(re.compile("q=stonehenge$"))

    assert first.value.failure == "net::ERR_ABORTED"
    leads.shows("Stonehenge Tours")


def _never_answered(_route: Route) -> None:
    """Holds a request for as long as the page waits for it."""
