"""A lead's past on its page: the trail filtered, the lead as it stood, and what is put back."""

from __future__ import annotations

import json
from uuid import uuid4

import asyncpg
import pytest
from httpx2 import AsyncClient
from selectolax.lexbor import LexborHTMLParser

from console import lead_page
from leads_core.accounts.permissions import Role
from leads_core.context import acting_as
from leads_core.database import Database
from leads_core.erasing import Erasing, Erasure
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from tests.builders import ANA_ID, a_lead, an_actor
from tests.integration.console.conftest import Ask

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def editor(browser: Ask) -> AsyncClient:
    return await browser(Role.EDITOR)


@pytest.fixture
async def acme(leads: LeadService) -> LeadRead:
    """Three entries: Ana adds it, Bo changes city and stage, Ana the city again."""
    with acting_as(an_actor()):
        lead = await leads.create(a_lead(city="Bonn", notes="Called"), source=Source.FORM)
    with acting_as(an_actor(actor_id=uuid4(), actor_name="Bo")):
        await leads.update(lead.id, LeadUpdate(city="Oslo", stage="won"))
    with acting_as(an_actor()):
        return await leads.update(lead.id, LeadUpdate(city="Rome"))


def page(text: str) -> LexborHTMLParser:
    return LexborHTMLParser(text)


def trail(text: str) -> list[str]:
    return [" ".join(node.text().split()) for node in page(text).css(".trail .what > span")]


def notice(text: str) -> str:
    return " ".join(node.text(separator=" ", strip=True) for node in page(text).css("#panel .notice"))


async def test_the_trail_shows_what_its_filters_ask_for_and_says_which_they_are(
    editor: AsyncClient, acme: LeadRead
) -> None:
    answer = await editor.get(f"/leads/{acme.id}?field=city&actor={ANA_ID}")

    html = page(answer.text)
    assert trail(answer.text) == ["Ana Díaz changed city", "Ana Díaz added it with the form"]
    chips = {" ".join(chip.text().split()): chip.css_first("a").attributes["href"] for chip in html.css(".chip")}
    assert chips == {
        "Who is Ana Díaz": f"/leads/{acme.id}?field=city",
        "Field is City": f"/leads/{acme.id}?actor={ANA_ID}",
    }
    ticked = {box.attributes["value"] for box in html.css(".trail-filter input[checked]")}
    assert ticked == {"city", str(ANA_ID)}


async def test_what_is_no_filter_is_passed_over(editor: AsyncClient, acme: LeadRead) -> None:
    answer = await editor.get(f"/leads/{acme.id}?field=nose&actor=me%00&action=DANCE&before=x&at=x&x=y")

    assert (answer.status_code, len(trail(answer.text))) == (200, 3)
    assert page(answer.text).css(".chip") == []


async def test_a_filter_that_matches_nothing_says_that_the_trail_is_whole(editor: AsyncClient, acme: LeadRead) -> None:
    answer = await editor.get(f"/leads/{acme.id}?action=DELETE")

    assert "No entry matches" in answer.text
    assert trail(answer.text) == []


async def test_a_long_trail_is_walked_page_by_page(editor: AsyncClient, leads: LeadService, acme: LeadRead) -> None:
    with acting_as(an_actor()):
        for number in range(55):
            await leads.update(acme.id, LeadUpdate(employee_count=number))

    first = await editor.get(f"/leads/{acme.id}")
    older = page(first.text).css_first("a[rel=next]").attributes["href"]
    second = await editor.get(str(older))

    assert (len(trail(first.text)), len(trail(second.text))) == (50, 8)
    assert trail(second.text)[-1] == "Ana Díaz added it with the form"
    assert page(second.text).css_first("a[rel=next]") is None


async def test_a_lead_is_shown_as_it_stood_with_what_is_different_today(editor: AsyncClient, acme: LeadRead) -> None:
    answer = await editor.get(f"/leads/{acme.id}?at=1")

    html = page(answer.text)
    different = {
        row.css_first("dt").text(): " ".join(row.css_first("dd").text(separator=" ").split())
        for row in html.css(".differs")
    }
    assert html.css_first("h1").text() == "Acme as it stood"
    assert different["City"].startswith("Bonn Today: Rome")
    assert different["Stage"].startswith("New Today: Won")
    assert "2 fields are different today" in notice(answer.text)
    assert "ana@acme.com" in html.css_first("dl.fields").text()
    assert html.css_first("a[rel=prev]") is None
    assert html.css_first("nav a[rel=next]").attributes["href"] == f"/leads/{acme.id}?at=2"


async def test_the_newest_entry_is_how_it_stands_and_there_is_nothing_to_put_back(
    editor: AsyncClient, acme: LeadRead
) -> None:
    answer = await editor.get(f"/leads/{acme.id}?at=3")

    assert "Nothing is different today" in notice(answer.text)
    assert "Put the lead back to here" not in answer.text


async def test_an_entry_that_is_not_there_is_said_above_the_lead_as_it_stands(
    editor: AsyncClient, acme: LeadRead
) -> None:
    answer = await editor.get(f"/leads/{acme.id}?at=9")

    assert (answer.status_code, page(answer.text).css_first("h1").text()) == (404, "Acme")
    assert "entries 1 to 3" in notice(answer.text)


async def test_htmx_gets_the_lead_as_it_stood_as_its_panel(editor: AsyncClient, acme: LeadRead) -> None:
    answer = await editor.get(f"/leads/{acme.id}?at=1", headers=PARTIAL)

    assert answer.text.lstrip().startswith('<div id="panel"')
    assert page(answer.text).css_first("#panel").attributes["data-here"] == f"/leads/{acme.id}?at=1"


async def test_a_plain_form_puts_a_value_back_says_so_and_offers_to_undo_it(
    editor: AsyncClient, leads: LeadService, acme: LeadRead
) -> None:
    answer = await editor.post(f"/leads/{acme.id}/revert", data={"seq": "1", "field": "city", "version": "3"})
    shown = await editor.get(answer.headers["Location"])
    form = page(shown.text).css_first("#panel .notice form")
    fields = {field.attributes["name"]: field.attributes["value"] for field in form.css("input")}
    undone = await editor.post(str(form.attributes["action"]), data=fields)

    assert answer.status_code == 303
    assert "City is Bonn again." in notice(shown.text)
    assert trail(shown.text)[0] == "You put back city"
    lead = await leads.get(acme.id)
    assert (undone.status_code, lead.city, lead.stage, lead.version) == (303, "Rome", "won", 5)


async def test_htmx_is_told_what_was_put_back_and_how_to_undo_it(editor: AsyncClient, acme: LeadRead) -> None:
    answer = await editor.post(f"/leads/{acme.id}/revert", data={"seq": "1", "version": "3"}, headers=PARTIAL)

    toast = json.loads(answer.headers["HX-Trigger"])["toast"]
    assert toast["text"] == "Acme: Put back city and stage."
    assert toast["undo"] == {"request_id": answer.headers["X-Request-Id"]}
    assert trail(answer.text)[0] == "You put back city and stage"


async def test_each_difference_of_the_trail_puts_back_what_stood_before_it(
    editor: AsyncClient, leads: LeadService, acme: LeadRead
) -> None:
    html = page((await editor.get(f"/leads/{acme.id}")).text)
    form = next(form for form in html.css(".diff form") if "stage" in form.css_first("button").text())

    fields = {field.attributes["name"]: field.attributes["value"] for field in form.css("input")}
    await editor.post(str(form.attributes["action"]), data=fields)

    lead = await leads.get(acme.id)
    assert (fields["seq"], lead.stage, lead.city) == ("1", "new", "Rome")


async def test_a_value_that_stands_again_already_is_not_offered(
    editor: AsyncClient, leads: LeadService, acme: LeadRead
) -> None:
    with acting_as(an_actor()):
        await leads.update(acme.id, LeadUpdate(city="Bonn"))

    html = page((await editor.get(f"/leads/{acme.id}")).text)

    offered = [button.text(strip=True) for button in html.css(".diff form button")]
    assert [name for name in offered if "Bonn" in name] == []


async def test_where_nothing_differs_the_answer_says_so(
    editor: AsyncClient, leads: LeadService, acme: LeadRead
) -> None:
    plain = await editor.post(f"/leads/{acme.id}/revert", data={"seq": "3"})
    partial = await editor.post(f"/leads/{acme.id}/revert", data={"seq": "3"}, headers=PARTIAL)

    assert "stands like this already" in notice(plain.text)
    assert "stands like this already" in json.loads(partial.headers["HX-Trigger"])["toast"]["text"]
    assert (await leads.get(acme.id)).version == 3


async def test_an_identity_that_is_taken_by_now_says_by_which_lead(
    editor: AsyncClient, leads: LeadService, acme: LeadRead
) -> None:
    with acting_as(an_actor()):
        await leads.update(acme.id, LeadUpdate(email="bo@acme.com"))
        other = await leads.create(a_lead(), source=Source.FORM)

    answer = await editor.post(f"/leads/{acme.id}/revert", data={"seq": "1"})

    assert answer.status_code == 409
    assert "ana@acme.com is a lead of its own by now" in notice(answer.text)
    assert page(answer.text).css_first(".notice.bad a").attributes["href"] == f"/leads/{other.id}"


async def test_a_stale_form_puts_nothing_back(editor: AsyncClient, leads: LeadService, acme: LeadRead) -> None:
    answer = await editor.post(f"/leads/{acme.id}/revert", data={"seq": "1", "version": "2"})

    assert (answer.status_code, (await leads.get(acme.id)).version) == (412, 3)
    assert "changed meanwhile" in notice(answer.text)


async def test_a_lead_in_the_bin_is_restored_first(editor: AsyncClient, leads: LeadService, acme: LeadRead) -> None:
    with acting_as(an_actor()):
        await leads.delete(acme.id)

    answer = await editor.post(f"/leads/{acme.id}/revert", data={"seq": "1"})
    then = await editor.get(f"/leads/{acme.id}?at=1")

    assert answer.status_code == 409
    assert "Restore it first" in notice(answer.text)
    assert page(then.text).css("#panel form[action$=revert]") == []


@pytest.mark.parametrize("data", [{}, {"seq": "x"}, {"seq": "0"}, {"seq": "99"}, {"seq": "1", "field": "version"}])
async def test_what_no_form_of_ours_sends_is_refused_in_words(
    editor: AsyncClient, leads: LeadService, acme: LeadRead, data: dict[str, str]
) -> None:
    answer = await editor.post(f"/leads/{acme.id}/revert", data=data)

    assert (answer.status_code, (await leads.get(acme.id)).version) == (422, 3)
    assert "Not put back" in notice(answer.text)


async def test_what_was_erased_is_named_and_the_rest_comes_back(
    editor: AsyncClient, leads: LeadService, acme: LeadRead, database: Database
) -> None:
    with acting_as(an_actor()):
        await Erasing(database).erase_lead(acme.id, Erasure(frozenset({"text"})))
        await leads.update(acme.id, LeadUpdate(notes="Again"))

    then = page((await editor.get(f"/leads/{acme.id}?at=1")).text)
    answer = await editor.post(f"/leads/{acme.id}/revert", data={"seq": "1"}, headers=PARTIAL)

    erased = next(row for row in then.css("dl.fields > div") if row.css_first("dt").text() == "Erased since")
    lead = await leads.get(acme.id)
    assert "Notes" in erased.text()
    assert (answer.status_code, lead.city, lead.notes) == (200, "Bonn", "Again")
    toast = json.loads(answer.headers["HX-Trigger"])["toast"]["text"]
    assert toast == "Acme: Put back city and stage. What stood in description and notes was erased."


async def test_a_viewer_reads_the_past_and_puts_nothing_back(browser: Ask, acme: LeadRead) -> None:
    viewer = await browser(Role.VIEWER)

    shown = [(await viewer.get(f"/leads/{acme.id}{query}")).text for query in ("", "?at=1")]
    refused = await viewer.post(f"/leads/{acme.id}/revert", data={"seq": "1"})

    assert [page(text).css("#panel form[method=post]") for text in shown] == [[], []]
    assert "Today: Rome" in " ".join(page(shown[1]).css_first(".differs").text(separator=" ").split())
    assert refused.status_code == 403


async def test_browsers_and_addresses_are_for_administrators(browser: Ask, acme: LeadRead) -> None:
    shown = {
        role: (await (await browser(role)).get(f"/leads/{acme.id}?at=1")).text for role in (Role.EDITOR, Role.ADMIN)
    }

    assert ["Mozilla/5.0" in text and "203.0.113.7" in text for text in shown.values()] == [False, True]


async def test_the_seal_stands_in_the_head_of_the_trail_and_looks_again_while_entries_wait(
    editor: AsyncClient, acme: LeadRead
) -> None:
    seal = page((await editor.get(f"/leads/{acme.id}")).text).css_first("#seal")

    assert "3 entries wait for the next checkpoint" in seal.css_first("summary").text()
    assert seal.css_first("[hx-trigger]").attributes["hx-get"] == f"/leads/{acme.id}/seal"


async def test_the_seal_is_a_fragment_and_a_page_of_its_own(editor: AsyncClient, acme: LeadRead) -> None:
    partial = await editor.get(f"/leads/{acme.id}/seal", headers=PARTIAL)
    whole = await editor.get(f"/leads/{acme.id}/seal")

    assert partial.text.lstrip().startswith('<details class="menu seal-menu" id="seal"')
    assert page(whole.text).css_first("h1").text() == "Seal of Acme"
    assert "open" in page(whole.text).css_first("#seal").attributes
    assert (await editor.get(f"/leads/{uuid4()}/seal")).status_code == 404


async def test_a_long_trail_asks_for_its_seal_when_it_is_shown(
    editor: AsyncClient, acme: LeadRead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lead_page, "AT_ONCE", 2)

    seal = page((await editor.get(f"/leads/{acme.id}")).text).css_first("#seal")

    assert (seal.tag, seal.text(strip=True)) == ("a", "Check the seal")
    assert seal.attributes["href"] == seal.attributes["hx-get"] == f"/leads/{acme.id}/seal"
    asked = await editor.get(f"/leads/{acme.id}/seal", headers=PARTIAL)
    assert "3 entries wait" in page(asked.text).css_first("#seal summary").text()


async def test_nothing_is_put_back_from_a_trail_that_is_broken(
    editor: AsyncClient, acme: LeadRead, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "SET session_replication_role = replica; UPDATE leads SET city = 'Pisa';SET session_replication_role = DEFAULT"
    )

    shown = page((await editor.get(f"/leads/{acme.id}")).text)
    then = page((await editor.get(f"/leads/{acme.id}?at=1")).text)

    assert "Broken at the lead: City" in shown.css_first("#seal summary").text()
    assert [form for html in (shown, then) for form in html.css("form[action$=revert]")] == []


@pytest.mark.parametrize(
    "parts",
    [
        "null",
        "[]",
        "7",
        "{}",
        '{"data": 7, "origin": 7}',
        '{"data": ["salt", 7], "origin": ["salt"]}',
        '{"data": ["salt", {"stage": 7}], "origin": ["salt", {}]}',
        '{"data": ["salt", {"stage": ["new"]}]}',
        '{"data": ["salt", {"stage": ["new", {"a": [1]}], "tags": [[], [{}]], "owner_id": [7, "x"]}]}',
        '{"data": ["salt", {"provenance": [null, "x"]}]}',
        '{"data": ["salt", {"provenance": [null, {"city": "x"}], "city": [null, "x"]}]}',
        '{"nose": ["salt", {"stage": ["new", "won"]}], "text": "not a digest"}',
    ],
)
async def test_a_trail_without_rhyme_or_reason_is_shown_as_broken(
    editor: AsyncClient, acme: LeadRead, owner: asyncpg.Connection, parts: str
) -> None:
    await owner.execute(
        f"SET session_replication_role = replica; UPDATE audit_log SET parts = '{parts}' WHERE seq = 2;"
        "SET session_replication_role = DEFAULT"
    )

    shown = await editor.get(f"/leads/{acme.id}?field=city")
    others = [await editor.get(f"/leads/{acme.id}?at={seq}") for seq in (1, 2, 3)]
    reverted = await editor.post(f"/leads/{acme.id}/revert", data={"seq": "2"})
    by_script = await editor.post(f"/api/v1/leads/{acme.id}/revert", json={"seq": 2, "fields": ["owner_id", "city"]})
    listed = await editor.get(f"/api/v1/leads/{acme.id}/audit")

    assert "Broken at" in page(shown.text).css_first("#seal summary").text()
    assert {answer.status_code for answer in others} <= {200, 404}
    assert (reverted.status_code, "do not edit this lead" in notice(reverted.text)) == (409, True)
    assert by_script.status_code in {200, 422}
    assert listed.status_code == 200
