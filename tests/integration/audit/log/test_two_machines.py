"""Two machines sign one log, each in its own file, in any order, and end at any step: all of it stays in agreement."""

from __future__ import annotations

import random

import asyncpg
import pytest

from leads_core.audit.log.sequencer import Sequencer
from leads_core.database import Database
from leads_core.settings import Settings
from tests.integration.audit.log.conftest import Write
from tests.integration.audit.log.test_crashes import Ended, ending_at_step
from tests.integration.audit.log.whole_log import contradictions


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_two_machines_do_and_wherever_they_end_nothing_contradicts_itself(
    database: Database,
    machine: Settings,
    write: Write,
    owner: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    """Forty times one of them runs, or ends before a step of it, while entries keep coming, some of them forged."""
    chance = random.Random(seed)  # noqa: S311 - an order
    other = machine.model_copy(update={"audit_checkpoint_file": machine.data_dir / "other.jsonl"})
    await write(3)
    await Sequencer(database, machine).run_once()
    other.checkpoint_file.write_bytes(machine.checkpoint_file.read_bytes())

    for _ in range(40):
        one = Sequencer(database, chance.choice([machine, other]))
        await write(chance.choice([0, 1, 5, 60]))
        if chance.random() < 0.2:
            await owner.execute("INSERT INTO audit_pending VALUES (gen_random_uuid())")
        with ending_at_step(chance.randrange(60), database, monkeypatch):
            try:
                await one.run_once()
            except Ended:
                continue
    for settings in (machine, other):
        await Sequencer(database, settings).run_once()

    assert await contradictions(owner, machine, other) == []
    assert await owner.fetchval("SELECT alarm FROM audit_signing") is None
