"""/: what today brought, what is due, and pictures whose tables say the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from leads_core.accounts.permissions import Role
from leads_core.enrichment import day_figures
from tests.integration.console.pages.reading import read, words


@pytest.fixture
async def editor(browser):
    return await browser(Role.EDITOR)


async def test_without_a_lead_it_says_how_to_begin(editor):
    page = read(await editor.get("/"))

    assert "Nothing to draw yet" in words(page.body)
    assert page.css("svg.chart") == []


async def test_it_shows_what_came_in_and_what_is_due(editor):
    today = datetime.now(UTC).date()
    for name, due in (("Late", today - timedelta(days=1)), ("Now", today), ("Later", today + timedelta(days=9))):
        lead = {"company_name": name, "domain": f"{name}.com", "follow_up_on": due.isoformat(), "stage": "won"}
        assert (await editor.post("/api/v1/leads", json=lead)).status_code == 201

    page = read(await editor.get("/"))

    figures = words(page.css_first("dl.figures"))
    assert figures.startswith("came in today 3 0 yesterday enriched today 0")
    assert figures.endswith("overdue 1 0 yours due today 1 0 yours due in 7 days 0 0 yours")
    due = [words(row) for row in page.css("section[aria-labelledby=due] li a")]
    assert due == ["Late", "Now"]
    assert {words(row) for row in page.css("section[aria-labelledby=new-today] li a")} == {"Late", "Now", "Later"}
    by_stage = page.css_first("table[aria-labelledby=by-stage]")
    assert words(by_stage.css("tbody tr")[-1]).endswith("0 0 0 0 3 3")


@pytest.mark.parametrize("days", ["7", "30", "90", "365", "nonsense"])
async def test_every_period_can_be_looked_at(editor, database, days):
    await editor.post("/api/v1/leads", json={"email": "max@acme.com"})
    now = datetime.now(UTC)
    async with database.transaction() as session:
        await day_figures.note_end(session, "found", now - timedelta(seconds=1.2), now)

    page = read(await editor.get(f"/?days={days}"))

    assert len(page.css("svg.chart")) == 4
    assert all(svg.attributes["role"] == "img" and svg.attributes["aria-labelledby"] for svg in page.css("svg.chart"))
    assert words(page.css("table[aria-labelledby=outcomes] tbody tr")[-1]).endswith("1 0 0 0 1")
    assert words(page.css("table[aria-labelledby=took] tbody tr")[-1]).endswith("1 0 0 0 1 2\xa0s".replace("\xa0", " "))


async def test_pictures_and_their_tables_say_the_same(editor, database):
    for n, stage in enumerate(["new", "won", "won", "lost"]):
        await editor.post("/api/v1/leads", json={"email": f"max{n}@acme.com", "stage": stage})

    page = read(await editor.get("/"))

    for figure in page.css("figure:has(svg)"):
        drawn = ElementTree.fromstring(figure.css_first("svg").html or "")  # noqa: S314 - our own
        bars = [bar.text for bar in drawn.iter("title")]
        heads = [words(head) for head in figure.css("thead th")][1:-1]
        said = [
            f"{words(row.css('th')[0])}: {head} {words(cell)}"
            for row in figure.css("tbody tr")
            for head, cell in zip(heads, row.css("td"), strict=False)
            if words(cell) != "0"
        ]
        assert bars == said
        assert drawn.attrib["role"] == "img"


async def test_it_says_what_others_changed_since_somebody_was_here(browser):
    rosa, idris = await browser(Role.EDITOR), await browser(Role.ADMIN)
    await rosa.get("/leads")
    await idris.post("/api/v1/leads", json={"email": "max@acme.com"})

    assert "others left you 1 new" in words(read(await rosa.get("/")).css_first(".away p"))
    seen = await rosa.post("/leads/seen", data={"then": "/"}, follow_redirects=False)

    assert seen.headers["location"] == "/"
    assert read(await rosa.get("/")).css_first(".away") is None


async def test_a_viewer_reads_it_too(browser):
    assert read(await (await browser(Role.VIEWER)).get("/")).css_first("h1") is not None
