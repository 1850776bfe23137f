"""What a command works in: the settings, a database that answers, and the actor whose name the trail will show."""

from __future__ import annotations

import getpass
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import uuid4

from console.cli import installed_version
from leads_core.context import SYSTEM_ACTOR_ID, RequestContext, acting_as
from leads_core.database import Database
from leads_core.embedded_postgres import served
from leads_core.settings import Settings, load_settings


def cli_context() -> RequestContext:
    """The system actor, under the name of the operating system's user."""
    return RequestContext(
        actor_kind="system",
        actor_id=SYSTEM_ACTOR_ID,
        actor_name=_user_name(),
        channel="cli",
        ip_address="local",
        user_agent=f"leads/{installed_version()}",
        request_id=uuid4().hex,
    )


@contextmanager
def settings_at_a_database(settings: Settings | None = None) -> Iterator[Settings]:
    """The settings with both database addresses filled in.

    DATABASE_URL's server, else the embedded one that runs, else one started for the length of the block. Enter it
    from the main thread.
    """
    settings = settings or load_settings()
    if settings.database_url is not None:
        yield settings
        return
    with served(settings.data_dir) as addresses:
        settings.database_url = addresses.url
        settings.database_owner_url = addresses.owner_url
        yield settings


@asynccontextmanager
async def open_database(settings: Settings | None = None) -> AsyncIterator[tuple[Settings, Database]]:
    """Settings and an open database without the web's time limits, for one command acting as the system."""
    with settings_at_a_database(settings) as found, acting_as(cli_context()):
        database = Database(found, pool_size=4, limits=False)
        await database.open()
        try:
            yield found, database
        finally:
            await database.close()


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without an entry in /etc/passwd
        return "unknown"
