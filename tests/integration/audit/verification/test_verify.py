"""Verification of an honest trail finds nothing, by whatever door it was written and however it is read."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from leads_core.audit.exporting import complete_export
from leads_core.audit.verification.findings import Report
from leads_core.audit.verification.sources import DatabaseSource, ExportSource
from leads_core.audit.verification.verifier import verify, verify_lead
from leads_core.context import RequestContext, acting_as
from leads_core.errors import Misconfigured, NotFound
from leads_core.leads.schemas import LeadUpdate, Source
from leads_core.leads.service import LeadService
from tests.builders import a_lead, an_actor
from tests.integration.audit.verification.conftest import Verification
from tests.integration.audit.verification.tampering import Scene

OWNER = "DATABASE_URL is the owner's address"


async def exported(scene: Scene, path: Path) -> Path:
    with path.open("wb") as file:
        async for piece in complete_export(scene.verification.database, "a log"):
            file.write(piece)
    return path


def kinds(report: Report) -> list[str]:
    return [finding.kind.value for finding in report.findings]


async def test_an_honest_history_is_clean(scene: Scene, owner: asyncpg.Connection) -> None:
    report = await scene.verification.report()

    counted = await owner.fetchrow(
        "SELECT (SELECT count(*) FROM audit_log), (SELECT count(*) FROM leads), (SELECT count(*) FROM audit_leaves)"
    )
    assert (report.ok, report.findings, report.not_checked) == (True, (), ())
    assert (report.entries, report.leads, report.leaves) == tuple(counted)
    assert [warning for warning in report.warnings if not warning.startswith(OWNER)] == []


async def test_entries_that_wait_for_the_log_are_no_finding(
    leads: LeadService, verification: Verification, acting
) -> None:
    await leads.create(a_lead(), source=Source.FORM)
    await verification.sequence()
    await leads.create(a_lead(email="bo@acme.com"), source=Source.FORM)

    report = await verification.report()

    assert (report.findings, report.entries, report.leaves) == ((), 2, 1)


async def test_a_trail_that_nobody_signed_yet_is_clean_and_says_so(
    leads: LeadService, verification: Verification, acting
) -> None:
    await leads.create(a_lead(), source=Source.FORM)

    report = await verification.report()

    assert report.ok
    assert any("Nothing is signed yet" in warning for warning in report.warnings)


async def test_no_false_alarm_while_writers_and_the_sequencer_work(
    leads: LeadService, verification: Verification, ana: RequestContext
) -> None:
    running = True

    async def write(number: int) -> None:
        with acting_as(an_actor(request_id=f"req-{number}")):
            for turn in range(6):
                lead = await leads.create(a_lead(email=f"p{number}.{turn}@acme.com"), source=Source.API)
                await leads.update(lead.id, LeadUpdate(stage="contacted"))
                await leads.delete(lead.id)

    async def sign() -> None:
        while running:
            await verification.sequence()
            await asyncio.sleep(0)

    signing = asyncio.create_task(sign())
    writing = asyncio.gather(*(write(number) for number in range(6)))
    await verification.sequence()
    found = [await verification.report()]
    while not writing.done():
        found.append(await verification.report())
        await asyncio.sleep(0)
    await writing
    running = False
    await signing

    assert [report.findings for report in found] == [()] * len(found)
    assert (await verification.report()).entries == 6 * 6 * 3


async def test_without_mac_keys_everything_else_is_checked_and_that_is_said(scene: Scene) -> None:
    trusted = replace(scene.verification.trusted, mac_keys=())
    source = DatabaseSource(scene.verification.database.url)

    clean = await verify(source, trusted)
    await scene.edit_part(scene.history.entry(scene.history.acme, 2), "data", "stage", "lost")
    edited = await verify(source, trusted)

    assert (clean.ok, [said.split(":")[0] for said in clean.not_checked]) == (True, ["MACs"])
    assert kinds(edited) == ["edited"]


async def test_a_missing_checkpoint_file_is_never_a_quiet_pass(scene: Scene) -> None:
    scene.file.unlink()

    with pytest.raises(Misconfigured, match="AUDIT_CHECKPOINT_FILE"):
        await scene.verification.report()


async def test_missing_public_keys_are_never_a_quiet_pass(scene: Scene) -> None:
    trusted = replace(scene.verification.trusted, verifier_keys=())

    with pytest.raises(Misconfigured, match="AUDIT_PUBLIC_KEYS"):
        await verify(DatabaseSource(scene.verification.database.url), trusted)


async def test_a_log_without_any_checkpoint_is_never_a_quiet_pass(scene: Scene) -> None:
    scene.file.unlink()
    await scene.sql("DELETE FROM audit_checkpoints")

    with pytest.raises(Misconfigured, match="not one checkpoint"):
        await scene.verification.report()


async def test_a_checkpoint_kept_elsewhere_shows_a_rollback_that_this_machine_covers_up(
    scene: Scene, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text((await scene.notes())[-1])
    whole = await scene.verification.report(checkpoints=[kept])
    lines, sizes = scene.lines(), await scene.sizes()
    await scene.earlier.put_back(scene.owner, scene.file)

    here, elsewhere = await scene.verification.report(), await scene.verification.report(checkpoints=[kept])

    assert (whole.ok, here.ok) == (True, True)
    assert [(each.kind.value, each.subject) for each in elsewhere.findings] == [("rollback", "checkpoint in kept.txt")]
    assert len(lines) == len(sizes)


async def test_what_is_no_checkpoint_is_refused(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("Hello")

    with pytest.raises(Misconfigured, match=r"--checkpoint .*kept\.txt"):
        await scene.verification.report(checkpoints=[tmp_path / "kept.txt"])


async def test_receipts_show_an_entry_that_was_removed_before_the_log_had_it(
    scene: Scene, leads: LeadService, ana: RequestContext, tmp_path: Path
) -> None:
    log_file = tmp_path / "console.log"
    with acting_as(an_actor()) as _, acting_as(who := an_actor(request_id="req-gone")):
        lead = await leads.create(a_lead(email="gone@acme.com"), source=Source.FORM)
    receipts = [{"id": str(entry), "checksum": checksum} for entry, checksum in who.receipts]
    log_file.write_text("Started.\n" + json.dumps({"event": "request", "entries": receipts}) + "\n")
    there = await scene.verification.report(receipts=log_file)
    await scene.sql("DELETE FROM audit_pending WHERE entry_id = $1", who.receipts[0][0])
    await scene.sql("DELETE FROM audit_log WHERE id = $1", who.receipts[0][0])
    await scene.sql("DELETE FROM leads WHERE id = $1", lead.id)

    without, gone = await scene.verification.report(), await scene.verification.report(receipts=log_file)

    assert (there.ok, without.ok) == (True, True)
    assert [(each.kind.value, each.entry) for each in gone.findings] == [("removed", receipts[0]["id"])]


async def test_a_log_without_receipts_is_refused(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "other.log").write_text('{"event": "started"}\n')

    with pytest.raises(Misconfigured, match=r"--receipts .*other\.log"):
        await scene.verification.report(receipts=tmp_path / "other.log")


async def test_an_export_says_what_the_database_says(scene: Scene, tmp_path: Path) -> None:
    source = ExportSource(await exported(scene, tmp_path / "trail.jsonl"))

    there, here = await verify(source, scene.verification.trusted), await scene.verification.report()

    assert there.findings == here.findings == ()
    assert (there.entries, there.leads, there.leaves) == (here.entries, here.leads, here.leaves)


@pytest.mark.parametrize("edit", ["a value", "a removed entry", "a changed lead", "a removed leaf"])
async def test_an_export_of_a_broken_trail_has_the_same_findings(scene: Scene, tmp_path: Path, edit: str) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, 2)
    if edit == "a value":
        await scene.edit_part(entry, "data", "stage", "lost")
    elif edit == "a removed entry":
        await scene.remove(entry)
    elif edit == "a changed lead":
        await scene.change_lead(acme, stage="lost")
    else:
        await scene.remove_leaves(entry)
    source = ExportSource(await exported(scene, tmp_path / "trail.jsonl"))

    there, here = await verify(source, scene.verification.trusted), await scene.verification.report()

    named = [(each.kind, each.entry, each.subject, each.field) for each in here.findings]
    assert [(each.kind, each.entry, each.subject, each.field) for each in there.findings] == named
    assert len(named) == 1


async def test_an_export_that_was_cut_off_or_thinned_out_is_refused(scene: Scene, tmp_path: Path) -> None:
    path = await exported(scene, tmp_path / "trail.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    (tmp_path / "cut.jsonl").write_bytes(b"".join(lines[:-1]))
    (tmp_path / "thin.jsonl").write_bytes(b"".join(lines[:-3] + lines[-1:]))
    (tmp_path / "other.jsonl").write_text('{"a": 1}\n')

    for name in ("cut", "thin", "other", "missing"):
        with pytest.raises(Misconfigured, match=name):
            await verify(ExportSource(tmp_path / f"{name}.jsonl"), scene.verification.trusted)


async def test_a_standby_or_an_empty_database_is_not_verified(server_url: str, verification: Verification) -> None:
    with pytest.raises(Misconfigured, match="leads migrate"):
        await verify(DatabaseSource(server_url), verification.trusted)


async def test_one_lead_is_sealed_by_the_newest_checkpoint(scene: Scene, owner: asyncpg.Connection) -> None:
    report = await verify_lead(owner, scene.verification.trusted, UUID(scene.history.acme))

    newest = await owner.fetchval("SELECT max(number) FROM audit_checkpoints")
    assert (report.ok, report.entries, report.sealed, report.unsealed) == (True, 5, newest, 0)


async def test_one_lead_says_how_many_entries_no_checkpoint_covers(
    scene: Scene, owner: asyncpg.Connection, leads: LeadService, acting: RequestContext
) -> None:
    await leads.update(UUID(scene.history.acme), LeadUpdate(notes="called again"))

    report = await verify_lead(owner, scene.verification.trusted, UUID(scene.history.acme))

    assert (report.ok, report.entries, report.sealed, report.unsealed) == (True, 6, None, 1)


@pytest.mark.parametrize("who", ["acme", "bo", "chen", "dora", "eva"])
async def test_every_lead_of_the_history_is_whole_by_itself(scene: Scene, owner: asyncpg.Connection, who: str) -> None:
    report = await verify_lead(owner, scene.verification.trusted, UUID(getattr(scene.history, who)))

    assert report.findings == ()


async def test_one_lead_names_what_a_whole_verification_names(scene: Scene, owner: asyncpg.Connection) -> None:
    acme = scene.history.acme
    await scene.edit_part(scene.history.entry(acme, 2), "data", "stage", "lost")
    await scene.remove(scene.history.entry(acme, 4))

    whole, alone = await scene.verification.report(), await verify_lead(
        owner, scene.verification.trusted, UUID(acme)
    )  # fmt: skip

    assert alone.findings == whole.findings
    assert sorted(kinds(whole)) == ["edited", "removed"]


async def test_a_lead_that_never_was_is_not_found(scene: Scene, owner: asyncpg.Connection) -> None:
    with pytest.raises(NotFound):
        await verify_lead(owner, scene.verification.trusted, UUID(int=7))


async def test_nothing_that_shadows_a_table_is_read_in_its_place(scene: Scene, owner: asyncpg.Connection) -> None:
    """Somebody puts an empty table of the same name before ours, for the role that verifies."""
    await scene.edit_part(scene.history.entry(scene.history.acme, 2), "data", "stage", "lost")
    name = await owner.fetchval("SELECT current_user")
    await owner.execute("CREATE SCHEMA shadow; CREATE TABLE shadow.audit_log (LIKE public.audit_log)")
    await owner.execute(f'GRANT USAGE ON SCHEMA shadow TO PUBLIC; ALTER ROLE "{name}" SET search_path = shadow, public')
    try:
        report = await scene.verification.report()
    finally:
        await owner.execute(f'ALTER ROLE "{name}" RESET search_path; DROP SCHEMA shadow CASCADE')

    assert kinds(report) == ["edited"]


async def test_row_security_that_hides_rows_stops_the_verification(scene: Scene, owner: asyncpg.Connection) -> None:
    await owner.execute(
        "ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY; CREATE POLICY hidden ON audit_log USING (false)"
    )
    try:
        with pytest.raises((Misconfigured, asyncpg.PostgresError)):
            await scene.verification.report()
    finally:
        await owner.execute("DROP POLICY hidden ON audit_log; ALTER TABLE audit_log DISABLE ROW LEVEL SECURITY")


async def test_a_connection_of_ones_own_is_closed_again(verification: Verification, owner: asyncpg.Connection) -> None:
    await verification.report()

    count = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leads-verify' AND datname = current_database()"
    )
    assert await owner.fetchval(count) == 0
