"""Mutations a second, across all processes. No clock is waited for: buckets are filled by turning theirs back."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from leads_core import rate_limit
from leads_core.database import Database
from leads_core.errors import RateLimited
from leads_core.settings import Settings

A_DAY = 86_400


async def test_of_twenty_at_once_from_two_processes_ten_pass(database: Database, settings: Settings) -> None:
    other = Database(settings, pool_size=5)

    takes = (rate_limit.take(pool, "ana", per_second=10 / A_DAY, burst=10) for pool in (database, other) * 10)
    outcomes = await asyncio.gather(*takes, return_exceptions=True)
    await other.close()

    assert sum(outcome is None for outcome in outcomes) == 10
    assert sum(isinstance(outcome, RateLimited) for outcome in outcomes) == 10


async def test_a_place_comes_back_with_time(database: Database, owner: asyncpg.Connection) -> None:
    await rate_limit.take(database, "ana", per_second=1 / A_DAY, burst=1)
    with pytest.raises(RateLimited) as limited:
        await rate_limit.take(database, "ana", per_second=1 / A_DAY, burst=1)
    assert A_DAY - 60 < limited.value.retry_after <= A_DAY

    await owner.execute("UPDATE rate_limits SET tat = tat - interval '1 day'")

    await rate_limit.take(database, "ana", per_second=1 / A_DAY, burst=1)


async def test_a_bucket_never_holds_more_than_its_burst(database: Database, owner: asyncpg.Connection) -> None:
    await rate_limit.take(database, "ana", per_second=3 / A_DAY, burst=3)
    await owner.execute("UPDATE rate_limits SET tat = tat - interval '30 days'")

    for _ in range(3):
        await rate_limit.take(database, "ana", per_second=3 / A_DAY, burst=3)
    with pytest.raises(RateLimited):
        await rate_limit.take(database, "ana", per_second=3 / A_DAY, burst=3)


async def test_a_refusal_takes_nothing(database: Database, owner: asyncpg.Connection) -> None:
    await rate_limit.take(database, "ana", per_second=1 / A_DAY, burst=1)
    before = await owner.fetchval("SELECT tat FROM rate_limits")

    with pytest.raises(RateLimited):
        await rate_limit.take(database, "ana", per_second=1 / A_DAY, burst=1)

    assert await owner.fetchval("SELECT tat FROM rate_limits") == before


async def test_everybody_has_a_bucket_of_their_own(database: Database) -> None:
    await rate_limit.take(database, "ana", per_second=1 / A_DAY, burst=1)
    await rate_limit.take(database, "bea", per_second=1 / A_DAY, burst=1)


async def test_a_rollback_gives_no_place_back(database: Database) -> None:
    async with database.transaction() as session:
        await rate_limit.take(database, "ana", per_second=1 / A_DAY, burst=1)
        await session.rollback()

    with pytest.raises(RateLimited):
        await rate_limit.take(database, "ana", per_second=1 / A_DAY, burst=1)


async def test_a_limit_of_zero_is_off(database: Database, owner: asyncpg.Connection) -> None:
    for _ in range(50):
        await rate_limit.take(database, "ana", per_second=0)

    assert await owner.fetchval("SELECT count(*) FROM rate_limits") == 0


async def test_buckets_that_nobody_used_for_an_hour_are_forgotten(
    database: Database, owner: asyncpg.Connection
) -> None:
    await rate_limit.take(database, "old", per_second=10)
    await owner.execute("UPDATE rate_limits SET tat = tat - interval '61 minutes'")
    await rate_limit.take(database, "new", per_second=10)

    assert await rate_limit.forget_full(database) == 1
    assert await owner.fetchval("SELECT key FROM rate_limits") == "new"
