"""Two verifiers that share no line agree: both find nothing in what is whole, and both name what was tampered with."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from pydantic import SecretStr

from leads_core.accounts.permissions import Role, Scope
from leads_core.accounts.service import Accounts
from leads_core.accounts.tokens import Tokens
from leads_core.audit.export_entries import RecordedExport
from leads_core.audit.exporting import complete_export
from leads_core.audit.log import keys
from leads_core.audit.log.keeping import keep_checkpoint
from leads_core.audit.log.reopening import reopen
from leads_core.audit.log.sequencer import Sequencer
from leads_core.audit.record.entry import EntryRecord, checksum, parse_timestamp, timestamp
from leads_core.audit.verification.sources import ExportSource
from leads_core.audit.verification.verifier import Trusted, verify
from leads_core.context import acting_as
from leads_core.database import Database
from leads_core.erasing import Erasing, Erasure
from leads_core.errors import Misconfigured
from leads_core.leads.merging import Merge
from leads_core.leads.schemas import LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import a_lead, an_actor

ROOT = Path(__file__).parents[3]
TOOL = ROOT / "tools" / "verify_export.py"
Line = dict[str, Any]


@dataclass
class Exported:
    """An export's lines, to be tampered with, and what its verification takes for true."""

    lines: list[Line]
    trusted: Trusted
    before_erasure: dict[str, Any]

    def of(self, kind: str, **facts: Any) -> list[Line]:
        return [
            line
            for line in self.lines
            if line["kind"] == kind and all(line.get(name) == value for name, value in facts.items())
        ]

    @property
    def changed_lead(self) -> str:
        """The lead whose life had four versions."""
        return next(str(line["subject_id"]) for line in self.of("entry", seq=4) if line["subject_kind"] == "lead")

    def entry(self, seq: int) -> Line:
        (found,) = self.of("entry", subject_id=self.changed_lead, seq=seq)
        return found

    def remove(self, *lines: Line) -> None:
        gone = {id(line) for line in lines}
        self.lines = [line for line in self.lines if id(line) not in gone]
        self.count()

    def count(self) -> None:
        """Let the footer say how many lines there are now."""
        names = {"entry": "entries", "lead": "leads", "leaf": "leaves", "checkpoint": "checkpoints"}
        self.lines[-1] |= {name: len(self.of(kind)) for kind, name in names.items()}


@pytest.fixture(scope="module")
async def written(
    pools: Database,
    owner: asyncpg.Connection,
    emptying: str,
    settings: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[bytes, bytes, Trusted]:
    """The export of an eventful trail, the one from before somebody was erased, and what is trusted."""
    await owner.execute(emptying)
    mine = settings.model_copy(update={"audit_checkpoint_file": tmp_path_factory.mktemp("log") / "checkpoints.jsonl"})
    sequencer, leads = Sequencer(pools, mine), LeadService(pools)
    with acting_as(an_actor()):
        lead = await leads.create(a_lead(notes="call me", tags=["a"]), source=Source.FORM)
        await leads.update(lead.id, LeadUpdate.model_validate({"stage": "qualified", "notes": "called", "tags": []}))
        await leads.delete(lead.id)
        await sequencer.run_once()
        await leads.restore(lead.id)
        binned = await leads.create(a_lead(email="bin@acme.com"), source=Source.API)
        await leads.delete(binned.id)
        await leads.quick_add("eve@acme.com")
        await leads.revert(lead.id, seq=1, fields=["stage"])
        twins = [await leads.create(a_lead(email=f"twin{n}@acme.com", city="Ulm"), source=Source.API) for n in range(4)]
        await leads.merge(twins[0].id, twins[1].id, Merge())
        await leads.merge(twins[2].id, twins[3].id, Merge(sides={"email": "theirs"}))
        await keep_checkpoint(pools, "mail to the auditor")
        async with RecordedExport(pools, "audit", as_format="jsonl", wanted=""):
            pass
        eva = await Accounts(pools).add("Eva", Role.ADMIN, email="eva@acme.com")
        boss = await Accounts(pools).add("Bea", Role.ADMIN, email="bea@acme.com")
        token = await Tokens(pools).create(eva.id, "script", [Scope.LEADS_WRITE])
        await sequencer.run_once()
    for who in (an_actor(actor_id=eva.id), an_actor(actor_kind="token", actor_id=token.id, actor_name="script")):
        with acting_as(who):
            theirs = await leads.create(a_lead(email=f"{uuid4().hex}@acme.com", phone="+49301234"), source=Source.API)
            await leads.update(theirs.id, LeadUpdate.model_validate({"contact_name": "Zoë"}))
    await sequencer.run_once()
    before = b"".join([piece async for piece in complete_export(pools, keys.log_name(mine))])
    with acting_as(an_actor(actor_id=boss.id)):
        await Erasing(pools).erase_lead(theirs.id, Erasure())
        await Erasing(pools).erase_user(eva.id)
        for twin in twins[:2]:
            await Erasing(pools).erase_lead(twin.id, Erasure(frozenset({"person", "text", "data"})))
        await sequencer.run_once()
        await leads.create(a_lead(email="last@acme.com"), source=Source.FORM)
    after = b"".join([piece async for piece in complete_export(pools, keys.log_name(mine))])
    return before, after, Trusted.of(mine)


@pytest.fixture
def exported(written: tuple[bytes, bytes, Trusted]) -> Exported:
    before, after, trusted = written
    lines = [json.loads(line) for line in after.splitlines()]
    parts = {line["id"]: line["parts"] for line in map(json.loads, before.splitlines()) if line["kind"] == "entry"}
    return Exported(lines, trusted, parts)


async def both(exported: Exported, folder: Path) -> tuple[list[Line], list[Line]]:
    """What the first and the second verifier find in these lines."""
    path = folder / "trail.jsonl"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in exported.lines), encoding="utf-8")
    trusted = exported.trusted
    report = await verify(ExportSource(path), trusted)
    given = [f"--public-key={key}" for key in trusted.verifier_keys]
    given += [f"--mac-key={key.hex()}" for key in trusted.mac_keys]
    given += [f"--checkpoints={trusted.checkpoint_file}"]
    command = [sys.executable, str(TOOL), str(path), *given]
    done = await asyncio.to_thread(lambda: subprocess.run(command, capture_output=True, text=True, check=False))
    second = [json.loads(line) for line in done.stdout.splitlines() if line]
    assert done.returncode == (1 if second else 0), done.stderr
    return report.as_json()["findings"], second


def named(findings: list[Line]) -> set[str]:
    return {str(found[what]) for found in findings for what in ("entry", "subject") if found[what]}


async def test_both_find_nothing_in_what_is_whole(exported: Exported, tmp_path: Path) -> None:
    assert await both(exported, tmp_path) == ([], [])
    assert len(exported.of("checkpoint")) >= 4
    assert any(isinstance(part, str) for line in exported.of("entry") for part in line["parts"].values())


async def test_of_a_filter_both_check_the_entries_that_are_there(exported: Exported, tmp_path: Path) -> None:
    exported.lines[0] |= {"complete": False, "filter": {"channel": ["web"]}}
    lone = [line for line in exported.of("entry") if line["seq"] != 2]
    exported.lines = [exported.lines[0], *lone, exported.lines[-1]]
    exported.count()
    assert await both(exported, tmp_path) == ([], [])

    place = _edited_actor(exported)
    first, second = await both(exported, tmp_path)
    assert (named(first), named(second)) == ({place, exported.changed_lead}, {place, exported.changed_lead})


async def test_an_export_that_was_cut_off_is_no_quiet_pass(exported: Exported, tmp_path: Path) -> None:
    del exported.lines[-1]
    with pytest.raises(Misconfigured, match="cut off"):
        await both(exported, tmp_path)

    done = await asyncio.to_thread(
        lambda: subprocess.run(
            [sys.executable, str(TOOL), str(tmp_path / "trail.jsonl")], capture_output=True, check=False
        )
    )
    assert done.returncode == 1
    assert b'"kind": "malformed"' in done.stdout


async def test_what_was_signed_after_an_export_was_made_is_no_rollback(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    mine = settings.model_copy(update={"audit_checkpoint_file": tmp_path / "checkpoints.jsonl"})
    sequencer, leads = Sequencer(database, mine), LeadService(database)
    with acting_as(an_actor()):
        await leads.create(a_lead(), source=Source.FORM)
        await sequencer.run_once()
        before = b"".join([piece async for piece in complete_export(database, keys.log_name(mine))])
        await leads.create(a_lead(email="later@acme.com"), source=Source.FORM)
        await sequencer.run_once()
    exported = Exported([json.loads(line) for line in before.splitlines()], Trusted.of(mine), {})

    assert await both(exported, tmp_path) == ([], [])
    report = await verify(ExportSource(tmp_path / "trail.jsonl"), exported.trusted)
    assert [said for said in report.not_checked if "1 of the checkpoints in the file were signed since" in said]

    exported.lines[0]["made_at"] = timestamp(datetime.now(UTC))
    first, second = await both(exported, tmp_path)
    assert [finding["kind"] for finding in (*first, *second)] == ["rollback", "rollback"]


async def test_a_log_that_was_reopened_after_a_restore_is_whole_to_both(
    database: Database, owner: asyncpg.Connection, settings: Settings, tmp_path: Path
) -> None:
    secret = SecretStr(settings.mac_keys[0].hex())
    mine = Settings(database_url=settings.database_url, data_dir=tmp_path / "data", audit_mac_keys=secret)
    sequencer, leads = Sequencer(database, mine), LeadService(database)
    with acting_as(an_actor()):
        await leads.create(a_lead(), source=Source.FORM)
        await sequencer.run_once()
        lost = await leads.create(a_lead(email="lost@acme.com"), source=Source.FORM)
        await sequencer.run_once()
        await owner.execute(f"""
            SET session_replication_role = replica;
            DELETE FROM leads WHERE id = '{lost.id}'; DELETE FROM audit_log WHERE subject_id = '{lost.id}';
            DELETE FROM audit_leaves WHERE leaf_index = 1; DELETE FROM audit_checkpoints WHERE size = 2;
            SET session_replication_role = DEFAULT""")
        await reopen(database, mine, "restored the dump of last night")
        await sequencer.run_once()
    whole = b"".join([piece async for piece in complete_export(database, keys.log_name(mine))])

    exported = Exported([json.loads(line) for line in whole.splitlines()], Trusted.of(mine), {})
    assert await both(exported, tmp_path) == ([], [])

    (reopening,) = [line for line in exported.of("entry") if line["action"] == "REOPEN"]
    exported.remove(reopening)
    first, second = await both(exported, tmp_path)
    assert {finding["kind"] for finding in first} == {"removed", "signature"}
    assert {finding["kind"] for finding in second} == {"removed", "fork"}
    assert reopening["id"] in named(first) & named(second)


Tampering = Callable[[Exported], str]


def _edited_value(given: Exported) -> str:
    entry = given.entry(2)
    entry["parts"]["data"][1]["stage"] = ["new", "won"]
    return str(entry["id"])


def _edited_origin(given: Exported) -> str:
    entry = given.entry(2)
    entry["parts"]["origin"][1]["ip_address"] = "203.0.113.8"
    return str(entry["id"])


def _edited_actor(given: Exported) -> str:
    entry = given.entry(3)
    entry["actor_id"] = str(uuid4())
    return str(entry["id"])


def _edited_time(given: Exported) -> str:
    entry = given.entry(3)
    entry["occurred_at"] = f"{entry['occurred_at'][:-4]}{(int(entry['occurred_at'][-4:-1]) + 1) % 1000:03}Z"
    return str(entry["id"])


def _edited_fraction(given: Exported) -> str:
    entry = given.entry(1)
    entry["parts"]["data"][1]["employee_count"] = [None, 1.5]
    return str(entry["id"])


def _forged(given: Exported) -> str:
    """Checksum and leaf made to fit, by somebody without the key."""
    entry = given.entry(4)
    entry["occurred_at"] = "2026-01-01T00:00:00.000000Z"
    facts = {name: entry[name] for name in EntryRecord.__dataclass_fields__}
    record = EntryRecord(**{**facts, "occurred_at": parse_timestamp(facts["occurred_at"])})
    (leaf,) = given.of("leaf", entry_id=entry["id"])
    entry["checksum"] = leaf["checksum"] = checksum(record).hex()
    return str(entry["id"])


def _removed(seq: int) -> Tampering:
    def remove(given: Exported) -> str:
        entry = given.entry(seq)
        given.remove(entry)
        return str(entry["id"])

    return remove


def _a_lead_and_its_trail_removed(given: Exported) -> str:
    lead = given.changed_lead
    entries = given.of("entry", subject_id=lead)
    given.remove(*entries, *given.of("lead", id=lead))
    return str(entries[0]["id"])


def _moved_to_another_lead(given: Exported) -> str:
    entry = given.entry(4)
    other = next(line for line in given.of("lead") if line["id"] > given.changed_lead)
    given.remove(entry)
    entry["subject_id"], entry["seq"] = other["id"], other["version"] + 1
    given.lines.insert(given.lines.index(other), entry)
    given.count()
    return str(entry["id"])


def _renumbered(given: Exported) -> str:
    entry = given.entry(4)
    entry["seq"] = 5
    return str(entry["id"])


def _inserted(given: Exported) -> str:
    entry = given.entry(4)
    invented = {**entry, "id": str(uuid4()), "seq": 5, "leaf_index": None}
    given.lines.insert(given.lines.index(entry) + 1, invented)
    given.count()
    return str(invented["id"])


def _part_taken_out(given: Exported) -> str:
    entry = given.entry(1)
    canonical = json.dumps(entry["parts"]["person"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    entry["parts"]["person"] = hashlib.sha256(b"lead-explorer/part/1\n" + canonical).hexdigest()
    return str(entry["id"])


def _brought_back(name: str) -> Tampering:
    def bring_back(given: Exported) -> str:
        entry = next(line for line in given.of("entry") if isinstance(line["parts"].get(name), str))
        entry["parts"][name] = given.before_erasure[entry["id"]][name]
        return str(entry["id"])

    return bring_back


def _lead_changed(given: Exported) -> str:
    (lead,) = given.of("lead", id=given.changed_lead)
    lead["company_name"] = "Acme & Sons"
    return str(lead["id"])


def _lead_removed(given: Exported) -> str:
    lead = given.changed_lead
    given.remove(*given.of("lead", id=lead))
    return lead


def _lead_invented(given: Exported) -> str:
    (lead,) = given.of("lead", id=given.changed_lead)
    invented = {**lead, "id": "ffffffff-ffff-7fff-bfff-ffffffffffff"}
    given.lines.insert(max(map(given.lines.index, given.of("lead"))) + 1, invented)
    given.count()
    return str(invented["id"])


def _checkpoint_forged(given: Exported) -> str:
    checkpoint = given.of("checkpoint")[1]
    checkpoint["note"] = checkpoint["note"].replace("\n— ", "\n— ").replace("=\n\n", "A\n\n", 1)[:-6] + "AAAA=\n"
    return f"checkpoint {checkpoint['number']}"


def _log_cut_back(given: Exported) -> str:
    """The newest leaves, their entries and their checkpoint gone from the export; the file outside still knows."""
    signed = given.of("checkpoint")
    size = signed[-2]["size"]
    gone = [line for line in given.lines if (line.get("leaf_index") or -1) >= size]
    given.remove(*gone, signed[-1])
    return ""


TAMPERINGS: dict[str, Tampering] = {
    "an edited value": _edited_value,
    "an edited address": _edited_origin,
    "an edited actor": _edited_actor,
    "an edited time": _edited_time,
    "a fraction": _edited_fraction,
    "a forged entry": _forged,
    "the first entry removed": _removed(1),
    "a middle entry removed": _removed(2),
    "the last entry removed": _removed(4),
    "a lead and its whole trail removed": _a_lead_and_its_trail_removed,
    "an entry moved to another lead": _moved_to_another_lead,
    "an entry renumbered": _renumbered,
    "an entry invented": _inserted,
    "a part taken out": _part_taken_out,
    "a person brought back": _brought_back("person"),
    "an origin brought back": _brought_back("origin"),
    "a lead changed": _lead_changed,
    "a lead removed": _lead_removed,
    "a lead invented": _lead_invented,
    "a checkpoint forged": _checkpoint_forged,
    "the log cut back": _log_cut_back,
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
async def test_both_name_what_was_tampered_with(exported: Exported, tmp_path: Path, tampering: str) -> None:
    place = TAMPERINGS[tampering](exported)

    first, second = await both(exported, tmp_path)

    assert first
    assert second
    if place:
        assert place in named(first), first
        assert place in named(second), second
