"""A POST that comes again with its Idempotency-Key gets its first answer again (Stripe's rules).

    answer = await answer_once(database, request, produce)

produce does the work through the services and gives the finished Answer. Everything in it happens in one
transaction, whatever the services open inside, and so does keeping the answer: never one without the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Column, DateTime, Index, LargeBinary, SmallInteger, Table, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.database import C_TEXT, Base, Database, sqlstate
from leads_core.errors import Gone, Invalid, KeyReused, StillRunning

idempotency_keys = Table(
    "idempotency_keys",
    Base.metadata,
    Column("actor_id", Uuid, primary_key=True),
    Column("method", C_TEXT, primary_key=True),
    Column("path", C_TEXT, primary_key=True),
    Column("key", C_TEXT, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("status", SmallInteger),
    Column("headers", JSONB, nullable=False, server_default=text("'{}'")),
    Column("body", LargeBinary),
    Column("lead_ids", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    Index("ix_idempotency_keys_lead_ids", "lead_ids", postgresql_using="gin"),
    Index("ix_idempotency_keys_created_at", "created_at"),
)

LONGEST_KEY = 255
LOCK_TIMEOUT = "55P03"

# Waits while the first request with this key runs: its row is there, uncommitted. A key older than a day is free.
CLAIM = text("""
    INSERT INTO idempotency_keys AS kept (actor_id, method, path, key, request_hash)
    VALUES (:actor_id, :method, :path, :key, :request_hash)
    ON CONFLICT ON CONSTRAINT idempotency_keys_pkey DO UPDATE
        SET request_hash = excluded.request_hash, status = NULL, headers = '{}', body = NULL, lead_ids = '{}',
            created_at = clock_timestamp()
        WHERE kept.created_at < clock_timestamp() - interval '24 hours'
    RETURNING true
""")
THIS_KEY = "actor_id = :actor_id AND method = :method AND path = :path AND key = :key"
KEPT = text(f"SELECT request_hash, status, headers, body FROM idempotency_keys WHERE {THIS_KEY}")  # noqa: S608
KEEP = text(f"""
    UPDATE idempotency_keys SET status = :status, headers = :headers, body = :body, lead_ids = :lead_ids
    WHERE {THIS_KEY}
""").bindparams(bindparam("headers", type_=JSONB), bindparam("lead_ids", type_=ARRAY(Uuid)))  # noqa: S608
RELEASE = text(f"DELETE FROM idempotency_keys WHERE {THIS_KEY}")  # noqa: S608
EMPTY = text("UPDATE idempotency_keys SET body = NULL, headers = '{}' WHERE lead_ids @> ARRAY[:lead_id]").bindparams(
    bindparam("lead_id", type_=Uuid)
)
FORGET = text("DELETE FROM idempotency_keys WHERE created_at < clock_timestamp() - interval '24 hours'")


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request with an Idempotency-Key. fingerprint is what makes it the same request when it comes again."""

    actor_id: UUID
    method: str
    path: str
    key: str
    fingerprint: bytes

    def __post_init__(self) -> None:
        if not (0 < len(self.key) <= LONGEST_KEY and self.key.isascii() and self.key.isprintable()):
            raise Invalid.of("Idempotency-Key", f"Send 1 to {LONGEST_KEY} printable ASCII characters.")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client got, or gets again. lead_ids are the leads inside, so that an erasure finds it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    lead_ids: tuple[UUID, ...] = field(default=())


def fingerprint(*parts: bytes) -> bytes:
    """SHA-256 over the parts of a request that matter (query, body, a file's bytes), each with its length."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


async def answer_once(
    database: Database, request: KeyedRequest | None, produce: Callable[[], Awaitable[Answer]]
) -> Answer:
    """The answer that produce gives, or the one it gave to the same request within the last 24 hours.

    Only answers 2xx are kept; an error raised by produce undoes everything and frees the key. Without a request
    (no key was sent) produce runs as it is. Raises KeyReused for another body, StillRunning when the first
    request has not ended within lock_timeout, Gone when the kept answer was erased.
    produce must not run its services concurrently: they share one connection.
    """
    if request is None:
        return await produce()
    async with database.one_transaction() as session:
        kept = await _claim(session, request)
        if kept is not None:
            return kept
        answer = await produce()
        await _keep(session, request, answer)
    return answer


async def empty_answers_about(session: AsyncSession, lead_id: UUID) -> None:
    """Erase what kept answers say of a lead; the keys stay, and a repeat is told that the answer is gone."""
    await session.execute(EMPTY, {"lead_id": lead_id})


async def forget_old(database: Database) -> int:
    """Remove the keys older than a day. Gives their number. For a scheduled task."""
    async with database.transaction() as session:
        return int(getattr(await session.execute(FORGET), "rowcount", 0))


async def _claim(session: AsyncSession, request: KeyedRequest) -> Answer | None:
    """None when the key is ours from now on; else the answer that was kept for it."""
    named = _key_of(request)
    try:
        ours = (await session.execute(CLAIM, {**named, "request_hash": request.fingerprint})).scalar()
    except DBAPIError as error:
        if sqlstate(error) == LOCK_TIMEOUT:
            raise StillRunning("The first request with this Idempotency-Key still runs. Try again.") from error
        raise
    if ours:
        return None
    kept = (await session.execute(KEPT, named)).one_or_none()
    if kept is None or kept.status is None:
        raise StillRunning("The first request with this Idempotency-Key still runs. Try again.")
    if kept.request_hash != request.fingerprint:
        raise KeyReused("This Idempotency-Key was sent before with another body. Use a new key.")
    if kept.body is None:
        raise Gone("The answer to this Idempotency-Key was erased with the person it named.")
    return Answer(kept.status, kept.headers, kept.body)


async def _keep(session: AsyncSession, request: KeyedRequest, answer: Answer) -> None:
    if not 200 <= answer.status < 300:
        await session.execute(RELEASE, _key_of(request))
        return
    await session.execute(
        KEEP,
        {
            **_key_of(request),
            "status": answer.status,
            "headers": dict(answer.headers),
            "body": answer.body,
            "lead_ids": list(answer.lead_ids),
        },
    )


def _key_of(request: KeyedRequest) -> dict[str, Any]:
    return {"actor_id": request.actor_id, "method": request.method, "path": request.path, "key": request.key}
