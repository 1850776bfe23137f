"""`leads migrate` and `leads config`: the schema, and what the settings come to."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import asyncpg
from alembic import command
from alembic.config import Config
from cyclopts import Parameter
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from console.cli.surroundings import settings_at_a_database
from leads_core.database import faults_in_words
from leads_core.embedded_postgres import running
from leads_core.errors import Unavailable
from leads_core.settings import Settings, load_settings

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def migrate() -> None:
    """Bring the database's schema up to this version. Runs as the owner (DATABASE_OWNER_URL)."""
    with settings_at_a_database() as settings:
        upgrade(settings.database_owner_url or settings.database_url or "")


def config(*, as_json: Annotated[bool, Parameter("--json", negative="")] = False) -> None:
    """Show every setting as this process reads it. Secrets are masked."""
    settings = load_settings()
    shown = {name.upper(): _shown(getattr(settings, name)) for name in Settings.model_fields}
    if settings.database_url is None and (addresses := running(settings.data_dir)):
        shown["DATABASE_URL"], shown["DATABASE_OWNER_URL"] = _masked(addresses.url), _masked(addresses.owner_url)
    if as_json:
        print(json.dumps(shown))
        return
    defaults = {name.upper(): _shown(field.default) for name, field in Settings.model_fields.items()}
    width = max(map(len, shown))
    for name, value in shown.items():
        origin = "" if name in os.environ else "  (default)" if value == defaults[name] else "  (embedded)"
        print(f"{name:{width}}  {'not set' if value in {None, ''} else value}{origin}")


def upgrade(owner_url: str) -> None:
    """`alembic upgrade head`. Raises Unavailable when the database cannot be reached; not from inside an event loop."""
    script = Config(attributes={"url": owner_url})
    script.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with faults_in_words():
            command.upgrade(script, "head")
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as error:
        raise Unavailable(f"The database refuses us: {error}.") from error


def _shown(value: Any) -> str | int | bool | None:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, SecretStr):
        return "********"
    if isinstance(value, str) and value.startswith("postgres"):
        return _masked(value)
    if isinstance(value, dict):
        return ",".join(f"{key}={item}" for key, item in value.items())
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _masked(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)
