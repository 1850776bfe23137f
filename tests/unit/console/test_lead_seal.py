"""What the seal of a lead says, whatever became of its entries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from console.lead_seal import AGAIN, LATER, not_checked, seal_view
from leads_core.audit.lead_seal import LeadSeal
from leads_core.audit.log.state import KeptElsewhere, LastVerification, LogState, NewestCheckpoint
from leads_core.audit.verification.findings import Finding, FindingKind, LeadReport

NOW = datetime(2026, 11, 24, 14, 31, tzinfo=UTC)
LONG_AGO = NOW - timedelta(minutes=5)
ENTRY = UUID("0193f5a0-0000-7000-8000-000000000003")
EDITED = Finding(FindingKind.EDITED, entry=str(ENTRY), field="stage, owner_id", detail="It was seen.")
WAITS = LeadReport(entries=4, sealed=None, unsealed=2)


def a_seal(report: LeadReport | None = None, *, newest_leaf: int | None = 90, **given: Any) -> LeadSeal:
    state: dict[str, Any] = {
        "leaves": 100,
        "checkpoint": NewestCheckpoint(1_204, "leads.example.com/audit", 100, NOW),
        "unlogged": 0,
        "unlogged_since": None,
        "rejected": 0,
        "alarm": None,
        "alarmed_at": None,
        "looked_at": NOW,
        "kept": None,
        "verification": None,
        "database_is_elsewhere": False,
    }
    report = report or LeadReport(entries=4, sealed=1_204, unsealed=0)
    return LeadSeal(report, LogState(**{**state, **given}), newest_leaf, {ENTRY: 3})


def checks(seal: LeadSeal) -> dict[str, str]:
    return {check.name: check.result for check in seal_view(seal, NOW).checks}


@pytest.mark.parametrize(
    ("seal", "kind", "words", "place"),
    [
        (a_seal(), "good", "Sealed up to checkpoint 1,204", "on this machine only"),
        (a_seal(database_is_elsewhere=True), "good", "Sealed up to checkpoint 1,204", ""),
        (a_seal(kept=KeptElsewhere(100, "mail", NOW)), "good", "Sealed up to checkpoint 1,204", "kept elsewhere"),
        (a_seal(kept=KeptElsewhere(90, "mail", NOW)), "good", "Sealed up to checkpoint 1,204", "on this machine only"),
        (a_seal(WAITS), "waiting", "2 newest entries wait for the next checkpoint", ""),
        (a_seal(LeadReport(1, unsealed=1)), "waiting", "1 entry waits for the next checkpoint", ""),
        (a_seal(LeadReport(4, (EDITED,))), "broken", "Broken at entry 3: Stage, Owner", ""),
        (a_seal(LeadReport(4, (EDITED, EDITED))), "broken", "Broken at entry 3: Stage, Owner and 1 more", ""),
        (
            a_seal(LeadReport(4, (Finding(FindingKind.LEAD_CHANGED, subject=str(ENTRY), field="city"),))),
            "broken",
            "Broken at the lead: City",
            "",
        ),
        (
            a_seal(LeadReport(4, (Finding(FindingKind.SIGNATURE, subject="checkpoint 12"),))),
            "broken",
            "Broken at checkpoint 12",
            "",
        ),
    ],
)
def test_the_pill_says_how_far_it_is_sealed_or_where_it_is_broken(
    seal: LeadSeal, kind: str, words: str, place: str
) -> None:
    view = seal_view(seal, NOW)

    assert (view.kind, view.words, view.place) == (kind, words, place)


def test_what_is_broken_is_said_with_its_meaning() -> None:
    (broken,) = seal_view(a_seal(LeadReport(4, (EDITED,))), NOW).broken

    assert (broken.where, broken.detail) == ("Entry 3: Stage, Owner", "It was seen.")
    assert broken.meaning == "It does not say any more what was written."


def test_an_entry_that_is_gone_is_named_by_its_id() -> None:
    gone = UUID("0193f5a0-0000-7000-8000-0000000000dd")
    (broken,) = seal_view(a_seal(LeadReport(4, (Finding(FindingKind.REMOVED, entry=str(gone)),))), NOW).broken

    assert broken.where == f"Entry {gone}"


@pytest.mark.parametrize(
    ("seal", "again"),
    [
        (a_seal(), None),
        (a_seal(LeadReport(4, (EDITED,), unsealed=4)), None),
        (a_seal(WAITS), AGAIN),
        (a_seal(WAITS, looked_at=None, unlogged=2, unlogged_since=NOW), AGAIN),
        (a_seal(WAITS, looked_at=LONG_AGO, unlogged=2, unlogged_since=LONG_AGO), LATER),
        (a_seal(WAITS, alarm="The disk is full."), LATER),
    ],
)
def test_it_looks_again_only_while_entries_wait_and_seldom_where_nobody_signs(
    seal: LeadSeal, again: int | None
) -> None:
    assert seal_view(seal, NOW).again == again


def test_how_it_was_checked_is_said_step_by_step() -> None:
    verified = LastVerification(ENTRY, LONG_AGO, ok=False, findings=2)
    said = checks(a_seal(kept=KeptElsewhere(100, "mail to the auditor", NOW), verification=verified))

    assert said["Recomputed"] == "4 entries, just now: parts, checksum, MAC"
    assert said["Signed"] == "4 entries under checkpoint 1,204"
    assert said["Kept elsewhere"] == "mail to the auditor"
    assert said["Whole trail"] == "Verified, 2 findings"


def test_what_stands_in_the_way_is_said_too() -> None:
    said = checks(a_seal(WAITS, checkpoint=None, alarm="The disk is full.", alarmed_at=LONG_AGO))

    assert said["Signed"].startswith("Not yet")
    assert said["Signing has stopped"] == "The disk is full."
    assert said["Whole trail"] == "Not verified yet"


def test_a_seal_that_could_not_be_looked_at_says_why() -> None:
    view = not_checked("AUDIT_PUBLIC_KEYS: no key.")

    assert (view.kind, view.not_checked, view.again) == ("waiting", ["AUDIT_PUBLIC_KEYS: no key."], None)
