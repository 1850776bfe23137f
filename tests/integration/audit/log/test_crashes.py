"""A sequencer that ends at any moment leaves no contradiction: the next one goes on from there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event

from leads_core.audit.log.sequencer import Sequencer
from leads_core.database import Database
from leads_core.settings import Settings
from tests.integration.audit.log.conftest import Contradictions, Write

#: What a run does at the database and the file, beside the statements that SQLAlchemy makes.
AT_THE_DATABASE = ("fetch", "fetchval", "fetchrow", "execute", "executemany")
AT_THE_FILE = ("open", "ftruncate", "pwrite", "fsync")


class Ended(BaseException):
    """The process is gone, as far as the sequencer can tell: nothing catches this."""


@contextmanager
def ending_at_step(number: int, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Whatever runs inside ends before its number-th step. Gives the steps it took."""
    steps: list[str] = []

    def step(name: str) -> None:
        """What comes after the end is the rollback, which the server does by itself when a process is gone."""
        steps.append(name)
        if len(steps) == number + 1:
            raise Ended

    def counted(owner: Any, name: str) -> Callable[..., Any]:
        whole = getattr(owner, name)

        def run(*given: Any, **named: Any) -> Any:
            step(name)
            return whole(*given, **named)

        return run

    def sent(*_: Any) -> None:
        step("sent")

    def committed(*_: Any) -> None:
        step("commit")

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", sent)
    event.listen(engine, "commit", committed)
    with monkeypatch.context() as patched:
        for name in AT_THE_DATABASE:
            patched.setattr(asyncpg.Connection, name, counted(asyncpg.Connection, name))
        for name in AT_THE_FILE:
            patched.setattr(os, name, counted(os, name))
        try:
            yield steps
        finally:
            event.remove(engine, "before_cursor_execute", sent)
            event.remove(engine, "commit", committed)


async def test_a_run_that_ends_before_any_of_its_steps_leaves_no_contradiction(
    database: Database,
    machine: Settings,
    write: Write,
    wrong: Contradictions,
    owner: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every step of a run in turn: each time the next run finds what it needs, signs, and loses and doubles nothing."""
    number, ends, left_without_row = 0, True, 0
    while ends:
        await write(40)
        with ending_at_step(number, database, monkeypatch) as steps:
            try:
                await Sequencer(database, machine).run_once()
                ends = False
            except Ended:
                number += 1
        lines = machine.checkpoint_file.read_bytes().count(b"\n") if machine.checkpoint_file.exists() else 0
        left_without_row += lines > await owner.fetchval("SELECT count(*) FROM audit_checkpoints")

        await write(1)
        await Sequencer(database, machine).run_once()

        assert await wrong() == [], steps

    assert number > 20
    assert {"commit", "pwrite", "fsync", "execute"} <= set(steps)
    assert left_without_row > 0


KILLED_AT = {
    "before the leaves are committed": ("before", "leads_core.audit.log.taking:_add_leaves"),
    "after the leaves are committed": ("before", "leads_core.audit.log.sequencer:sign_what_is_committed"),
    "before it signs": ("before", "leads_core.audit.log.signing:sign"),
    "before it writes the line": ("before", "leads_core.audit.log.signing:file_away"),
    "with the line written, not yet on the disk": ("before", "leads_core.audit.log.checkpoint_file:os.fsync"),
    "after the line, before the row": ("after", "leads_core.audit.log.signing:file_away"),
}
PROGRAM = """
import asyncio, importlib, os, signal, sys

from leads_core.audit.log.sequencer import Sequencer
from leads_core.database import Database
from leads_core.settings import load_settings

module, _, name = sys.argv[1].partition(":")
holder = importlib.import_module(module)
while "." in name:
    first, _, name = name.partition(".")
    holder = getattr(holder, first)
whole = getattr(holder, name)


def end(*given, **named):
    if sys.argv[2] == "after":
        whole(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)


setattr(holder, name, end)


async def run():
    settings = load_settings()
    await Sequencer(Database(settings), settings).run_once()


asyncio.run(run())
"""


@pytest.mark.parametrize(("when", "place"), KILLED_AT.values(), ids=KILLED_AT)
async def test_a_sequencer_that_is_killed_leaves_no_contradiction(
    sequencer: Sequencer, machine: Settings, write: Write, wrong: Contradictions, when: str, place: str
) -> None:
    """A process of its own gets SIGKILL; PostgreSQL ends its transaction, the file stays as it was."""
    await write(300)
    await sequencer.run_once()
    await write(300)

    killed = subprocess.run(  # noqa: ASYNC221 - nothing else runs meanwhile
        [sys.executable, "-c", PROGRAM, place, when], env=_environment(machine), check=False, timeout=60
    )
    await write(1)
    await sequencer.run_once()

    assert killed.returncode == -signal.SIGKILL
    assert await wrong() == []


def _environment(machine: Settings) -> dict[str, str]:
    assert machine.audit_mac_keys is not None
    return {
        **os.environ,
        "DATABASE_URL": str(machine.database_url),
        "DATA_DIR": str(machine.data_dir),
        "AUDIT_MAC_KEYS": machine.audit_mac_keys.get_secret_value(),
    }
