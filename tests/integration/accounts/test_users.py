"""Users: each change is one entry, and nobody can lock everybody out."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from sqlalchemy import text

from leads_core.accounts.permissions import Role, Scope
from leads_core.accounts.schemas import UserRead
from leads_core.accounts.service import Accounts
from leads_core.accounts.sessions import Sessions
from leads_core.accounts.signing_in import SigningIn
from leads_core.accounts.tokens import Tokens
from leads_core.audit.models import Action
from leads_core.database import Database
from leads_core.errors import Invalid, NoContext, NotFound, Unauthenticated
from tests.integration.accounts.conftest import PASSWORD
from tests.integration.accounts.trail_of import entries_about


@pytest.mark.usefixtures("acting")
async def test_each_change_of_a_user_is_an_entry_with_the_next_seq(
    accounts: Accounts, admin: UserRead, editor: UserRead, owner: asyncpg.Connection
) -> None:
    await accounts.set_role(editor.id, Role.VIEWER)
    await accounts.set_profile(editor.id, name="Eduard", email="Eduard@Example.com")
    await accounts.disable(editor.id)

    created, demoted, renamed, disabled = await entries_about(owner, editor.id)
    assert [entry["seq"] for entry in (created, demoted, renamed, disabled)] == [1, 2, 3, 4]
    assert (created["action"], demoted["action"]) == (Action.CREATE, Action.UPDATE)
    assert (demoted["old"], demoted["new"]) == ({"role": "editor"}, {"role": "viewer"})
    assert renamed["new"] == {"name": "Eduard", "email": "eduard@example.com"}
    assert disabled["old"] == {"disabled_at": None}


@pytest.mark.usefixtures("acting")
async def test_names_and_emails_lie_in_the_part_that_can_be_erased(editor: UserRead, owner: asyncpg.Connection) -> None:
    [created] = await entries_about(owner, editor.id)

    assert set(created["parts"]["person"][1]) == {"name", "email"}
    assert set(created["parts"]["data"][1]) == {"role", "password"}


@pytest.mark.usefixtures("acting")
async def test_the_trail_never_holds_a_password_or_its_hash(
    accounts: Accounts, admin: UserRead, owner: asyncpg.Connection
) -> None:
    await accounts.set_password(admin.id, "another long password")

    stored = str(await owner.fetch("SELECT parts FROM audit_log"))
    assert "password" in stored
    assert "argon2" not in stored
    assert PASSWORD not in stored
    assert "another long password" not in stored


@pytest.mark.usefixtures("acting")
async def test_nothing_is_written_when_nothing_differs(
    accounts: Accounts, editor: UserRead, owner: asyncpg.Connection
) -> None:
    await accounts.set_role(editor.id, Role.EDITOR)

    assert len(await entries_about(owner, editor.id)) == 1


@pytest.mark.usefixtures("acting")
async def test_two_users_cannot_have_one_email(accounts: Accounts, editor: UserRead) -> None:
    with pytest.raises(Invalid) as refused:
        await accounts.add("Another", Role.VIEWER, email="ED@example.com")

    assert refused.value.errors[0].field == "email"
    assert [user.name for user in await accounts.list()] == ["Ed"]


@pytest.mark.usefixtures("acting")
@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("password", {"password": "short"}),
        ("email", {"email": "no email"}),
        ("email", {"email": "a\x00b@example.com"}),
        ("email", {"email": "\ud800@example.com"}),
        ("name", {"name": " "}),
        ("name", {"name": "two\nlines"}),
        ("name", {"name": "\ud800"}),
        ("name", {"name": "\u202egnp.exe"}),
    ],
)
async def test_what_cannot_be_is_refused_by_the_name_of_its_field(
    accounts: Accounts, field: str, given: dict[str, str]
) -> None:
    name = given.pop("name", "Ana")
    with pytest.raises(Invalid) as refused:
        await accounts.add(name, Role.VIEWER, **given)

    assert [error.field for error in refused.value.errors] == [field]


@pytest.mark.usefixtures("acting")
async def test_the_only_administrator_stays_one(accounts: Accounts, admin: UserRead, editor: UserRead) -> None:
    with pytest.raises(Invalid):
        await accounts.disable(admin.id)
    with pytest.raises(Invalid):
        await accounts.set_role(admin.id, Role.VIEWER)

    assert (await accounts.get(admin.id)).role is Role.ADMIN


@pytest.mark.usefixtures("acting")
async def test_two_administrators_who_disable_each_other_at_once_leave_one(
    accounts: Accounts, admin: UserRead, database: Database, owner: asyncpg.Connection
) -> None:
    other = await accounts.add("Bea", Role.ADMIN)

    async with database.transaction() as session:
        await session.execute(text("SELECT id FROM users FOR NO KEY UPDATE"))
        both = [asyncio.create_task(accounts.disable(user.id)) for user in (admin, other)]
        async with asyncio.timeout(10):
            while await owner.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") < 2:
                pass
    outcomes = await asyncio.gather(*both, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [Invalid]
    assert [user.is_disabled for user in await accounts.list()].count(False) == 1


@pytest.mark.usefixtures("acting")
async def test_a_session_or_token_of_a_disabled_user_is_nobodys_even_where_it_did_not_end(
    sessions: Sessions, tokens: Tokens, door: SigningIn, admin: UserRead, owner: asyncpg.Connection
) -> None:
    signed_in = await door.with_password("ana@example.com", PASSWORD)
    made = await tokens.create(admin.id, "script", [Scope.LEADS_READ])

    await owner.execute("UPDATE users SET disabled_at = now()")

    assert await sessions.visitor_of(signed_in.cookie) is None
    assert await tokens.visitor_of(made.token) is None


@pytest.mark.usefixtures("acting")
async def test_a_new_password_ends_the_other_sessions(
    accounts: Accounts, sessions: Sessions, door: SigningIn, admin: UserRead
) -> None:
    here = await door.with_password("ana@example.com", PASSWORD)
    elsewhere = await door.with_password("ana@example.com", PASSWORD)

    await accounts.set_password(admin.id, "another long password", session_id=here.session_id)

    assert await sessions.visitor_of(here.cookie) is not None
    assert await sessions.visitor_of(elsewhere.cookie) is None
    with pytest.raises(Unauthenticated):
        await door.with_password("ana@example.com", PASSWORD)


@pytest.mark.usefixtures("acting")
async def test_whoever_is_disabled_is_out_at_once_and_may_come_back(
    accounts: Accounts, sessions: Sessions, door: SigningIn, admin: UserRead, editor: UserRead
) -> None:
    signed_in = await door.with_password("ed@example.com", PASSWORD)
    link = await accounts.sign_in_link(editor.id)

    await accounts.disable(editor.id)

    assert await sessions.visitor_of(signed_in.cookie) is None
    assert not await door.link_is_open(link.secret)
    with pytest.raises(Unauthenticated):
        await door.with_password("ed@example.com", PASSWORD)
    with pytest.raises(NotFound):
        await accounts.sign_in_link(editor.id)
    await accounts.enable(editor.id)
    assert (await door.with_password("ed@example.com", PASSWORD)).user.id == editor.id


@pytest.mark.usefixtures("acting")
async def test_an_administrator_signs_somebody_out_everywhere(
    accounts: Accounts,
    sessions: Sessions,
    door: SigningIn,
    admin: UserRead,
    editor: UserRead,
    owner: asyncpg.Connection,
) -> None:
    signed_in = await door.with_password("ed@example.com", PASSWORD)

    await accounts.end_sessions(editor.id)

    assert await sessions.visitor_of(signed_in.cookie) is None
    assert (await entries_about(owner, editor.id))[-1]["action"] == Action.SIGN_OUT


async def test_nobody_adds_a_user_anonymously(accounts: Accounts) -> None:
    with pytest.raises(NoContext):
        await accounts.add("Ana", Role.ADMIN)

    assert await accounts.list() == []
