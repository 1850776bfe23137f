"""Getting in and out. Each try stands in the trail; a refusal says nothing of what was wrong."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest

from leads_core.accounts import sign_in_links
from leads_core.accounts.schemas import UserRead
from leads_core.accounts.service import Accounts
from leads_core.accounts.sessions import Sessions, forget_ended
from leads_core.accounts.signing_in import SigningIn
from leads_core.audit.models import Action
from leads_core.context import RequestContext, acting_as
from leads_core.database import Database, new_id
from leads_core.errors import RateLimited, Unauthenticated
from tests.builders import an_actor
from tests.integration.accounts.conftest import PASSWORD
from tests.integration.accounts.trail_of import entries_about


@pytest.fixture(autouse=True)
def at_the_door(stranger: RequestContext):
    with acting_as(stranger):
        yield


async def test_email_and_password_open_a_session_whatever_the_case_of_the_email(
    door: SigningIn, sessions: Sessions, admin: UserRead
) -> None:
    signed_in = await door.with_password(" ANA@Example.com", PASSWORD)

    visitor = await sessions.visitor_of(signed_in.cookie)
    assert visitor is not None
    assert (visitor.user_id, visitor.name, visitor.role) == (admin.id, "Ana Díaz", "admin")


async def test_a_sign_in_is_an_entry_of_the_user_from_where_they_came(
    door: SigningIn, admin: UserRead, owner: asyncpg.Connection, stranger: RequestContext
) -> None:
    await door.with_password("ana@example.com", PASSWORD)

    entry = (await entries_about(owner, admin.id))[-1]
    assert (entry["action"], entry["seq"], entry["new"]) == (Action.SIGN_IN, None, {"method": "password"})
    assert (entry["actor_kind"], entry["actor_id"]) == ("user", admin.id)
    assert entry["origin"] == {"actor_name": "Ana Díaz", "ip_address": "203.0.113.7", "user_agent": "Mozilla/5.0"}
    assert len(stranger.receipts) == 1


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ana@example.com", "wrong wrong wrong"),
        ("nobody@example.com", PASSWORD),
        ("no email at all", PASSWORD),
        ("\ud800", "\ud800"),
        ("ana@example.com\x00", "\x00"),
        ("", ""),
    ],
)
async def test_a_wrong_email_and_a_wrong_password_are_refused_in_the_same_words(
    door: SigningIn, admin: UserRead, email: str, password: str
) -> None:
    with pytest.raises(Unauthenticated, match=r"^Email or password is wrong\.$"):
        await door.with_password(email, password)


async def test_somebody_without_a_password_is_refused(door: SigningIn, accounts: Accounts) -> None:
    with acting_as(an_actor()):
        first = await accounts.first_administrator()
        await accounts.set_profile(first.id, name="Ana", email="ana@example.com")

    with pytest.raises(Unauthenticated):
        await door.with_password("ana@example.com", "")


async def test_a_failed_try_is_an_entry_of_the_user_it_was_for(
    door: SigningIn, admin: UserRead, owner: asyncpg.Connection
) -> None:
    with pytest.raises(Unauthenticated):
        await door.with_password("ana@example.com", "wrong wrong wrong")

    entry = (await entries_about(owner, admin.id))[-1]
    assert (entry["action"], entry["actor_kind"]) == (Action.SIGN_IN_FAILED, "anonymous")
    assert entry["parts"]["person"][1] == {"email": [None, "ana@example.com"]}
    assert "wrong" not in str(entry)


async def test_a_password_typed_into_the_email_field_is_not_recorded(
    door: SigningIn, owner: asyncpg.Connection
) -> None:
    with pytest.raises(Unauthenticated):
        await door.with_password(PASSWORD, "")

    [entry] = await entries_about(owner, None)
    assert entry["new"] == {"method": "password"}


async def test_the_sign_in_gives_a_new_session_and_ends_the_old_one(
    door: SigningIn, sessions: Sessions, admin: UserRead
) -> None:
    before = await door.with_password("ana@example.com", PASSWORD)
    after = await door.with_password("ana@example.com", PASSWORD, old_session_id=before.session_id)

    assert before.session_id != after.session_id
    assert await sessions.visitor_of(before.cookie) is None


async def test_signing_out_ends_the_session_once(
    door: SigningIn, sessions: Sessions, admin: UserRead, owner: asyncpg.Connection
) -> None:
    signed_in = await door.with_password("ana@example.com", PASSWORD)

    await door.out(signed_in.session_id)
    await door.out(signed_in.session_id)

    assert await sessions.visitor_of(signed_in.cookie) is None
    assert not await sessions.is_live(signed_in.session_id)
    actions = [entry["action"] for entry in await entries_about(owner, admin.id)]
    assert actions == [Action.CREATE, Action.SIGN_IN, Action.SIGN_OUT]


async def test_a_link_signs_in_once_and_looking_at_it_spends_nothing(
    door: SigningIn, accounts: Accounts, admin: UserRead
) -> None:
    link = await accounts.sign_in_link(admin.id)

    assert await door.link_is_open(link.secret)
    assert await door.link_is_open(link.secret)
    assert (await door.with_link(link.secret)).user.id == admin.id
    assert not await door.link_is_open(link.secret)
    with pytest.raises(Unauthenticated):
        await door.with_link(link.secret)


async def test_of_sixteen_who_use_one_link_at_once_one_gets_in(
    door: SigningIn, accounts: Accounts, admin: UserRead
) -> None:
    link = await accounts.sign_in_link(admin.id)

    outcomes = await asyncio.gather(*(door.with_link(link.secret) for _ in range(16)), return_exceptions=True)

    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert len(refused) == 15
    assert all(isinstance(outcome, Unauthenticated) for outcome in refused)


async def test_a_link_lapses_after_a_day(
    door: SigningIn, accounts: Accounts, admin: UserRead, owner: asyncpg.Connection
) -> None:
    link = await accounts.sign_in_link(admin.id)
    await owner.execute("UPDATE sign_in_links SET expires_at = expires_at - interval '24 hours 1 second'")

    assert not await door.link_is_open(link.secret)
    with pytest.raises(Unauthenticated):
        await door.with_link(link.secret)


async def test_using_a_link_ends_the_users_other_links(door: SigningIn, accounts: Accounts, admin: UserRead) -> None:
    older, newer = await accounts.sign_in_link(admin.id), await accounts.sign_in_link(admin.id)

    await door.with_link(newer.secret)

    assert not await door.link_is_open(older.secret)


async def test_the_first_link_is_for_an_administrator_without_email_and_password(
    door: SigningIn, accounts: Accounts
) -> None:
    with acting_as(an_actor(actor_kind="system", channel="cli")):
        link = await accounts.first_sign_in_link()

    assert link is not None
    user = (await door.with_link(link.secret)).user
    assert (user.name, user.email, user.has_password, user.role) == ("Administrator", None, False, "admin")


async def test_a_first_link_is_made_at_each_start_until_somebody_signs_in(door: SigningIn, accounts: Accounts) -> None:
    with acting_as(an_actor(actor_kind="system", channel="cli")):
        first, second = await accounts.first_sign_in_link(), await accounts.first_sign_in_link()
    assert first is not None
    assert second is not None
    assert first.user_id == second.user_id

    await door.with_link(second.secret)

    assert not await accounts.needs_first_sign_in()
    assert await accounts.first_sign_in_link() is None
    assert not await door.link_is_open(first.secret)


async def test_starts_at_once_make_one_first_administrator(accounts: Accounts) -> None:
    with acting_as(an_actor(actor_kind="system", channel="cli")):
        links = await asyncio.gather(*(accounts.first_sign_in_link() for _ in range(8)))

    assert len({link.user_id for link in links if link}) == 1
    assert len(await accounts.list()) == 1


async def test_tries_from_one_address_are_limited_whomever_they_are_for(
    database: Database, sessions: Sessions, owner: asyncpg.Connection
) -> None:
    door = SigningIn(database, sessions, tries_a_minute=3)
    for number in range(3):
        with pytest.raises(Unauthenticated):
            await door.with_password(f"somebody{number}@example.com", "x")

    with pytest.raises(RateLimited) as limited:
        await door.with_password("somebody9@example.com", "x")

    assert 0 < limited.value.retry_after <= 20
    assert "@" not in str(await owner.fetch("SELECT key FROM rate_limits"))


async def test_tries_for_one_email_are_limited_wherever_they_come_from(
    database: Database, sessions: Sessions, stranger: RequestContext
) -> None:
    door = SigningIn(database, sessions, tries_a_minute=4)
    for number in range(2):
        with acting_as(replace(stranger, ip_address=f"203.0.113.{number}")), pytest.raises(Unauthenticated):
            await door.with_password("ana@example.com", "x")

    with acting_as(replace(stranger, ip_address="203.0.113.99")), pytest.raises(RateLimited):
        await door.with_password("ana@example.com", "x")


async def test_a_cookie_that_we_did_not_sign_is_nobody(
    door: SigningIn, sessions: Sessions, database: Database, admin: UserRead
) -> None:
    signed_in = await door.with_password("ana@example.com", PASSWORD)
    forged = Sessions(database, "another secret").cookie_of(signed_in.session_id)

    for cookie in (forged, str(signed_in.session_id), signed_in.cookie + "x", "", "\ud800", "a.b.c"):
        assert await sessions.visitor_of(cookie) is None
    assert await sessions.visitor_of(sessions.cookie_of(new_id())) is None


@pytest.mark.parametrize(
    "passing", ["last_seen_at = last_seen_at - interval '8 days'", "expires_at = now() - interval '1 second'"]
)
async def test_a_session_ends_after_a_month_or_a_week_of_silence(
    door: SigningIn, sessions: Sessions, admin: UserRead, owner: asyncpg.Connection, passing: str
) -> None:
    signed_in = await door.with_password("ana@example.com", PASSWORD)

    await owner.execute(f"UPDATE sessions SET {passing}")

    assert await sessions.visitor_of(signed_in.cookie) is None


async def test_a_visit_is_noted_at_most_once_a_minute(
    door: SigningIn, sessions: Sessions, admin: UserRead, owner: asyncpg.Connection
) -> None:
    signed_in = await door.with_password("ana@example.com", PASSWORD)
    await owner.execute("UPDATE sessions SET last_seen_at = now() - interval '2 minutes'")

    await sessions.visitor_of(signed_in.cookie)
    first = await _last_seen(owner, signed_in.session_id)
    await sessions.visitor_of(signed_in.cookie)

    assert await _last_seen(owner, signed_in.session_id) == first
    assert await owner.fetchval("SELECT now() - $1 < interval '1 minute'", first)


async def _last_seen(owner: asyncpg.Connection, session_id: UUID) -> object:
    return await owner.fetchval("SELECT last_seen_at FROM sessions WHERE id = $1", session_id)


async def test_links_and_sessions_that_ended_a_month_ago_are_forgotten(
    door: SigningIn, accounts: Accounts, database: Database, admin: UserRead, owner: asyncpg.Connection
) -> None:
    old = await door.with_link((await accounts.sign_in_link(admin.id)).secret)
    await door.out(old.session_id)
    await owner.execute("UPDATE sign_in_links SET expires_at = now() - interval '31 days'")
    await owner.execute("UPDATE sessions SET ended_at = now() - interval '31 days'")
    await door.with_link((await accounts.sign_in_link(admin.id)).secret)

    assert await sign_in_links.forget_lapsed(database) == 1
    assert await forget_ended(database) == 1
    assert await owner.fetchval("SELECT count(*) FROM sessions") == 1
    assert await owner.fetchval("SELECT count(*) FROM sign_in_links") == 1
