"""`leads user` and `leads token`, as an operator types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from leads_core.accounts.permissions import Permission
from leads_core.accounts.sessions import Sessions
from leads_core.accounts.signing_in import SigningIn
from leads_core.accounts.tokens import Tokens
from leads_core.context import SYSTEM_ACTOR_ID, acting_as
from leads_core.database import Database
from leads_core.settings import Settings
from tests.builders import an_actor
from tests.integration.console.cli.test_cli_leads import leads_command


@pytest.fixture
def leads(database: Database, owner_url: str, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Run a command with --json. Gives its one object; with status 2, what stood on stderr."""

    async def run(*words: str) -> Any:
        status, out, error = await leads_command(*words, "--json", url=owner_url, folder=tmp_path)
        if status != 0:
            assert (status, out) == (2, "")
            return error
        [line] = out.splitlines()
        return json.loads(line)

    return run


async def test_a_user_is_added_with_a_link_that_signs_them_in(
    leads: Any, database: Database, settings: Settings, owner: asyncpg.Connection
) -> None:
    added = await leads("user", "add", "Bea@Acme.com", "--role", "viewer")

    assert set(added) == {"id", "email", "role", "sign_in_link"}
    assert (added["email"], added["role"]) == ("bea@acme.com", "viewer")
    door = SigningIn(database, Sessions(database, settings.signing_secret))
    with acting_as(an_actor(actor_kind="anonymous", actor_id=None)):
        signed_in = await door.with_link(added["sign_in_link"].rpartition("/")[2])
    assert str(signed_in.user.id) == added["id"]


async def test_the_trail_names_the_system_and_its_user(leads: Any, owner: asyncpg.Connection) -> None:
    await leads("user", "add", "bea@acme.com")

    entry = await owner.fetchrow("SELECT actor_kind, actor_id, channel, parts FROM audit_log")
    origin = json.loads(entry["parts"])["origin"][1]
    assert (entry["actor_kind"], entry["actor_id"], entry["channel"]) == ("system", SYSTEM_ACTOR_ID, "cli")
    assert origin["ip_address"] == "local"
    assert origin["user_agent"].startswith("leads/")
    assert origin["actor_name"]


async def test_users_are_listed_and_disabled_by_email_or_id(leads: Any) -> None:
    bea = await leads("user", "add", "bea@acme.com")
    await leads("user", "add", "cy@acme.com")

    await leads("user", "disable", "bea@acme.com")
    await leads("user", "disable", (await leads("user", "list"))["items"][1]["id"])

    listed = (await leads("user", "list"))["items"]
    assert [user["email"] for user in listed] == ["bea@acme.com", "cy@acme.com"]
    assert all(user["disabled_at"] for user in listed)
    assert "There is no user" in await leads("user", "sign-in-link", bea["id"])


async def test_a_link_for_nobody_named_is_the_first_administrators(leads: Any) -> None:
    first, second = await leads("user", "sign-in-link"), await leads("user", "sign-in-link")

    assert first["id"] == second["id"]
    assert first["sign_in_link"] != second["sign_in_link"]
    assert "/sign-in/" in first["sign_in_link"]


async def test_a_token_is_created_listed_and_revoked(leads: Any, database: Database) -> None:
    made = await leads("token", "create", "CRM", "--scope", "leads:read,leads:write", "--scope", "audit:read")
    visitor = await Tokens(database).visitor_of(made["token"])
    [listed] = (await leads("token", "list"))["items"]

    assert set(made) == {"id", "name", "token", "scopes", "expires_at"}
    assert (made["name"], made["scopes"], made["expires_at"]) == (
        "CRM",
        ["audit:read", "leads:read", "leads:write"],
        None,
    )
    assert visitor is not None
    assert visitor.may(Permission.CHANGE_LEADS)
    assert (listed["id"], "token" in listed) == (made["id"], False)

    await leads("token", "revoke", made["id"])

    assert await Tokens(database).visitor_of(made["token"]) is None


async def test_a_token_ends_when_it_was_told_to(leads: Any) -> None:
    made = await leads("token", "create", "--name", "CRM", "--expires-in-days", "30")

    assert made["expires_at"] is not None
    assert made["scopes"] == ["leads:read"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("user", "add", "no email"), "email"),
        (("token", "create", "--scope", "leads:everything"), "leads:write"),
        (("token", "create", "--user", "nobody@acme.com"), "There is no user"),
    ],
)
async def test_what_cannot_be_done_is_one_line_and_status_2(leads: Any, words: tuple[str, ...], said: str) -> None:
    error = await leads(*words)

    assert said in error
    assert "Traceback" not in error
    assert len(error.splitlines()) == 1
