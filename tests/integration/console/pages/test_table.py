"""The table as each person wants it, and values changed in it: as a script asks for them, and as plain forms."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from httpx2 import AsyncClient, Response
from selectolax.lexbor import LexborHTMLParser

from leads_core.accounts.permissions import Role
from leads_core.accounts.schemas import UserRead
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from tests.builders import a_lead
from tests.integration.console.conftest import Ask
from tests.integration.console.pages.reading import status_of

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def editor(browser: Ask) -> AsyncClient:
    return await browser(Role.EDITOR)


@pytest.fixture
async def acme(leads: LeadService, acting: object) -> LeadRead:
    return await leads.create(a_lead(email="ana@acme.com", company_name="Acme", city="Porto"), source=Source.API)


def page(answer: Response) -> LexborHTMLParser:
    return LexborHTMLParser(answer.text)


def columns(answer: Response) -> list[str]:
    return [node.attributes["data-column"] or "" for node in page(answer).css("thead [data-column]")]


async def choose(client: AsyncClient, **form: object) -> Response:
    answer = await client.post("/leads/columns", data={"then": "/leads?stage=new", **form})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/leads?stage=new")
    return await client.get("/leads")


@pytest.mark.usefixtures("acme")
async def test_chosen_columns_are_there_for_this_person_alone_on_every_device(
    browser: Ask, editor: AsyncClient
) -> None:
    await choose(editor, column=["company", "email", "city", "tags"])
    other_device, somebody_else = await browser(Role.EDITOR), await browser(Role.ADMIN)

    table = await other_device.get("/leads")
    assert columns(table) == ["company", "email", "city", "tags"]
    assert page(table).css_first("td.c-city").text() == "Porto"
    assert len(columns(await somebody_else.get("/leads"))) == 9


@pytest.mark.usefixtures("acme")
async def test_columns_move_and_keep_their_widths_and_go_back_to_the_standard(editor: AsyncClient) -> None:
    laid_out = await choose(editor, layout="company:240,email:5,phone:,nonsense:7")
    assert columns(laid_out) == ["company", "email", "phone"]
    widths = [node.attributes.get("width") for node in page(laid_out).css("col[class^=w-]")]
    assert widths[1:4] == ["240", "64", "152"]

    assert columns(await choose(editor, move="left phone")) == ["company", "phone", "email"]
    assert columns(await choose(editor, move="left company")) == ["company", "phone", "email"]
    placed = await choose(editor, move="before phone email", width=["wide email", "narrow phone", "", "wide", "wide x"])
    assert columns(placed) == ["company", "email", "phone"]
    assert [node.attributes.get("width") for node in page(placed).css("col[class^=w-]")][1:4] == ["240", "324", "106"]
    assert columns(await choose(editor, move="before nowhere company")) == ["company", "email", "phone"]
    assert len(columns(await choose(editor, reset="columns"))) == 9


@pytest.mark.usefixtures("acme")
async def test_rows_are_as_dense_as_this_person_wants_without_choosing_columns(editor: AsyncClient) -> None:
    every_column = ["company", "domain", "contact", "email", "stage", "enrichment", "country", "source", "added"]
    table = await choose(editor, column=every_column, density="roomy")

    assert page(table).css_first(".sheet").attributes["data-density"] == "roomy"
    assert page(table).css_first(".sheet").attributes["class"] == "sheet"


async def test_the_owner_is_named_and_what_is_due_says_so(
    editor: AsyncClient, acme: LeadRead, leads: LeadService, people: dict[Role, UserRead]
) -> None:
    today = datetime.now(UTC).date()
    await leads.update(acme.id, LeadUpdate(owner_id=people[Role.EDITOR].id, follow_up_on=today - timedelta(days=1)))

    table = page(await choose(editor, column=["company", "owner", "follow_up"]))

    assert table.css_first("td.c-owner").text() == "Editor"
    assert table.css_first("td.c-follow_up").text() == "Yesterday overdue"


async def test_a_changed_cell_comes_back_as_the_table_shows_it_with_its_version_and_an_undo(
    editor: AsyncClient, acme: LeadRead
) -> None:
    answer = await editor.post(f"/leads/{acme.id}/cell", data={"version": "1", "city": " Lisboa "}, headers=PARTIAL)

    events = json.loads(answer.headers["HX-Trigger"])
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert page(answer).css_first("td.c-city").text() == "Lisboa"
    assert events["leads-changed"]["ids"] == [str(acme.id)]
    assert events["toast"]["undo"]["request_id"]


async def test_what_cannot_be_read_is_said_in_words_and_nothing_is_written(editor: AsyncClient, acme: LeadRead) -> None:
    answer = await editor.post(f"/leads/{acme.id}/cell", data={"version": "1", "email": "ana@"}, headers=PARTIAL)

    assert status_of(answer) == 422
    assert page(answer).css_first(".error").text().strip()
    assert (await editor.get(f"/api/v1/leads/{acme.id}")).json()["version"] == 1


async def test_another_leads_email_offers_to_open_that_lead(
    editor: AsyncClient, acme: LeadRead, leads: LeadService
) -> None:
    other = await leads.create(a_lead(email="bo@acme.com"), source=Source.API)

    answer = await editor.post(f"/leads/{acme.id}/cell", data={"version": "1", "email": "bo@acme.com"}, headers=PARTIAL)

    assert status_of(answer) == 409
    assert "bo@acme.com is already a lead." in answer.text
    assert page(answer).css_first("[data-opens-lead]").attributes["href"] == f"/leads/{other.id}"


async def test_the_same_cell_changed_by_two_shows_both_values_and_who_was_first(
    editor: AsyncClient, acme: LeadRead, leads: LeadService
) -> None:
    await leads.update(acme.id, LeadUpdate(city="Faro"))

    answer = await editor.post(f"/leads/{acme.id}/cell", data={"version": "1", "city": "Lisboa"}, headers=PARTIAL)

    assert status_of(answer) == 412
    assert page(answer).css_first("strong").text() == "Ana Díaz changed Acme first."
    assert [node.text() for node in page(answer).css("dd")] == ["Faro", "Lisboa"]
    kept = await editor.post(f"/leads/{acme.id}/cell", data={"version": "2", "city": "Lisboa"}, headers=PARTIAL)
    assert (kept.status_code, kept.headers["ETag"]) == (200, '"3"')


async def test_who_changed_another_cell_since_is_not_who_was_first(
    editor: AsyncClient, acme: LeadRead, leads: LeadService
) -> None:
    await leads.update(acme.id, LeadUpdate(city="Faro"))
    mine = {"version": "1", "stage": "won"}
    assert (await editor.post(f"/leads/{acme.id}/cell", data=mine, headers=PARTIAL)).status_code == 200

    answer = await editor.post(f"/leads/{acme.id}/cell", data={"version": "1", "city": "Lisboa"}, headers=PARTIAL)

    assert page(answer).css_first("strong").text() == "Ana Díaz changed Acme first."


async def test_another_cell_of_the_lead_changed_meanwhile_is_no_hindrance(
    editor: AsyncClient, acme: LeadRead, leads: LeadService
) -> None:
    await leads.update(acme.id, LeadUpdate(stage="won"))

    answer = await editor.post(f"/leads/{acme.id}/cell", data={"version": "1", "city": "Lisboa"}, headers=PARTIAL)

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"3"')
    assert (await leads.get(acme.id)).stage == "won"


async def test_without_a_script_a_rows_actions_are_a_page_of_plain_forms(
    editor: AsyncClient, acme: LeadRead, leads: LeadService, people: dict[Role, UserRead]
) -> None:
    table = await editor.get("/leads")
    address = page(table).css_first("tr[data-lead] .c-more a").attributes["href"] or ""
    actions = await editor.get(address, headers={"Referer": "http://test/leads?tag=a"})
    mine = page(actions).css_first("button[name=owner_id]").attributes["value"]
    then = page(actions).css_first("#row-actions input[name=then]").attributes["value"]

    done = await editor.post(f"/leads/{acme.id}/cell", data={"version": "1", "owner_id": mine, "then": then})

    assert (done.status_code, done.headers["Location"].split("&")[0]) == (303, "/leads?tag=a")
    assert (await leads.get(acme.id)).owner_id == people[Role.EDITOR].id


async def test_without_a_script_what_was_refused_stays_typed_and_a_conflict_is_a_form(
    editor: AsyncClient, acme: LeadRead, leads: LeadService
) -> None:
    await leads.update(acme.id, LeadUpdate(tags=["vip"]))

    refused = await editor.post(f"/leads/{acme.id}/cell", data={"version": "1", "tags": "fair, spring"})

    assert status_of(refused) == 412
    form = page(refused).css_first("form.at-odds")
    sent = {node.attributes["name"]: node.attributes["value"] for node in form.css("input")}
    assert page(refused).css_first("#row-tags").attributes["value"] == "fair, spring"
    assert (await editor.post(f"/leads/{acme.id}/cell", data=sent)).status_code == 303
    assert (await leads.get(acme.id)).tags == ["fair", "spring"]


async def test_who_only_reads_gets_no_fields_and_no_actions(browser: Ask, acme: LeadRead) -> None:
    table = await (await browser(Role.VIEWER)).get("/leads")

    assert page(table).css("[data-edits], [data-actions]") == []
