"""One field, Enter, and the lead is there; the rest comes by itself."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from e2e.conftest import NewContext
from e2e.given import a_lead, in_the_bin
from e2e.pages.lead_panel import LeadPanel
from e2e.pages.leads_page import LeadsPage
from e2e.people import Person


def test_one_line_is_a_lead(any_page: Page, script: bool) -> None:
    leads = LeadsPage(any_page, script=script).open()

    leads.quick_add("Ana Díaz <ana@lumenstack.io>")

    row = leads.row("ana@lumenstack.io")
    expect(row).to_contain_text("Ana Díaz")
    expect(row).to_contain_text("Manual")
    expect(leads.quick_field).to_have_value("")
    if script:
        expect(leads.quick_field).to_be_focused()


def test_each_line_is_a_lead_and_what_cannot_be_read_stays_in_the_field(any_page: Page, script: bool) -> None:
    leads = LeadsPage(any_page, script=script).open()

    leads.quick_add("https://www.lumenstack.io/pricing\nacme\nmara@example.org")

    expect(leads.quick_form.get_by_role("alert")).to_contain_text("“acme”")
    expect(leads.quick_field).to_have_value("acme")
    expect(leads.rows).to_have_count(2)
    expect(leads.row("lumenstack.io")).to_be_visible()
    expect(leads.row("mara@example.org")).to_be_visible()


def test_a_row_fills_itself_in_every_open_browser(window: NewContext, rosa: Person, idris: Person) -> None:
    hers, his = LeadsPage(window(rosa).new_page()).open(), LeadsPage(window(idris).new_page()).open()
    his.page.evaluate("window.neverLeft = true")

    hers.quick_add("lumenstack.io")

    for leads in (hers, his):
        row = leads.row("lumenstack.io")
        expect(row).to_contain_text("Completed")
        expect(row).to_contain_text("Lumenstack")
        expect(row).to_contain_text("DK")
    assert his.page.evaluate("window.neverLeft")


def test_what_was_found_stands_in_the_lead_with_its_source(any_page: Page, page: Page, script: bool) -> None:
    watching = LeadsPage(page).open()
    watching.quick_add("lumenstack.io")
    expect(watching.row("Lumenstack")).to_contain_text("Completed")

    LeadsPage(any_page, script=script).open().open_lead("Lumenstack")

    panel = LeadPanel(any_page)
    panel.shows("Lumenstack")
    expect(panel.detail("City")).to_contain_text("Copenhagen")
    expect(panel.detail("City")).to_contain_text("website")
    expect(panel.fact("Has mail")).to_contain_text("dns")
    expect(panel.detail("Looked up")).to_contain_text("now")
    expect(panel.newest).to_contain_text("Enrichment")


def test_a_domain_that_does_not_exist_is_said_in_words(page: Page) -> None:
    leads = LeadsPage(page).open()

    leads.quick_add("no-such-company.com")

    expect(leads.row("no-such-company.com")).to_contain_text("no-such-company.com does not exist.")


def test_a_known_email_offers_to_open_its_lead(any_page: Page, script: bool) -> None:
    a_lead(any_page, email="mara@example.org", company_name="Stone and Sons")
    leads = LeadsPage(any_page, script=script).open()

    leads.quick_add("mara@example.org")

    expect(leads.quick_form).to_contain_text("mara@example.org is already a lead.")
    expect(leads.rows).to_have_count(1)
    leads.quick_form.get_by_role("link", name="Open it").click()
    LeadPanel(any_page).shows("Stone and Sons")


def test_a_known_email_says_which_lead_and_takes_what_the_line_knows_more(any_page: Page, script: bool) -> None:
    a_lead(any_page, email="mara@example.org", company_name="Stone and Sons", stage="qualified")
    leads = LeadsPage(any_page, script=script).open()

    leads.quick_add("Mara Stone <mara@example.org>")
    said = leads.quick_form.get_by_role("alert")
    expect(said).to_contain_text("Stone and Sons")
    expect(said).to_contain_text("Qualified")
    expect(said).to_contain_text("New here: Contact “Mara Stone”")
    said.get_by_role("button", name="Add what is new").click()

    expect(leads.row("Stone and Sons")).to_contain_text("Mara Stone")
    expect(leads.quick_field).to_have_value("")
    expect(leads.quick_form.get_by_role("alert")).to_have_count(0)


def test_a_known_email_with_nothing_new_offers_only_to_open_it(any_page: Page, script: bool) -> None:
    a_lead(any_page, email="mara@example.org", contact_name="Mara Stone")
    leads = LeadsPage(any_page, script=script).open()

    leads.quick_add("M. Stone <mara@example.org>")

    expect(leads.quick_form.get_by_role("link", name="Open it")).to_be_visible()
    expect(leads.quick_form.get_by_role("button", name="Add what is new")).to_have_count(0)


def test_lines_are_settled_one_by_one(any_page: Page, script: bool) -> None:
    """Each has its own result, and those that are left keep their reasons."""
    a_lead(any_page, email="mara@example.org", company_name="Stone and Sons")
    in_the_bin(any_page, email="olaf@example.org", company_name="Olaf Timber")
    leads = LeadsPage(any_page, script=script).open()

    leads.quick_add("acme\nMara Stone <mara@example.org>\nlumenstack.io\nolaf@example.org")
    said = leads.quick_form.get_by_role("alert")
    expect(said).to_contain_text("1 lead was added.")
    expect(said).to_contain_text("“acme”")
    expect(leads.quick_field).to_have_value("acme\nMara Stone <mara@example.org>\nolaf@example.org")
    expect(leads.row("lumenstack.io")).to_be_visible()
    said.get_by_role("button", name="Add what is new").click()

    expect(leads.quick_field).to_have_value("acme\nolaf@example.org")
    expect(said).to_contain_text("olaf@example.org is in the bin.")
    said.get_by_role("button", name="Restore it").click()

    expect(leads.quick_field).to_have_value("acme")
    expect(said).to_contain_text("“acme”")
    expect(leads.row("Olaf Timber")).to_be_visible()
    expect(leads.row("Stone and Sons")).to_contain_text("Mara Stone")


def test_an_email_in_the_bin_can_be_restored(any_page: Page, script: bool) -> None:
    in_the_bin(any_page, email="mara@example.org", company_name="Stone and Sons")
    leads = LeadsPage(any_page, script=script).open()

    leads.quick_add("mara@example.org")
    expect(leads.quick_form).to_contain_text("mara@example.org is in the bin.")
    leads.quick_form.get_by_role("button", name="Restore it").click()

    leads.shows("Stone and Sons")
    expect(leads.quick_field).to_have_value("")


def test_an_email_in_the_bin_can_be_added_anew(any_page: Page, script: bool) -> None:
    in_the_bin(any_page, email="mara@example.org", company_name="Stone and Sons")
    leads = LeadsPage(any_page, script=script).open()

    leads.quick_add("mara@example.org")
    leads.quick_form.get_by_role("button", name="Add a new one").click()

    expect(leads.rows).to_have_count(1)
    expect(leads.row("mara@example.org")).to_be_visible()
    expect(leads.row("Stone and Sons")).to_have_count(0)
