"""The settings: each action, who may take it, what stands in the trail afterwards, and what is refused in words."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from selectolax.lexbor import LexborHTMLParser

from leads_core.accounts.permissions import Role
from leads_core.accounts.schemas import UserRead
from leads_core.accounts.service import Accounts
from leads_core.context import acting_as
from leads_core.database import Database
from tests.builders import an_actor
from tests.integration.accounts.trail_of import entries_about
from tests.integration.console.conftest import AGENT, Ask, client

PASSWORD = "correct horse battery"
ROSA = {"email": "rosa@example.com", "password": PASSWORD}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
async def rosa_read(database: Database) -> UserRead:
    with acting_as(an_actor()):
        return await Accounts(database).add("Rosa Engel", Role.ADMIN, **ROSA)


@pytest.fixture
async def rosa(nobody: AsyncClient, rosa_read: UserRead) -> AsyncClient:
    """An administrator who signed in with a password."""
    await nobody.post("/sign-in", data=ROSA)
    return nobody


@pytest.fixture
async def elsewhere(app: FastAPI, rosa: AsyncClient) -> AsyncIterator[AsyncClient]:
    """The same person in Firefox."""
    async with client(app, headers={**AGENT, "User-Agent": FIREFOX}) as other:
        await other.post("/sign-in", data=ROSA)
        yield other


def text_of(html: str, selector: str) -> str:
    found = LexborHTMLParser(html).css_first(selector)
    assert found is not None, selector
    return " ".join(found.text().split())


def attribute_of(html: str, selector: str, name: str) -> str | None:
    found = LexborHTMLParser(html).css_first(selector)
    assert found is not None, selector
    return found.attributes.get(name)


def action_of(html: str, ending: str) -> str:
    """Where the first form leads whose address ends so."""
    return attribute_of(html, f"form[action$='{ending}']", "action") or ""


async def last_entry(owner: asyncpg.Connection, subject_id: UUID) -> tuple[str, dict[str, object]]:
    entry = (await entries_about(owner, subject_id))[-1]
    return entry["action"], entry["new"]


async def test_a_new_name_is_shown_and_in_the_trail(
    rosa: AsyncClient, rosa_read: UserRead, owner: asyncpg.Connection
) -> None:
    saved = await rosa.post("/settings/name", data={"name": "Rosa Stein"})
    refused = await rosa.post("/settings/name", data={"name": "  "})

    assert (saved.status_code, saved.headers["Location"]) == (303, "/settings?saved=name")
    assert "Rosa Stein" in (await rosa.get("/settings")).text
    assert await last_entry(owner, rosa_read.id) == ("UPDATE", {"name": "Rosa Stein"})
    assert (refused.status_code, text_of(refused.text, "#name-error")) == (422, "Give a name of 1 to 200 characters.")


async def test_the_password_changes_only_with_the_old_one_and_ends_the_other_sessions(
    rosa: AsyncClient, elsewhere: AsyncClient
) -> None:
    new = "another horse battery"

    wrong = await rosa.post("/settings/password", data={"current": "x" * 12, "password": new})
    still = await elsewhere.get("/settings")
    right = await rosa.post("/settings/password", data={"current": PASSWORD, "password": new})
    short = await rosa.post("/settings/password", data={"current": new, "password": "short"})

    assert (wrong.status_code, text_of(wrong.text, "#current-error")) == (422, "This is not your password.")
    assert (still.status_code, right.headers["Location"]) == (200, "/settings/password?saved=password")
    assert "The new password is set." in (await rosa.get("/settings/password?saved=password")).text
    assert (await elsewhere.get("/settings")).headers["Location"].startswith("/sign-in")
    assert (short.status_code, (await rosa.get("/settings")).status_code) == (422, 200)


async def test_sessions_name_the_device_and_the_place_and_mark_this_one(
    rosa: AsyncClient, elsewhere: AsyncClient
) -> None:
    page = LexborHTMLParser((await rosa.get("/settings/sessions")).text)
    mine, other = sorted(page.css(".entries > li"), key=lambda item: "This one" not in item.text())

    assert ("198.51.100.7" in mine.text(), mine.css_first("form")) == (True, None)
    assert "Firefox 140 on Linux" in other.text()
    assert other.css_first("form[action$=end]") is not None


async def test_an_ended_session_is_refused_at_once_and_the_end_is_in_the_trail(
    rosa: AsyncClient, elsewhere: AsyncClient, rosa_read: UserRead, owner: asyncpg.Connection
) -> None:
    end = action_of((await rosa.get("/settings/sessions")).text, "/end")

    answers = [await rosa.post(end), await rosa.post(end)]

    assert [answer.headers["Location"] for answer in answers] == ["/settings/sessions?saved=ended"] * 2
    assert (await elsewhere.get("/leads")).headers["Location"].startswith("/sign-in")
    assert (await elsewhere.get("/api/v1/leads")).status_code == 401
    ends = [entry for entry in await entries_about(owner, rosa_read.id) if entry["action"] == "SIGN_OUT"]
    assert [entry["new"] for entry in ends] == [{"method": "from elsewhere"}]


async def test_ending_all_others_keeps_this_one(
    rosa: AsyncClient, elsewhere: AsyncClient, rosa_read: UserRead, owner: asyncpg.Connection
) -> None:
    await rosa.post("/settings/sessions/end-others")
    await rosa.post("/settings/sessions/end-others")

    assert ((await rosa.get("/leads")).status_code, (await elsewhere.get("/leads")).status_code) == (200, 303)
    ends = [entry for entry in await entries_about(owner, rosa_read.id) if entry["action"] == "SIGN_OUT"]
    assert [entry["new"] for entry in ends] == [{"method": "all others"}]


async def test_nobody_ends_the_session_of_somebody_else(rosa: AsyncClient, browser: Ask) -> None:
    other = await browser(Role.ADMIN)
    sessions = (await other.get("/settings/sessions")).text
    await rosa.post("/sign-in", data=ROSA)
    hers = await rosa.get("/settings/sessions")
    theirs = re.search(r"leads_session=([0-9a-f-]{36})", str(other.headers["Cookie"]))
    assert theirs

    answer = await rosa.post(f"/settings/sessions/{theirs[1]}/end")

    assert "You are signed in nowhere else." in sessions
    assert theirs[1] not in hers.text
    assert (answer.status_code, (await other.get("/leads")).status_code) == (404, 200)


async def test_a_token_is_shown_once_works_and_is_refused_once_revoked(rosa: AsyncClient) -> None:
    wanted = {"token_name": "crm", "scopes": ["leads:read"], "expires_in": "30"}
    made = await rosa.post("/settings/tokens", data=wanted)
    secret = text_of(made.text, "#new-token")
    by_token = {"Authorization": f"Bearer {secret}"}

    before = await rosa.get("/api/v1/leads", headers=by_token)
    listed = (await rosa.get("/settings/tokens")).text
    await rosa.post(action_of(listed, "/revoke"))
    after = await rosa.get("/api/v1/leads", headers=by_token)

    assert secret not in listed
    assert re.search(r"leads:read · last used .* · made .* · works until", text_of(listed, ".entries"))
    assert (before.status_code, after.status_code) == (200, 401)
    assert "revoked" in text_of((await rosa.get("/settings/tokens")).text, ".entries")


@pytest.mark.parametrize(
    ("wanted", "field"),
    [({"scopes": []}, "scopes"), ({"token_name": " "}, "token_name"), ({"expires_in": "7000"}, "expires_in")],
)
async def test_a_token_that_cannot_be_is_refused_and_nothing_typed_is_lost(
    rosa: AsyncClient, wanted: dict[str, object], field: str
) -> None:
    sent = {"token_name": "Nightly sync", "scopes": ["leads:write"], "expires_in": "365", **wanted}

    answer = await rosa.post("/settings/tokens", data=sent)

    assert answer.status_code == 422
    assert text_of(answer.text, f"#{field}-error")
    assert attribute_of(answer.text, "#token_name", "value") == sent["token_name"]
    ticked = LexborHTMLParser(answer.text).css("input[name=scopes][checked]")
    assert [box.attributes["value"] for box in ticked] == sent["scopes"]


async def test_a_viewer_is_offered_only_the_scopes_of_a_viewer(browser: Ask) -> None:
    viewer = await browser(Role.VIEWER)

    offered = LexborHTMLParser((await viewer.get("/settings/tokens")).text).css("input[name=scopes]")
    answer = await viewer.post("/settings/tokens", data={"token_name": "crm", "scopes": ["leads:write"]})

    assert [box.attributes["value"] for box in offered] == ["leads:read"]
    assert (answer.status_code, "beyond the owner" in answer.text) == (422, True)


async def test_density_and_single_keys_are_kept_for_the_person(rosa: AsyncClient, elsewhere: AsyncClient) -> None:
    await rosa.post("/settings/density", data={"density": "roomy"})
    await rosa.post("/settings/keyboard", data={"single_keys": "false"})
    looks, keys = [(await elsewhere.get(f"/settings/{name}")).text for name in ("appearance", "keyboard")]
    await elsewhere.post("/settings/keyboard", data={"single_keys": ["false", "true"]})
    again = (await rosa.get("/settings/keyboard")).text

    assert attribute_of(looks, "button[value=roomy]", "aria-current") == "true"
    assert attribute_of(keys, "body", "data-single-keys") == "off"
    assert attribute_of(again, "body", "data-single-keys") is None


async def test_somebody_added_comes_in_by_a_link_that_is_shown_once(rosa: AsyncClient, app: FastAPI) -> None:
    wanted = {"name": "Idris Bello", "email": "idris@example.com", "role": "editor"}
    added = await rosa.post("/settings/users", data=wanted)
    link = text_of(added.text, "#new-link")
    again = await rosa.post("/settings/users", data=wanted)

    async with client(app, headers=AGENT) as idris:
        used = await idris.post(link.removeprefix("http://test"))

    assert link.startswith("http://test/sign-in/")
    assert link not in (await rosa.get("/settings/users")).text
    assert used.headers["Location"] == "/welcome"
    assert (again.status_code, text_of(again.text, "#email-error")) == (422, "Another user has this email already.")
    assert attribute_of(again.text, "#name", "value") == "Idris Bello"


async def test_a_role_is_changed_at_once_and_in_the_trail(
    rosa: AsyncClient, browser: Ask, people: dict[Role, UserRead], owner: asyncpg.Connection
) -> None:
    editor, viewer = await browser(Role.EDITOR), people[Role.EDITOR]

    answer = await rosa.post(f"/settings/users/{viewer.id}/role", data={"role": "viewer"})
    refused = await editor.post("/leads/quick-add", data={"text": "acme.com"})
    odd = await rosa.post(f"/settings/users/{viewer.id}/role", data={"role": "owner"})

    assert (answer.headers["Location"], refused.status_code, odd.status_code) == (
        "/settings/users?saved=role",
        403,
        422,
    )
    assert await last_entry(owner, viewer.id) == ("UPDATE", {"role": "viewer"})


async def test_a_user_is_signed_out_everywhere_shut_out_and_let_in_again(
    rosa: AsyncClient, browser: Ask, people: dict[Role, UserRead], owner: asyncpg.Connection
) -> None:
    editor, here = await browser(Role.EDITOR), f"/settings/users/{people[Role.EDITOR].id}"

    await rosa.post(f"{here}/end-sessions")
    signed_out, entry = await editor.get("/leads"), await last_entry(owner, people[Role.EDITOR].id)
    await rosa.post(f"{here}/disable")
    no_link = await rosa.post(f"{here}/link")
    await rosa.post(f"{here}/enable")
    link = await rosa.post(f"{here}/link")

    assert (signed_out.status_code, entry[0]) == (303, "SIGN_OUT")
    assert (no_link.status_code, "Let them in first." in no_link.text) == (422, True)
    assert "/sign-in/" in text_of(link.text, "#new-link")
    assert await last_entry(owner, people[Role.EDITOR].id) == ("UPDATE", {"sign_in_link": "made"})


async def test_the_last_administrator_keeps_the_keys(rosa: AsyncClient, rosa_read: UserRead) -> None:
    here = f"/settings/users/{rosa_read.id}"

    answers = [await rosa.post(f"{here}/role", data={"role": "editor"}), await rosa.post(f"{here}/disable")]

    for answer in answers:
        assert (answer.status_code, "This is the only administrator." in answer.text) == (422, True)
    assert (await rosa.get("/settings/users")).status_code == 200


async def test_another_site_changes_nothing_in_the_settings(rosa: AsyncClient, rosa_read: UserRead) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}
    addresses = ("name", "password", "tokens", "keyboard", "density", "sessions/end-others", "users", "appearance")

    for address in (*addresses, f"users/{rosa_read.id}/link"):
        answer = await rosa.post(f"/settings/{address}", data={"name": "Mallory"}, headers=foreign)
        assert answer.status_code == 403, address
    assert "Mallory" not in (await rosa.get("/settings/users")).text
