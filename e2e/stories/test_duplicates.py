"""Two leads that are one: shown, compared, merged, taken apart again, or kept apart for good."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from e2e.conftest import NewContext
from e2e.given import a_change, a_lead
from e2e.pages.duplicates_page import TWINS, DuplicatesPage, MergePage
from e2e.pages.lead_panel import LeadPanel
from e2e.pages.leads_page import LeadsPage
from e2e.people import Person


def twins(page: Page) -> list[dict[str, str]]:
    return [a_lead(page, **fields) for fields in TWINS]


def test_two_leads_are_merged_field_by_field_and_undo_takes_them_apart(any_page: Page) -> None:
    page = any_page
    one, other = twins(page)
    DuplicatesPage(page).wait_for(1)
    expect(DuplicatesPage(page).pairs.first).to_contain_text("similar name", ignore_case=True)
    merge = DuplicatesPage(page).merge()

    merge.keep("Stone and Sons")
    merge.choose("Job title", "Buyer")
    merge.choose("Company", "Stone & Sons Lda")
    merge.send()

    panel = LeadPanel(page)
    panel.shows("Stone & Sons Lda")
    expect(page).to_have_url(re.compile(f"/leads/{one['id']}"))
    expect(panel.detail("Phone")).to_contain_text("+351211234567")
    expect(panel.detail("Notes")).to_contain_text("Wants samples in May.")
    expect(panel.panel.locator(".facts-line")).to_contain_text("Qualified")
    expect(panel.newest).to_contain_text("merged Stone & Sons Lda into it")
    panel.newest.get_by_role("link", name="Stone & Sons Lda").click()
    expect(page.get_by_role("heading", name="Merged into Stone & Sons Lda")).to_be_visible()

    page.goto(f"/leads/{one['id']}")
    panel.press("Undo this (entry 2)")
    expect(panel.newest).to_contain_text("put back")

    page.goto(f"/leads/{other['id']}")
    expect(page.get_by_role("heading", name="Merged into")).to_have_count(0)
    panel.shows("Stone & Sons Lda")
    page.goto(f"/leads/{one['id']}")
    panel.shows("Stone and Sons")
    expect(panel.panel.locator("dl.fields")).not_to_contain_text("+351211234567")


def test_not_a_duplicate_is_said_once_in_the_drawer(page: Page) -> None:
    one, _ = twins(page)
    LeadsPage(page).open().open_lead("Stone and Sons")
    pages = DuplicatesPage(page)
    expect(pages.likely).to_contain_text("Stone & Sons Lda")

    pages.likely.get_by_role("button", name="Not a duplicate").click()

    expect(pages.likely).to_have_count(0)
    expect(page.locator("#toasts")).to_contain_text("Kept apart")
    page.goto(f"/leads/{one['id']}")
    LeadPanel(page).shows("Stone and Sons")
    expect(pages.likely).to_have_count(0)

    page.goto("/duplicates")
    page.get_by_role("link", name="Kept apart").click()
    expect(pages.pairs.first).to_contain_text("Kept apart by you")
    page.get_by_role("button", name="Look at it again").click()
    expect(page.get_by_role("heading", name="No pair is kept apart")).to_be_visible()
    page.goto(f"/leads/{one['id']}")
    expect(pages.likely).to_contain_text("Stone & Sons Lda")


def test_who_merges_is_told_what_changed_meanwhile_and_loses_nothing(
    page: Page, window: NewContext, idris: Person
) -> None:
    one, other = twins(page)
    page.goto(f"/leads/{one['id']}/merge/{other['id']}")
    merge = MergePage(page)
    merge.choose("Contact", "M. Lindqvist")
    a_change(window(idris).new_page(), {"id": other["id"]}, city="Porto")

    merge.send()

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Stone & Sons Lda changed meanwhile")
    expect(alert).to_contain_text("Idris Bello changed city.")
    expect(merge.line("City")).to_contain_text("New")
    expect(merge.line("Contact").get_by_label("M. Lindqvist")).to_be_checked()
    merge.choose("City", "Porto")
    merge.send()
    expect(LeadPanel(page).detail("City")).to_contain_text("Porto")


def test_a_merge_is_walked_by_keyboard_alone(page: Page) -> None:
    one, other = twins(page)
    page.goto(f"/leads/{one['id']}/merge/{other['id']}")
    merge = MergePage(page)

    page.get_by_label("This one stays: Stone and Sons").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("This one stays: Stone & Sons Lda")).to_be_checked()
    page.get_by_role("button", name="Merge", exact=True).focus()
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(f"/leads/{other['id']}"))
    expect(merge.page.get_by_role("heading", level=1)).to_contain_text("Stone")
