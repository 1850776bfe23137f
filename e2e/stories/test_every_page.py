"""What must hold on each page and in each state: nothing for axe to find, in both themes, and nothing cut off."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from e2e.axe import scrolls_sideways, violations
from e2e.conftest import NewContext
from e2e.given import a_lead, in_the_bin
from e2e.pages.sign_in_page import SignInPage
from e2e.server import RunningServer
from e2e.states import STATES, STONE, State

#: The last one is a 1440 px window at 200 %.
WIDTHS = (320, 390, 720)


@pytest.mark.parametrize("state", STATES, ids=[state.name for state in STATES])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(page: Page, state: State) -> None:
    state.reach(page)

    assert violations(page) == ""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        assert not scrolls_sideways(page), f"{width} px"
    assert violations(page, ("light",)) == ""


@pytest.mark.parametrize("address", ["/leads", "/leads?deleted=true"], ids=["leads", "bin"])
def test_no_column_of_the_table_is_cut_off_at_any_width(page: Page, address: str) -> None:
    a_lead(page, **STONE)
    in_the_bin(page, **STONE | {"email": "idris@example.org"})
    page.goto(address)

    for width in (320, 640, 641, 720, 960, 961, 1024, 1025, 1200, 1201, 1360, 1361):
        page.set_viewport_size({"width": width, "height": 844})
        table, contact = page.locator("table.leads").bounding_box(), page.locator("td.c-contact").bounding_box()
        assert table
        assert contact
        assert table["width"] <= width, f"{width} px"
        assert contact["width"] >= 80, f"{width} px"


def test_axe_finds_nothing_where_a_link_leads(window: NewContext, server: RunningServer) -> None:
    link = server.leads("user", "add", "first@example.com")["sign_in_link"]
    page = window().new_page()

    page.goto(link)
    assert violations(page) == ""
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    assert violations(page) == ""
    SignInPage(page).choose_account(name="First", email="first@example.com", password="short")
    expect(page.get_by_role("alert")).to_be_visible()

    assert violations(page) == ""
    page.set_viewport_size({"width": 320, "height": 640})
    assert not scrolls_sideways(page)


def test_the_chosen_theme_stays(any_page: Page) -> None:
    any_page.goto("/leads")
    any_page.locator("summary", has=any_page.locator(".avatar")).click()

    any_page.get_by_role("button", name="Dark", exact=True).click()
    expect(any_page.locator("html")).to_have_attribute("data-theme", "dark")

    any_page.goto("/settings")
    expect(any_page.locator("html")).to_have_attribute("data-theme", "dark")
