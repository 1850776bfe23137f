"""Many leads at once: ticked by mouse and key, or everything that a filter matches; as a job that can be watched."""

from __future__ import annotations

import csv
import re

from playwright.sync_api import Page, expect

from e2e.conftest import NewContext
from e2e.given import a_change, a_lead, companies
from e2e.pages.bulk_bar import BulkBar
from e2e.pages.leads_page import LeadsPage
from e2e.people import Person
from e2e.server import RunningServer
from e2e.states import an_import_of_three_batches

FIVE = ["Ahorn", "Baker Street", "Cedar", "Dune", "Elm"]


def enriched(page: Page, *names: str) -> None:
    """Exactly these leads were looked up: nothing answers at their names, so each has failed."""
    leads = LeadsPage(page).open("?enrichment_status=!pending&sort=company_name")
    expect(leads.rows).to_have_count(len(names))
    leads.shows(*names)


def test_rows_are_ticked_one_by_one_and_from_one_to_another(page: Page) -> None:
    companies(page, FIVE)
    LeadsPage(page).open("?sort=company_name")
    bulk = BulkBar(page)
    expect(bulk.bar).to_be_hidden()

    bulk.box("Baker Street").check()
    bulk.says("1 selected")
    bulk.box("Dune").click(modifiers=["Shift"])
    bulk.chosen("Baker Street", "Cedar", "Dune")
    bulk.says("3 selected")
    bulk.box("Cedar").uncheck()
    bulk.chosen("Baker Street", "Dune")

    assert bulk.whole_page.evaluate("box => box.indeterminate")
    bulk.whole_page.check()
    bulk.chosen(*FIVE)
    bulk.says("5 selected")
    bulk.clear()
    bulk.chosen()
    expect(bulk.bar).to_be_hidden()


def test_x_ticks_the_row_the_keys_are_at(page: Page) -> None:
    companies(page, FIVE)
    leads = LeadsPage(page).open("?sort=company_name")
    bulk = BulkBar(page)
    expect(leads.rows).to_have_count(5)

    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    bulk.chosen("Ahorn", "Cedar")
    page.keyboard.press("x")

    bulk.chosen("Ahorn")
    expect(leads.row("Cedar").get_by_role("link").first).to_be_focused()
    page.set_viewport_size({"width": 390, "height": 844})
    bulk.menu("More").locator("#bulk-owner > summary").click()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(bulk.bar.locator("summary", has_text="More")).to_be_focused()
    box = bulk.bar.bounding_box()
    assert box
    assert box["height"] < 80
    page.keyboard.press("Escape")
    bulk.chosen()


def test_what_is_ticked_stays_ticked_when_the_table_brings_itself_up_to_date(page: Page) -> None:
    companies(page, ["Ahorn", "Baker Street"])
    leads = LeadsPage(page).open()
    bulk = BulkBar(page)
    bulk.box("Ahorn").check()

    a_lead(page, company_name="Cedar", domain="cedar.example.com")
    leads.shows("Cedar", "Baker Street", "Ahorn")

    bulk.chosen("Ahorn")
    bulk.says("1 selected")


def test_what_is_ticked_goes_along_over_the_pages_and_not_to_another_filter(page: Page) -> None:
    companies(page, [f"Lead {place:02}" for place in range(52)], stage="won")
    leads = LeadsPage(page).open("?sort=company_name")
    bulk = BulkBar(page)

    bulk.box("Lead 00").check()
    leads.pager.get_by_role("link", name="Next").click()
    leads.shows("Lead 50", "Lead 51")
    bulk.says("1 selected")
    bulk.box("Lead 51").check()
    bulk.says("2 selected")
    leads.pager.get_by_role("link", name="Before").click()
    bulk.chosen("Lead 00")
    bulk.enrich()
    expect(bulk.notice).to_contain_text("All started.")
    enriched(page, "Lead 00", "Lead 51")

    leads.open()
    bulk.box("Lead 50").check()
    leads.view("Won")
    expect(page.get_by_role("link", name=re.compile("^Won"))).to_have_attribute("aria-current", "page")
    expect(leads.row("Lead 50")).to_be_visible()
    bulk.chosen()
    expect(bulk.bar).to_be_hidden()


def test_a_selection_is_enriched_as_a_job_that_can_be_watched(page: Page) -> None:
    companies(page, FIVE)
    leads = LeadsPage(page).open("?sort=company_name")
    bulk = BulkBar(page)

    bulk.box("Ahorn").check()
    bulk.box("Cedar").check()
    bulk.enrich()

    expect(bulk.notice).to_contain_text("2 leads")
    expect(bulk.notice).to_contain_text("All started.")
    bulk.chosen()
    expect(leads.row("Ahorn")).to_contain_text("Failed")
    bulk.watch()
    expect(bulk.outcome("Started")).to_contain_text("2")
    page.reload()
    expect(page.get_by_role("heading", name="Enrichment of 2 leads")).to_be_visible()
    enriched(page, "Ahorn", "Cedar")


def test_everything_that_a_filter_matches_is_enriched_and_nothing_else(page: Page) -> None:
    companies(page, [f"Lead {place:02}" for place in range(52)], stage="won")
    companies(page, ["Somebody else"])
    leads = LeadsPage(page).open("?stage=won&sort=company_name")
    bulk = BulkBar(page)

    bulk.box("Lead 00").check()
    bulk.everything.check()
    bulk.says("All selected")
    leads.pager.get_by_role("link", name="Next").click()
    bulk.chosen("Lead 50", "Lead 51")
    bulk.enrich()

    expect(bulk.notice).to_contain_text("Enrichment of 52 leads")
    leads.open("?enrichment_status=pending").shows("Somebody else")


def test_it_is_all_there_without_a_script(window: NewContext, rosa: Person, page: Page) -> None:
    companies(page, [f"Lead {place:02}" for place in range(51)], stage="won")
    companies(page, ["Somebody else"])
    plain = window(rosa, script=False).new_page()
    leads, bulk = LeadsPage(plain, script=False).open("?sort=company_name"), BulkBar(plain)

    expect(bulk.whole_page).to_have_count(0)
    expect(bulk.bar).to_be_hidden()
    bulk.box("Lead 03").check()
    bulk.box("Lead 07").check()
    bulk.enrich()
    expect(plain.get_by_role("heading", level=1)).to_contain_text("2 leads")
    expect(bulk.outcome("Started")).to_contain_text("2")

    leads.open("?stage=won")
    leads.rows.get_by_role("checkbox").first.check()
    bulk.everything.check()
    bulk.enrich()
    expect(plain.get_by_role("heading", level=1)).to_contain_text("51 leads")
    expect(bulk.outcome("Started").or_(bulk.outcome("Left alone")).first).to_be_visible()
    leads.open("?enrichment_status=pending").shows("Somebody else")


def test_without_a_tick_nothing_is_begun(window: NewContext, rosa: Person, page: Page) -> None:
    companies(page, FIVE)
    answer = page.context.request.post("/leads/bulk", form={"do": "enrich", "query": "stage=won"})

    assert answer.status == 422
    assert "No lead is meant" in answer.text()


def test_what_could_not_be_enriched_is_named_with_the_reason(page: Page) -> None:
    companies(page, ["Ahorn", "Baker Street"])
    LeadsPage(page).open()
    bulk = BulkBar(page)
    bulk.box("Ahorn").check()
    bulk.box("Baker Street").check()
    gone = page.locator("tr[data-lead]", has_text="Ahorn").get_attribute("data-lead")
    page.context.request.delete(f"/api/v1/leads/{gone}")

    bulk.enrich()
    expect(bulk.notice).to_contain_text("1 started, 1 was not.")
    bulk.watch()

    expect(bulk.outcome("Not found")).to_contain_text("1")
    left = bulk.job.get_by_role("region", name="Leads: Not found")
    expect(left.get_by_role("row", name="Ahorn")).to_contain_text("In the bin")
    left.get_by_role("link", name="Ahorn").click()
    expect(page.locator("#lead-name")).to_have_text("Ahorn")


def test_a_few_are_changed_at_once_and_u_takes_it_back(page: Page) -> None:
    companies(page, FIVE)
    leads, bulk, toast = LeadsPage(page).open("?sort=company_name"), BulkBar(page), page.locator(".toast")

    bulk.box("Ahorn").check()
    bulk.box("Cedar").check()
    bulk.choose("Set stage", "Won")
    expect(toast).to_contain_text("Stage set to Won on 2 leads.")
    expect(leads.row("Ahorn")).to_contain_text("Won")
    bulk.chosen()
    page.keyboard.press("u")
    expect(leads.row("Ahorn")).to_contain_text("New")
    expect(leads.row("Cedar")).to_contain_text("New")

    bulk.box("Dune").check()
    field = bulk.menu("Tags").get_by_role("textbox")
    field.fill("Fair, VIP")
    field.press("Enter")
    expect(toast).to_contain_text("2 tags added to 1 lead.")
    leads.open("?tag=VIP").shows("Dune")


def test_a_key_moves_what_is_ticked_to_the_bin_and_the_bin_gives_it_back(page: Page) -> None:
    companies(page, FIVE)
    leads, bulk = LeadsPage(page).open("?sort=company_name"), BulkBar(page)

    bulk.box("Ahorn").check()
    bulk.box("Elm").check()
    page.keyboard.press("#")
    leads.shows("Baker Street", "Cedar", "Dune")
    leads.open("?deleted=true")
    bulk.whole_page.check()
    bulk.bar.get_by_role("button", name="Restore").click()
    expect(page.locator(".toast")).to_contain_text("2 leads restored.")
    leads.open("?sort=company_name").shows(*FIVE)


def test_everything_that_matches_is_a_job_with_progress_a_result_and_an_undo(page: Page) -> None:
    companies(page, [f"Lead {place:02}" for place in range(52)], stage="contacted")
    companies(page, ["Somebody else"])
    leads, bulk = LeadsPage(page).open("?stage=contacted&sort=company_name"), BulkBar(page)

    bulk.box("Lead 00").check()
    bulk.everything.check()
    bulk.choose("Set owner", "Me")
    expect(bulk.notice).to_contain_text("Owner set on 52 leads")
    leads.open("?owner=none").shows("Somebody else")
    leads.open("?owner=me&sort=company_name")
    bulk.box("Lead 00").check()
    bulk.everything.check()
    bulk.bar.get_by_role("button", name="Move to bin").click()
    expect(bulk.notice).to_contain_text("52 leads moved to the bin")
    bulk.watch()
    page.reload()
    expect(bulk.outcome("Done")).to_contain_text("52")
    page.get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Undo 52 leads").click()
    expect(page).to_have_url(re.compile("/leads"))
    leads.open("?owner=me&sort=company_name")
    expect(leads.row("Lead 00")).to_be_visible()


def test_a_job_that_runs_is_stopped_where_it_is_and_says_how_far_it_came(page: Page, server: RunningServer) -> None:
    middle = an_import_of_three_batches(page)
    LeadsPage(page).open()
    bulk, job = BulkBar(page), page.locator("#job")

    bulk.whole_page.check()
    bulk.everything.check()
    with server.holding(middle):
        bulk.choose("Set stage", "Won")
        bulk.watch()
        expect(job.locator(".dot")).to_have_text("Running")
        job.get_by_role("button", name="Cancel").click()
        expect(job.locator(".dot")).to_have_text("Stopping")
        expect(job.get_by_role("button")).to_have_count(0)

    expect(job.locator(".dot")).to_have_text("Cancelled")
    expect(job).to_contain_text("the rest was not begun")
    expect(bulk.outcome("Done")).to_contain_text(re.compile("500|1,000"))


def test_what_somebody_else_changed_meanwhile_is_named_and_stays_without_a_script_too(
    window: NewContext, rosa: Person, idris: Person, page: Page
) -> None:
    ahorn = a_lead(page, company_name="Ahorn", domain="ahorn.example.com")
    companies(page, ["Cedar"])
    plain = window(rosa, script=False).new_page()
    bulk = BulkBar(plain)
    LeadsPage(plain, script=False).open()
    a_change(window(idris).new_page(), ahorn, stage="lost")

    bulk.box("Ahorn").check()
    bulk.box("Cedar").check()
    bulk.choose("Set stage", "Won")

    expect(plain.get_by_role("heading", level=1)).to_have_text("Stage set to Won on 1 of 2 leads")
    expect(bulk.job.get_by_role("row", name="Ahorn")).to_contain_text("Idris Bello set it to Lost.")
    bulk.outcome("Done").get_by_role("link").click()
    expect(bulk.job.get_by_role("row", name="Cedar")).to_be_visible()


def test_exactly_the_ticked_leads_become_a_file(any_page: Page) -> None:
    companies(any_page, FIVE)
    LeadsPage(any_page).open("?sort=company_name")
    bulk = BulkBar(any_page)
    bulk.box("Ahorn").check()
    bulk.box("Dune").check()

    with any_page.expect_download() as download:
        bulk.choose("Export", "CSV")

    assert re.fullmatch(r"leads-[0-9-]+\.csv", download.value.suggested_filename)
    rows = list(csv.DictReader(download.value.path().read_text("utf-8-sig").splitlines()))
    assert [row["company_name"] for row in rows] == ["Ahorn", "Dune"]
    bulk.chosen("Ahorn", "Dune")
