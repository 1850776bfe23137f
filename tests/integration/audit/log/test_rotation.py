"""A change of keys: one checkpoint signed by both, then the new key alone; what the old one signed still verifies."""

from __future__ import annotations

import pytest

from leads_core.audit.log.checkpoint_file import CheckpointFile
from leads_core.audit.log.keys import verifier_keys
from leads_core.audit.log.sequencer import Sequencer
from leads_core.audit.log.state import log_state
from leads_core.audit.record.signed_note import SigningKey, open_checkpoint
from leads_core.database import Database
from leads_core.settings import Settings
from tests.integration.audit.log.conftest import Contradictions, Write

OLD, NEW = "01" * 32, "02" * 32
NAME = "leads.example.com/audit"


def with_keys(machine: Settings, *seeds: str, **given: object) -> Settings:
    """The machine after its settings were changed and it was started again."""
    assert machine.audit_mac_keys is not None
    return Settings(
        database_url=machine.database_url,
        data_dir=machine.data_dir,
        audit_mac_keys=machine.audit_mac_keys.get_secret_value(),
        audit_log_name=NAME,
        audit_signing_key=",".join(seeds),
        **given,  # type: ignore[arg-type]
    )


def signed_by(machine: Settings) -> list[list[str]]:
    """Of each checkpoint in the file, the seeds of the keys that signed it."""
    seeds = {SigningKey(NAME, bytes.fromhex(seed)).verifier: seed for seed in (OLD, NEW)}
    notes = [line.note for line in CheckpointFile(machine.checkpoint_file)]
    return [[seeds[key] for key in open_checkpoint(note, verifier_keys(machine))[1]] for note in notes]


async def test_a_change_of_keys_is_signed_by_both_once_and_then_by_the_new_one(
    database: Database, machine: Settings, write: Write, wrong: Contradictions
) -> None:
    for keys in ([OLD], [OLD], [NEW, OLD], [NEW, OLD], [NEW], [NEW]):
        await write(2)
        await Sequencer(database, with_keys(machine, *keys)).run_once()

    assert signed_by(machine) == [[OLD], [OLD], [NEW, OLD], [NEW], [NEW], [NEW]]
    assert len(verifier_keys(machine)) == 2
    assert await wrong() == []


async def test_a_change_of_keys_is_signed_by_both_though_nothing_was_new_for_a_while(
    database: Database, machine: Settings, write: Write
) -> None:
    await write(2)
    await Sequencer(database, with_keys(machine, OLD)).run_once()
    changing = Sequencer(database, with_keys(machine, NEW, OLD))
    assert (await changing.run_once()).checkpoint_number is None

    await write(2)
    await changing.run_once()
    await write(2)
    await changing.run_once()

    assert signed_by(machine) == [[OLD], [NEW, OLD], [NEW]]


async def test_a_lost_key_may_be_replaced_by_a_new_one_alone(
    database: Database, machine: Settings, write: Write, wrong: Contradictions
) -> None:
    await write(2)
    await Sequencer(database, with_keys(machine, OLD)).run_once()
    await write(2)

    await Sequencer(database, with_keys(machine, NEW)).run_once()

    assert signed_by(machine) == [[OLD], [NEW]]
    assert await wrong() == []


async def test_where_trusted_keys_are_set_a_new_key_signs_once_it_is_listed(
    database: Database, machine: Settings, write: Write
) -> None:
    old, new = (str(SigningKey(NAME, bytes.fromhex(seed)).verifier) for seed in (OLD, NEW))
    await write(2)
    await Sequencer(database, with_keys(machine, OLD, audit_public_keys=old)).run_once()
    await write(2)

    refused = await Sequencer(database, with_keys(machine, NEW, OLD, audit_public_keys=old)).run_once()
    async with database.reader() as reader:
        alarm = (await log_state(reader)).alarm
    listed = with_keys(machine, NEW, OLD, audit_public_keys=f"{old} {new}")
    done = await Sequencer(database, listed).run_once()

    assert refused.checkpoint_number is None
    assert new in str(alarm)
    assert done.checkpoint_number == 2
    assert signed_by(listed) == [[OLD], [NEW, OLD]]


@pytest.mark.parametrize("seeds", [(NEW, OLD), (NEW,)])
async def test_two_machines_may_change_their_keys_one_after_the_other(
    database: Database, machine: Settings, write: Write, seeds: tuple[str, ...]
) -> None:
    """The table holds what came first; each file holds what its own machine signed."""
    keys = [str(SigningKey(NAME, bytes.fromhex(seed)).verifier) for seed in (OLD, NEW)]
    first = with_keys(machine, OLD, audit_public_keys=" ".join(keys))
    other = with_keys(machine, OLD, audit_public_keys=" ".join(keys), audit_checkpoint_file=machine.data_dir / "other")
    await write(2)
    await Sequencer(database, first).run_once()
    other.checkpoint_file.write_bytes(first.checkpoint_file.read_bytes())
    changed = with_keys(
        machine, *seeds, audit_public_keys=" ".join(keys), audit_checkpoint_file=machine.data_dir / "other"
    )

    for one in (first, changed):
        await write(2)
        await Sequencer(database, first).run_once()
        await Sequencer(database, one).run_once()

    assert signed_by(first) == [[OLD], [OLD], [OLD]]
    assert signed_by(changed) == [[OLD], list(seeds)]
