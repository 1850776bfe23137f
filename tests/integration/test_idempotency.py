"""A POST that comes again gets its first answer again, and changes nothing a second time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest

from leads_core import idempotency
from leads_core.accounts.permissions import Role
from leads_core.accounts.service import Accounts
from leads_core.context import RequestContext
from leads_core.database import LIMITS, Database
from leads_core.errors import Gone, Invalid, KeyReused, StillRunning
from leads_core.idempotency import Answer, KeyedRequest, answer_once
from leads_core.settings import Settings
from tests.builders import ANA_ID

pytestmark = pytest.mark.usefixtures("acting")

REQUEST = KeyedRequest(ANA_ID, "POST", "/api/v1/leads", "key-1", idempotency.fingerprint(b"", b'{"name": "Bea"}'))


@pytest.fixture
def add_bea(database: Database) -> Callable[[], Awaitable[Answer]]:
    """A mutation as a route makes it: one service call, one answer."""

    async def produce() -> Answer:
        user = await Accounts(database).add("Bea", Role.VIEWER)
        return Answer(201, {"Location": f"/users/{user.id}"}, str(user.id).encode(), (user.id,))

    return produce


async def _users(owner: asyncpg.Connection) -> int:
    count: int = await owner.fetchval("SELECT count(*) FROM users")
    return count


async def test_a_repeat_gets_the_first_answer_and_changes_nothing(
    database: Database, owner: asyncpg.Connection, add_bea: Callable[[], Awaitable[Answer]]
) -> None:
    first = await answer_once(database, REQUEST, add_bea)
    again = await answer_once(database, REQUEST, add_bea)

    assert (again.status, again.headers, again.body) == (first.status, first.headers, first.body)
    assert await _users(owner) == 1


async def test_without_a_key_each_request_is_a_new_one(
    database: Database, owner: asyncpg.Connection, add_bea: Callable[[], Awaitable[Answer]]
) -> None:
    await answer_once(database, None, add_bea)
    await answer_once(database, None, add_bea)

    assert await _users(owner) == 2


async def test_of_eight_at_once_with_one_key_one_works_and_all_get_its_answer(
    database: Database, owner: asyncpg.Connection, add_bea: Callable[[], Awaitable[Answer]]
) -> None:
    answers = await asyncio.gather(*(answer_once(database, REQUEST, add_bea) for _ in range(8)))

    assert len({answer.body for answer in answers}) == 1
    assert await _users(owner) == 1


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, key="key-2"),
        replace(REQUEST, path="/api/v1/leads/quick-add"),
        replace(REQUEST, method="PUT"),
        replace(REQUEST, actor_id=UUID(int=7)),
    ],
)
async def test_a_key_belongs_to_one_actor_method_and_path(
    database: Database, owner: asyncpg.Connection, add_bea: Callable[[], Awaitable[Answer]], other: KeyedRequest
) -> None:
    await answer_once(database, REQUEST, add_bea)
    await answer_once(database, other, add_bea)

    assert await _users(owner) == 2


async def test_the_same_key_with_another_body_is_refused(
    database: Database, owner: asyncpg.Connection, add_bea: Callable[[], Awaitable[Answer]]
) -> None:
    await answer_once(database, REQUEST, add_bea)

    with pytest.raises(KeyReused):
        await answer_once(database, replace(REQUEST, fingerprint=idempotency.fingerprint(b"other")), add_bea)
    assert await _users(owner) == 1


async def test_an_error_undoes_everything_and_frees_the_key(
    database: Database, owner: asyncpg.Connection, ana: RequestContext, add_bea: Callable[[], Awaitable[Answer]]
) -> None:
    async def breaks() -> Answer:
        await add_bea()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await answer_once(database, REQUEST, breaks)
    assert await _users(owner) == 0
    assert await owner.fetchval("SELECT count(*) FROM audit_log") == 0
    assert ana.receipts == []

    assert (await answer_once(database, REQUEST, add_bea)).status == 201


async def test_an_answer_that_is_no_success_is_not_kept(
    database: Database, add_bea: Callable[[], Awaitable[Answer]]
) -> None:
    async def refuses() -> Answer:
        return Answer(422, {}, b"")

    assert (await answer_once(database, REQUEST, refuses)).status == 422
    assert (await answer_once(database, REQUEST, add_bea)).status == 201


async def test_a_step_that_failed_inside_leaves_no_receipt_while_the_rest_is_kept(
    database: Database, owner: asyncpg.Connection, ana: RequestContext
) -> None:
    async def two_of_which_one_fails() -> Answer:
        accounts = Accounts(database)
        await accounts.add("Bea", Role.VIEWER, email="bea@example.com")
        with pytest.raises(Invalid):
            await accounts.add("Bea again", Role.VIEWER, email="bea@example.com")
        return Answer(207, {}, b"")

    await answer_once(database, REQUEST, two_of_which_one_fails)

    kept = await owner.fetch("SELECT id FROM audit_log")
    assert [row["id"] for row in kept] == [entry_id for entry_id, _ in ana.receipts]
    assert await _users(owner) == 1


@pytest.fixture
async def impatient(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """The same database, with a lock_timeout that a test need not wait for."""
    monkeypatch.setitem(LIMITS, "lock_timeout", "50")
    pools = Database(settings, pool_size=1)
    yield pools
    await pools.close()


async def test_a_repeat_while_the_first_runs_waits_and_is_then_told_so(
    database: Database, impatient: Database, owner: asyncpg.Connection, add_bea: Callable[[], Awaitable[Answer]]
) -> None:
    started, may_end = asyncio.Event(), asyncio.Event()

    async def slow() -> Answer:
        started.set()
        await may_end.wait()
        return await add_bea()

    first = asyncio.create_task(answer_once(database, REQUEST, slow))
    await started.wait()
    with pytest.raises(StillRunning):
        await answer_once(impatient, REQUEST, add_bea)
    may_end.set()

    assert (await first).status == 201
    assert await _users(owner) == 1


async def test_a_key_is_free_again_after_a_day(
    database: Database, owner: asyncpg.Connection, add_bea: Callable[[], Awaitable[Answer]]
) -> None:
    first = await answer_once(database, REQUEST, add_bea)
    await owner.execute("UPDATE idempotency_keys SET created_at = created_at - interval '24 hours 1 second'")

    second = await answer_once(database, REQUEST, add_bea)

    assert second.body != first.body
    assert (await answer_once(database, REQUEST, add_bea)).body == second.body


async def test_an_erased_answer_is_gone_and_its_key_stays_taken(
    database: Database, owner: asyncpg.Connection, add_bea: Callable[[], Awaitable[Answer]]
) -> None:
    answer = await answer_once(database, REQUEST, add_bea)
    async with database.transaction() as session:
        await idempotency.empty_answers_about(session, answer.lead_ids[0])

    with pytest.raises(Gone):
        await answer_once(database, REQUEST, add_bea)
    assert await _users(owner) == 1


async def test_an_empty_answer_is_an_answer(database: Database) -> None:
    async def deletes() -> Answer:
        return Answer(204, {}, b"")

    await answer_once(database, REQUEST, deletes)

    assert (await answer_once(database, REQUEST, deletes)).body == b""


async def test_keys_older_than_a_day_are_forgotten(
    database: Database, owner: asyncpg.Connection, add_bea: Callable[[], Awaitable[Answer]]
) -> None:
    await answer_once(database, REQUEST, add_bea)
    await owner.execute("UPDATE idempotency_keys SET created_at = created_at - interval '25 hours'")
    await answer_once(database, replace(REQUEST, key="new"), add_bea)

    assert await idempotency.forget_old(database) == 1
    assert await owner.fetchval("SELECT key FROM idempotency_keys") == "new"


@pytest.mark.parametrize("key", ["", "x" * 256, "snow☃", "a\x00b", "two\nlines", "\ud800"])
def test_a_key_that_is_none_is_refused_by_name(key: str) -> None:
    with pytest.raises(Invalid) as refused:
        replace(REQUEST, key=key)

    assert refused.value.errors[0].field == "Idempotency-Key"


def test_a_fingerprint_tells_where_one_part_ends() -> None:
    assert idempotency.fingerprint(b"ab", b"c") != idempotency.fingerprint(b"a", b"bc")
