"""The palette: what it offers to whom, what words find, and what is remembered by the browser alone."""

from __future__ import annotations

from uuid import uuid4

from httpx2 import AsyncClient
from selectolax.lexbor import LexborHTMLParser, LexborNode

from leads_core.accounts.permissions import Role
from tests.integration.console.conftest import Ask

PART = {"HX-Request-Type": "partial"}


async def offered(who: AsyncClient, **query: str | list[str]) -> dict[str, list[str]]:
    """The titles of what is offered, by group."""
    answer = await who.get("/palette", params=query, headers=PART)
    assert answer.status_code == 200, answer.text
    page = LexborHTMLParser(answer.text)
    return {
        _text(group, ".group-name"): [_text(option, "span") for option in group.css("[role=option]")]
        for group in page.css("[role=group]")
    }


def _text(node: LexborNode, selector: str) -> str:
    found = node.css_first(selector)
    assert found is not None, selector
    return found.text()


async def a_lead(who: AsyncClient, name: str, **fields: object) -> str:
    lead = {"company_name": name, "domain": f"{name.lower().split()[0]}.example.com", **fields}
    answer = await who.post("/api/v1/leads", json=lead)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_words_are_found_by_their_beginnings_in_any_order_and_without_accents(browser: Ask) -> None:
    editor = await browser(Role.EDITOR)
    await a_lead(editor, "José Peña")

    assert (await offered(editor, q="theme dar"))["Do"] == ["Dark theme", "Theme as the system has it"]
    assert (await offered(editor, q="PASSW"))["Go to"] == ["Password"]
    assert list(await offered(editor, q="add a")) == ["Do", "Go to"]
    assert (await offered(editor, q="jose"))["Leads"] == ["José Peña"]
    assert await offered(editor, q="zzzz nothing") == {}


async def test_a_lead_has_its_own_actions_as_it_stands(browser: Ask) -> None:
    editor = await browser(Role.EDITOR)
    lead = await a_lead(editor, "Stone and Sons", stage="won")

    live = (await offered(editor, lead=lead))["Stone and Sons"]
    await editor.post(f"/leads/{lead}/delete")
    deleted = (await offered(editor, lead=lead))["Stone and Sons"]

    assert "Set stage to Lost" in live
    assert "Set stage to Won" not in live
    assert "Make it mine" in live
    assert deleted == ["Restore from the bin"]


async def test_a_viewer_is_offered_nothing_that_changes(browser: Ask) -> None:
    editor, viewer = await browser(Role.EDITOR), await browser(Role.VIEWER)
    lead = await a_lead(editor, "Stone and Sons")

    groups = await offered(viewer, lead=lead)
    everything = [title for titles in groups.values() for title in titles]

    assert list(groups) == ["Go to", "Do"]
    assert not {"Add a lead", "Undo", "New lead with the form", "Users and roles"} & set(everything)
    assert await offered(viewer, q="acme.com") == {}


async def test_what_can_be_read_as_leads_can_be_added(browser: Ask) -> None:
    editor = await browser(Role.EDITOR)

    assert (await offered(editor, q=" acme.com "))["New"] == ["Add “acme.com”"]
    assert (await offered(editor, q="ana@acme.com, bo@acme.com"))["New"] == ["Add 2 leads"]
    assert "New" not in await offered(editor, q="acme")


async def test_recent_ones_come_first_as_far_as_they_are_still_there(browser: Ask) -> None:
    editor = await browser(Role.EDITOR)
    there, gone = await a_lead(editor, "Stone and Sons"), await a_lead(editor, "Ahorn")
    await editor.post(f"/leads/{gone}/delete")
    paths = [
        f"/leads/{there}",
        "/audit",
        f"/leads/{gone}",
        f"/leads/{uuid4()}",
        "https://evil.example",
        "/settings/users",
    ]

    assert (await offered(editor, recent=paths))["Recent"] == ["Stone and Sons", "Audit"]


async def test_nothing_odd_in_the_address_breaks_it(browser: Ask) -> None:
    editor = await browser(Role.EDITOR)

    for query in ({"lead": "nobody"}, {"lead": str(uuid4())}, {"q": "%_\\' \x00 <b>"}, {"q": "x" * 5000}):
        assert (await editor.get("/palette", params=query)).status_code == 200, query


async def test_without_a_script_pages_are_links_and_changes_are_forms(browser: Ask) -> None:
    editor = await browser(Role.EDITOR)
    await a_lead(editor, "Stone and Sons")

    page = LexborHTMLParser((await editor.get("/palette", params={"q": "stone"})).text)
    links = {link.text(): link.attributes["href"] for link in page.css("main a")}
    form = LexborHTMLParser((await editor.get("/palette", params={"q": "acme.com"})).text).css_first(
        "main form[method=post]"
    )

    assert (links["Stone and Sons"] or "").startswith("/leads/")
    assert form is not None
    assert form.attributes["action"] == "/leads/quick-add"
