"""In, out, the first page of an account, and how it looks."""

from __future__ import annotations

import pytest
from httpx2 import AsyncClient
from selectolax.lexbor import LexborHTMLParser

from console.middleware.session_cookie import NAME as SESSION_COOKIE
from leads_core.accounts.permissions import Role
from leads_core.accounts.schemas import UserRead
from leads_core.accounts.service import Accounts
from leads_core.context import acting_as
from leads_core.database import Database
from tests.builders import an_actor
from tests.integration.console.conftest import Ask

PASSWORD = "correct horse battery"
ACCOUNT = {"name": "Rosa Engel", "email": "rosa@example.com", "password": PASSWORD}


@pytest.fixture
async def link(database: Database, people: dict[Role, UserRead]) -> str:
    with acting_as(an_actor()):
        return (await Accounts(database).sign_in_link(people[Role.ADMIN].id)).path


@pytest.fixture
async def rosa(nobody: AsyncClient, link: str) -> AsyncClient:
    """Somebody who came by a link and chose email and password."""
    await nobody.post(link)
    await nobody.post("/welcome", data=ACCOUNT)
    return nobody


def text_of(answer_text: str, selector: str) -> str:
    return " ".join(LexborHTMLParser(answer_text).css_first(selector).text().split())


async def test_looking_at_a_link_spends_nothing_and_its_button_signs_in_once(nobody: AsyncClient, link: str) -> None:
    looks = [(await nobody.get(link)).status_code for _ in range(2)]
    used = await nobody.post(link)
    again = await nobody.post(link)

    assert looks == [200, 200]
    assert (used.status_code, used.headers["Location"]) == (303, "/welcome")
    assert SESSION_COOKIE in used.headers["Set-Cookie"]
    assert (again.status_code, (await nobody.get(link)).status_code) == (410, 410)


async def test_the_first_page_asks_for_email_and_password_once(nobody: AsyncClient, link: str) -> None:
    await nobody.post(link)

    short = await nobody.post("/welcome", data={**ACCOUNT, "password": "short"})
    saved = await nobody.post("/welcome", data=ACCOUNT)
    after = await nobody.get("/welcome")

    assert (short.status_code, "12" in text_of(short.text, "#password-error")) == (422, True)
    assert PASSWORD not in short.text
    assert (saved.headers["Location"], after.headers["Location"]) == ("/leads", "/leads")


async def test_email_and_password_sign_in_and_lead_where_one_wanted_to_go(rosa: AsyncClient) -> None:
    await rosa.post("/sign-out")
    turned_away = await rosa.get("/leads?stage=won")
    form = await rosa.get(turned_away.headers["Location"])
    then = LexborHTMLParser(form.text).css_first("input[name=then]").attributes["value"]

    answer = await rosa.post("/sign-in", data={"email": "Rosa@example.com", "password": PASSWORD, "then": then})

    assert (then, answer.headers["Location"]) == ("/leads?stage=won", "/leads?stage=won")
    assert (await rosa.get("/leads")).status_code == 200


async def test_a_wrong_password_says_nothing_of_who_has_an_account(rosa: AsyncClient) -> None:
    await rosa.post("/sign-out")

    wrong = await rosa.post("/sign-in", data={"email": "rosa@example.com", "password": "x" * 12})
    unknown = await rosa.post("/sign-in", data={"email": "nobody@example.com", "password": "x" * 12})

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert text_of(wrong.text, ".notice.bad") == text_of(unknown.text, ".notice.bad")


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example"])
async def test_the_sign_in_leads_to_no_other_site(rosa: AsyncClient, elsewhere: str) -> None:
    await rosa.post("/sign-out")

    answer = await rosa.post("/sign-in", data={"email": "rosa@example.com", "password": PASSWORD, "then": elsewhere})

    assert answer.headers["Location"] == "/leads"


async def test_signing_out_ends_the_session(rosa: AsyncClient) -> None:
    cookie = rosa.cookies[SESSION_COOKIE]
    await rosa.post("/sign-out")

    answer = await rosa.get("/leads", headers={"Cookie": f"{SESSION_COOKIE}={cookie}"})

    assert answer.headers["Location"].startswith("/sign-in")


async def test_the_theme_is_a_cookie_and_works_without_a_script(rosa: AsyncClient) -> None:
    dark = await rosa.post("/settings/appearance", data={"theme": "dark", "then": "/leads?stage=won"})
    page = await rosa.get("/leads")
    system = await rosa.post("/settings/appearance", data={"theme": "system", "then": "https://evil.example"})

    assert dark.headers["Location"] == "/leads?stage=won"
    assert LexborHTMLParser(page.text).css_first("html").attributes["data-theme"] == "dark"
    assert system.headers["Location"] == "/settings/appearance"


async def test_who_may_not_is_told_so_and_nothing_happens(browser: Ask) -> None:
    viewer = await browser(Role.VIEWER)

    answer = await viewer.post("/leads", data={"email": "ana@acme.com"})

    assert (answer.status_code, "Your role does not allow this" in answer.text) == (403, True)


async def test_stylesheet_and_scripts_are_there_for_everybody_and_for_ever(nobody: AsyncClient) -> None:
    html = LexborHTMLParser((await nobody.get("/sign-in")).text)
    addresses = [html.css_first("link[rel=stylesheet]").attributes["href"]]
    addresses += [script.attributes["src"] for script in html.css("script")]

    for address in addresses:
        answer = await nobody.get(address or "")
        assert (answer.status_code, "immutable" in answer.headers["Cache-Control"]) == (200, True)
    assert (await nobody.get("/static/none.css")).status_code == 404
