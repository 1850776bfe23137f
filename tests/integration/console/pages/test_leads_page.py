"""The table and Quick-Add, as a browser without a script and as HTMX asks for them."""

from __future__ import annotations

import json

import pytest
from httpx2 import AsyncClient
from selectolax.lexbor import LexborHTMLParser

from leads_core.accounts.permissions import Role
from leads_core.leads.schemas import Source
from leads_core.leads.service import LeadService
from tests.builders import a_lead
from tests.integration.console.conftest import Ask

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def editor(browser: Ask) -> AsyncClient:
    return await browser(Role.EDITOR)


def page(text: str) -> LexborHTMLParser:
    return LexborHTMLParser(text)


def names(text: str) -> list[str]:
    return [node.text(strip=True) for node in page(text).css("tr[data-lead] .name a")]


async def test_quick_add_puts_the_lead_on_top_of_the_table(editor: AsyncClient) -> None:
    answer = await editor.post("/leads/quick-add", data={"text": "Ana <ana@acme.com>\nglobex.com"})
    table = await editor.get(answer.headers["Location"])

    assert (answer.status_code, names(table.text)) == (303, ["globex.com", "acme.com"])
    assert page(table.text).css_first("tr[data-lead]").attributes["class"] == "fresh"
    assert [node.text() for node in page(table.text).css("tr[data-lead] .tag")] == ["Manual", "Manual"]


async def test_htmx_gets_the_field_again_and_word_that_the_list_changed(editor: AsyncClient) -> None:
    answer = await editor.post("/leads/quick-add", data={"text": "acme.com"}, headers=PARTIAL)

    assert answer.status_code == 200
    assert page(answer.text).css_first("form").attributes["id"] == "quick-add"
    assert len(json.loads(answer.headers["HX-Trigger"])["leads-changed"]["ids"]) == 1


async def test_what_cannot_be_read_stays_in_the_field_and_the_rest_is_added(editor: AsyncClient) -> None:
    answer = await editor.post("/leads/quick-add", data={"text": "acme.com\nnonsense"})

    assert (answer.status_code, names(answer.text)) == (422, ["acme.com"])
    assert page(answer.text).css_first("#quick-text").text().strip() == "nonsense"
    assert "has no ending" in page(answer.text).css_first("#quick-errors").text()


async def test_nothing_typed_is_said_so(editor: AsyncClient) -> None:
    assert (await editor.post("/leads/quick-add", data={"text": "  "})).status_code == 422


@pytest.mark.usefixtures("acting")
async def test_a_lead_in_the_bin_stops_quick_add_once(editor: AsyncClient, leads: LeadService) -> None:
    binned = await leads.create(a_lead(), source=Source.FORM)
    await leads.delete(binned.id)

    stopped = await editor.post("/leads/quick-add", data={"text": "ana@acme.com"})
    restored = await editor.post(
        f"/leads/quick-add/restore/{binned.id}", data={"text": "ana@acme.com", "line": "ana@acme.com"}
    )

    assert "is in the bin." in page(stopped.text).css_first("#quick-errors").text()
    assert restored.status_code == 303
    assert names((await editor.get("/leads")).text) == ["Acme"]


@pytest.mark.usefixtures("acting")
async def test_a_new_one_can_be_added_despite_the_bin(editor: AsyncClient, leads: LeadService) -> None:
    await leads.delete((await leads.create(a_lead(), source=Source.FORM)).id)

    answer = await editor.post("/leads/quick-add", data={"text": "ana@acme.com", "despite_bin": "true"})

    assert answer.status_code == 303


@pytest.mark.usefixtures("acting")
async def test_a_duplicate_says_which_lead_and_what_the_line_knows_more(
    editor: AsyncClient, leads: LeadService
) -> None:
    lead = await leads.create(a_lead(stage="won"), source=Source.FORM)
    line = "Ana Diaz <ana@acme.com>"

    stopped = await editor.post("/leads/quick-add", data={"text": f"{line}\nglobex.com\nnonsense"})
    said = page(stopped.text).css_first("#quick-errors")
    filled = await editor.post(f"/leads/quick-add/fill/{lead.id}", data={"text": f"{line}\nnonsense", "line": line})

    assert "1 lead was added." in said.text()
    assert " ".join(said.css_first(".suggest").text(separator=" ").split()) == (
        f"{line} is already a lead. Acme ana@acme.com Won New here: Contact “Ana Diaz” Open it Add what is new"
    )
    assert (await leads.get(lead.id)).contact_name == "Ana Diaz"
    assert filled.status_code == 422, "the line that was left has its reason still"
    assert page(filled.text).css_first("#quick-text").text().strip() == "nonsense"


@pytest.mark.usefixtures("acting")
async def test_the_other_lines_keep_their_reasons_when_one_is_settled(editor: AsyncClient, leads: LeadService) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)
    await leads.create(a_lead(email="bo@globex.com", company_name="Globex"), source=Source.FORM)
    line = "Ana Diaz <ana@acme.com>"

    filled = await editor.post(
        f"/leads/quick-add/fill/{lead.id}",
        data={"text": f"{line}\nnonsense\nbo@globex.com", "line": line},
        headers=PARTIAL,
    )

    assert page(filled.text).css_first("#quick-text").text().strip() == "nonsense\nbo@globex.com"
    assert "has no ending" in page(filled.text).css_first("#quick-errors .error").text()
    assert "Globex" in page(filled.text).css_first("#quick-errors .suggest").text()


@pytest.mark.usefixtures("acting")
async def test_a_duplicate_that_is_gone_by_now_is_told_as_it_is(editor: AsyncClient, leads: LeadService) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)
    await leads.delete(lead.id)
    line = "Ana Diaz <ana@acme.com>"

    late = await editor.post(f"/leads/quick-add/fill/{lead.id}", data={"text": line, "line": line})

    assert late.status_code == 409
    assert "is in the bin." in page(late.text).css_first("#quick-errors").text()
    assert page(late.text).css_first("#quick-text").text().strip() == line


@pytest.mark.usefixtures("acting")
async def test_filters_stand_in_the_address_and_each_can_be_taken_away(editor: AsyncClient, leads: LeadService) -> None:
    await leads.create(a_lead(stage="won"), source=Source.FORM)
    await leads.create(a_lead(email="bo@globex.com", company_name="Globex"), source=Source.FORM)

    won = await editor.get("/leads?stage=won")

    assert names(won.text) == ["Acme"]
    chip = page(won.text).css_first(".chip a.x")
    assert (chip.attributes["href"], chip.attributes["aria-label"]) == ("/leads", "Remove filter: Stage is Won")
    assert "1 lead matches" in page(won.text).css_first(".pager p").text()


async def test_empty_parameters_are_cleaned_out_of_the_address(editor: AsyncClient) -> None:
    answer = await editor.get("/leads?q=&stage=won&tag=&owner=any")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/leads?stage=won")


@pytest.mark.usefixtures("acting")
async def test_search_marks_what_it_found(editor: AsyncClient, leads: LeadService) -> None:
    await leads.create(a_lead(company_name="Crème Brûlée"), source=Source.FORM)

    found = await editor.get("/leads?q=brul")

    assert [node.text() for node in page(found.text).css("mark")] == ["Brûl"]


@pytest.mark.usefixtures("acting")
async def test_no_match_says_what_else_is_on_and_what_would_be_found_without_it(
    editor: AsyncClient, leads: LeadService
) -> None:
    for number in range(3):
        await leads.create(a_lead(email=f"ana{number}@acme.com", company_name="Stone"), source=Source.FORM)

    nothing = await editor.get("/leads?q=stnoe&stage=won")
    something = await editor.get("/leads?q=stone&stage=won&country=DE")

    assert "No lead matches “stnoe”" in nothing.text
    assert "1 filter is on as well. Without it, no lead matches either." in nothing.text
    assert "2 filters are on as well. Without them, 3 leads match “stone”." in something.text


@pytest.mark.parametrize("query", ["stage=bogus", "cursor=zzz", "sort=colour", "created_from=soon"])
async def test_a_filter_nobody_can_read_widens_nothing(editor: AsyncClient, query: str) -> None:
    answer = await editor.get(f"/leads?{query}")

    assert (answer.status_code, names(answer.text)) == (422, [])
    assert "This filter cannot be read" in answer.text


@pytest.mark.usefixtures("acting")
async def test_pages_lead_on_and_back(editor: AsyncClient, leads: LeadService) -> None:
    for number in range(51):
        await leads.create(a_lead(email=f"ana{number}@acme.com", company_name=f"N{number}"), source=Source.FORM)

    first = await editor.get("/leads")
    second = await editor.get(page(first.text).css_first("a[rel=next]").attributes["href"] or "")
    back = await editor.get(page(second.text).css_first("a[rel=prev]").attributes["href"] or "")

    assert (len(names(first.text)), names(second.text)) == (50, ["N0"])
    assert names(back.text) == names(first.text)


async def test_htmx_gets_the_table_alone(editor: AsyncClient) -> None:
    answer = await editor.get("/leads", headers=PARTIAL)

    assert answer.text.lstrip().startswith('<div id="lead-page"')
    assert answer.headers["Vary"].startswith("HX-Request-Type")


async def test_a_viewer_sees_no_field_to_add_with(browser: Ask) -> None:
    viewer = await browser(Role.VIEWER)

    assert page((await viewer.get("/leads")).text).css_first("#quick-add") is None


async def test_markup_in_a_lead_is_shown_and_never_run(editor: AsyncClient, leads: LeadService) -> None:
    hostile = "<script>alert(1)</script>"
    await editor.post("/leads", data={"email": "ana@acme.com", "company_name": hostile})

    answer = await editor.get("/leads?q=script")

    assert hostile not in answer.text
    assert page(answer.text).css_first("tr[data-lead] .name a").text() == hostile
