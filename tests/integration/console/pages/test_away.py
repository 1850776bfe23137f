"""Since you were away: a line over the list, a mark on each changed cell, and Seen for all devices."""

from __future__ import annotations

import pytest

from leads_core.accounts.permissions import Role
from tests.integration.console.pages.reading import read, words


@pytest.fixture
async def rosa(browser):
    return await browser(Role.EDITOR)


@pytest.fixture
async def idris(browser):
    return await browser(Role.ADMIN)


async def page_of(client, address="/leads"):
    return read(await client.get(address))


async def add(client, name):
    answer = await client.post("/api/v1/leads", json={"company_name": name, "domain": f"{name.lower()}.com"})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_nothing_is_news_to_who_looks_for_the_first_time_or_did_it_all(rosa, idris):
    await add(idris, "Old")

    assert (await page_of(rosa)).css_first(".away") is None
    await add(rosa, "Mine")
    assert (await page_of(rosa)).css_first(".away") is None


async def test_what_others_did_stands_over_the_list_with_a_mark_on_each_changed_cell(rosa, idris):
    lead_id = await add(rosa, "Stone")
    await page_of(rosa)
    await idris.patch(f"/api/v1/leads/{lead_id}", json={"stage": "won"})
    await add(idris, "News")

    page = await page_of(rosa)

    assert "1 new , 1 changed" in words(page.css_first(".away p"))
    marked = list(page.css("[data-was]"))
    assert [cell.attributes["class"] for cell in marked] == ["c-stage"]
    assert "Admin changed this just now. Before: New" in (marked[0].attributes["title"] or "")
    for link in page.css(".away p a"):
        assert len((await page_of(rosa, link.attributes["href"] or "")).css("tr[data-lead]")) == 1


async def test_seen_clears_it_on_every_device_and_leaves_what_came_after_the_page(rosa, idris, browser):
    await page_of(rosa)
    await add(idris, "Before")
    page = await page_of(rosa)
    until = page.css_first(".away input[name=until]").attributes["value"]
    await add(idris, "After")

    answer = await rosa.post("/leads/seen", data={"until": until, "then": "/leads?stage=new"}, follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/leads?stage=new")
    assert "1 new" in words((await page_of(await browser(Role.EDITOR))).css_first(".away p"))


@pytest.mark.parametrize("until", ["", "yesterday", "2026-11-25T10:00:00"])
async def test_a_moment_that_cannot_be_read_is_now(rosa, idris, until):
    await page_of(rosa)
    await add(idris, "News")

    await rosa.post("/leads/seen", data={"until": until})

    assert (await page_of(rosa)).css_first(".away") is None
