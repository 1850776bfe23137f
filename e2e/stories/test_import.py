"""A file becomes leads: looked at first, then brought in; the same file again changes nothing."""

from __future__ import annotations

import io
import re
from pathlib import Path

import xlsxwriter
from playwright.sync_api import Page, expect

from e2e.given import a_lead
from e2e.pages.import_page import ImportPage
from e2e.pages.leads_page import LeadsPage
from e2e.server import ROOT

MARA = "mara@example.org"
DROPPED = """text => {
    const files = new DataTransfer()
    files.items.add(new File([text], "leads.csv", { type: "text/csv" }))
    return files
}"""
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
    importing.check_again()
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


def test_a_sheet_of_a_workbook_comes_in_with_a_tag_on_each_row(any_page: Page, script: bool) -> None:
    importing = ImportPage(any_page)
    importing.choose(a_workbook("fair.xlsx", Notes=[["What"], ["x"]], Leads=[["Firma", "E-Mail"], ["Ahorn", MARA]]))
    expect(any_page.get_by_role("alert")).to_contain_text("No column goes to email or domain")

    importing.reading.select_option("Leads")
    any_page.get_by_role("button", name="Read again").click()
    expect(importing.goes_to("Firma")).to_have_value("company_name")
    any_page.get_by_text("Say something of every row").click()
    any_page.get_by_label("Add tags").fill("fair-2026")
    importing.check_again()
    importing.begin()
    importing.ends()

    LeadsPage(any_page, script=script).open("?tag=fair-2026").shows("Ahorn")


def test_a_check_shows_old_and_new_for_each_row(any_page: Page) -> None:
    a_lead(any_page, email=MARA, company_name="Stone", city="Lisbon")
    importing = ImportPage(any_page)
    importing.choose(a_file("leads.csv", f"email,city,phone\n{MARA},Porto,+351 210 000 001\nnew@example.org,Faro,\n"))
    changed = importing.rows.get_by_role("row").filter(has_text="Stone")
    expect(changed).to_contain_text("Phone empty")
    expect(changed).not_to_contain_text("Lisbon")

    any_page.get_by_label("Overwrite with the file").check()
    importing.check_again()

    expect(changed.locator("del")).to_have_text("Lisbon")
    expect(changed.locator("ins").filter(has_text="Porto")).to_be_visible()
    importing.rows.get_by_role("link", name="Created").click()
    expect(importing.rows.get_by_role("row").filter(has_text="new@example.org")).to_contain_text("Faro")


def test_what_was_not_looked_at_is_not_begun(any_page: Page) -> None:
    a_lead(any_page, email=MARA, company_name="Stone", city="Lisbon")
    importing = ImportPage(any_page)
    importing.choose(a_file("leads.csv", f"email,city\n{MARA},Porto\nnew@example.org,Faro\n"))

    any_page.get_by_label("Overwrite with the file").check()
    importing.begin()

    expect(any_page.get_by_text("You have chosen something else since.")).to_be_visible()
    expect(importing.count("Changed")).to_have_text("1")
    importing.begin()
    importing.ends()


def test_rejected_rows_are_mended_and_sent_again(any_page: Page, tmp_path: Path) -> None:
    importing = ImportPage(any_page)
    importing.choose(a_file("leads.csv", SMALL))
    with any_page.expect_download() as download:
        any_page.get_by_role("link", name="with reasons").click()
    mended = tmp_path / "mended.csv"
    text = download.value.path().read_text(encoding="utf-8-sig")
    mended.write_text(text.replace("kein-email", "ahorn@example.org"), encoding="utf-8")

    importing.choose(mended)

    expect(importing.count("Created")).to_have_text("1")
    expect(importing.count("Rejected")).to_have_text("0")


def test_a_large_file_is_checked_beside_the_page_and_its_import_can_be_stopped(page: Page) -> None:
    lines = "".join(f"p{n}@big{n % 700}.com,Big {n}\n" for n in range(30_000))
    importing = ImportPage(page)
    importing.choose(a_file("big.csv", f"email,company\n{lines}"))
    expect(page.get_by_text("Checking", exact=True)).to_be_visible()
    page.reload()
    expect(importing.count("Created")).to_have_text("30,000", timeout=60_000)

    importing.begin()
    page.get_by_role("button", name="Stop").click()

    expect(page.get_by_text("Stopped", exact=True)).to_be_visible(timeout=20_000)
    expect(page.get_by_text("not begun")).to_be_visible()
    page.goto("/import")
    expect(page.get_by_role("row").filter(has_text="big.csv")).to_contain_text("Stopped")


def test_a_file_is_dropped_onto_the_page(page: Page) -> None:
    page.goto("/import")
    dropped = page.evaluate_handle(DROPPED, SMALL)

    for event in ("dragover", "drop"):
        page.dispatch_event("main", event, {"dataTransfer": dropped})

    expect(ImportPage(page).goes_to("Firma")).to_have_value("company_name")


def test_a_file_dropped_onto_the_list_is_looked_at_as_any_other(page: Page) -> None:
    LeadsPage(page).open()
    dropped = page.evaluate_handle(DROPPED, SMALL)

    page.dispatch_event("main", "dragover", {"dataTransfer": dropped})
    expect(page.get_by_text("Drop to import")).to_be_visible()
    page.dispatch_event("main", "dragleave")
    expect(page.get_by_text("Drop to import")).to_have_count(0)
    page.dispatch_event("main", "drop", {"dataTransfer": dropped})

    expect(page).to_have_url(re.compile(r"/import/[0-9a-f-]{36}$"))
    expect(ImportPage(page).goes_to("Firma")).to_have_value("company_name")


def test_an_import_is_undone_from_its_page(page: Page) -> None:
    importing = ImportPage(page)
    importing.choose(a_file("leads.csv", SMALL))
    importing.begin()
    importing.ends()

    page.get_by_role("link", name="Undo").click()

    expect(page).to_have_url(re.compile(r"/undo\?task_id="))
    page.get_by_role("button", name="Undo 2 leads").click()
    page.goto("/import")
    row = page.get_by_role("row").filter(has_text="leads.csv")
    expect(row).to_contain_text("Undone")
    row.get_by_role("link", name="by Rosa Engel").click()
    expect(page.get_by_role("heading", name="Undo of 2 leads")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="To the bin")).to_contain_text("2")


def a_workbook(name: str, **sheets: list[list[str]]) -> dict[str, object]:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content.getvalue()}


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
