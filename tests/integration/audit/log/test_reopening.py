"""After an honest restore from a backup: what was signed and is gone is given up by an entry, and signing goes on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from leads_core.audit.log.checkpoint_file import CheckpointFile
from leads_core.audit.log.keys import log_name, verifier_keys
from leads_core.audit.log.reopening import reopen
from leads_core.audit.log.sequencer import Sequencer
from leads_core.audit.log.state import log_state
from leads_core.audit.record.entry import mac_is_valid, old_and_new
from leads_core.audit.record.merkle import leaf_hash, root_of
from leads_core.audit.record.signed_note import open_checkpoint
from leads_core.context import RequestContext
from leads_core.database import Database
from leads_core.errors import Conflict, Invalid
from leads_core.settings import Settings
from tests.integration.audit.log.conftest import Write

TRAIL = ("audit_log", "audit_pending", "audit_leaves", "audit_blocks", "audit_checkpoints", "audit_rejected")
NAME = "leads.example.com/audit"


class Backup:
    """The audit tables as they stood, to be put back as pg_restore would."""

    def __init__(self, owner: asyncpg.Connection) -> None:
        self._owner = owner

    async def make(self) -> None:
        for table in TRAIL:
            await self._owner.execute(f"DROP TABLE IF EXISTS old_{table}; CREATE TABLE old_{table} AS TABLE {table}")

    async def restore(self) -> None:
        statements = "".join(f"DELETE FROM {table}; INSERT INTO {table} TABLE old_{table};" for table in TRAIL)
        await self._owner.execute(
            f"SET session_replication_role = replica; {statements} SET session_replication_role = DEFAULT"
        )

    async def forget(self) -> None:
        for table in TRAIL:
            await self._owner.execute(f"DROP TABLE IF EXISTS old_{table}")


@pytest.fixture
async def backup(database: Database, owner: asyncpg.Connection) -> AsyncIterator[Backup]:
    made = Backup(owner)
    yield made
    await made.forget()


@pytest.fixture
async def restored(sequencer: Sequencer, backup: Backup, write: Write) -> None:
    """Five entries signed twice, a backup, five more signed twice; then the backup is put back."""
    for count in (2, 3):
        await write(count)
        await sequencer.run_once()
    await backup.make()
    for count in (4, 1):
        await write(count)
        await sequencer.run_once()
    await backup.restore()


async def said(owner: asyncpg.Connection) -> list[dict[str, Any]]:
    """What the REOPEN entries say, oldest first."""
    rows = await owner.fetch("SELECT parts::text FROM audit_log WHERE action = 'REOPEN' ORDER BY id")
    return [old_and_new(json.loads(row["parts"]))[1] for row in rows]


async def alarm_in(database: Database) -> str | None:
    async with database.reader() as reader:
        return (await log_state(reader)).alarm


@pytest.mark.usefixtures("restored")
async def test_an_old_backup_is_not_signed_until_the_log_is_reopened(
    sequencer: Sequencer, database: Database, machine: Settings, write: Write, owner: asyncpg.Connection
) -> None:
    before = log_name(machine)
    await write(1)
    refused = await sequencer.run_once()
    alarm = await alarm_in(database)

    await reopen(database, machine, "restored the dump of last night")
    done = await sequencer.run_once()

    assert (refused.taken, refused.checkpoint_number) == (1, None)
    assert "the log has 6 entries, but 10 were signed" in str(alarm)
    assert (done.taken, done.checkpoint_number) == (1, 3)
    assert await alarm_in(database) is None
    row = await owner.fetchrow("SELECT * FROM audit_checkpoints ORDER BY number DESC LIMIT 1")
    assert (row["log_name"], row["size"]) == (log_name(machine), 7)
    assert log_name(machine) != before


@pytest.mark.usefixtures("restored")
async def test_the_entry_names_the_abandoned_head_and_what_stands(
    database: Database, machine: Settings, owner: asyncpg.Connection, acting: RequestContext
) -> None:
    head = CheckpointFile(machine.checkpoint_file).read()[-1]

    done = await reopen(database, machine, "restored  the dump\nof last night")

    assert await said(owner) == [
        {
            "abandoned_log_name": head.checkpoint.log_name,
            "abandoned_size": 10,
            "abandoned_root": head.checkpoint.root.hex(),
            "abandoned_note": head.note,
            "kept_size": 5,
            "log_name": log_name(machine),
            "reason": "restored the dump of last night",
        }
    ]
    row = await owner.fetchrow("SELECT * FROM audit_log WHERE id = $1", done.entry_ids[0])
    assert (row["subject_kind"], row["subject_id"], row["seq"]) == ("log", None, None)
    assert row["actor_id"] == acting.actor_id
    assert mac_is_valid(machine.mac_keys, row["checksum"], row["mac"])


@pytest.mark.usefixtures("restored")
async def test_the_old_file_goes_on_and_all_of_it_verifies(
    sequencer: Sequencer, database: Database, machine: Settings, write: Write, owner: asyncpg.Connection
) -> None:
    await reopen(database, machine, "restored")
    await sequencer.run_once()
    await write(2)
    await sequencer.run_once()

    filed = CheckpointFile(machine.checkpoint_file).read()
    leaves = await owner.fetch("SELECT checksum FROM audit_leaves ORDER BY leaf_index")
    hashes = [leaf_hash(leaf["checksum"]) for leaf in leaves]
    assert [line.checkpoint.size for line in filed] == [2, 5, 9, 10, 6, 8]
    assert all(open_checkpoint(line.note, verifier_keys(machine)) for line in filed)
    assert [root_of(hashes[: line.checkpoint.size]) == line.checkpoint.root for line in filed] == [
        *(True, True, False, False),
        *(True, True),
    ]


@pytest.mark.usefixtures("restored")
async def test_entries_taken_between_restore_and_reopening_are_not_taken_for_signed_ones(
    sequencer: Sequencer, database: Database, machine: Settings, write: Write, owner: asyncpg.Connection
) -> None:
    """Twenty leaves came after the restore: more than were ever signed, but not those."""
    await write(20)
    await sequencer.run_once()

    await reopen(database, machine, "restored")
    done = await sequencer.run_once()

    assert (await said(owner))[0]["kept_size"] == 5
    assert done.checkpoint_number == 3
    assert await owner.fetchval("SELECT max(size) FROM audit_checkpoints") == 26


async def test_a_second_restore_that_loses_the_first_reopening_is_reopened_too(
    sequencer: Sequencer,
    database: Database,
    machine: Settings,
    write: Write,
    owner: asyncpg.Connection,
    backup: Backup,
) -> None:
    """Every name in the file whose head is gone gets its entry again."""
    names = [log_name(machine)]
    await write(5)
    await sequencer.run_once()
    await backup.make()
    for reason in ("the first time", "the second time"):
        await write(5)
        await sequencer.run_once()
        await backup.restore()
        await reopen(database, machine, reason)
        names.append(log_name(machine))
        done = await sequencer.run_once()
        assert done.checkpoint_number is not None

    entries = await said(owner)
    assert [(one["abandoned_log_name"], one["abandoned_size"], one["log_name"]) for one in entries] == [
        (names[0], 10, names[2]),
        (names[1], 11, names[2]),
    ]
    assert await alarm_in(database) is None


async def test_a_log_that_lost_nothing_is_not_reopened(
    sequencer: Sequencer, database: Database, machine: Settings, write: Write, owner: asyncpg.Connection
) -> None:
    await write(5)
    await sequencer.run_once()
    before = log_name(machine)

    with pytest.raises(Conflict, match="There is nothing to give up"):
        await reopen(database, machine, "for fun")
    assert await said(owner) == []
    assert log_name(machine) == before


@pytest.mark.usefixtures("restored")
async def test_a_reopened_log_is_not_reopened_again(
    sequencer: Sequencer, database: Database, machine: Settings
) -> None:
    await reopen(database, machine, "restored")
    await sequencer.run_once()

    with pytest.raises(Conflict, match="There is nothing to give up"):
        await reopen(database, machine, "restored")


@pytest.mark.usefixtures("acting")
async def test_without_a_file_there_is_nothing_to_give_up(database: Database, machine: Settings) -> None:
    with pytest.raises(Conflict, match="holds no checkpoint"):
        await reopen(database, machine, "restored")


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "nul\0"}, "reason"),
        ({"reason": "restored", "new_name": "a name"}, "log-name"),
    ],
)
async def test_a_reason_or_name_that_cannot_be_taken_is_refused(
    database: Database, machine: Settings, owner: asyncpg.Connection, given: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await reopen(database, machine, **given)

    assert refused.value.errors[0].field == field
    assert await said(owner) == []


@pytest.mark.usefixtures("restored")
async def test_the_old_name_is_not_taken_again(database: Database, machine: Settings) -> None:
    with pytest.raises(Invalid, match="was this log's name before"):
        await reopen(database, machine, "restored", new_name=log_name(machine))


async def test_where_name_and_keys_are_set_it_says_what_to_change(
    database: Database, machine: Settings, write: Write, backup: Backup
) -> None:
    """The operator's settings are the operator's: nothing is signed until they name the log anew."""
    machine.audit_log_name = NAME
    await write(1)
    sequencer = Sequencer(database, machine)
    await sequencer.run_once()
    machine.audit_public_keys = (str(verifier_keys(machine)[0]),)
    await backup.make()
    await write(1)
    await sequencer.run_once()
    await backup.restore()

    with pytest.raises(Invalid, match="AUDIT_LOG_NAME is set, so give the log's new name yourself"):
        await reopen(database, machine, "restored")
    done = await reopen(database, machine, "restored", new_name=f"{NAME}-2")
    waiting = await sequencer.run_once()
    machine.audit_log_name = done.settings_to_change["AUDIT_LOG_NAME"]
    machine.audit_public_keys = tuple(done.settings_to_change["AUDIT_PUBLIC_KEYS"].split())
    signed = await sequencer.run_once()

    assert set(done.settings_to_change) == {"AUDIT_LOG_NAME", "AUDIT_PUBLIC_KEYS"}
    assert (waiting.taken, waiting.checkpoint_number) == (1, None)
    assert signed.checkpoint_number == 2
    assert CheckpointFile(machine.checkpoint_file).read()[-1].checkpoint.log_name == f"{NAME}-2"
    assert await alarm_in(database) is None


@pytest.mark.usefixtures("restored")
async def test_a_forged_reopening_opens_nothing(
    sequencer: Sequencer, database: Database, machine: Settings, owner: asyncpg.Connection
) -> None:
    """Whoever owns the database may write such an entry: its MAC is wrong, so signing still stops."""
    await reopen(database, machine, "restored")
    await owner.execute(
        "SET session_replication_role = replica; UPDATE audit_log SET mac = sha256(mac) WHERE action = 'REOPEN';"
        "SET session_replication_role = DEFAULT"
    )

    done = await sequencer.run_once()

    assert (done.rejected, done.checkpoint_number) == (1, None)
    assert "is of the log" in str(await alarm_in(database))


@pytest.mark.usefixtures("restored")
async def test_a_machine_that_saw_more_than_was_given_up_does_not_sign(
    sequencer: Sequencer, database: Database, machine: Settings, owner: asyncpg.Connection
) -> None:
    """Its file holds a checkpoint beyond the abandoned head: more was lost than the entry says."""
    behind = machine.model_copy(update={"audit_checkpoint_file": machine.data_dir / "behind.jsonl"})
    lines = machine.checkpoint_file.read_bytes().splitlines(keepends=True)
    behind.checkpoint_file.write_bytes(b"".join(lines[:-1]))

    await reopen(database, behind, "restored")
    done = await sequencer.run_once()

    assert (await said(owner))[0]["abandoned_size"] == 9
    assert done.checkpoint_number is None
    assert "is of the log" in str(await alarm_in(database))
