"""`leads audit checkpoint`, `keys` and `reopen`, as an operator types them."""

from __future__ import annotations

import json
from pathlib import Path

import asyncpg
import pytest

from leads_core.audit.log.keys import log_name, verifier_keys
from leads_core.audit.log.sequencer import Sequencer
from leads_core.audit.record.signed_note import open_checkpoint
from leads_core.context import SYSTEM_ACTOR_ID
from leads_core.database import Database
from leads_core.leads.schemas import Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import a_lead
from tests.integration.console.cli.test_cli_leads import leads_command


@pytest.fixture
def machine(settings: Settings, tmp_path: Path) -> Settings:
    """Where the commands run: their keys and their file."""
    made = Settings(database_url=settings.database_url, data_dir=tmp_path, audit_mac_keys=settings.mac_keys[0].hex())
    made.keys_folder.mkdir()
    (made.keys_folder / "audit_mac_keys").write_text(settings.mac_keys[0].hex())
    return made


@pytest.fixture
async def signed(database: Database, machine: Settings, leads: LeadService, acting: object) -> Sequencer:
    """Two leads, taken and signed."""
    await leads.create(a_lead(), source=Source.FORM)
    await leads.create(a_lead(email="bo@acme.com"), source=Source.FORM)
    sequencer = Sequencer(database, machine)
    await sequencer.run_once()
    return sequencer


async def audit(*words: str, machine: Settings) -> tuple[int, str, str]:
    return await leads_command("audit", *words, url=str(machine.database_url), folder=machine.data_dir)


@pytest.mark.usefixtures("signed")
async def test_checkpoint_prints_the_note_and_nothing_else(machine: Settings) -> None:
    status, out, error = await audit("checkpoint", machine=machine)

    assert (status, error) == (0, "")
    assert open_checkpoint(out, verifier_keys(machine))[0].size == 2


@pytest.mark.usefixtures("signed")
async def test_checkpoint_kept_somewhere_is_in_the_trail(machine: Settings, owner: asyncpg.Connection) -> None:
    status, out, error = await audit("checkpoint", "--kept-at", "mail to the auditor", "--json", machine=machine)

    facts = json.loads(out)
    assert status == 0
    assert (facts["number"], facts["size"], facts["kept_at"]) == (1, 2, "mail to the auditor")
    assert error == "The trail says that checkpoint 1 is kept: mail to the auditor\n"
    row = await owner.fetchrow("SELECT * FROM audit_log WHERE action = 'CHECKPOINT_KEPT'")
    assert (row["actor_id"], row["channel"]) == (SYSTEM_ACTOR_ID, "cli")


async def test_checkpoint_before_the_first_says_who_makes_it(database: Database, machine: Settings) -> None:
    status, out, error = await audit("checkpoint", machine=machine)

    assert (status, out) == (2, "")
    assert "There is no checkpoint yet: a worker signs one" in error


@pytest.mark.usefixtures("signed")
async def test_a_checkpoint_that_is_not_ours_is_not_printed(machine: Settings, owner: asyncpg.Connection) -> None:
    await owner.execute(
        "SET session_replication_role = replica;"
        "UPDATE audit_checkpoints SET note = replace(note, E'\\n2\\n', E'\\n3\\n');"
        "SET session_replication_role = DEFAULT"
    )

    status, out, error = await audit("checkpoint", machine=machine)

    assert (status, out) == (2, "")
    assert "Checkpoint 1 is not ours" in error


async def test_start_file_lets_signing_go_on(signed: Sequencer, machine: Settings, leads: LeadService) -> None:
    machine.checkpoint_file.unlink()
    await leads.create(a_lead(email="cy@acme.com"), source=Source.FORM)
    refused = await signed.run_once()

    status, out, error = await audit("checkpoint", "--start-file", machine=machine)
    done = await signed.run_once()

    assert status == 0
    assert open_checkpoint(out, verifier_keys(machine))[0].size == 2
    assert error == f"{machine.checkpoint_file} starts with checkpoint 1.\n"
    assert (refused.checkpoint_number, done.checkpoint_number) == (None, 2)


@pytest.mark.usefixtures("signed")
async def test_keys_prints_what_verifies(machine: Settings) -> None:
    status, out, _ = await audit("keys", machine=machine)
    _, as_json, _ = await audit("keys", "--json", machine=machine)

    trusted = [str(key) for key in verifier_keys(machine)]
    assert (status, out.splitlines()) == (0, trusted)
    assert json.loads(as_json) == {"log_name": log_name(machine), "public_keys": trusted}


async def test_keys_before_the_first_checkpoint_makes_none(database: Database, machine: Settings) -> None:
    status, _, error = await audit("keys", machine=machine)

    assert status == 2
    assert "Nothing was signed yet" in error
    assert not (machine.keys_folder / "audit_signing_key").exists()


async def test_reopen_gives_up_what_is_lost_and_signing_goes_on(
    signed: Sequencer, machine: Settings, leads: LeadService, owner: asyncpg.Connection
) -> None:
    await leads.create(a_lead(email="cy@acme.com"), source=Source.FORM)
    await signed.run_once()
    before = log_name(machine)
    await owner.execute(
        "SET session_replication_role = replica; DELETE FROM audit_leaves WHERE leaf_index = 2;"
        "DELETE FROM audit_checkpoints WHERE size = 3; SET session_replication_role = DEFAULT"
    )

    status, out, _ = await audit("reopen", "--reason", "restored the dump of last night", machine=machine)
    done = await signed.run_once()

    assert status == 0
    assert f"Given up: {before} from 2 to 3 entries." in out
    assert f"The log is called {log_name(machine)} now." in out
    assert str(verifier_keys(machine)[-1]) in out
    assert (done.taken, done.checkpoint_number) == (1, 2)
    row = await owner.fetchrow("SELECT * FROM audit_log WHERE action = 'REOPEN'")
    assert (row["actor_id"], row["channel"]) == (SYSTEM_ACTOR_ID, "cli")


@pytest.mark.usefixtures("signed")
async def test_reopen_without_a_loss_is_refused(machine: Settings) -> None:
    status, _, error = await audit("reopen", "--reason", "for fun", machine=machine)

    assert status == 2
    assert "There is nothing to give up" in error
