"""How often somebody may do something, across all processes: a bucket for each key, in PostgreSQL (GCRA)."""

from __future__ import annotations

import math

from sqlalchemy import Column, DateTime, Table, text
from sqlalchemy.ext.asyncio import AsyncEngine

from leads_core.database import C_TEXT, Base, Database, faults_in_words
from leads_core.errors import RateLimited

rate_limits = Table(
    "rate_limits",
    Base.metadata,
    Column("key", C_TEXT, primary_key=True),
    Column("tat", DateTime(timezone=True), nullable=False),
    prefixes=["UNLOGGED"],
)

TAKE = text("SELECT allowed, retry_after FROM rate_take(:key, :step * interval '1 second', :burst)")
FORGET = text("DELETE FROM rate_limits WHERE tat < clock_timestamp() - interval '1 hour'")


async def take(database: Database, key: str, *, per_second: float, burst: int | None = None) -> None:
    """Take one place from the bucket of key. Raises RateLimited(retry_after in seconds) when it is empty.

    The bucket holds burst places (default: a second's worth) and refills at per_second. 0 is no limit.
    Call it before the mutation's transaction: it commits by itself, so a rollback gives nothing back and
    nobody waits behind the mutation. key names no person: it outlives them.
    """
    if per_second <= 0:
        return
    places = burst if burst is not None else max(1, math.ceil(per_second))
    with faults_in_words():
        async with _at_once(database).connect() as connection:
            answer = await connection.execute(TAKE, {"key": key, "step": 1 / per_second, "burst": places})
            allowed, retry_after = answer.one()
    if not allowed:
        raise RateLimited(retry_after)


async def forget_full(database: Database) -> int:
    """Remove the buckets that nobody took from for an hour. Gives their number. For a scheduled task."""
    with faults_in_words():
        async with _at_once(database).connect() as connection:
            return (await connection.execute(FORGET)).rowcount


def _at_once(database: Database) -> AsyncEngine:
    """The writers' pool, each statement committed by itself."""
    return database.engine.execution_options(isolation_level="AUTOCOMMIT")
