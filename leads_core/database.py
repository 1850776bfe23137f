"""Two ways to the database: SQLAlchemy transactions that write, and a pool of bare asyncpg readers for lists."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
from sqlalchemy import QueuePool, Text, text
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from uuid_utils.compat import uuid7

from leads_core import context
from leads_core.errors import Misconfigured, NoContext, Unavailable
from leads_core.settings import Settings

#: Time limits of the web pools, in milliseconds. Verify, seed and migrations have none.
LIMITS = {"statement_timeout": "15000", "lock_timeout": "5000", "idle_in_transaction_session_timeout": "10000"}
#: One right plan whatever the parameters, and append under LIMIT that keeps its order (docs/decisions/0006).
READER = {
    "plan_cache_mode": "force_generic_plan",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    # Whatever the planner guesses of a parameter that it does not see: a list never reads the whole table, takes the
    # order that an index has before sorting, and joins by key.
    "enable_seqscan": "off",
    "enable_sort": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "default_transaction_read_only": "on",
}
APP_ROLE = "leads_app"
MAY_BECOME_APP = """SELECT pg_has_role(current_user, oid, 'MEMBER') AND current_user <> rolname
                    FROM pg_roles WHERE rolname = 'leads_app'"""
#: Lost connections, too many of them, shutdowns, statement_timeout, lock_timeout, deadlock.
PASSING_STATES = ("08", "53", "57", "55P03", "40P01")
FAULTS_OF_THE_DRIVER = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
CHANNEL = "leads"
#: Where a session keeps the key that signs its entries.
MAC_KEY = "mac_key"
#: The session of one_transaction(), for whatever runs inside it.
_outer: ContextVar[AsyncSession | None] = ContextVar("outer_session", default=None)


class Base(DeclarativeBase):
    """Root of every mapped class."""


#: Text that is compared or sorted goes by code points, the same on every machine.
C_TEXT = Text(collation="C")


def one_of(column: str, values: Iterable[str]) -> str:
    """The CHECK of a text column that holds an enumeration."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


def new_id() -> UUID:
    """A UUIDv7: sorts by the time it was made. In Python, because PostgreSQL 15 has none."""
    return uuid7()


def asyncpg_url(url: str) -> str:
    """The address as asyncpg reads it, whatever driver name stands in it."""
    parts = urlsplit(url)
    if not parts.scheme.startswith("postgres"):
        raise Misconfigured("DATABASE_URL: give a PostgreSQL address, postgresql://user:password@host:5432/database.")
    return urlunsplit(parts._replace(scheme="postgresql"))


def sqlalchemy_url(url: str) -> str:
    """The address as SQLAlchemy reads it."""
    return "postgresql+asyncpg" + asyncpg_url(url).removeprefix("postgresql")


class Database:
    """The pools of one process. Open it once, close it at the end. pool_size counts each of the two pools."""

    def __init__(self, settings: Settings, *, pool_size: int = 10, limits: bool = True) -> None:
        if settings.database_url is None:
            raise Misconfigured("DATABASE_URL: not set, and no embedded server is running. Start one with `leads up`.")
        self.url = settings.database_url
        self._pool_size = pool_size
        self._limits = LIMITS if limits else {}
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(self.url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            pool_pre_ping=True,
            async_creator=self._connect_writer,
        )
        self._sessions = async_sessionmaker(
            self.engine, expire_on_commit=False, autoflush=False, info={MAC_KEY: settings.mac_keys[0]}
        )
        self._readers: asyncpg.Pool | None = None

    async def open(self) -> None:
        """Make the readers' pool. Raises Unavailable when nobody answers at the address."""
        if self._readers is not None:
            return
        with faults_in_words():
            self._readers = await asyncpg.create_pool(
                asyncpg_url(self.url),
                min_size=1,
                max_size=self._pool_size,
                connect=connect,
                reset=_keep_settings,
                server_settings={**self._limits, **READER, "application_name": "leads-reader"},
            )

    async def close(self) -> None:
        if self._readers is not None:
            await self._readers.close()
            self._readers = None
        await self.engine.dispose()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One READ COMMITTED transaction in the app's role. Tells the other processes at commit what changed.

        Inside one_transaction() it is a savepoint of that one.
        """
        if (outer := _outer.get()) is not None:
            with _unless_undone(outer):
                async with outer.begin_nested():
                    yield outer
            return
        with faults_in_words():
            async with self._sessions() as session:
                with _unless_undone(session):
                    async with session.begin():
                        yield session
                        await session.flush()
                        await _notify(session)

    @asynccontextmanager
    async def one_transaction(self) -> AsyncIterator[AsyncSession]:
        """Joins every transaction() that is opened inside, by this task alone: all are committed, or none is."""
        async with self.transaction() as session:
            token = _outer.set(session)
            try:
                yield session
            finally:
                _outer.reset(token)

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[asyncpg.Connection]:
        """A read-only connection with the lists' settings."""
        await self.open()
        assert self._readers is not None  # noqa: S101 - open() made it
        with faults_in_words():
            async with self._readers.acquire(timeout=5) as connection:
                yield connection

    def usage(self) -> dict[str, int]:
        """Connections: of the writers' pool in use, of the readers' pool in use, and the size of each."""
        readers = self._readers
        busy = readers.get_size() - readers.get_idle_size() if readers else 0
        return {"size": self._pool_size, "writing": cast(QueuePool, self.engine.pool).checkedout(), "reading": busy}

    async def _connect_writer(self) -> asyncpg.Connection:
        settings = {**self._limits, "application_name": "leads"}
        return await connect(asyncpg_url(self.url), server_settings=settings)


async def connect(*address: Any, **options: Any) -> asyncpg.Connection:
    """A bare connection in the app's role: where the address is the owner's, the owner's rights are laid down."""
    connection = await asyncpg.connect(*address, **options)
    if await connection.fetchval(MAY_BECOME_APP):
        await connection.execute(f"SET ROLE {APP_ROLE}")
    return connection


async def bare(session: AsyncSession) -> asyncpg.Connection:
    """The driver's own connection of this session, for COPY and for statements by the hundred.

    It is inside the session's transaction only once that has executed something: SQLAlchemy begins with that.
    """
    connection: asyncpg.Connection | None = (await (await session.connection()).get_raw_connection()).driver_connection
    assert connection is not None  # noqa: S101 - a pooled connection that is in use
    return connection


def note_change(session: AsyncSession, entry_id: UUID, lead_id: UUID) -> None:
    """Remember that this transaction wrote an entry of a lead, for the one NOTIFY at its end."""
    session.info.setdefault("changed", []).append((entry_id, lead_id))


@contextmanager
def _unless_undone(session: AsyncSession) -> Iterator[None]:
    """What a transaction noted and then undid has not happened: no NOTIFY tells of it, no receipt is logged."""
    try:
        notes = [session.info.setdefault("changed", []), context.current().receipts]
    except NoContext:
        notes = [session.info["changed"]]
    lengths = [len(noted) for noted in notes]
    try:
        yield
    except BaseException:
        for noted, length in zip(notes, lengths, strict=True):
            del noted[length:]
        raise


async def _notify(session: AsyncSession) -> None:
    changed: list[tuple[UUID, UUID]] = session.info.pop("changed", [])
    if not changed:
        return
    ids = list(dict.fromkeys(str(lead_id) for _, lead_id in changed))
    what: dict[str, Any] = {"ids": ids} if len(ids) <= 100 else {"many": True}
    message = json.dumps({"entry": str(max(entry_id for entry_id, _ in changed)), **what})
    await session.execute(text("SELECT pg_notify(:channel, :message)"), {"channel": CHANNEL, "message": message})


async def _keep_settings(_connection: asyncpg.Connection) -> None:
    """asyncpg's own reset would undo SET ROLE; nothing that a reader does needs one."""


@contextmanager
def faults_in_words() -> Iterator[None]:
    """Turns what means 'the database is not there, or too slow' into Unavailable; lets everything else pass."""
    try:
        yield
    except (DBAPIError, PoolTimeout, OSError, TimeoutError, *FAULTS_OF_THE_DRIVER) as error:
        if _is_passing(error):
            raise Unavailable("The database does not answer. Nothing was changed; try again.") from error
        raise


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's five-letter code of a fault, if the server sent one."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlstate", None)


def _is_passing(error: BaseException) -> bool:
    state = sqlstate(error)
    if state is not None:
        return state.startswith(PASSING_STATES)
    if not isinstance(error, DBAPIError) or error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    # asyncpg's word for a connection that is cut in its first moment.
    return isinstance(getattr(error.orig, "__cause__", None), asyncpg.InternalClientError)
