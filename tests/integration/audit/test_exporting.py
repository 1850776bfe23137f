"""The export of the trail: every line as docs/audit.md says, in its order, of one snapshot."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from console.cli.audit.export import export
from leads_core.audit import exporting
from leads_core.audit.exporting import NAME, complete_export, filtered_export
from leads_core.audit.log.sequencer import Sequencer
from leads_core.audit.record.entry import PART_OF, EntryRecord, checksum, parse_timestamp
from leads_core.database import Database
from leads_core.errors import Invalid, Misconfigured, Unavailable
from leads_core.leads.schemas import LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import a_lead

pytestmark = pytest.mark.usefixtures("acting")
LOG = "leads.example.com/audit"


async def lines(pieces: AsyncIterator[bytes]) -> list[dict[str, Any]]:
    whole = b"".join([piece async for piece in pieces])
    assert whole.endswith(b"\n")
    return [json.loads(line) for line in whole.splitlines()]


async def test_a_complete_export_has_its_header_first_and_its_footer_last(database: Database) -> None:
    header, footer = await lines(complete_export(database, LOG))

    assert list(header) == ["kind", "format", "made_at", "log_name", "complete", "filter"]
    assert (header["format"], header["log_name"], header["complete"]) == ("lead-explorer-audit/1", LOG, True)
    assert parse_timestamp(header["made_at"])
    assert footer == {"kind": "footer", "entries": 0, "leads": 0, "leaves": 0, "checkpoints": 0}


async def test_a_leads_entries_stand_before_it_from_the_first_version_on(
    database: Database, leads: LeadService
) -> None:
    first = await leads.create(a_lead(), source=Source.FORM)
    second = await leads.create(a_lead(email="eve@acme.com"), source=Source.FORM)
    await leads.update(first.id, LeadUpdate.model_validate({"stage": "qualified"}))

    exported = await lines(complete_export(database, LOG))

    assert [(line["kind"], line.get("subject_id") or line.get("id"), line.get("seq")) for line in exported[1:-1]] == [
        ("entry", str(first.id), 1),
        ("entry", str(first.id), 2),
        ("lead", str(first.id), None),
        ("entry", str(second.id), 1),
        ("lead", str(second.id), None),
    ]
    assert exported[-1] == {"kind": "footer", "entries": 3, "leads": 2, "leaves": 0, "checkpoints": 0}


async def test_an_entry_can_be_recomputed_from_its_line(database: Database, leads: LeadService) -> None:
    lead = await leads.create(a_lead(notes='"Zürich"\n\u2028 é 🚀'), source=Source.FORM)

    entry = next(line for line in await lines(complete_export(database, LOG)) if line["kind"] == "entry")

    assert entry["subject_id"] == str(lead.id)
    assert checksum(_record(entry)).hex() == entry["checksum"]
    assert (len(entry["mac"]), entry["leaf_index"]) == (72, None)


async def test_a_lead_has_every_audited_field(database: Database, leads: LeadService) -> None:
    lead = await leads.create(a_lead(follow_up_on="2026-11-24", tags=["a", "b"]), source=Source.FORM)

    (exported,) = [line for line in await lines(complete_export(database, LOG)) if line["kind"] == "lead"]

    assert set(exported) == {
        *("kind", "id", "provenance", "version", "created_at", "created_by", "updated_at", "updated_by"),
        *("deleted_at", "deleted_by", "erased_at", "erased_by"),
        *PART_OF,
    }
    assert (exported["follow_up_on"], exported["tags"], exported["version"]) == ("2026-11-24", ["a", "b"], 1)
    assert parse_timestamp(exported["created_at"]) == lead.created_at
    assert (exported["provenance"], exported["created_by"]) == ({}, str(lead.created_by))


async def test_a_lead_without_an_entry_goes_out_too(
    database: Database, leads: LeadService, owner: asyncpg.Connection
) -> None:
    first = await leads.create(a_lead(), source=Source.FORM)
    last = await leads.create(a_lead(email="eve@acme.com"), source=Source.FORM)
    await owner.execute("SET session_replication_role = replica")
    await owner.execute("DELETE FROM audit_log")
    await owner.execute("SET session_replication_role = DEFAULT")

    exported = await lines(complete_export(database, LOG))

    assert [line["id"] for line in exported if line["kind"] == "lead"] == [str(first.id), str(last.id)]


async def test_what_somebody_forged_goes_out_as_it_stands(
    database: Database, leads: LeadService, owner: asyncpg.Connection
) -> None:
    await leads.create(a_lead(), source=Source.FORM)
    await owner.execute("SET session_replication_role = replica")
    await owner.execute("""UPDATE audit_log SET occurred_at = 'infinity', parts = '{"data": 1.50}'""")
    await owner.execute("UPDATE leads SET created_at = '-infinity'")
    await owner.execute("SET session_replication_role = DEFAULT")

    pieces = [piece async for piece in complete_export(database, LOG)]

    assert b'"occurred_at":"infinity","parts":{"data": 1.50},' in b"".join(pieces)
    assert b'"created_at":"-infinity"' in b"".join(pieces)


async def test_a_change_meanwhile_is_in_none_of_the_lines(
    database: Database, leads: LeadService, settings: Settings, tmp_path: Path
) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)
    mine = settings.model_copy(update={"audit_checkpoint_file": tmp_path / "checkpoints.jsonl"})
    await Sequencer(database, mine).run_once()
    pieces = complete_export(database, LOG)
    seen = [await anext(pieces), await anext(pieces)]
    assert b'"kind":"checkpoint"' in seen[1]

    await leads.update(lead.id, LeadUpdate.model_validate({"stage": "won"}))
    await Sequencer(database, mine).run_once()
    seen += [piece async for piece in pieces]

    exported = [json.loads(line) for line in b"".join(seen).splitlines()]
    assert [line["leaf_index"] for line in exported if line["kind"] == "leaf"] == [0]
    assert [line["seq"] for line in exported if line["kind"] == "entry"] == [1]
    assert [line["stage"] for line in exported if line["kind"] == "lead"] == ["new"]


async def test_a_reader_who_stands_still_gives_the_snapshot_back(
    database: Database, leads: LeadService, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await leads.create(a_lead(), source=Source.FORM)
    monkeypatch.setitem(exporting.PATIENCE, "idle_in_transaction_session_timeout", "1")

    async def read_haltingly() -> None:
        pieces = complete_export(database, LOG)
        await anext(pieces)
        await anext(pieces)
        async with asyncio.timeout(20):
            while await owner.fetchval("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", NAME):
                pass
        await lines(pieces)

    with pytest.raises(Unavailable):
        await read_haltingly()


async def test_a_filtered_export_repeats_its_filter_and_says_it_is_not_complete(
    database: Database, leads: LeadService, owner: asyncpg.Connection
) -> None:
    for name in ("ana", "eve", "bob"):
        await leads.create(a_lead(email=f"{name}@acme.com"), source=Source.FORM)
    ids = [row["id"] for row in await owner.fetch("SELECT id FROM audit_log ORDER BY id")]

    async def wanted() -> AsyncIterator[Sequence[UUID]]:
        yield [ids[2]]
        yield [ids[0]]

    exported = await lines(filtered_export(database, LOG, {"channel": ["web"]}, wanted()))

    assert (exported[0]["complete"], exported[0]["filter"]) == (False, {"channel": ["web"]})
    assert [line["id"] for line in exported[1:-1]] == [str(ids[2]), str(ids[0])]
    assert exported[-1]["entries"] == 2


@pytest.fixture
def commanding(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command line finds in its environment."""
    monkeypatch.setenv("DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("DATA_DIR", str(settings.data_dir))


@pytest.mark.usefixtures("commanding")
async def test_the_commands_file_is_whole_private_and_recorded(
    leads: LeadService, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    await leads.create(a_lead(), source=Source.FORM)
    file = tmp_path / "trail.jsonl"

    await export(output=file)

    exported = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert [line["kind"] for line in exported] == ["header", "entry", "lead", "entry", "footer"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert files_in(tmp_path) == [file.name]
    recorded = await owner.fetchval("SELECT parts->'data'->1 FROM audit_log ORDER BY id DESC LIMIT 1")
    assert json.loads(recorded)["sha256"] == [None, hashlib.sha256(file.read_bytes()).hexdigest()]
    assert json.loads(recorded)["rows"] == [None, 2]


@pytest.mark.usefixtures("commanding")
async def test_the_command_exports_a_filter(leads: LeadService, tmp_path: Path) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)
    await leads.delete(lead.id)
    await leads.restore(lead.id)
    file = tmp_path / "trail.jsonl"

    await export(output=file, where=["action=DELETE", "action=RESTORE", "channel=web"])

    header, *found, footer = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert header["filter"] == {"action": ["DELETE", "RESTORE"], "channel": ["web"]}
    assert ([line["action"] for line in found], footer["entries"]) == (["DELETE", "RESTORE"], 2)


@pytest.mark.usefixtures("commanding")
async def test_a_filter_that_is_none_and_a_place_that_is_none_are_named(database: Database, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no such filter"):
        await export(output=tmp_path / "trail.jsonl", where=["actoin=DELETE"])
    with pytest.raises(Misconfigured, match="No such file or directory"):
        await export(output=tmp_path / "nowhere" / "trail.jsonl")
    assert files_in(tmp_path) == []


@pytest.mark.usefixtures("commanding")
async def test_an_export_that_breaks_off_leaves_no_file(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object) -> AsyncIterator[bytes]:
        yield b"{}\n"
        raise Unavailable("gone")

    monkeypatch.setattr(exporting, "complete_export", breaks)
    with pytest.raises(Unavailable):
        await export(output=tmp_path / "trail.jsonl")

    assert files_in(tmp_path) == []


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def _record(entry: dict[str, Any]) -> EntryRecord:
    facts = {name: entry[name] for name in EntryRecord.__dataclass_fields__}
    ids = ("id", "subject_id", "actor_id", "task_id")
    return EntryRecord(
        **{
            **facts,
            **{name: UUID(facts[name]) for name in ids if facts[name]},
            "occurred_at": parse_timestamp(facts["occurred_at"]),
        }
    )
