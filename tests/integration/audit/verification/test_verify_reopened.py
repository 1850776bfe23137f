"""After an honest restore and `leads audit reopen`, a verification says what was given up instead of crying wolf."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from leads_core.audit.log.reopening import reopen
from leads_core.context import RequestContext
from leads_core.leads.schemas import Source
from leads_core.leads.service import LeadService
from tests.builders import a_lead
from tests.integration.audit.verification.conftest import Verification
from tests.integration.audit.verification.tampering import Scene


@pytest.fixture
def restored(scene: Scene, tmp_path: Path) -> Scene:
    """Keys of the test's own, because reopening gives the log another name."""
    own = scene.verification.settings
    shutil.copytree(own.keys_folder, tmp_path / "data" / "keys")
    scene.verification = Verification(
        scene.verification.database, own.model_copy(update={"data_dir": tmp_path / "data"})
    )  # fmt: skip
    return scene


async def test_what_was_given_up_is_a_warning(restored: Scene, leads: LeadService, acting: RequestContext) -> None:
    verification = restored.verification
    sizes = await restored.sizes()
    await restored.earlier.put_back(restored.owner)
    before = await restored.found()

    await reopen(verification.database, verification.settings, "restored last night's dump")
    await verification.sequence()
    await leads.create(a_lead(email="later@acme.com"), source=Source.FORM)
    await verification.sequence()
    report = await verification.report()

    assert [found.kind for found in before] == ["rollback"]
    assert report.findings == ()
    [said] = [warning for warning in report.warnings if "abandoned" in warning]
    assert "restored last night's dump" in said
    assert str(sizes[-1]) in said


async def test_without_the_entry_that_says_so_it_is_a_rollback(restored: Scene, acting: RequestContext) -> None:
    """Somebody who takes the REOPEN entry out again gets the alarm back."""
    verification = restored.verification
    await restored.earlier.put_back(restored.owner)
    await reopen(verification.database, verification.settings, "restored last night's dump")
    await verification.sequence()
    [entry] = await restored.rows("SELECT id FROM audit_log WHERE action = 'REOPEN'")

    await restored.remove(str(entry["id"]))

    assert {found.kind for found in await restored.found()} >= {"removed"}


async def test_a_rollback_after_the_reopening_is_found(restored: Scene, acting: RequestContext) -> None:
    verification = restored.verification
    await restored.earlier.put_back(restored.owner)
    await reopen(verification.database, verification.settings, "restored last night's dump")
    await verification.sequence()

    await restored.earlier.put_back(restored.owner)

    assert "rollback" in {found.kind for found in await restored.found()}


async def test_checkpoints_that_were_given_up_may_stay_in_the_table(restored: Scene, acting: RequestContext) -> None:
    """The log was cut off behind the app's back, and somebody settled for going on with what is left."""
    verification = restored.verification
    middle = (await restored.sizes())[2]
    entries = await restored.rows("SELECT entry_id FROM audit_leaves WHERE leaf_index >= $1", middle)
    await restored.cut_log(middle)
    await restored.sql("INSERT INTO audit_pending SELECT unnest($1::uuid[])", [row["entry_id"] for row in entries])
    await reopen(verification.database, verification.settings, "the end of the log was lost")
    await verification.sequence()

    report = await verification.report()

    assert report.findings == ()
    assert any("abandoned" in warning for warning in report.warnings)
