"""A checkpoint kept elsewhere is in the trail; the log's state is one look."""

from __future__ import annotations

import json
from uuid import uuid4

import asyncpg
import pytest

from leads_core.audit.log.keeping import keep_checkpoint, newest_checkpoint
from leads_core.audit.log.keys import log_name, verifier_keys
from leads_core.audit.log.sequencer import Sequencer
from leads_core.audit.log.state import KeptElsewhere, log_state
from leads_core.audit.record.entry import mac_is_valid
from leads_core.audit.record.signed_note import open_checkpoint
from leads_core.context import RequestContext
from leads_core.database import Database
from leads_core.errors import Invalid, NotFound
from leads_core.settings import Settings
from tests.integration.audit.log.conftest import Write


async def test_a_kept_checkpoint_is_an_entry_with_size_root_and_place(
    sequencer: Sequencer,
    database: Database,
    machine: Settings,
    write: Write,
    owner: asyncpg.Connection,
    acting: RequestContext,
) -> None:
    await write(3)
    await sequencer.run_once()

    kept = await keep_checkpoint(database, "  mail to\nthe auditor ")

    row = await owner.fetchrow("SELECT *, parts::text AS said FROM audit_log WHERE id = $1", kept.entry_id)
    assert (row["action"], row["subject_kind"], row["subject_id"], row["seq"]) == ("CHECKPOINT_KEPT", "log", None, None)
    assert json.loads(row["said"])["data"][1] == {
        "size": [None, 3],
        "root": [None, kept.checkpoint.root.hex()],
        "place": [None, "mail to the auditor"],
    }
    assert row["actor_id"] == acting.actor_id
    assert mac_is_valid(machine.mac_keys, row["checksum"], row["mac"])
    assert open_checkpoint(kept.checkpoint.note, verifier_keys(machine))[0].size == 3


async def test_an_older_checkpoint_may_be_the_one_that_is_kept(
    sequencer: Sequencer, database: Database, write: Write
) -> None:
    """What somebody printed may not be the newest any more when they say where it is."""
    for _ in range(2):
        await write(3)
        await sequencer.run_once()

    kept = await keep_checkpoint(database, "paper", number=1)

    assert (kept.checkpoint.number, kept.checkpoint.size) == (1, 3)
    with pytest.raises(NotFound):
        await keep_checkpoint(database, "paper", number=99)


@pytest.mark.parametrize("place", ["", "  \n", "x" * 201, "nul\0"])
async def test_a_place_that_says_nothing_or_too_much_is_refused(
    sequencer: Sequencer, database: Database, write: Write, owner: asyncpg.Connection, place: str
) -> None:
    await write(1)
    await sequencer.run_once()

    with pytest.raises(Invalid, match="place: Say in 1 to 200 characters"):
        await keep_checkpoint(database, place)
    assert await owner.fetchval("SELECT count(*) FROM audit_log WHERE action = 'CHECKPOINT_KEPT'") == 0


@pytest.mark.usefixtures("acting")
async def test_before_the_first_checkpoint_there_is_none_to_keep(database: Database) -> None:
    with pytest.raises(NotFound, match="no checkpoint yet"):
        await keep_checkpoint(database, "mail")
    async with database.reader() as reader:
        with pytest.raises(NotFound):
            await newest_checkpoint(reader)


async def test_the_state_of_an_empty_log_is_nothing(database: Database) -> None:
    async with database.reader() as reader:
        state = await log_state(reader)

    assert (state.leaves, state.checkpoint, state.unlogged, state.unlogged_since, state.rejected) == (
        0,
        None,
        0,
        None,
        0,
    )
    assert (state.alarm, state.kept, state.verification, state.looked_at) == (None, None, None, None)
    assert not state.database_is_elsewhere


async def test_the_state_says_what_is_signed_what_waits_and_what_is_kept(
    sequencer: Sequencer, database: Database, machine: Settings, write: Write, owner: asyncpg.Connection
) -> None:
    await write(3)
    await sequencer.run_once()
    kept = await keep_checkpoint(database, "git")
    waiting = [kept.entry_id, *await write(2)]
    await owner.execute("INSERT INTO audit_rejected VALUES ($1, 'forged', now())", uuid4())

    async with database.reader() as reader:
        state = await log_state(reader)

    assert state.checkpoint is not None
    assert (state.leaves, state.checkpoint.number, state.checkpoint.size) == (3, 1, 3)
    assert state.checkpoint.log_name == log_name(machine)
    assert (state.unlogged, state.rejected) == (3, 1)
    first, at = await owner.fetchrow("SELECT id, occurred_at FROM audit_log WHERE id = ANY($1) ORDER BY id", waiting)
    assert (first, state.unlogged_since) == (waiting[0], at)
    assert state.kept == KeptElsewhere(3, "git", at)
    assert state.looked_at is not None


async def test_the_state_shows_the_newest_verification(database: Database, owner: asyncpg.Connection) -> None:
    for number, result in enumerate(
        ('{"findings": [{"kind": "edited"}]}', '{"findings": []}', '{"findings": [{}, {}]}')
    ):
        await owner.execute(
            "INSERT INTO audit_verifications VALUES ($1, now(), now(), $2, $3)",
            f"0193f5a0-0000-7000-8000-00000000000{number}",
            number == 1,
            result,
        )

    async with database.reader() as reader:
        verification = (await log_state(reader)).verification

    assert verification is not None
    assert (verification.ok, verification.findings) == (False, 2)
    assert str(verification.id).endswith("2")
