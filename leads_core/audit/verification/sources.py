"""Where the rows of a verification come from: the database in one snapshot, or an export without any database."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import orjson

from leads_core.audit.verification import guard_check, statements
from leads_core.audit.verification.evidence import Evidence, LeafRow
from leads_core.audit.verification.export_file import ExportedEvidence
from leads_core.database import asyncpg_url, connect, faults_in_words
from leads_core.errors import Misconfigured

BATCH = 2000
#: Our own tables, whatever somebody shadowed them with; an error rather than a part of the rows; no time limits.
SURROUNDINGS = {
    "search_path": "pg_catalog, public, pg_temp",
    "row_security": "off",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "0",
    "DateStyle": "ISO",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "application_name": "leads-verify",
}


class Source(Protocol):
    """Something to verify."""

    def open(self) -> AbstractAsyncContextManager[Evidence]:
        """One consistent view of it. Raises Misconfigured or Unavailable when it cannot be read."""


class DatabaseSource:
    """The primary's tables, as of one REPEATABLE READ snapshot that open() takes."""

    def __init__(self, url: str) -> None:
        self._url = url

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Evidence]:
        with _unreadable_in_words(), faults_in_words():
            connection = await connect(asyncpg_url(self._url), server_settings=SURROUNDINGS)
            try:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    yield await database_evidence(connection)
            finally:
                await connection.close(timeout=5)


class ExportSource:
    """A complete or filtered export, as `leads audit export` writes it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Evidence]:
        with ExportedEvidence(self._path) as evidence:
            yield evidence


@contextmanager
def _unreadable_in_words() -> Iterator[None]:
    """What the server refuses (a right, a policy that hides rows, a missing table) means: not verified."""
    try:
        yield
    except asyncpg.PostgresError as error:
        raise Misconfigured(f"DATABASE_URL: the trail could not be read whole: {error}") from error


async def database_evidence(connection: asyncpg.Connection) -> DatabaseEvidence:
    """What this connection's snapshot holds. Raises Misconfigured on a standby, which may be behind."""
    if await connection.fetchval("SELECT pg_is_in_recovery()"):
        raise Misconfigured("DATABASE_URL: this is a standby, which may be behind. Verify on the primary.")
    if await connection.fetchval("SELECT to_regclass('public.audit_leaves') IS NULL"):
        raise Misconfigured("DATABASE_URL: there is no audit log in this database. Run `leads migrate` first.")
    return DatabaseEvidence(connection, await connection.fetchval(statements.TAKEN_AT))


class DatabaseEvidence:
    """See Evidence. Not for several readers at once: one connection."""

    complete = True
    made_at: datetime | None = None

    def __init__(self, connection: asyncpg.Connection, taken_at: str) -> None:
        self._connection = connection
        self.taken_at = taken_at

    def checkpoints(self) -> AsyncGenerator[Sequence[Any]]:
        return self._stream(statements.CHECKPOINTS)

    def leaves(self) -> AsyncGenerator[Sequence[Any]]:
        return self._stream(statements.LEAVES)

    def entries(self) -> AsyncGenerator[Sequence[Any]]:
        return self._stream(statements.ENTRIES_BY_SUBJECT, along_indexes=True)

    def leads(self) -> AsyncGenerator[Sequence[Any]]:
        return self._stream(statements.LEADS)

    async def blocks(self) -> dict[tuple[int, int], bytes] | None:
        rows = await self._connection.fetch(statements.BLOCKS)
        return {(level, index): hash_ for level, index, hash_ in rows}

    async def accounts(self) -> dict[str, tuple[str, dict[str, Any]]] | None:
        rows = await self._connection.fetch(statements.ACCOUNTS)
        return {account_id: (kind, orjson.loads(columns)) for account_id, kind, columns in rows}

    async def special(self) -> Sequence[Any]:
        return list(await self._connection.fetch(statements.SPECIAL))

    async def special_of(self, actor_ids: Sequence[str]) -> Sequence[Any]:
        """Of special() what concerns these actors."""
        return list(await self._connection.fetch(statements.SPECIAL_OF, list(actor_ids)))

    async def leaves_without_entry(self, limit: int) -> Sequence[LeafRow]:
        rows = await self._connection.fetch(statements.LEAVES_WITHOUT_ENTRY, limit)
        return [LeafRow(*row) for row in rows]

    async def rejected(self) -> dict[str, tuple[str, bool]]:
        rows = await self._connection.fetch(statements.REJECTED)
        return {entry_id: (reason, is_there) for entry_id, reason, is_there in rows}

    async def waiting_without_entry(self) -> Sequence[str]:
        return [row[0] for row in await self._connection.fetch(statements.WAITING_WITHOUT_ENTRY)]

    async def relatives(self, request_ids: Sequence[str], actor_ids: Sequence[str]) -> Sequence[Any]:
        return list(await self._connection.fetch(statements.RELATIVES, list(request_ids), list(actor_ids)))

    async def missing_guards(self) -> Sequence[tuple[str, str]] | None:
        return await guard_check.missing(self._connection)

    async def notices(self) -> Sequence[str]:
        return await guard_check.notices(self._connection)

    async def of_subject(self, subject_id: str) -> Sequence[Any]:
        """One subject's entries, in order of seq and id."""
        return list(await self._connection.fetch(statements.ENTRIES_OF, subject_id))

    async def lead(self, lead_id: str) -> Sequence[tuple[str, str]]:
        """The lead, as leads() gives it; empty when it is not there."""
        return list(await self._connection.fetch(statements.LEAD, lead_id))

    async def newest_checkpoint(self) -> Any:
        """The row of the newest checkpoint, or None."""
        return await self._connection.fetchrow(statements.NEWEST_CHECKPOINT)

    async def checksums(self, ids: Sequence[str]) -> dict[str, bytes]:
        """The checksums of those of these entries that are there."""
        return dict(await self._connection.fetch(statements.CHECKSUMS, list(ids)))

    async def _stream(self, statement: str, *, along_indexes: bool = False) -> AsyncGenerator[Sequence[Any]]:
        """Batches by a cursor. along_indexes: never sort a million wide rows on the server's disk."""
        if along_indexes:
            await self._connection.execute(statements.ALONG_INDEXES)
        cursor = await self._connection.cursor(statement)
        if along_indexes:
            await self._connection.execute(statements.AS_PLANNED)
        while batch := await cursor.fetch(BATCH):
            yield batch
