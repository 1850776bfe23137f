"""A file becomes leads: looked at first, then brought in; the same file again changes nothing."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from e2e.given import a_lead
from e2e.pages.import_page import ImportPage
from e2e.pages.leads_page import LeadsPage
from e2e.server import ROOT

COMPANIES = ROOT / "examples" / "companies.csv"
SMALL = """Firma;E-Mail;Ort;Farbe
Stein und Söhne;mara@example.org;Köln;rot
<b>Ahorn</b>;kein-email;Bonn;grün
=1+1;formel@example.org;Ulm;blau
"""


def test_a_file_of_real_companies_comes_in_once(any_page: Page, script: bool) -> None:
    importing = ImportPage(any_page)
    importing.choose(COMPANIES)
    expect(importing.goes_to("company_name")).to_have_value("company_name")
    expect(importing.goes_to("domain")).to_have_value("domain")
    expect(importing.count("Created")).to_have_text("2,458")
    expect(importing.count("Rejected")).to_have_text("1")
    expect(any_page.get_by_role("row").filter(has_text="gov.uk")).to_contain_text("an ending that many share")
    expect(any_page.get_by_text("Nothing has changed yet.")).to_be_visible()

    importing.begin()
    importing.ends()
    expect(importing.count("Created")).to_have_text("2,458")
    leads = LeadsPage(any_page, script=script).open()
    expect(leads.pager).to_contain_text("2,458 leads")

    importing.choose(COMPANIES)
    expect(importing.count("Created")).to_have_text("0")
    expect(importing.count("Left alone")).to_have_text("2,458")
    expect(importing.plan.get_by_role("button", name=re.compile("^Import"))).to_have_count(0)


def test_columns_are_matched_by_their_names_and_can_be_chosen(any_page: Page, script: bool) -> None:
    importing = ImportPage(any_page)
    importing.choose(a_file("leads.csv", SMALL))
    expect(importing.goes_to("Firma")).to_have_value("company_name")
    expect(importing.goes_to("E-Mail")).to_have_value("email")
    expect(importing.goes_to("Ort")).to_have_value("city")
    expect(importing.goes_to("Farbe")).to_have_value("")

    importing.goes_to("Farbe").select_option(label="Tags")
    importing.goes_to("Ort").select_option(label="Leave out")
    any_page.get_by_role("button", name="Check again").click()
    expect(importing.goes_to("Farbe")).to_have_value("tags")
    expect(importing.goes_to("Ort")).to_have_value("")
    importing.begin()
    importing.ends()

    leads = LeadsPage(any_page, script=script).open("?tag=rot")
    leads.shows("Stein und Söhne")


def test_rows_that_cannot_come_in_are_named_with_their_reason(page: Page) -> None:
    importing = ImportPage(page)
    importing.choose(a_file("leads.csv", SMALL))

    rejected = page.get_by_role("region", name="cannot come in")
    expect(rejected.get_by_role("row").filter(has_text="kein-email")).to_be_visible()
    importing.begin()
    importing.ends()

    LeadsPage(page).open().shows("=1+1", "Stein und Söhne")


def test_what_a_file_does_not_say_is_left_alone(page: Page) -> None:
    a_lead(page, email="mara@example.org", company_name="Stone and Sons", city="Lisbon")
    importing = ImportPage(page)

    importing.choose(a_file("leads.csv", "email;phone\nmara@example.org;+351 210 000 001\n"))
    importing.begin()
    importing.ends()

    row = LeadsPage(page).open().row("Stone and Sons")
    expect(row).to_have_count(1)


def test_a_file_that_is_no_list_is_refused_in_words(any_page: Page) -> None:
    importing = ImportPage(any_page)

    importing.choose(a_file("empty.csv", ""))

    expect(any_page.get_by_label("Choose a file")).to_have_attribute("aria-invalid", "true")
    expect(any_page.locator("#file-error")).to_be_visible()


def a_file(name: str, text: str) -> dict[str, object]:
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode()}


def test_with_a_script_the_whole_import_is_one_page(page: Page) -> None:
    """Nothing is loaded afresh from the file to the outcome, and the address follows."""
    importing = ImportPage(page)
    page.goto("/import")
    page.evaluate("() => { window.stillTheSame = true }")
    page.get_by_label("Choose a file").set_input_files(a_file("leads.csv", SMALL))  # type: ignore[arg-type]
    page.get_by_role("button", name="Look at it").click()
    expect(importing.goes_to("Firma")).to_have_value("company_name")
    expect(page).to_have_url(re.compile(r"/import/[0-9a-f-]{36}$"))

    importing.begin()
    importing.ends()

    assert page.evaluate("() => window.stillTheSame") is True
    expect(page).to_have_url(re.compile(r"/import/[0-9a-f-]{36}$"))
