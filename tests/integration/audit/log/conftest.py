"""A signing machine of its own for each test, and entries for it to take."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from leads_core.audit import trail
from leads_core.audit.log.sequencer import Sequencer
from leads_core.audit.models import Action, SubjectKind
from leads_core.context import RequestContext
from leads_core.database import Database
from leads_core.settings import Settings
from tests.integration.audit.log.whole_log import contradictions

Write = Callable[[int], Awaitable[list[UUID]]]
Contradictions = Callable[[], Awaitable[list[str]]]


@pytest.fixture(scope="session")
def published() -> dict[str, Any]:
    """The log of the published vectors: 600 leaves, their roots and blocks."""
    vectors = Path(__file__).parents[3] / "vectors" / "audit_record.json"
    return dict(json.loads(vectors.read_text())["log"])


@pytest.fixture
def machine(settings: Settings, tmp_path: Path) -> Settings:
    """The settings of a machine that signs: its keys and its file are made at first use."""
    return Settings(
        database_url=settings.database_url, data_dir=tmp_path / "machine", audit_mac_keys=settings.mac_keys[0].hex()
    )


@pytest.fixture
def sequencer(database: Database, machine: Settings) -> Sequencer:
    return Sequencer(database, machine)


@pytest.fixture
def write(database: Database, acting: RequestContext) -> Write:
    """Commit that many entries in one transaction; gives their ids."""

    async def write(count: int) -> list[UUID]:
        async with database.transaction() as session:
            return [
                await trail.append(
                    session,
                    Action.SIGN_IN,
                    None,
                    seq=None,
                    before=None,
                    after=None,
                    at=trail.now(),
                    kind=SubjectKind.USER,
                )
                for _ in range(count)
            ]

    return write


@pytest.fixture
def wrong(owner: asyncpg.Connection, machine: Settings) -> Contradictions:
    """What contradicts itself in log, file and checkpoints."""
    return lambda: contradictions(owner, machine)
