"""A lead's page, its form, and what a person does with it, as plain forms and as HTMX asks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from httpx2 import AsyncClient
from selectolax.lexbor import LexborHTMLParser

from leads_core.accounts.permissions import Role
from leads_core.context import acting_as
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from tests.builders import a_lead, an_actor
from tests.integration.console.conftest import Ask
from tests.integration.console.pages.reading import status_of

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
NEW = {"email": "ana@acme.com", "company_name": "Acme", "enrich": "false", "is_manual": "true", "tags": "one, two"}


@pytest.fixture
async def editor(browser: Ask) -> AsyncClient:
    return await browser(Role.EDITOR)


@pytest.fixture
async def acme(leads: LeadService) -> LeadRead:
    with acting_as(an_actor()):
        return await leads.create(a_lead(phone="+4532121212"), source=Source.FORM)


def page(text: str) -> LexborHTMLParser:
    return LexborHTMLParser(text)


def details(text: str) -> str:
    return page(text).css_first("dl.fields").text(separator=" ", strip=True)


def trail(text: str) -> list[str]:
    return [" ".join(node.text().split()) for node in page(text).css(".trail .what span")]


async def test_a_form_makes_a_lead_and_shows_it(editor: AsyncClient) -> None:
    answer = await editor.post("/leads", data=NEW)
    shown = await editor.get(answer.headers["Location"])

    assert answer.status_code == 303
    assert page(shown.text).css_first("h1").text() == "Acme"
    assert "one, two" in details(shown.text)
    assert trail(shown.text) == ["You added it with the form"]
    assert "Pending" in page(shown.text).css_first(".facts-line").text()


async def test_the_form_enriches_unless_told_otherwise(editor: AsyncClient) -> None:
    answer = await editor.post("/leads", data={"domain": "acme.com"})
    shown = await editor.get(answer.headers["Location"])

    assert "In progress" in page(shown.text).css_first(".facts-line").text()
    assert page(shown.text).css_first(".lead-title .tag").text() == "Manual"


async def test_what_is_wrong_stands_first_and_beside_its_field_and_nothing_typed_is_lost(editor: AsyncClient) -> None:
    answer = await editor.post("/leads", data={**NEW, "phone": "12", "website": "no address", "notes": "kept"})

    html = page(answer.text)
    assert answer.status_code == 422
    assert [link.attributes["href"] for link in html.css("[aria-labelledby=summary] a")] == ["#phone", "#website"]
    for name in ("phone", "website"):
        field = html.css_first(f"#{name}")
        assert field.attributes["aria-invalid"] == "true"
        assert html.css_first(f"#{name}-error").text()
    assert html.css_first("#notes").text().strip() == "kept"
    assert html.css_first("#phone").attributes["value"] == "12"


async def test_a_lead_without_email_and_domain_is_refused_at_the_email(editor: AsyncClient) -> None:
    answer = await editor.post("/leads", data={"company_name": "Acme"})

    assert answer.status_code == 422
    assert page(answer.text).css_first("#email-error") is not None


async def test_a_duplicate_offers_to_open_the_lead(editor: AsyncClient, acme: LeadRead) -> None:
    answer = await editor.post("/leads", data=NEW)

    html = page(answer.text)
    assert answer.status_code == 409
    assert html.css_first("#email-error").text() == "ana@acme.com is already a lead."
    assert html.css_first(".suggest a").attributes["href"] == f"/leads/{acme.id}"


@pytest.mark.usefixtures("acting")
async def test_a_duplicate_in_the_bin_offers_it_back_or_a_new_one(
    editor: AsyncClient, leads: LeadService, acme: LeadRead
) -> None:
    await leads.delete(acme.id)

    stopped = await editor.post("/leads", data=NEW)
    choices = [node.text(strip=True) for node in page(stopped.text).css(".suggest button")]
    added = await editor.post("/leads", data={**NEW, "despite_bin": "true"})

    assert (stopped.status_code, choices, added.status_code) == (409, ["Restore it", "Add a new one"], 303)


async def test_an_edit_changes_what_was_sent_and_leaves_the_rest(editor: AsyncClient, acme: LeadRead) -> None:
    form = page((await editor.get(f"/leads/{acme.id}/edit")).text)
    version = form.css_first("input[name=version]").attributes["value"]

    answer = await editor.post(f"/leads/{acme.id}", data={"version": version, "city": "Oslo", "phone": ""})
    shown = await editor.get(answer.headers["Location"])

    assert answer.status_code == 303
    assert "Oslo" in details(shown.text)
    assert "+4532121212" not in details(shown.text)
    assert "ana@acme.com" in details(shown.text)
    assert trail(shown.text)[0] == "You changed phone and city"


async def test_the_trail_shows_old_and_new_values(editor: AsyncClient, acme: LeadRead) -> None:
    await editor.post(f"/leads/{acme.id}", data={"stage": "qualified"})

    html = page((await editor.get(f"/leads/{acme.id}")).text)

    newest = html.css_first(".trail li")
    assert "changed stage from New to Qualified" in " ".join(newest.text().split())
    assert (newest.css_first("del").text(), newest.css_first("ins").text()) == ("New", "Qualified")


async def test_a_stale_form_is_asked_field_by_field_and_loses_nothing(
    editor: AsyncClient, leads: LeadService, acme: LeadRead
) -> None:
    with acting_as(an_actor(actor_name="Idris Bello")):
        await leads.update(acme.id, LeadUpdate(stage="contacted", notes="Called"))

    mine = {"version": "1", "stage": "qualified", "notes": "", "city": "Oslo"}
    asked = await editor.post(f"/leads/{acme.id}", data=mine)
    html = page(asked.text)

    assert asked.status_code == 412
    assert html.css_first("h1").text() == "Idris Bello changed Acme first"
    assert [row.text(strip=True) for row in html.css(".choose tbody th")] == ["Stage"]
    assert [choice.attributes["value"] for choice in html.css(".choose input")] == ["qualified", "contacted"]
    kept: dict[str, Any] = {
        field.attributes["name"]: field.attributes["value"] for field in html.css("dialog input[type=hidden]")
    }
    assert kept == {"version": "2", "city": "Oslo"}

    saved = await editor.post(f"/leads/{acme.id}", data={**kept, "stage": "qualified"})
    lead = await leads.get(acme.id)
    assert (saved.status_code, lead.stage, lead.notes, lead.city) == (303, "qualified", "Called", "Oslo")


async def test_a_stale_form_that_wants_what_stands_already_is_no_conflict(
    editor: AsyncClient, leads: LeadService, acme: LeadRead
) -> None:
    with acting_as(an_actor()):
        await leads.update(acme.id, LeadUpdate(stage="won"))

    assert (await editor.post(f"/leads/{acme.id}", data={"version": "1", "stage": "won"})).status_code == 303


async def test_htmx_gets_the_conflict_beside_the_form(editor: AsyncClient, leads: LeadService, acme: LeadRead) -> None:
    with acting_as(an_actor()):
        await leads.update(acme.id, LeadUpdate(city="Bergen"))

    answer = await editor.post(f"/leads/{acme.id}", data={"version": "1", "city": "Oslo"}, headers=PARTIAL)

    assert (status_of(answer), answer.headers["HX-Retarget"]) == (412, "#dialogs")
    assert answer.text.lstrip().startswith("<dialog")


async def test_bin_and_back_by_plain_forms(editor: AsyncClient, acme: LeadRead) -> None:
    deleted = await editor.post(f"/leads/{acme.id}/delete", data={"version": "1"})
    binned = await editor.get(deleted.headers["Location"])
    restored = await editor.post(f"/leads/{acme.id}/restore")
    shown = await editor.get(restored.headers["Location"])

    assert "In the bin" in page(binned.text).css_first(".notice h2").text()
    assert page(binned.text).css_first(".edit") is None
    assert trail(shown.text)[:2] == ["You restored it from the bin", "You moved it to the bin"]


async def test_htmx_is_offered_the_way_back(editor: AsyncClient, acme: LeadRead) -> None:
    answer = await editor.post(f"/leads/{acme.id}/delete", headers=PARTIAL)

    toast = json.loads(answer.headers["HX-Trigger"])["toast"]
    assert (toast["text"], toast["undo"]) == (
        "Acme moved to the bin.",
        {"request_id": answer.headers["X-Request-Id"]},
    )
    assert answer.text.lstrip().startswith('<div id="panel"')


async def test_a_stale_delete_shows_the_lead_and_deletes_nothing(
    editor: AsyncClient, leads: LeadService, acme: LeadRead
) -> None:
    answer = await editor.post(f"/leads/{acme.id}/delete", data={"version": "7"})

    assert (answer.status_code, (await leads.get(acme.id)).version) == (412, 1)
    assert "changed meanwhile" in answer.text


@pytest.mark.usefixtures("acting")
async def test_a_restore_that_would_make_two_of_one_says_which(
    editor: AsyncClient, leads: LeadService, acme: LeadRead
) -> None:
    await leads.delete(acme.id)
    other = await leads.create(a_lead(), source=Source.FORM)

    answer = await editor.post(f"/leads/{acme.id}/restore")

    assert answer.status_code == 409
    assert page(answer.text).css_first(".notice.bad a").attributes["href"] == f"/leads/{other.id}"


async def test_an_enrichment_asked_for_begins(editor: AsyncClient, leads: LeadService, acme: LeadRead) -> None:
    answer = await editor.post(f"/leads/{acme.id}/enrich")

    assert (answer.status_code, (await leads.get(acme.id)).enrichment_status) == (303, "in_progress")


async def test_one_value_can_be_edited_in_its_place(editor: AsyncClient, acme: LeadRead) -> None:
    answer = await editor.get(f"/leads/{acme.id}/edit?field=phone&inline=true", headers=PARTIAL)

    form = page(answer.text).css_first("form")
    assert form.attributes["action"] == f"/leads/{acme.id}"
    assert form.css_first("input[name=phone]").attributes["value"] == "+4532121212"


async def test_colleagues_at_the_company_are_counted(editor: AsyncClient, leads: LeadService, acme: LeadRead) -> None:
    with acting_as(an_actor()):
        await leads.create(a_lead(email="bo@mail.acme.com"), source=Source.FORM)

    answer = await editor.get(f"/leads/{acme.id}")

    link = page(answer.text).css_first(".facts-line a")
    assert (link.text(), link.attributes["href"]) == ("1 other at acme.com", "/leads?registrable_domain=acme.com")


async def test_addresses_in_the_trail_are_for_administrators(browser: Ask, acme: LeadRead) -> None:
    address = "203.0.113.7"
    shown = {role: (await (await browser(role)).get(f"/leads/{acme.id}")).text for role in (Role.EDITOR, Role.ADMIN)}

    assert [address in text for text in shown.values()] == [False, True]


async def test_a_viewer_sees_everything_and_can_press_nothing(browser: Ask, acme: LeadRead) -> None:
    answer = await (await browser(Role.VIEWER)).get(f"/leads/{acme.id}")

    html = page(answer.text)
    assert "ana@acme.com" in details(answer.text)
    assert [form.attributes["action"] for form in html.css("#panel form")] == []


@pytest.mark.parametrize("path", ["/leads/0193f5a0-0000-7000-8000-0000000000cc", "/leads/nothing", "/nothing"])
async def test_what_is_not_there_is_a_page_of_its_own(editor: AsyncClient, path: str) -> None:
    answer = await editor.get(path)

    assert (answer.status_code, page(answer.text).css_first("h1").text()) == (404, "Nothing here")


@pytest.mark.parametrize(
    "body", [b"email=%FF", b"email=%00%40acme.com", b"company_name=%ED%A0%80&email=a%40acme.com", b"\xff"]
)
async def test_text_that_is_none_is_refused_and_never_a_fault(editor: AsyncClient, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await editor.post("/leads", content=body, headers=headers)

    assert answer.status_code in {400, 422}
