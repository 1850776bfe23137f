"""Whatever is typed is text, wherever it is shown."""

from __future__ import annotations

import csv
import io
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

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


@pytest.mark.parametrize("turning", ["\u202e", "\u2067"], ids=["override", "isolate"])
def test_text_that_turns_around_turns_nothing_beside_it(page: Page, turning: str) -> None:
    form = LeadForm(page).open()
    form.fill(company_name=f"Acme {turning}exe.pdf", email="mara@example.org")
    form.fill(contact_name=f"Mara {turning}Stone", job_title="Buyer")
    page.get_by_label("Enrich right after saving").uncheck()
    form.save()

    head = page.locator(".lead-title")
    _stands_before(head.locator("#lead-name"), head.get_by_text("Manual"))
    row = LeadsPage(page).open().row("mara@example.org")
    _stands_before(row.get_by_role("link").first, row.get_by_text("Manual"))
    _stands_before(row.locator(".pair"), row.get_by_text("Buyer"))


@pytest.mark.parametrize("text", ["A\x00B", "A\x07B"], ids=["U+0000", "bell"])
def test_characters_that_cannot_be_kept_are_named(page: Page, text: str) -> None:
    form = {"email": "mara@example.org", "company_name": text}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    by_form = page.context.request.post("/leads", data=urlencode(form), headers=headers)
    by_api = page.context.request.post("/api/v1/leads", data=form)

    assert (by_form.status, by_api.status) == (422, 422)
    page.set_content(by_form.text())
    expect(page.get_by_role("alert")).to_contain_text("cannot be kept")


def test_half_a_character_is_refused_at_both_doors(page: Page) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    by_form = page.context.request.post("/leads", data="email=a%40example.org&notes=%ED%A0%80", headers=headers)
    by_api = page.context.request.post(
        "/api/v1/leads",
        data=b'{"email": "a@example.org", "notes": "\\ud800"}',
        headers={"Content-Type": "application/json"},
    )

    assert by_form.status == 400
    assert by_api.status in {400, 422}
    expect(LeadsPage(page).open().rows).to_have_count(0)


def test_no_cell_of_an_export_begins_a_formula(page: Page) -> None:
    a_lead(page, email="mara@example.org", company_name=HOSTILE["formula"], notes="@SUM(A1)", city="-2+3")
    LeadsPage(page).open()

    with page.expect_download() as download:
        page.locator("#export-menu > summary").click()
        page.get_by_role("link", name="CSV all columns").click()

    cells = next(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    assert cells["company_name"] == "'" + HOSTILE["formula"]
    assert not [cell for cell in cells.values() if cell and cell[0] in "=+-@"]


def _stands_before(first: Locator, second: Locator) -> None:
    left, right = first.bounding_box(), second.bounding_box()
    assert left
    assert right
    assert right["x"] >= left["x"] + left["width"]
