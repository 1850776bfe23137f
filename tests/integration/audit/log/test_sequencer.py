"""Every entry that was committed becomes one leaf, and every leaf is signed."""

from __future__ import annotations

import asyncio
import random
from hashlib import sha256
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from leads_core.audit import trail
from leads_core.audit.log import taking, tree
from leads_core.audit.log.checkpoint_file import CheckpointFile
from leads_core.audit.log.locking import THE_LOG, lock_the_log
from leads_core.audit.log.sequencer import Sequenced, Sequencer
from leads_core.audit.log.tree import BrokenLog, grown_to, root_at, tree_at
from leads_core.audit.models import Action, SubjectKind
from leads_core.audit.record.merkle import leaf_hash, root_of
from leads_core.context import RequestContext
from leads_core.database import Database
from leads_core.settings import Settings
from tests.integration.audit.log.conftest import Contradictions, Write


async def test_what_was_committed_is_taken_in_order_of_id_and_signed(
    sequencer: Sequencer, write: Write, wrong: Contradictions, owner: asyncpg.Connection
) -> None:
    ids = await write(3)

    done = await sequencer.run_once()

    assert done == Sequenced(taken=3, rejected=0, checkpoint_number=1)
    leaves = await owner.fetch("SELECT leaf_index, entry_id FROM audit_leaves ORDER BY leaf_index")
    assert [tuple(leaf) for leaf in leaves] == list(enumerate(ids))
    assert await wrong() == []


async def test_nothing_new_makes_no_checkpoint(sequencer: Sequencer, write: Write, machine: Settings) -> None:
    await write(3)
    await sequencer.run_once()
    before = machine.checkpoint_file.read_bytes()

    done = await sequencer.run_once()

    assert done == Sequenced(taken=0, rejected=0, checkpoint_number=None)
    assert machine.checkpoint_file.read_bytes() == before


async def test_an_empty_log_is_not_signed(sequencer: Sequencer, database: Database, machine: Settings) -> None:
    assert await sequencer.run_once() == Sequenced(taken=0, rejected=0, checkpoint_number=None)
    assert not machine.checkpoint_file.exists()


async def test_more_than_a_batch_is_taken_in_one_run(
    sequencer: Sequencer, write: Write, wrong: Contradictions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "BATCH", 100)
    await write(770)

    done = await sequencer.run_once()

    assert (done.taken, done.checkpoint_number) == (770, 8)
    assert await wrong() == []


async def test_blocks_are_kept_as_they_fill_whatever_the_batches(
    sequencer: Sequencer, write: Write, wrong: Contradictions, owner: asyncpg.Connection
) -> None:
    for count in (255, 1, 1, 254, 1, 300):
        await write(count)
        await sequencer.run_once()

    assert [tuple(row) for row in await owner.fetch("SELECT level, block_index FROM audit_blocks ORDER BY 2")] == [
        (1, 0),
        (1, 1),
        (1, 2),
    ]
    assert await wrong() == []


@pytest.mark.parametrize("seed", range(3))
async def test_entries_that_commit_out_of_order_are_each_taken_once(
    sequencer: Sequencer, database: Database, acting: RequestContext, wrong: Contradictions, seed: int
) -> None:
    """Twelve transactions write at once and commit in another order than that of their entries' ids."""
    chance = random.Random(seed)  # noqa: S311 - an order
    ready = [asyncio.Event() for _ in range(12)]
    chance.shuffle(turns := list(range(12)))

    async def write_and_wait(turn: int) -> None:
        async with database.transaction() as session:
            for _ in range(3):
                await _sign_in(session)
            await ready[turn].wait()

    writers = [asyncio.create_task(write_and_wait(turn)) for turn in range(12)]
    taken = 0
    for turn in turns:
        ready[turn].set()
        await writers[turn]
        taken += (await sequencer.run_once()).taken

    assert taken == 36
    assert await wrong() == []


async def test_four_sequencers_at_once_do_each_entry_once(
    database: Database, machine: Settings, acting: RequestContext, wrong: Contradictions, owner: asyncpg.Connection
) -> None:
    """Four run without a pause, on one file, while eight writers write."""
    writing = True
    taken: list[int] = []

    async def write_some(number: int) -> None:
        for _ in range(25):
            async with database.transaction() as session:
                for _ in range(1 + number % 4):
                    await _sign_in(session)

    async def sequence() -> None:
        one = Sequencer(database, machine)
        while writing:
            taken.append((await one.run_once()).taken)
            await asyncio.sleep(0)
        taken.append((await one.run_once()).taken)

    sequencers = [asyncio.create_task(sequence()) for _ in range(4)]
    await asyncio.gather(*(write_some(number) for number in range(8)))
    writing = False
    await asyncio.gather(*sequencers)

    assert sum(taken) == await owner.fetchval("SELECT count(*) FROM audit_log") == 500
    assert sum(1 for count in taken if count) > 3
    assert await wrong() == []


async def test_leaves_are_on_the_disk_before_they_are_signed_however_lax_the_server_is(
    database: Database, owner: asyncpg.Connection
) -> None:
    """Else a crash of the server takes signed leaves back, and an honest log looks rolled back."""
    async with database.transaction() as session:
        await session.execute(text("SET LOCAL synchronous_commit = off"))
        connection = await lock_the_log(session)

        assert await connection.fetchval("SHOW synchronous_commit") == "on"


async def test_a_sequencer_waits_for_another_longer_than_a_lead_is_waited_for(
    database: Database, owner: asyncpg.Connection
) -> None:
    """Another holds the log's lock for fifty times as long as a lead would be waited for."""

    async def take_the_lock() -> None:
        async with database.transaction() as session:
            await session.execute(text("SET LOCAL lock_timeout = '1ms'"))
            await lock_the_log(session)

    async with owner.transaction():
        await owner.execute("SELECT pg_advisory_xact_lock($1)", THE_LOG)
        waiting = asyncio.create_task(take_the_lock())
        while not await owner.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            assert not waiting.done()
        gave_up, _ = await asyncio.wait([waiting], timeout=0.05)

    assert not gave_up
    await waiting


async def test_each_machine_files_what_it_signs_and_the_table_holds_it_once(
    database: Database, machine: Settings, write: Write, owner: asyncpg.Connection, wrong: Contradictions
) -> None:
    """Two machines with one key and a file each."""
    first = Sequencer(database, machine)
    other = machine.model_copy(update={"audit_checkpoint_file": machine.data_dir / "other.jsonl"})
    await write(2)
    await first.run_once()
    other.checkpoint_file.write_bytes(machine.checkpoint_file.read_bytes())
    second = Sequencer(database, other)
    for one, another in ((first, second), (second, first)):
        await write(2)
        await one.run_once()
        await another.run_once()

    rows = await owner.fetch("SELECT size FROM audit_checkpoints ORDER BY number")

    assert [row["size"] for row in rows] == [2, 4, 6]
    for settings in (machine, other):
        assert [line.checkpoint.size for line in CheckpointFile(settings.checkpoint_file)] == [2, 4, 6]
    assert await wrong() == []


async def test_an_entry_that_waits_again_though_it_is_logged_is_not_taken_twice(
    sequencer: Sequencer, write: Write, owner: asyncpg.Connection, wrong: Contradictions
) -> None:
    ids = await write(2)
    await sequencer.run_once()
    await owner.execute("INSERT INTO audit_pending VALUES ($1)", ids[0])
    await write(1)

    done = await sequencer.run_once()

    assert (done.taken, done.rejected) == (1, 0)
    assert await wrong() == []


async def _fill(owner: asyncpg.Connection, count: int) -> list[bytes]:
    """Leaves whose checksums are those of the published log, with all their blocks."""
    checksums = [sha256(f"leaf {n}".encode()).digest() for n in range(count)]
    await owner.executemany("INSERT INTO audit_leaves VALUES ($1, gen_random_uuid(), $2)", list(enumerate(checksums)))
    hashes = [leaf_hash(checksum) for checksum in checksums]
    blocks = [(1, index, root_of(hashes[index * 256 : index * 256 + 256])) for index in range(count // 256)]
    await owner.executemany("INSERT INTO audit_blocks VALUES ($1, $2, $3)", blocks)
    return hashes


@pytest.mark.usefixtures("database")
async def test_roots_come_from_blocks_and_tail_as_published(owner: asyncpg.Connection, published: Any) -> None:
    await _fill(owner, 600)

    assert {size: (await root_at(owner, int(size))).hex() for size in published["roots"]} == published["roots"]
    kept = await owner.fetch("SELECT hash FROM audit_blocks ORDER BY block_index")
    assert [row["hash"].hex() for row in kept] == published["blocks"]["1"]


@pytest.mark.usefixtures("database")
async def test_a_block_that_is_gone_is_computed_from_its_leaves(owner: asyncpg.Connection) -> None:
    hashes = await _fill(owner, 600)
    await owner.execute("SET session_replication_role = replica; DELETE FROM audit_blocks WHERE block_index = 0")
    await owner.execute("SET session_replication_role = DEFAULT")

    assert await root_at(owner, 600) == root_of(hashes)


@pytest.mark.usefixtures("database")
async def test_a_leaf_that_is_gone_leaves_no_root(owner: asyncpg.Connection) -> None:
    await _fill(owner, 600)
    await owner.execute("SET session_replication_role = replica; DELETE FROM audit_leaves WHERE leaf_index = 590")
    await owner.execute("SET session_replication_role = DEFAULT")

    with pytest.raises(BrokenLog, match="the leaves 512 to 599 the log has only 87"):
        await root_at(owner, 600)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("at_once", [0, 99, 100, 5_000])
async def test_a_tree_grows_by_leaves_or_by_blocks_to_the_same_root(
    owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(tree, "AT_ONCE", at_once)
    hashes = await _fill(owner, 600)

    grown = await grown_to(owner, await tree_at(owner, 500), 600)

    assert (grown.size, grown.root()) == (600, root_of(hashes))


@pytest.mark.usefixtures("database")
async def test_blocks_of_blocks_fill_at_65536_leaves(owner: asyncpg.Connection) -> None:
    hashes = await _fill(owner, 65_535)
    edge = await tree_at(owner, 65_535)

    filled = edge.append(hashes[0])

    whole = [*hashes, hashes[0]]
    assert filled == [(1, 255, root_of(whole[-256:])), (2, 0, root_of(whole))]
    assert (edge.size, edge.root()) == (65_536, root_of(whole))
    assert edge.append(hashes[1]) == []
    assert edge.root() == root_of([*whole, hashes[1]])


async def _sign_in(session: Any) -> None:
    await trail.append(
        session, Action.SIGN_IN, None, seq=None, before=None, after=None, at=trail.now(), kind=SubjectKind.USER
    )
