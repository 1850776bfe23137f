"""A user forgotten: shut out, without a name, and without a name in what they did."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from leads_core.accounts.permissions import Role, Scope, of_person
from leads_core.accounts.schemas import UserRead
from leads_core.accounts.service import Accounts
from leads_core.accounts.sessions import Sessions
from leads_core.accounts.signing_in import SigningIn
from leads_core.accounts.tokens import Tokens
from leads_core.accounts.visitor import Visitor
from leads_core.audit.record import entry as record
from leads_core.context import RequestContext, acting_as
from leads_core.database import Database
from leads_core.erasing import Erasing
from leads_core.errors import Invalid, NotFound, StillRunning, Unauthenticated
from leads_core.jobs import queue
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.saved_views.service import SavedViews
from leads_core.settings import Settings
from tests.builders import a_lead
from tests.integration.erasing.conftest import WhereIs

pytestmark = pytest.mark.usefixtures("acting")

PASSWORD = "a long enough password"
BETRAYING = ("sancho", "198.51.100.77", "rocinante/1")


@pytest.fixture
async def sancho(database: Database) -> UserRead:
    """An editor with a past: another name before, sign-ins that failed and one that did not."""
    accounts = Accounts(database)
    await accounts.add("Root", Role.ADMIN, email="root@example.com")
    user = await accounts.add("Sancho Panza", Role.EDITOR, email="sancho@example.com", password=PASSWORD)
    return await accounts.set_profile(user.id, name="Sancho P.", email="sancho.p@example.com")


@pytest.fixture
def as_sancho(sancho: UserRead, ana: RequestContext) -> RequestContext:
    return replace(
        ana,
        actor_id=sancho.id,
        actor_name="Sancho P.",
        ip_address="198.51.100.77",
        user_agent="Rocinante/1",
        receipts=[],
    )


@pytest.fixture
def sessions(database: Database, settings: Settings) -> Sessions:
    return Sessions(database, settings.signing_secret)


async def entries(owner: asyncpg.Connection) -> list[dict[str, Any]]:
    rows = await owner.fetch("SELECT * FROM audit_log ORDER BY id")
    return [{**dict(row), "parts": json.loads(row["parts"])} for row in rows]


async def test_nothing_of_the_user_stays_and_the_checksums_hold(
    database: Database,
    owner: asyncpg.Connection,
    settings: Settings,
    erasing: Erasing,
    leads: LeadService,
    sancho: UserRead,
    as_sancho: RequestContext,
    sessions: Sessions,
    where_is: WhereIs,
) -> None:
    door = SigningIn(database, sessions, tries_a_minute=0)
    token_id, lead = await _live(database, leads, door, sancho, as_sancho)
    places = await where_is(*BETRAYING)
    assert places >= {"users.name", "users.email", "sessions.ip_address", "sessions.user_agent", "jobs.origin"}
    assert places >= {"api_tokens.name", "audit_log.parts"}
    before = await entries(owner)

    erased = await erasing.erase_user(sancho.id)

    after = await entries(owner)
    assert await where_is(*BETRAYING) == set()
    assert (erased.name, erased.email, erased.is_disabled, erased.has_password) == ("Erased user", None, True, False)
    assert [entry["checksum"] for entry in after[: len(before)]] == [entry["checksum"] for entry in before]
    assert all(_holds(entry, settings.mac_keys[0]) for entry in after)
    theirs = [entry for entry in after if entry["actor_id"] in {sancho.id, token_id}]
    assert len(theirs) >= 4
    assert all(isinstance(entry["parts"]["origin"], str) for entry in theirs)
    assert (await leads.get(lead.id)).owner_id == sancho.id


async def test_the_entries_say_what_stays_of_the_user_and_of_the_tokens(
    database: Database, owner: asyncpg.Connection, erasing: Erasing, sancho: UserRead
) -> None:
    token = await Tokens(database).create(sancho.id, "Sancho's laptop", [Scope.LEADS_READ])

    await erasing.erase_user(sancho.id)

    erasures = {entry["subject_kind"]: entry for entry in await entries(owner) if entry["action"] == "ERASE"}
    assert erasures["user"]["parts"]["person"][1] == {"name": [None, "Erased user"], "email": [None, None]}
    assert erasures["token"]["parts"]["person"][1] == {"name": [None, "Erased token"]}
    assert (erasures["user"]["seq"], erasures["token"]["seq"]) == (4, 3)
    assert erasures["token"]["subject_id"] == token.id
    assert erasures["user"]["id"] > max(
        entry["id"]
        for entry in await entries(owner)
        if sancho.id in {entry["subject_id"], entry["actor_id"]} - {None} and entry["action"] != "ERASE"
    )
    assert await owner.fetchval("SELECT version FROM users WHERE id = $1", sancho.id) == 4
    assert await owner.fetchval("SELECT version FROM api_tokens WHERE id = $1", token.id) == 3


async def test_the_user_cannot_come_in_any_more(
    database: Database, erasing: Erasing, sancho: UserRead, as_sancho: RequestContext, sessions: Sessions
) -> None:
    door = SigningIn(database, sessions, tries_a_minute=0)
    token = await Tokens(database).create(sancho.id, "laptop", [Scope.LEADS_READ])
    link = await Accounts(database).sign_in_link(sancho.id)
    with acting_as(as_sancho):
        signed_in = await door.with_password("sancho.p@example.com", PASSWORD)

    await erasing.erase_user(sancho.id)

    assert await sessions.visitor_of(signed_in.cookie) is None
    assert await Tokens(database).visitor_of(token.token) is None
    for way_in in (door.with_password("sancho.p@example.com", PASSWORD), door.with_link(link.secret)):
        with pytest.raises(Unauthenticated):
            await way_in
    with pytest.raises(Invalid, match="was erased"):
        await Accounts(database).enable(sancho.id)


async def test_others_keep_their_names(
    owner: asyncpg.Connection, erasing: Erasing, leads: LeadService, sancho: UserRead, as_sancho: RequestContext
) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)
    with acting_as(as_sancho):
        await leads.update(lead.id, LeadUpdate(city="Toledo"))

    await erasing.erase_user(sancho.id)

    rows = [entry for entry in await entries(owner) if entry["subject_id"] == lead.id]
    assert [record.origin_of(entry["parts"])["actor_name"] for entry in rows] == ["Ana Díaz", None]
    assert record.old_and_new(rows[1]["parts"])[1] == {"city": "Toledo"}


async def test_their_leads_lose_the_owner_only_when_asked(
    owner: asyncpg.Connection, erasing: Erasing, leads: LeadService, sancho: UserRead
) -> None:
    kept = await leads.create(a_lead(owner_id=sancho.id), source=Source.FORM)
    binned = await leads.create(a_lead(email="bea@acme.com", owner_id=sancho.id), source=Source.FORM)
    await leads.delete(binned.id)

    await erasing.erase_user(sancho.id)
    after_erasing = await leads.get(kept.id)
    await erasing.erase_user(sancho.id, release_leads=True)

    assert after_erasing.owner_id == sancho.id
    assert (await leads.get(kept.id)).owner_id is None
    assert (await leads.get(binned.id, deleted=True)).owner_id == sancho.id


async def test_once_more_covers_what_came_since_and_nothing_else(
    owner: asyncpg.Connection,
    erasing: Erasing,
    leads: LeadService,
    sancho: UserRead,
    as_sancho: RequestContext,
    where_is: WhereIs,
) -> None:
    await erasing.erase_user(sancho.id)
    first = await entries(owner)
    await erasing.erase_user(sancho.id)
    second = await entries(owner)
    with acting_as(as_sancho):  # a request that had come in before the door was shut
        await leads.create(a_lead(), source=Source.FORM)

    await erasing.erase_user(sancho.id)

    assert second == first
    assert await where_is(*BETRAYING) == set()


async def test_a_change_that_was_under_way_is_waited_for(
    database: Database,
    erasing: Erasing,
    leads: LeadService,
    sancho: UserRead,
    as_sancho: RequestContext,
    where_is: WhereIs,
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def under_way() -> None:
        with acting_as(as_sancho):
            async with database.one_transaction():
                await leads.create(a_lead(), source=Source.FORM)
                begun.set()
                await go_on.wait()

    change = asyncio.create_task(under_way())
    await begun.wait()
    erasure = asyncio.create_task(erasing.erase_user(sancho.id))
    while not (await Accounts(database).get(sancho.id)).is_disabled:  # noqa: ASYNC110 - the database says so
        await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(change, erasure)

    assert await where_is(*BETRAYING) == set()


async def test_two_at_once_erase_once(owner: asyncpg.Connection, erasing: Erasing, sancho: UserRead) -> None:
    await asyncio.gather(*(erasing.erase_user(sancho.id) for _ in range(3)))

    assert [entry["action"] for entry in await entries(owner)].count("ERASE") == 1


async def test_who_may_not_be_erased_is_said_in_words_and_stays(
    database: Database, erasing: Erasing, sancho: UserRead, as_sancho: RequestContext, ana: RequestContext
) -> None:
    accounts = Accounts(database)
    (root,) = [user for user in await accounts.list() if user.role is Role.ADMIN]

    with pytest.raises(Invalid, match="only administrator"):
        await erasing.erase_user(root.id)
    with acting_as(as_sancho), pytest.raises(Invalid, match="another administrator"):
        await erasing.erase_user(sancho.id)
    with pytest.raises(NotFound):
        await erasing.erase_user(UUID(int=7))
    assert {user.name for user in await accounts.list()} == {"Root", "Sancho P."}


async def test_while_a_job_of_theirs_runs_nothing_is_erased_and_afterwards_it_has_no_origin(
    database: Database,
    erasing: Erasing,
    leads: LeadService,
    sancho: UserRead,
    as_sancho: RequestContext,
    where_is: WhereIs,
) -> None:
    with acting_as(as_sancho):
        (added,) = await leads.quick_add("acme.com")
    assert added.lead is not None
    task_id = added.lead.enrichment_task_id
    assert task_id is not None
    async with database.transaction() as session:
        await queue.take(session, task_id)

    with pytest.raises(StillRunning, match="is running"):
        await erasing.erase_user(sancho.id)
    assert (await Accounts(database).get(sancho.id)).is_disabled is False
    async with database.transaction() as session:
        await queue.put_back(session, task_id, state=queue.JobState.QUEUED, error=None, delay=0)
    await erasing.erase_user(sancho.id)

    async with database.transaction() as session:
        job = await queue.find(session, task_id)
    assert job is not None
    assert job.origin == {"actor_name": None, "ip_address": None, "user_agent": None}
    assert await where_is(*BETRAYING) == set()


async def _live(
    database: Database, leads: LeadService, door: SigningIn, sancho: UserRead, as_sancho: RequestContext
) -> tuple[UUID, LeadRead]:
    """Signs in at the second try, adds a lead of their own by hand, another by a token."""
    somebody = replace(
        as_sancho, actor_kind="anonymous", actor_id=None, actor_name=None, ip_address=None, user_agent="x"
    )
    with acting_as(somebody), pytest.raises(Unauthenticated):
        await door.with_password("sancho.p@example.com", "wrong")
    with acting_as(as_sancho):
        await door.with_password("sancho.p@example.com", PASSWORD)
        lead = await leads.create(a_lead(owner_id=sancho.id), source=Source.FORM)
        await leads.quick_add("acme.com")
        token = await Tokens(database).create(sancho.id, "Sancho's laptop", [Scope.LEADS_WRITE])
    with acting_as(replace(as_sancho, actor_kind="token", actor_id=token.id, actor_name="Sancho's laptop")):
        await leads.update(lead.id, LeadUpdate(city="Toledo"))
    return token.id, lead


def _holds(entry: dict[str, Any], key: bytes) -> bool:
    names = record.EntryRecord.__dataclass_fields__
    checksum = record.checksum(record.EntryRecord(**{name: entry[name] for name in names}))
    return checksum == entry["checksum"] and record.mac_is_valid([key], checksum, entry["mac"])


async def test_own_views_go_and_shared_ones_stay_and_are_nobodys(
    database: Database, owner: asyncpg.Connection, erasing: Erasing, sancho: UserRead
) -> None:
    views = SavedViews(database, Visitor("user", sancho.id, sancho.name, None, Role.EDITOR, of_person(Role.EDITOR)))
    await views.create("My own", "owner=me")
    await views.create("For all", "stage=won", is_shared=True)

    await erasing.erase_user(sancho.id)

    left = await owner.fetch("SELECT name, owner_id, is_shared FROM saved_views")
    assert [tuple(row) for row in left] == [("For all", None, True)]
