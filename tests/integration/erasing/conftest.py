"""The whole database as text, to look for what should be nowhere in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import asyncpg
import pytest

from leads_core.database import Database
from leads_core.erasing import Erasing
from tests.integration.transfer.conftest import attempt, run_import, start_import

__all__ = ["attempt", "run_import", "start_import"]

WhereIs = Callable[..., Awaitable[set[str]]]


@pytest.fixture
def erasing(database: Database) -> Erasing:
    return Erasing(database)


@pytest.fixture
def where_is(owner: asyncpg.Connection) -> WhereIs:
    """The places (table.column) in which one of these texts stands, in any case, also within stored bytes."""

    async def look(*texts: str) -> set[str]:
        tables = await owner.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
        return {place for table in tables for place in await _places(owner, table["relname"], texts)}

    return look


async def _places(owner: asyncpg.Connection, table: str, texts: Iterable[str]) -> set[str]:
    rows = await owner.fetch(f'SELECT * FROM "{table}"')
    wanted = [text.lower() for text in texts]
    return {
        f"{table}.{name}"
        for row in rows
        for name, value in row.items()
        if any(text in _text(value).lower() for text in wanted)
    }


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
