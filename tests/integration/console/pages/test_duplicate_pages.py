"""Likely duplicates on a lead's page and on a page of their own, and the merge of two as plain forms do it."""

from __future__ import annotations

import pytest
from httpx2 import AsyncClient
from selectolax.lexbor import LexborHTMLParser

from leads_core.accounts.permissions import Role
from leads_core.audit.log.sequencer import Sequencer
from leads_core.context import acting_as
from leads_core.database import Database
from leads_core.leads.likely_duplicates import find_new
from leads_core.leads.merging import Merge
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import a_lead, an_actor
from tests.integration.console.conftest import Ask

Pair = tuple[LeadRead, LeadRead]
PHONE = "+4930901820"


@pytest.fixture
async def editor(browser: Ask) -> AsyncClient:
    return await browser(Role.EDITOR)


@pytest.fixture
async def pair(leads: LeadService) -> Pair:
    with acting_as(an_actor(request_id="created")):
        mara = await leads.create(
            a_lead(email="mara@acme.com", contact_name="Mara Holt", company_name="Acme", city="Oslo"),
            source=Source.FORM,
        )
        holt = await leads.create(
            a_lead(email="m.holt@acme.com", contact_name="M. Holt", company_name="Acme GmbH", phone=PHONE),
            source=Source.FORM,
        )
    return mara, holt


def read(text: str) -> LexborHTMLParser:
    return LexborHTMLParser(text)


def text(answer_text: str, selector: str) -> str:
    return " ".join(" ".join(node.text().split()) for node in read(answer_text).css(selector))


def ticked(answer_text: str) -> dict[str, str]:
    radios = read(answer_text).css("input[type=radio][checked]")
    return {str(radio.attributes["name"]): str(radio.attributes["value"]) for radio in radios}


def path_of(pair: Pair) -> str:
    return f"/leads/{pair[0].id}/merge/{pair[1].id}"


async def sent(editor: AsyncClient, pair: Pair, **changed: str) -> dict[str, str]:
    """The form as it is shown, with other choices."""
    page = (await editor.get(path_of(pair))).text
    hidden = {str(one.attributes["name"]): str(one.attributes["value"]) for one in read(page).css("input[type=hidden]")}
    versions = {name: value for name, value in hidden.items() if name.endswith("version")}
    return {**versions, **ticked(page), **changed}


async def test_a_lead_says_whom_it_looks_like_and_why(editor: AsyncClient, browser: Ask, pair: Pair) -> None:
    shown = (await editor.get(f"/leads/{pair[0].id}")).text
    to_viewer = (await (await browser(Role.VIEWER)).get(f"/leads/{pair[0].id}")).text

    assert text(shown, "[aria-labelledby=likely] .suggest > div:first-child") == (
        "Acme GmbH, M. Holt, m.holt@acme.com Likely: similar name."
    )
    assert path_of(pair) in shown
    assert "Acme GmbH" in text(to_viewer, "[aria-labelledby=likely]")
    assert "/merge/" not in to_viewer


async def test_both_stand_side_by_side_with_a_sensible_choice(editor: AsyncClient, pair: Pair) -> None:
    answer = await editor.get(path_of(pair))

    assert answer.status_code == 200
    assert ticked(answer.text) == {
        "stays": "first",
        "email": "first",
        "company_name": "second",
        "contact_name": "first",
        "phone": "second",
        "city": "first",
    }
    assert "Domainacme.com" in text(answer.text, "#same dl div").replace(" ", "")


async def test_the_form_merges_and_both_pages_say_so(editor: AsyncClient, pair: Pair) -> None:
    form = await sent(editor, pair, contact_name="first", company_name="first")

    answer = await editor.post(path_of(pair), data=form)
    kept = (await editor.get(answer.headers["Location"])).text
    gone = (await editor.get(f"/leads/{pair[1].id}")).text

    assert answer.status_code == 303
    assert text(kept, ".undo-notice p") == "Done."
    assert text(kept, ".trail .what span").startswith("You merged Acme GmbH into it, took phone")
    assert text(gone, ".notice.warn h2") == "Merged into Acme"
    assert "by you" in text(gone, ".notice.warn .caption")
    assert text(gone, ".trail .what span").startswith("You merged it into Acme")


async def test_the_other_one_may_stay(editor: AsyncClient, pair: Pair, leads: LeadService) -> None:
    form = await sent(editor, pair, stays="second", city="first")

    answer = await editor.post(path_of(pair), data=form)

    kept = await leads.get(pair[1].id)
    assert answer.headers["Location"].startswith(f"/leads/{pair[1].id}")
    assert (kept.city, kept.email, (await leads.get(pair[0].id, deleted=True)).merged_into) == (
        "Oslo",
        "mara@acme.com",
        pair[1].id,
    )


async def test_undo_from_the_page_takes_them_apart(editor: AsyncClient, pair: Pair, leads: LeadService) -> None:
    answer = await editor.post(path_of(pair), data=await sent(editor, pair))
    kept = (await editor.get(answer.headers["Location"])).text
    (request_id,) = [one.attributes["value"] for one in read(kept).css(".undo-notice input[name=request_id]")]

    await editor.post("/undo", data={"request_id": str(request_id)})

    mara, holt = [await leads.get(one.id) for one in pair]
    assert (mara.phone, mara.contact_name, holt.merged_into) == (None, "Mara Holt", None)


async def test_who_changed_a_lead_meanwhile_is_said_and_no_choice_is_lost(
    editor: AsyncClient, pair: Pair, leads: LeadService
) -> None:
    form = await sent(editor, pair, contact_name="second")
    with acting_as(an_actor()):
        await leads.update(pair[1].id, LeadUpdate(city="Bergen"))

    answer = await editor.post(path_of(pair), data=form)

    assert answer.status_code == 412
    assert text(answer.text, "[role=alert] h2") == "Acme GmbH changed meanwhile"
    assert "Ana Díaz changed city." in text(answer.text, "[role=alert] p")
    assert "City" in text(answer.text, "tr.new th")
    assert ticked(answer.text)["contact_name"] == "second"
    assert (await editor.post(path_of(pair), data=await sent(editor, pair))).status_code == 303


async def test_a_third_lead_in_the_way_is_named(editor: AsyncClient, pair: Pair, leads: LeadService) -> None:
    with acting_as(an_actor()):
        third = await leads.create(a_lead(email=None, domain="acme.com"), source=Source.FORM)
        other = await leads.create(a_lead(email=None, domain="acme.de"), source=Source.FORM)
    form = await sent(editor, (pair[0], other), stays="first", email="second", domain="first")

    answer = await editor.post(path_of((pair[0], other)), data=form)

    assert answer.status_code == 409
    assert f"/leads/{third.id}" in answer.text


async def test_what_is_merged_already_leads_to_where_it_went(
    editor: AsyncClient, pair: Pair, leads: LeadService
) -> None:
    form = await sent(editor, pair)
    with acting_as(an_actor()):
        await leads.merge(pair[1].id, pair[0].id, Merge())

    posted, asked = await editor.post(path_of(pair), data=form), await editor.get(path_of(pair))

    assert (posted.status_code, asked.status_code) == (409, 409)
    assert f"/leads/{pair[1].id}" in posted.text
    assert (await editor.get(f"/leads/{pair[0].id}/merge/{pair[0].id}")).status_code == 404


async def test_not_a_duplicate_is_not_shown_again(editor: AsyncClient, pair: Pair) -> None:
    answer = await editor.post(f"/leads/{pair[0].id}/apart/{pair[1].id}")
    shown = [(await editor.get(f"/leads/{one.id}")).text for one in pair]
    await editor.post(f"/leads/{pair[1].id}/apart/{pair[0].id}", data={"again": "true"})

    assert answer.headers["Location"] == f"/leads/{pair[0].id}"
    assert [text(page, "[aria-labelledby=likely]") for page in shown] == ["", ""]
    assert "similar name" in text((await editor.get(f"/leads/{pair[0].id}")).text, "[aria-labelledby=likely]")


async def test_all_pairs_have_a_page(editor: AsyncClient, pair: Pair, database: Database, settings: Settings) -> None:
    empty = (await editor.get("/duplicates")).text
    await Sequencer(database, settings).run_once()
    await find_new(database, seconds=60)
    shown = (await editor.get("/duplicates?cursor=forged")).text

    assert text(empty, ".blank h2") == "No two leads look alike"
    assert text(shown, ".pairs .why") == "Similar name"
    assert len(read(shown).css(".pairs .row a")) == 1


async def test_erasing_says_what_a_merge_copied_elsewhere(browser: Ask, editor: AsyncClient, pair: Pair) -> None:
    await editor.post(path_of(pair), data=await sent(editor, pair))
    admin = await browser(Role.ADMIN)

    of_gone, of_kept = [(await admin.get(f"/leads/{one.id}/erase")).text for one in pair[::-1]]

    assert "A merge gave values of this lead to Acme" in text(of_gone, "[aria-labelledby=stays]")
    assert f"/leads/{pair[0].id}/erase" in of_gone
    assert "A merge took values from Acme GmbH" in text(of_kept, "[aria-labelledby=stays]")


async def test_the_whole_trail_names_both(browser: Ask, editor: AsyncClient, pair: Pair) -> None:
    await editor.post(path_of(pair), data=await sent(editor, pair))

    rows = text((await (await browser(Role.ADMIN)).get("/audit?action=MERGE")).text, "tbody td")

    assert "Into Acme" in rows
    assert "from another lead" in rows


@pytest.mark.parametrize(
    ("path", "sent"),
    [("/leads/quick-add", {"text": "m.holt@acme.com"}), ("/leads", {"email": "m.holt@acme.com"})],
)
async def test_who_adds_a_lead_that_was_merged_is_shown_where_it_went(
    editor: AsyncClient, pair: Pair, leads: LeadService, path: str, sent: dict[str, str]
) -> None:
    with acting_as(an_actor()):
        await leads.merge(pair[0].id, pair[1].id, Merge())

    answer = await editor.post(path, data=sent)

    links = [node for node in read(answer.text).css("a") if node.text() == "Open the lead it was merged into"]
    assert [link.attributes["href"] for link in links] == [f"/leads/{pair[0].id}"]
    assert "Restore it" in answer.text
