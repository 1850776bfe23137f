"""Views of the list as a browser without a script works them: kept, shared, changed, which opens, their counts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from httpx2 import AsyncClient
from selectolax.lexbor import LexborHTMLParser

from console.routes.pages import saved_views
from leads_core.accounts.permissions import Role
from leads_core.leads.filters import LeadFilter
from leads_core.leads.queries import Reader, total_of
from leads_core.leads.schemas import LeadCreate, Source, Stage
from leads_core.leads.service import LeadService
from tests.integration.console.conftest import Ask

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def editor(browser: Ask) -> AsyncClient:
    return await browser(Role.EDITOR)


@pytest.fixture
async def admin(browser: Ask) -> AsyncClient:
    return await browser(Role.ADMIN)


@pytest.fixture
async def viewer(browser: Ask) -> AsyncClient:
    return await browser(Role.VIEWER)


def tabs(text: str) -> dict[str, str]:
    """Label -> address of every view."""
    links = LexborHTMLParser(text).css("nav.views li a")
    return {link.text(strip=True): link.attributes["href"] or "" for link in links}


def current(text: str) -> str | None:
    found = LexborHTMLParser(text).css_first("nav.views [aria-current]")
    return found.text(strip=True) if found else None


def buttons(text: str) -> set[str]:
    return {node.text(strip=True) for node in LexborHTMLParser(text).css("nav.views :is(button, summary)")}


async def saved(client: AsyncClient, name: str, query: str, **more: str) -> str:
    """The address of a new view."""
    answer = await client.post("/leads/views", data={"name": name, "query": query, **more})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


async def test_a_view_keeps_filters_search_and_sort_in_an_address_that_says_them_all(editor: AsyncClient) -> None:
    address = await saved(editor, "Won in Germany", "stage=won&country=DE&q=bau&sort=email")

    page = (await editor.get(address)).text

    assert address.endswith("&stage=won&country=DE&q=bau&sort=email")
    assert tabs(page)["Won in Germany"] == address
    assert current(page) == "Won in Germany"
    assert not {"Save as view", "Update view"} & buttons(page)


async def test_a_changed_view_can_be_updated_or_kept_as_another(editor: AsyncClient) -> None:
    address = await saved(editor, "Mine and won", "stage=won")
    changed = (await editor.get(f"{address}&country=DE")).text
    key = address.partition("view=")[2].partition("&")[0]

    updated = await editor.post(f"/leads/views/{key}", data={"query": "stage=won&country=DE"})

    assert {"Save as view", "Update view"} <= buttons(changed)
    assert current(changed) == "Mine and won"
    assert updated.headers["Location"] == f"/leads?view={key}&stage=won&country=DE"


async def test_an_own_view_is_seen_by_its_owner_alone(editor: AsyncClient, admin: AsyncClient) -> None:
    address = await saved(editor, "Just for me", "stage=won")
    key = address.partition("view=")[2].partition("&")[0]

    assert "Just for me" not in tabs((await admin.get("/leads")).text)
    assert (await admin.post(f"/leads/views/{key}/delete")).status_code == 404
    assert (await admin.post(f"/leads/views/{key}", data={"name": "Theirs"})).status_code == 404


async def test_a_shared_view_is_seen_by_all_and_changed_by_its_owner_and_administrators(
    editor: AsyncClient, admin: AsyncClient, viewer: AsyncClient
) -> None:
    address = await saved(editor, "For everybody", "stage=won", is_shared="true")
    key = address.partition("view=")[2].partition("&")[0]

    seen = (await viewer.get(address)).text
    refused = await viewer.post(f"/leads/views/{key}", data={"name": "Mine now"})
    renamed = await admin.post(f"/leads/views/{key}", data={"name": "For us all"})

    assert "For everybody" in tabs(seen)
    assert "Delete view" not in buttons(seen)
    assert (refused.status_code, renamed.status_code) == (403, 303)
    assert "For us all" in tabs((await viewer.get("/leads")).text)


async def test_a_viewer_keeps_views_and_shares_none(viewer: AsyncClient) -> None:
    await saved(viewer, "My reading", "stage=won")

    shared = await viewer.post("/leads/views", data={"name": "Ours", "query": "", "is_shared": "true"})

    assert shared.status_code == 403
    assert "Shared with everybody" not in (await viewer.get("/leads?stage=lost")).text


@pytest.mark.parametrize(
    ("name", "query", "said"),
    [
        ("", "stage=won", "Give the view a name."),
        ("x" * 61, "stage=won", "60"),
        ("Über uns", "stage=won", "You have a view of this name."),
        ("New", "stage=golden", "query.stage: Give one of"),
        ("New", "colour=red", "There is no such filter."),
        ("New", "sort=colour", "query.sort: Give one of"),
        ("New", "stage=won&cursor=abc", "not a page"),
        (
            "New",
            "q=" + "x" * 150 + "&tag=" + "y" * 199 + "".join(f"&tag={n}{'z' * 190}" for n in range(10)),
            "too long",
        ),
    ],
)
async def test_what_cannot_be_kept_is_refused_in_words_and_stays_typed(
    editor: AsyncClient, name: str, query: str, said: str
) -> None:
    await saved(editor, "über UNS", "stage=lost")

    answer = await editor.post("/leads/views", data={"name": name, "query": query})

    [form] = LexborHTMLParser(answer.text).css("#save-view")
    [typed] = form.css("input[name=name]")
    assert answer.status_code == 422
    assert said in form.text()
    assert typed.attributes["value"] == name


async def test_a_hostile_name_is_text(editor: AsyncClient) -> None:
    name = '"><script>alert(1)</script>'

    page = (await editor.get(await saved(editor, name, "stage=won"))).text

    assert name in tabs(page)
    assert "<script>alert" not in page


async def test_one_view_opens_first_and_all_leads_stay_reachable(editor: AsyncClient) -> None:
    address = await saved(editor, "Mine first", "stage=won")
    key = address.partition("view=")[2].partition("&")[0]

    await editor.post("/leads/views/default", data={"view": key, "query": address})

    assert (await editor.get("/leads")).headers["Location"] == address
    everything = tabs((await editor.get(address)).text)["All leads"]
    assert (everything, (await editor.get(everything)).status_code) == ("/leads?view=all", 200)
    assert current((await editor.get(everything)).text) == "All leads"
    await editor.post(f"/leads/views/{key}/delete")
    assert (await editor.get("/leads")).status_code == 200


async def test_views_are_put_in_order(editor: AsyncClient) -> None:
    for name in ("One", "Two", "Three"):
        address = await saved(editor, name, f"tag={name}")
    key = address.partition("view=")[2].partition("&")[0]

    await editor.post(f"/leads/views/{key}/move", data={"to": "left"})

    assert [label for label in tabs((await editor.get("/leads")).text) if label in {"One", "Two", "Three"}] == [
        "One",
        "Three",
        "Two",
    ]


@pytest.mark.usefixtures("acting")
async def test_counts_come_after_the_page_and_one_that_takes_long_is_left_out(
    editor: AsyncClient, leads: LeadService, monkeypatch: pytest.MonkeyPatch
) -> None:
    await leads.create(LeadCreate(domain="acme.com", stage=Stage.WON), source=Source.API)
    counted: list[LeadFilter] = []

    async def endless_for_won(reader: Reader, wanted: LeadFilter) -> Any:
        counted.append(wanted)
        return await (asyncio.Event().wait() if wanted.stage else total_of(reader, wanted))

    monkeypatch.setattr(saved_views, "total_of", endless_for_won)
    monkeypatch.setattr(saved_views, "COUNT_WITHIN", 0.05)

    page = await editor.get("/leads")
    assert (page.status_code, counted) == (200, [])

    found = LexborHTMLParser((await editor.get("/leads/counts", headers=PARTIAL)).text).css("[hx-swap-oob]")
    assert {node.attributes["id"]: node.text() for node in found} == {
        **{f"count-{key}": "0" for key in ("mine", "due", "by-hand", "failed", "bin")},
        "count-all": "1",
    }


@pytest.mark.usefixtures("acting")
async def test_tags_in_use_are_suggested(editor: AsyncClient, leads: LeadService) -> None:
    await leads.create(LeadCreate(domain="acme.com", tags=["vip", "Bau"]), source=Source.API)
    await leads.create(LeadCreate(domain="globex.com", tags=["vip"]), source=Source.API)

    options = LexborHTMLParser((await editor.get("/leads/filter-choices", headers=PARTIAL)).text).css(
        "#tags-in-use option"
    )

    assert [one.attributes["value"] for one in options] == ["Bau", "vip"]
