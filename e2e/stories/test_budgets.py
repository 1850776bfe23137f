"""What the list may cost with 100,000 leads: bytes, requests, and nothing that jumps."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import NewContext
from e2e.pages.leads_page import LeadsPage
from e2e.pages.measuring import bytes_of, requests_made, shifted, watch_shifts
from e2e.people import Person
from e2e.server import RunningServer

LEADS = 100_000


@pytest.fixture
def page(server: RunningServer, window: NewContext, rosa: Person) -> Iterator[Page]:
    server.leads("seed", "--count", str(LEADS))
    page = window(rosa).new_page()
    watch_shifts(page)
    yield page
    page.close()


def test_a_hundred_thousand_leads_are_cheap_to_look_at(page: Page) -> None:
    leads = LeadsPage(page)

    assert bytes_of(page, "/leads") < 100 * 1024
    expect(leads.rows).to_have_count(50)
    expect(leads.pager).to_contain_text("100,000 leads")
    assert shifted(page) < 0.05

    with requests_made(page) as made:
        leads.filter("Stage", "Won")
        expect(leads.chips).to_contain_text("Won")
        expect(leads.pager).to_contain_text("match")
    assert len([request for request in made if request.startswith("GET leads?")]) == 1, made

    leads.pager.get_by_role("link", name="Older").click()
    expect(page).to_have_url(re.compile("cursor="))
    leads.search("soft")
    expect(page).to_have_url(re.compile("q=soft"))
    expect(leads.rows.first).to_be_visible()
    assert shifted(page) < 0.05
