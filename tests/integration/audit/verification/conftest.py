"""A trail of every kind of entry, taken into the log and signed, for verification to look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from leads_core.audit.log.sequencer import Sequencer
from leads_core.audit.verification.findings import Report
from leads_core.audit.verification.sources import DatabaseSource
from leads_core.audit.verification.verifier import Trusted, verify
from leads_core.database import Database
from leads_core.settings import Settings


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
