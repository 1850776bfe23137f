"""An entry removed with every trace of it in the database, before it reached the log: only the console's log knows."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest

from leads_core.errors import Misconfigured
from tests.integration.audit.verification.tampering import Found, Scene


@pytest.fixture
async def receipts(scene: Scene, tmp_path: Path) -> Path:
    """The console's log, with the receipts of one honest change that no sequencer has taken yet."""
    await scene.change(scene.history.acme, city="Köln")
    rows = await scene.rows("SELECT id, checksum FROM audit_log JOIN audit_pending ON entry_id = id")
    entries = [{"id": str(row["id"]), "checksum": row["checksum"].hex()} for row in rows]
    path = tmp_path / "console.log"
    line = json.dumps({"event": "request", "status": 200, "entries": entries})
    path.write_text(f"uvicorn says hello\n{line}\n", encoding="utf-8")
    return path


async def test_what_the_receipts_name_is_there(scene: Scene, receipts: Path) -> None:
    assert await scene.found(receipts=receipts) == []


async def test_an_entry_is_removed_without_a_trace(scene: Scene, receipts: Path) -> None:
    """Its place in the queue too, and the lead is put back: without the receipts nothing tells."""
    entry = await _remove_without_a_trace(scene)

    assert await scene.found() == []
    assert await scene.found(receipts=receipts) == [Found("removed", entry)]


async def test_an_entry_is_removed_and_another_honest_one_takes_its_number(scene: Scene, receipts: Path) -> None:
    entry = await _remove_without_a_trace(scene)
    await scene.change(scene.history.acme, city="Berlin")
    await scene.verification.sequence()

    assert await scene.found(receipts=receipts) == [Found("removed", entry)]


async def test_an_entry_is_edited_and_the_receipt_names_it_too(scene: Scene, receipts: Path) -> None:
    """Found once, though two things tell of it."""
    acme = scene.history.acme
    (row,) = await scene.rows("SELECT entry_id FROM audit_pending")
    entry = str(row["entry_id"])

    await scene.edit_part(entry, "data", "city", "Bonn")
    await scene.recompute(entry)

    (found,) = await scene.found(receipts=receipts)
    assert (found.kind in {"edited", "forged"}, found.entry, found.subject) == (True, entry, acme)


async def test_a_log_without_receipts_is_no_proof(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "empty.log"
    path.write_text("nothing\n", encoding="utf-8")

    with pytest.raises(Misconfigured, match="--receipts"):
        await scene.found(receipts=path)


async def _remove_without_a_trace(scene: Scene) -> str:
    acme = scene.history.acme
    (row,) = await scene.rows("SELECT entry_id FROM audit_pending")
    last = await scene.entry(scene.history.entry(acme, 5))
    await scene.sql("DELETE FROM audit_pending")
    await scene.change_lead(acme, city="Bonn", version=5, updated_at=last["occurred_at"], updated_by=last["actor_id"])
    await scene.sql("DELETE FROM audit_log WHERE id = $1", UUID(str(row["entry_id"])))
    return str(row["entry_id"])
