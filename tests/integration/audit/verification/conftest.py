"""A trail of every kind of entry, taken into the log and signed, for verification to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from leads_core.audit.log.sequencer import Sequencer
from leads_core.audit.verification.findings import Report
from leads_core.audit.verification.sources import DatabaseSource
from leads_core.audit.verification.verifier import Trusted, verify
from leads_core.database import Database
from leads_core.settings import Settings
from tests.integration.audit.verification.history import Backup, History, live
from tests.integration.audit.verification.tampering import Scene


class Verification:
    """What a test verifies with: a log of its own, brought up to date by `sequence`."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        self.sequencer = Sequencer(database, settings)

    @property
    def trusted(self) -> Trusted:
        return Trusted.of(self.settings)

    async def sequence(self) -> None:
        """Take every pending entry into the log and sign it."""
        await self.sequencer.run_once()

    async def report(self, **more: object) -> Report:
        """The trail as it stands, verified."""
        return await verify(DatabaseSource(self.database.url), self.trusted, **more)  # type: ignore[arg-type]


@pytest.fixture
async def verification(database: Database, settings: Settings, tmp_path: Path) -> Verification:
    """A checkpoint file of the test's own; the keys are the run's."""
    own = settings.model_copy(update={"audit_checkpoint_file": tmp_path / "checkpoints.jsonl"})
    return Verification(database, own)


@dataclass(frozen=True)
class Recorded:
    """A history, and copies of the database as it was in the middle and at the end of it."""

    history: History
    earlier: Backup
    whole: Backup


@pytest.fixture(scope="session")
async def recorded(
    pools: Database,
    owner: asyncpg.Connection,
    emptying: str,
    settings: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Recorded:
    """Made once: it takes a second, putting it back a few hundredths."""
    await owner.execute(emptying)
    path = tmp_path_factory.mktemp("recorded") / "checkpoints.jsonl"
    sequencer = Sequencer(pools, settings.model_copy(update={"audit_checkpoint_file": path}))
    backups: list[Backup] = []

    async def sequence() -> None:
        await sequencer.run_once()
        backups.append(await Backup.of(owner, path))

    history = await live(pools, sequence)
    return Recorded(history, backups[len(backups) // 2], backups[-1])


@pytest.fixture
async def scene(recorded: Recorded, database: Database, owner: asyncpg.Connection, verification: Verification) -> Scene:
    """The history, whole and signed, for a test to break."""
    await recorded.whole.put_back(owner, verification.settings.checkpoint_file)
    return Scene(recorded.history, owner, verification, recorded.earlier)
