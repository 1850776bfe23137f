"""Whatever is typed is text, wherever it is shown."""

from __future__ import annotations

import csv
import io

import pytest
from playwright.sync_api import Page, expect

from e2e.given import a_lead
from e2e.pages.lead_form import LeadForm
from e2e.pages.lead_panel import LeadPanel
from e2e.pages.leads_page import LeadsPage

HOSTILE = {
    "script": "<script>document.title = 'taken'</script>",
    "attribute": '"><img src=x onerror="document.title = \'taken\'">',
    "template": "{{ 7 * 7 }} ${7 * 7}",
    "sql": "'; DROP TABLE leads; --",
    "sql in a list": "a') OR 1=1 --",
    "formula": '=HYPERLINK("http://example.org", "Click")',
    "command": "+1+cmd|' /C calc'!A0",
}


@pytest.mark.parametrize("text", list(HOSTILE.values()), ids=list(HOSTILE))
def test_hostile_text_is_shown_as_it_was_typed(page: Page, text: str) -> None:
    form = LeadForm(page).open()

    form.fill(company_name=text, email="mara@example.org", notes=text)
    page.get_by_label("Enrich right after saving").uncheck()
    form.save()

    panel = LeadPanel(page)
    panel.shows(text)
    expect(panel.detail("Notes")).to_contain_text(text)
    expect(panel.newest).to_contain_text(text)
    assert page.locator("#panel img, #panel script").count() == 0
    leads = LeadsPage(page).open()
    leads.shows(text)
    leads.open_lead(text)
    panel.shows(text)
    expect(page).not_to_have_title("taken")


@pytest.mark.parametrize("text", list(HOSTILE.values()), ids=list(HOSTILE))
def test_hostile_searches_find_nothing_and_break_nothing(page: Page, text: str) -> None:
    a_lead(page, email="mara@example.org", company_name="Stone and Sons")

    LeadsPage(page).open().search_field.fill(text)

    expect(page.get_by_role("heading", name="No lead matches")).to_contain_text(text)
    LeadsPage(page).open().shows("Stone and Sons")


def test_text_that_turns_around_stays_inside_its_own_cell(page: Page) -> None:
    turned = "Acme \u202egnp.exe"
    form = LeadForm(page).open()

    form.fill(company_name=turned, email="mara@example.org", contact_name="Mara Stone")
    form.save()

    if form.summary.is_visible():
        expect(form.summary).to_contain_text("Company")
    else:
        LeadsPage(page).open()
        expect(LeadsPage(page).row("mara@example.org")).to_contain_text("Mara Stone")


def test_no_cell_of_an_export_begins_a_formula(page: Page) -> None:
    a_lead(page, email="mara@example.org", company_name=HOSTILE["formula"], notes="@SUM(A1)", city="-2+3")
    LeadsPage(page).open()

    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()

    cells = next(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    assert cells["company_name"] == "'" + HOSTILE["formula"]
    assert not [cell for cell in cells.values() if cell and cell[0] in "=+-@"]
