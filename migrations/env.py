"""Runs the migrations as the owner, one at a time on a database: a second `migrate` waits for the first."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from leads_core import idempotency as _idempotency  # noqa: F401 - importing a module registers its tables
from leads_core import rate_limit as _rate_limit  # noqa: F401
from leads_core.accounts import last_seen as _last_seen  # noqa: F401
from leads_core.accounts import models as _accounts  # noqa: F401
from leads_core.accounts import preferences as _preferences  # noqa: F401
from leads_core.audit import models as _audit  # noqa: F401
from leads_core.database import Base, sqlalchemy_url
from leads_core.enrichment import day_figures as _day_figures  # noqa: F401
from leads_core.enrichment import kept_answers as _kept_answers  # noqa: F401
from leads_core.enrichment import models as _enrichment  # noqa: F401
from leads_core.enrichment import pauses as _pauses  # noqa: F401
from leads_core.errors import Misconfigured
from leads_core.jobs import models as _jobs  # noqa: F401
from leads_core.leads import bulk_items as _bulk_items  # noqa: F401
from leads_core.leads import day_counts as _day_counts  # noqa: F401
from leads_core.leads import duplicate_tables as _duplicate_tables  # noqa: F401
from leads_core.leads import models as _leads  # noqa: F401
from leads_core.saved_views import models as _saved_views  # noqa: F401
from leads_core.settings import load_settings
from leads_core.undoing import items as _undo_items  # noqa: F401

#: Any number, but always the same: who migrates holds this lock.
MIGRATING = 4_226_211
#: Seconds between two tries to get it.
TRY_EVERY = 0.1


def _ours(_thing: object, name: str | None, kind: str, _reflected: bool, _compared: object) -> bool:
    """The queue library's tables are its own; a migration installs them, nobody compares them."""
    return not (kind == "table" and name is not None and name.startswith("pgqueuer"))


def _wait_for_the_lock(connection: Connection) -> None:
    """By trying again: whoever waits inside a statement holds a snapshot, and an index that the first one builds
    concurrently waits for every snapshot."""
    while True:
        taken = connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": MIGRATING})
        connection.commit()
        if taken:
            return
        time.sleep(TRY_EVERY)


def _run(connection: Connection) -> None:
    _wait_for_the_lock(connection)
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=_ours,
        transaction_per_migration=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _connect_and_run(url: str) -> None:
    engine = create_async_engine(sqlalchemy_url(url), poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


def _owner_url() -> str:
    settings = load_settings()
    attributes: dict[str, Any] = context.config.attributes
    url = attributes.get("url") or settings.database_owner_url or settings.database_url
    if not url:
        raise Misconfigured("DATABASE_OWNER_URL or DATABASE_URL: set one, or run `leads migrate`: it finds a server.")
    return str(url)


asyncio.run(_connect_and_run(_owner_url()))
