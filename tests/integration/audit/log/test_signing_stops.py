"""When the log must not or cannot be signed: an alarm stands, writes and the log go on, and nothing is signed."""

from __future__ import annotations

import os
import re
import resource
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import asyncpg
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from leads_core.audit.log import alarm
from leads_core.audit.log.checkpoint_file import CheckpointFile
from leads_core.audit.log.keys import name_file, public_keys_file, signing_keys
from leads_core.audit.log.sequencer import Sequencer
from leads_core.audit.log.starting import start_file
from leads_core.audit.log.state import log_state
from leads_core.audit.record.signed_note import Checkpoint, SigningKey, sign
from leads_core.audit.trail import now
from leads_core.database import Database
from leads_core.errors import Conflict, NotFound
from leads_core.settings import Settings
from tests.integration.audit.log.conftest import Contradictions, Write

Fault = Callable[[Settings, asyncpg.Connection], Awaitable[None]]


async def without_guards(owner: asyncpg.Connection, statements: str) -> None:
    """What whoever owns the database can do."""
    await owner.execute(f"SET session_replication_role = replica; {statements}; SET session_replication_role = DEFAULT")


async def the_file_is_gone(machine: Settings, _owner: asyncpg.Connection) -> None:
    machine.checkpoint_file.unlink()


async def the_file_is_empty(machine: Settings, _owner: asyncpg.Connection) -> None:
    machine.checkpoint_file.write_bytes(b"")


async def the_file_cannot_be_read(machine: Settings, _owner: asyncpg.Connection) -> None:
    machine.checkpoint_file.unlink()
    machine.checkpoint_file.mkdir()


async def the_last_line_is_nonsense(machine: Settings, _owner: asyncpg.Connection) -> None:
    with machine.checkpoint_file.open("a") as file:
        file.write("nonsense\n")


async def the_last_line_is_signed_by_a_stranger(machine: Settings, _owner: asyncpg.Connection) -> None:
    file = CheckpointFile(machine.checkpoint_file)
    newest = file.read()[-1].checkpoint
    stranger = SigningKey(newest.log_name, b"\x07" * 32)
    file.append(now(), sign(Checkpoint(newest.log_name, newest.size, newest.root), [stranger]))


async def the_key_is_gone(machine: Settings, _owner: asyncpg.Connection) -> None:
    (machine.keys_folder / "audit_signing_key").unlink()


async def the_key_is_not_listed(machine: Settings, _owner: asyncpg.Connection) -> None:
    text = public_keys_file(machine).read_text()
    another = SigningKey(text.split("+")[0], b"\x07" * 32).verifier
    machine.audit_public_keys = (*text.split(), str(another))
    machine.__dict__["signing_seeds"] = (b"\x08" * 32,)


async def the_log_has_another_name(machine: Settings, _owner: asyncpg.Connection) -> None:
    name_file(machine).write_text("another.example.com/audit\n")


async def the_key_is_malformed(machine: Settings, _owner: asyncpg.Connection) -> None:
    machine.audit_signing_key = SecretStr("no key")
    del machine.__dict__["signing_seeds"]


async def the_name_is_malformed(machine: Settings, _owner: asyncpg.Connection) -> None:
    machine.audit_log_name = "a name"


async def the_trusted_keys_are_malformed(machine: Settings, _owner: asyncpg.Connection) -> None:
    machine.audit_public_keys = ("nonsense",)


async def the_names_file_cannot_be_read(machine: Settings, _owner: asyncpg.Connection) -> None:
    name_file(machine).unlink()
    name_file(machine).mkdir()


async def leaves_are_gone(_machine: Settings, owner: asyncpg.Connection) -> None:
    await without_guards(owner, "DELETE FROM audit_leaves WHERE leaf_index >= 3")


async def a_leaf_in_the_middle_is_gone(_machine: Settings, owner: asyncpg.Connection) -> None:
    await without_guards(owner, "DELETE FROM audit_leaves WHERE leaf_index = 3")


async def a_leaf_is_gone_that_was_not_signed_yet(_machine: Settings, owner: asyncpg.Connection) -> None:
    await owner.execute(r"INSERT INTO audit_leaves VALUES (7, gen_random_uuid(), sha256('\x00'))")


async def a_leaf_is_another(_machine: Settings, owner: asyncpg.Connection) -> None:
    await without_guards(owner, r"UPDATE audit_leaves SET checksum = sha256('\x00') WHERE leaf_index = 2")


async def two_leaves_changed_places(_machine: Settings, owner: asyncpg.Connection) -> None:
    await without_guards(
        owner,
        "UPDATE audit_leaves SET leaf_index = 100 WHERE leaf_index = 2;"
        "UPDATE audit_leaves SET leaf_index = 2 WHERE leaf_index = 3;"
        "UPDATE audit_leaves SET leaf_index = 3 WHERE leaf_index = 100",
    )


FAULTS: dict[str, tuple[Fault, str]] = {
    "the file is gone": (the_file_is_gone, "is missing or empty.*--start-file"),
    "the file is empty": (the_file_is_empty, "is missing or empty.*--start-file"),
    "the file cannot be read": (the_file_cannot_be_read, "cannot be read: Is a directory"),
    "the last line is nonsense": (the_last_line_is_nonsense, "last line of .* is not as it was written"),
    "a stranger's line": (the_last_line_is_signed_by_a_stranger, "is not ours: none of the known keys signed it"),
    "the key is gone": (the_key_is_gone, "audit_signing_key is gone"),
    "the key is not listed": (the_key_is_not_listed, r"AUDIT_PUBLIC_KEYS does not list a key that signs. Add: \S+\+"),
    "the log has another name": (the_log_has_another_name, "is of the log lead-explorer-.*set AUDIT_LOG_NAME back"),
    "the key is malformed": (the_key_is_malformed, "AUDIT_SIGNING_KEY: write 64 hex digits"),
    "the name is malformed": (the_name_is_malformed, "AUDIT_LOG_NAME: give the log a name without spaces"),
    "trusted keys are malformed": (the_trusted_keys_are_malformed, "AUDIT_PUBLIC_KEYS: 'nonsense' is no verifier key"),
    "the name cannot be read": (the_names_file_cannot_be_read, "audit_log_name cannot be read or made: Is a directory"),
    "rolled back": (leaves_are_gone, r"the log has \d entries, but 6 were signed.*leads audit reopen"),
    "a leaf is gone": (a_leaf_in_the_middle_is_gone, "the first 6 entries of the log are not those that were signed"),
    "an unsigned leaf is gone": (
        a_leaf_is_gone_that_was_not_signed_yet,
        "the leaves 6 to 9 the log has only 3: somebody",
    ),
    "forked": (a_leaf_is_another, "the first 6 entries of the log are not those that were signed"),
    "reordered": (two_leaves_changed_places, "the first 6 entries of the log are not those that were signed"),
}


@pytest.mark.parametrize(("happens", "says"), FAULTS.values(), ids=FAULTS)
async def test_signing_stops_with_an_alarm_and_entries_are_still_taken(
    sequencer: Sequencer,
    machine: Settings,
    database: Database,
    write: Write,
    owner: asyncpg.Connection,
    happens: Fault,
    says: str,
) -> None:
    await write(6)
    await sequencer.run_once()
    await happens(machine, owner)
    filed = machine.checkpoint_file.read_bytes() if machine.checkpoint_file.is_file() else b""
    written = await write(2)

    with capture_logs() as lines:
        done = await sequencer.run_once()
        await sequencer.run_once()

    assert (done.taken, done.checkpoint_number) == (2, None)
    assert await owner.fetchval("SELECT count(*) FROM audit_leaves WHERE entry_id = ANY($1)", written) == 2
    assert await owner.fetchval("SELECT max(size) FROM audit_checkpoints") == 6
    assert (machine.checkpoint_file.read_bytes() if machine.checkpoint_file.is_file() else b"") == filed
    async with database.reader() as reader:
        state = await log_state(reader)
    assert state.alarm is not None
    assert state.alarmed_at is not None
    assert re.search(says, state.alarm)
    assert [line for line in lines if line["event"] == "audit_signing_stopped"] == [
        {"event": "audit_signing_stopped", "alarm": state.alarm, "log_level": "error"}
    ]


async def test_a_rollback_is_noticed_though_nothing_new_is_written(
    sequencer: Sequencer, machine: Settings, database: Database, write: Write, owner: asyncpg.Connection
) -> None:
    await write(6)
    await sequencer.run_once()
    await leaves_are_gone(machine, owner)

    await sequencer.run_once()

    async with database.reader() as reader:
        assert "but 6 were signed" in str((await log_state(reader)).alarm)


@contextmanager
def a_full_disk(size: int) -> Iterator[None]:
    """No file of this process grows beyond that size: the kernel's own EFBIG."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


async def test_a_full_disk_stops_signing_not_writing_and_leaves_no_torn_line(
    sequencer: Sequencer,
    machine: Settings,
    database: Database,
    write: Write,
    wrong: Contradictions,
    owner: asyncpg.Connection,
) -> None:
    await write(2)
    await sequencer.run_once()
    filed = machine.checkpoint_file.read_bytes()

    with a_full_disk(len(filed) + 50):
        await write(2)
        full = await sequencer.run_once()
        after = machine.checkpoint_file.read_bytes()
    async with database.reader() as reader:
        alarmed = await log_state(reader)
    with capture_logs() as lines:
        room = await sequencer.run_once()

    assert (full.taken, full.checkpoint_number, after) == (2, None, filed)
    assert "cannot be written: File too large" in str(alarmed.alarm)
    assert room.checkpoint_number == 2
    assert "audit_signing_goes_on" in [line["event"] for line in lines]
    async with database.reader() as reader:
        well = await log_state(reader)
    assert (well.alarm, well.alarmed_at) == (None, None)
    assert await wrong() == []


async def test_a_missing_key_that_is_back_ends_the_alarm(
    sequencer: Sequencer, machine: Settings, database: Database, write: Write, wrong: Contradictions
) -> None:
    await write(1)
    await sequencer.run_once()
    key = machine.keys_folder / "audit_signing_key"
    kept = key.read_text()
    key.unlink()
    await write(1)
    await sequencer.run_once()

    key.write_text(kept)
    done = await sequencer.run_once()

    assert done.checkpoint_number == 2
    async with database.reader() as reader:
        assert (await log_state(reader)).alarm is None
    assert await wrong() == []


async def test_an_alarm_keeps_the_time_it_began(
    sequencer: Sequencer, machine: Settings, write: Write, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarm, "REPEATS_AFTER", 0.0)
    await write(1)
    await sequencer.run_once()
    machine.checkpoint_file.unlink()
    await sequencer.run_once()
    first = await owner.fetchrow("SELECT * FROM audit_signing")

    await sequencer.run_once()
    second = await owner.fetchrow("SELECT * FROM audit_signing")

    assert first["alarmed_at"] == second["alarmed_at"]
    assert first["confirmed_at"] < second["confirmed_at"]


async def test_one_machine_does_not_end_the_alarm_of_another_that_stands(
    sequencer: Sequencer, machine: Settings, database: Database, write: Write, owner: asyncpg.Connection
) -> None:
    """Nor does the alarm of a machine that nobody has heard of for a minute stand for ever."""
    other = machine.model_copy(update={"audit_checkpoint_file": machine.data_dir / "other.jsonl"})
    await write(1)
    await sequencer.run_once()
    await Sequencer(database, other).run_once()
    assert await owner.fetchval("SELECT alarmed_by FROM audit_signing") is not None

    await Sequencer(database, machine).run_once()
    standing = await owner.fetchval("SELECT alarm FROM audit_signing")
    await owner.execute("UPDATE audit_signing SET confirmed_at = now() - interval '61 seconds'")
    await Sequencer(database, machine).run_once()

    assert "other.jsonl is missing" in standing
    assert await owner.fetchval("SELECT alarm FROM audit_signing") is None


@pytest.mark.parametrize("happens", [the_file_is_gone, the_file_is_empty])
async def test_a_file_that_was_lost_is_started_from_the_newest_checkpoint(
    sequencer: Sequencer,
    machine: Settings,
    database: Database,
    write: Write,
    owner: asyncpg.Connection,
    happens: Fault,
) -> None:
    await write(3)
    await sequencer.run_once()
    await happens(machine, owner)
    await write(3)
    await sequencer.run_once()

    started = await start_file(database, machine)
    await sequencer.run_once()

    assert started.number == 1
    assert [line.checkpoint.size for line in CheckpointFile(machine.checkpoint_file)] == [3, 6]
    rows = await owner.fetch("SELECT number, size FROM audit_checkpoints ORDER BY number")
    assert [tuple(row) for row in rows] == [(1, 3), (2, 6)]
    async with database.reader() as reader:
        assert (await log_state(reader)).alarm is None


async def test_a_file_that_is_there_is_not_started_again(
    sequencer: Sequencer, machine: Settings, database: Database, write: Write
) -> None:
    await write(3)
    await sequencer.run_once()

    with pytest.raises(Conflict, match="holds checkpoints already"):
        await start_file(database, machine)


async def test_no_file_is_started_from_a_checkpoint_of_another_log(
    sequencer: Sequencer, machine: Settings, database: Database, write: Write, owner: asyncpg.Connection
) -> None:
    await write(6)
    await sequencer.run_once()
    machine.checkpoint_file.unlink()
    await a_leaf_is_another(machine, owner)

    with pytest.raises(Conflict, match="Checkpoint 1 is none of this log"):
        await start_file(database, machine)
    assert not machine.checkpoint_file.exists()


async def test_no_file_is_started_from_a_forged_checkpoint(
    sequencer: Sequencer, machine: Settings, database: Database, write: Write, owner: asyncpg.Connection
) -> None:
    await write(6)
    await sequencer.run_once()
    machine.checkpoint_file.unlink()
    (ours,) = signing_keys(machine)
    forged = sign(Checkpoint(ours.name, 6, bytes(32)), [SigningKey(ours.name, b"\x07" * 32)])
    await without_guards(owner, f"UPDATE audit_checkpoints SET note = '{forged}'")

    with pytest.raises(Conflict, match="is not ours: none of the known keys"):
        await start_file(database, machine)


async def test_there_is_nothing_to_start_from_before_the_first_checkpoint(
    database: Database, machine: Settings
) -> None:
    with pytest.raises(NotFound, match="a worker signs one within two seconds"):
        await start_file(database, machine)


async def test_a_first_run_needs_no_permission(
    sequencer: Sequencer, machine: Settings, write: Write, wrong: Contradictions
) -> None:
    """No file, no key, no name: all are made."""
    await write(1)

    done = await sequencer.run_once()

    assert done.checkpoint_number == 1
    assert sorted(os.listdir(machine.keys_folder)) == ["audit_log_name", "audit_public_keys", "audit_signing_key"]
    assert await wrong() == []
