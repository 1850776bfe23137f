"""A real PostgreSQL for the run, a database for each process from one migrated template, emptied before each test."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from alembic import command
from alembic.config import Config

from leads_core.context import RequestContext, acting_as
from leads_core.database import Database, asyncpg_url
from leads_core.embedded_postgres import server_for_tests
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import an_actor

ROOT = Path(__file__).parents[1]
#: Any number, but always the same: who makes the template holds this lock.
MAKING_TEMPLATE = 4_226_212


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        # The tests' own processes are measured, what they start is not: that would double the time of each start.
        os.environ.pop("COVERAGE_PROCESS_START", None)
    else:
        os.environ["LEADS_TEST_OWNER_URL"] = server_for_tests(ROOT / ".leads" / "test")


@pytest.fixture(scope="session")
def server_url() -> str:
    """An owner's address on the test server, in its own database."""
    return os.environ["LEADS_TEST_OWNER_URL"]


@pytest.fixture(scope="session")
async def template(server_url: str) -> str:
    """The name of a database with every migration run; made by whichever process comes first."""
    name = f"leads_template_{_fingerprint_of_migrations()}"
    connection = await asyncpg.connect(asyncpg_url(server_url))
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", MAKING_TEMPLATE)
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}_draft"')
            await migrate(in_database(server_url, f"{name}_draft"))
            await connection.execute(f'ALTER DATABASE "{name}_draft" RENAME TO "{name}"')
    finally:
        await connection.close()
    return name


@pytest.fixture(scope="session")
async def owner_url(server_url: str, template: str) -> AsyncIterator[str]:
    """The owner's address of this process's own database."""
    name = f"leads_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    connection = await asyncpg.connect(asyncpg_url(server_url))
    await connection.execute("SELECT pg_advisory_lock($1)", MAKING_TEMPLATE)
    await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    await connection.execute("SELECT pg_advisory_unlock($1)", MAKING_TEMPLATE)
    yield in_database(server_url, name)
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.close()


@pytest.fixture(scope="session")
def settings(owner_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the app under test: no rate limit, no enrichment beyond loopback."""
    return Settings(
        database_url=owner_url, data_dir=tmp_path_factory.mktemp("data"), rate_limit=0, public_url="http://test"
    )


@pytest.fixture(scope="session")
async def pools(settings: Settings) -> AsyncIterator[Database]:
    """The process's pools, in the app's role."""
    database = Database(settings, pool_size=20)
    await database.open()
    yield database
    await database.close()


@pytest.fixture(scope="session")
async def owner(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection to this process's database, for what the app may not do."""
    connection = await asyncpg.connect(asyncpg_url(owner_url))
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
async def emptying(owner: asyncpg.Connection) -> str:
    """The statements that empty every table, past the guards of the trail."""
    tables = await owner.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        " AND relname NOT IN ('alembic_version')"
    )
    deletes = "".join(f'DELETE FROM "{table["relname"]}";' for table in tables)
    return f"SET session_replication_role = replica; {deletes} SET session_replication_role = DEFAULT;"


@pytest.fixture
async def database(pools: Database, owner: asyncpg.Connection, emptying: str, settings: Settings) -> Database:
    """The pools on an empty database, whose log nobody has signed."""
    await owner.execute(emptying)
    settings.checkpoint_file.unlink(missing_ok=True)
    return pools


@pytest.fixture
def ana() -> RequestContext:
    """Who acts in tests that need an actor."""
    return an_actor()


@pytest.fixture
def acting(ana: RequestContext) -> Iterator[RequestContext]:
    """Everything in the test happens in Ana's name."""
    with acting_as(ana):
        yield ana


@pytest.fixture
def leads(database: Database) -> LeadService:
    return LeadService(database)


def in_database(url: str, name: str) -> str:
    """The same server's address, for another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def migrate(url: str) -> None:
    """Run every migration at this owner's address."""
    config = Config(str(ROOT / "alembic.ini"))
    config.attributes["url"] = url
    await asyncio.to_thread(command.upgrade, config, "head")


def _fingerprint_of_migrations() -> str:
    digest = hashlib.sha256()
    for path in sorted((ROOT / "migrations").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
