"""An entry proven out of the database, checked with nothing but the file and the public key."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from console.cli.audit import proofs as commands
from leads_core.audit.log.inclusion_proof import InclusionProof
from leads_core.audit.log.keys import signing_keys, verifier_keys
from leads_core.audit.log.proving import prove
from leads_core.audit.log.sequencer import Sequencer
from leads_core.database import Database, new_id
from leads_core.errors import Conflict, Invalid, NotFound
from leads_core.leads.schemas import LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import a_lead

pytestmark = pytest.mark.usefixtures("acting")


@pytest.fixture
def logging_settings(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with a log of the test's own."""
    return settings.model_copy(update={"audit_checkpoint_file": tmp_path / "checkpoints.jsonl"})


@pytest.fixture
def sequencer(database: Database, logging_settings: Settings) -> Sequencer:
    return Sequencer(database, logging_settings)


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with database.reader() as connection:
        yield connection


async def entries(owner: asyncpg.Connection) -> list[asyncpg.Record]:
    return list(await owner.fetch("SELECT * FROM audit_log ORDER BY id"))


async def test_each_entry_of_some_hundreds_is_proven(
    leads: LeadService,
    sequencer: Sequencer,
    logging_settings: Settings,
    owner: asyncpg.Connection,
    reader: asyncpg.Connection,
) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)
    for number in range(270):
        await leads.update(lead.id, LeadUpdate.model_validate({"notes": str(number)}))
    await sequencer.run_once()

    keys = verifier_keys(logging_settings)
    for entry in (await entries(owner))[::15]:
        proof = await prove(reader, entry["id"], disclose=["text"] if entry["seq"] > 1 else [])
        proven = InclusionProof.parse(proof.text()).check(keys)
        assert (proven.record["id"], proven.checkpoint.size) == (str(entry["id"]), 271)
        assert "origin" in proven.withheld


async def test_an_entry_is_proven_under_the_checkpoint_that_was_asked_for(
    leads: LeadService, sequencer: Sequencer, owner: asyncpg.Connection, reader: asyncpg.Connection
) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)
    await sequencer.run_once()
    await leads.delete(lead.id)
    await sequencer.run_once()
    first, second = await entries(owner)
    earlier, later = [
        row["number"] for row in await owner.fetch("SELECT number FROM audit_checkpoints WHERE size > 0 ORDER BY size")
    ]

    assert "\n1\n" in (await prove(reader, first["id"], checkpoint=earlier)).note
    assert "\n2\n" in (await prove(reader, first["id"])).note
    assert "\n2\n" in (await prove(reader, second["id"], checkpoint=later)).note
    with pytest.raises(Conflict, match=f"Checkpoint {earlier} does not cover the entry"):
        await prove(reader, second["id"], checkpoint=earlier)
    with pytest.raises(NotFound, match="no checkpoint 999"):
        await prove(reader, second["id"], checkpoint=999)


async def test_an_entry_that_the_log_has_not_taken_up_is_not_proven(
    leads: LeadService, owner: asyncpg.Connection, reader: asyncpg.Connection
) -> None:
    await leads.create(a_lead(), source=Source.FORM)
    (entry,) = await entries(owner)

    with pytest.raises(Conflict, match="not in the log yet"):
        await prove(reader, entry["id"])


async def test_an_entry_that_the_log_refused_is_not_proven_unless_it_was_taken_later(
    leads: LeadService, sequencer: Sequencer, owner: asyncpg.Connection, reader: asyncpg.Connection
) -> None:
    await leads.create(a_lead(), source=Source.FORM)
    (entry,) = await entries(owner)
    refused = "INSERT INTO audit_rejected (entry_id, reason, rejected_at) VALUES ($1, 'its MAC is unknown', now())"
    await owner.execute(refused, entry["id"])

    with pytest.raises(Conflict, match="refused this entry: its MAC is unknown"):
        await prove(reader, entry["id"])
    await sequencer.run_once()
    assert (await prove(reader, entry["id"])).index == 0


async def test_what_is_no_entry_is_not_proven(database: Database, reader: asyncpg.Connection) -> None:
    with pytest.raises(NotFound, match="no audit entry"):
        await prove(reader, new_id())


async def test_only_parts_that_the_entry_has_can_be_shown(
    leads: LeadService, sequencer: Sequencer, owner: asyncpg.Connection, reader: asyncpg.Connection
) -> None:
    await leads.create(a_lead(notes="secret"), source=Source.FORM)
    await sequencer.run_once()
    (entry,) = await entries(owner)
    erased = "UPDATE audit_log SET parts = jsonb_set(parts, '{text}', to_jsonb($1::text))"
    digest = (await prove(reader, entry["id"])).record["parts"]["text"]
    await owner.execute("SET session_replication_role = replica")
    await owner.execute(erased, digest)
    await owner.execute("SET session_replication_role = DEFAULT")

    with pytest.raises(Invalid, match="no part 'notes'; it has data, origin, person, text"):
        await prove(reader, entry["id"], disclose=["notes"])
    with pytest.raises(Invalid, match="'text' was erased"):
        await prove(reader, entry["id"], disclose=["text"])
    proof = await prove(reader, entry["id"], disclose=["person"])
    assert "secret" not in json.dumps([proof.record, proof.parts])


@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        ("UPDATE audit_log SET occurred_at = occurred_at + '1 s'", "not what the log holds"),
        ("UPDATE audit_log SET parts = '{}'", "not what the log holds"),
        ("UPDATE audit_leaves SET checksum = sha256('x') WHERE leaf_index = 1", "does not come to the root"),
        ("DELETE FROM audit_leaves WHERE leaf_index = 1", "hashes that are missing: 1"),
        ("UPDATE audit_checkpoints SET root = sha256('x')", "does not come to the root"),
        ("DELETE FROM audit_checkpoints", "No checkpoint covers"),
    ],
)
async def test_a_log_that_somebody_changed_gives_no_proof(
    leads: LeadService,
    sequencer: Sequencer,
    owner: asyncpg.Connection,
    reader: asyncpg.Connection,
    tampering: str,
    said: str,
) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)
    await leads.delete(lead.id)
    await sequencer.run_once()
    entry = (await entries(owner))[0]
    await owner.execute("SET session_replication_role = replica")
    await owner.execute(tampering)
    await owner.execute("SET session_replication_role = DEFAULT")

    with pytest.raises(Conflict, match=said):
        await prove(reader, entry["id"])


async def test_the_command_writes_a_proof_that_the_other_command_puts_in_words(
    leads: LeadService,
    sequencer: Sequencer,
    logging_settings: Settings,
    owner: asyncpg.Connection,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lead = await leads.create(a_lead(notes="call me"), source=Source.FORM)
    await sequencer.run_once()
    (entry,) = await entries(owner)
    key = signing_keys(logging_settings)[0].verifier
    monkeypatch.setenv("DATABASE_URL", str(logging_settings.database_url))
    monkeypatch.setenv("DATA_DIR", str(logging_settings.data_dir))
    file = tmp_path / "entry.tlog-proof"

    await commands.prove(entry["id"], disclose=["origin", "person"], output=file)
    status = commands.check_proof(file, public_key=[str(key)])

    said = capsys.readouterr().out
    assert status == 0
    assert f"CREATE of lead {lead.id}, making its version 1" in said
    assert f"user {entry['actor_id']}, Ana Díaz, from 203.0.113.7 with Mozilla/5.0" in said
    assert '    email: nothing -> "ana@acme.com"' in said
    assert "Withheld, or erased since: data, text." in said
    assert "call me" not in said


async def test_a_value_cannot_play_tricks_on_the_terminal(
    leads: LeadService, sequencer: Sequencer, logging_settings: Settings, owner: asyncpg.Connection, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], reader: asyncpg.Connection,
) -> None:  # fmt: skip
    await leads.create(a_lead(notes="call\u202eme\u200b now"), source=Source.FORM)
    await sequencer.run_once()
    (entry,) = await entries(owner)
    file = tmp_path / "entry.tlog-proof"
    file.write_text((await prove(reader, entry["id"], disclose=["text"])).text())

    commands.check_proof(file, public_key=[str(key) for key in verifier_keys(logging_settings)])

    assert 'notes: nothing -> "call\\u202eme\\u200b now"' in capsys.readouterr().out


def test_a_proof_that_does_not_hold_is_exit_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "entry.tlog-proof"
    file.write_text("hello")
    key = "leads.example.com/audit+2e097bca+AW60k23fp9xTqFmAwseyNpgt8l8dxAEdWWu+YiV/R2Qy"

    assert commands.check_proof(file, public_key=[key]) == 1
    assert commands.check_proof(file, public_key=[key], as_json=True) == 1

    words, document = capsys.readouterr().out.splitlines()
    assert words.startswith("Not proven. It is no proof of an entry")
    assert json.loads(document)["ok"] is False


def test_a_key_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="public-key: 'abc' is no verifier key"):
        commands.check_proof(tmp_path / "any", public_key=["abc"])
    with pytest.raises(Invalid, match="public-key: Give the log's verifier key"):
        commands.check_proof(tmp_path / "any")
