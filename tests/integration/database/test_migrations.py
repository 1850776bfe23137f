from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.config import Config

from leads_core.context import RequestContext
from leads_core.database import Database, asyncpg_url
from leads_core.leads.schemas import Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import a_lead
from tests.conftest import in_database

ROOT = Path(__file__).parents[3]
AUDIT_TABLES = {
    *("audit_log", "audit_pending", "audit_rejected", "audit_leaves", "audit_blocks", "audit_checkpoints"),
    *("audit_verifications", "audit_signing"),
}


@pytest.fixture
async def fresh_url(server_url: str) -> AsyncIterator[str]:
    """An owner's address of an empty database."""
    name = f"leads_migrations_{os.getpid()}"
    connection = await asyncpg.connect(asyncpg_url(server_url))
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.execute(f'CREATE DATABASE "{name}"')
    yield in_database(server_url, name)
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()


async def alembic(url: str, name: str, *arguments: str) -> None:
    config = Config(str(ROOT / "alembic.ini"), attributes={"url": url})
    await asyncio.to_thread(getattr(command, name), config, *arguments)


async def tables(url: str) -> set[str]:
    connection = await asyncpg.connect(asyncpg_url(url))
    rows = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    )
    await connection.close()
    return {row["relname"] for row in rows}


async def test_the_models_say_what_the_migrations_make(fresh_url: str) -> None:
    await alembic(fresh_url, "upgrade", "head")

    await alembic(fresh_url, "check")


async def test_two_that_migrate_at_once_do_it_once(fresh_url: str) -> None:
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    environment = {**os.environ, "DATABASE_URL": fresh_url, "DATABASE_OWNER_URL": fresh_url}

    both = [await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment) for _ in range(2)]

    assert [await one.wait() for one in both] == [0, 0]
    await alembic(fresh_url, "check")


async def test_going_back_keeps_the_trail_and_going_forth_again_works_over_it(
    fresh_url: str, tmp_path: Path, acting: RequestContext
) -> None:
    await alembic(fresh_url, "upgrade", "head")
    database = Database(Settings(database_url=fresh_url, data_dir=tmp_path))
    lead = await LeadService(database).create(a_lead(), source=Source.FORM)
    await database.close()

    await alembic(fresh_url, "downgrade", "base")
    assert {name for name in await tables(fresh_url) if name != "alembic_version"} == AUDIT_TABLES
    await alembic(fresh_url, "upgrade", "head")
    await alembic(fresh_url, "check")

    database = Database(Settings(database_url=fresh_url, data_dir=tmp_path))
    again = await LeadService(database).create(a_lead(), source=Source.FORM)
    async with database.reader() as reader:
        subjects = await reader.fetch("SELECT subject_id FROM audit_log ORDER BY id")
    await database.close()
    assert [row["subject_id"] for row in subjects] == [lead.id, again.id]
