"""What the seal says of the log, whatever happened to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from console.audit_seal import (
    agree,
    checks_of,
    findings_of,
    is_here_only,
    seal_of,
    subjects_of,
    troubles_of,
    waiting_in_words,
)
from leads_core.audit.log.state import KeptElsewhere, LogState, NewestCheckpoint
from leads_core.audit.verified import VerificationRead

NOW = datetime(2026, 11, 24, 14, 31, tzinfo=UTC)
LEAD, OTHER = (UUID(f"0193f5a0-0000-7000-8000-00000000000{n}") for n in (1, 2))
COUNTS = {"entries": 8_412_990, "leads": 5_102_334, "leaves": 8_412_990, "checkpoints": 1_204}


def a_state(**given: Any) -> LogState:
    facts: dict[str, Any] = {
        "leaves": 8_412_990,
        "checkpoint": NewestCheckpoint(1_204, "leads.example.com/audit", 8_412_990, NOW),
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
    return LogState(**{**facts, **given})


def verified(*findings: dict[str, Any], up_to: int | None = 1_204) -> VerificationRead:
    report = {**COUNTS, "ok": not findings, "findings": list(findings), "warnings": [], "not_checked": []}
    return VerificationRead(LEAD, NOW, NOW, not findings, report, up_to)


def could_not(why: str) -> VerificationRead:
    return VerificationRead(LEAD, NOW, NOW, False, {"ok": False, "error": why, "findings": []}, None)


@pytest.mark.parametrize(
    ("state", "verification", "kind", "words"),
    [
        (a_state(), verified(), "good", "Verified up to checkpoint 1,204"),
        (a_state(), verified(up_to=1_200), "good", "Verified up to checkpoint 1,200"),
        (a_state(), None, "waiting", "Signed up to checkpoint 1,204, not verified yet"),
        (a_state(checkpoint=None), None, "waiting", "Not signed yet"),
        (a_state(), verified({"kind": "edited"}), "broken", "Broken: 1 finding"),
        (a_state(alarm="The disk is full."), verified(), "broken", "Signing has stopped"),
        (a_state(), could_not("The key is gone."), "broken", "Could not be verified"),
    ],
)
def test_the_seal_never_says_more_than_is_proven(
    state: LogState, verification: VerificationRead | None, kind: str, words: str
) -> None:
    seal = seal_of(state, verification)

    assert (seal.kind, seal.words) == (kind, words)


def test_what_no_checkpoint_covers_is_counted() -> None:
    assert waiting_in_words(a_state()) == "Nothing newer waits."
    assert waiting_in_words(a_state(unlogged=1)) == "1 newer entry waits for the next checkpoint."
    assert waiting_in_words(a_state(leaves=8_412_992, unlogged=1)) == "3 newer entries wait for the next checkpoint."
    assert waiting_in_words(a_state(checkpoint=None, leaves=0, unlogged=2)) == (
        "2 newer entries wait for the next checkpoint."
    )


def test_an_alarm_says_what_and_what_to_do() -> None:
    assert [trouble.sentence for trouble in troubles_of(a_state(alarm="The disk is full."), None, NOW)] == [
        "The disk is full."
    ]


def test_a_verification_that_could_not_be_made_says_why_and_claims_no_check() -> None:
    troubles = troubles_of(a_state(), could_not("The key is gone."), NOW)

    assert [(one.title, one.sentence) for one in troubles] == [("The trail could not be verified", "The key is gone.")]
    assert checks_of(could_not("The key is gone.")) == []


def test_a_refused_entry_is_said() -> None:
    assert [trouble.title for trouble in troubles_of(a_state(rejected=2), None, NOW)] == ["The log refused 2 entries"]


def test_entries_that_wait_without_a_worker_are_said_after_a_minute() -> None:
    long_ago = NOW - timedelta(minutes=5)

    assert troubles_of(a_state(unlogged=1, unlogged_since=NOW, looked_at=long_ago), None, NOW) == []
    assert troubles_of(a_state(unlogged=1, unlogged_since=long_ago, looked_at=NOW), None, NOW) == []
    left = troubles_of(a_state(unlogged=1, unlogged_since=long_ago, looked_at=long_ago), None, NOW)
    assert [trouble.title for trouble in left] == ["Nobody signs"]
    never = troubles_of(a_state(unlogged=1, unlogged_since=long_ago, looked_at=None), None, NOW)
    assert [trouble.title for trouble in never] == ["Nobody signs"]


def test_it_is_sealed_here_only_until_somebody_keeps_a_checkpoint_elsewhere() -> None:
    assert is_here_only(a_state())
    assert not is_here_only(a_state(kept=KeptElsewhere(8_412_990, "mail to the auditor", NOW)))
    assert not is_here_only(a_state(database_is_elsewhere=True))


def test_database_and_file_agree_only_as_far_as_somebody_looked() -> None:
    assert agree(a_state(), NOW)
    assert not agree(a_state(alarm="Rolled back."), NOW)
    assert not agree(a_state(looked_at=NOW - timedelta(hours=1)), NOW)
    assert not agree(a_state(looked_at=None), NOW)


def test_findings_name_what_was_found_and_where() -> None:
    found = verified(
        {"kind": "lead_changed", "entry": None, "subject": str(LEAD), "field": "stage,city", "detail": "It differs."},
        {"kind": "guard", "entry": None, "subject": "trigger audit_log_only_grows", "field": None, "detail": ""},
        {"kind": "removed", "entry": "01a2", "subject": str(OTHER), "field": None, "detail": ""},
    )

    lines = findings_of(found, frozenset({LEAD}))

    assert [line.title for line in lines] == [
        "Lead changed: Stage, City",
        "Guard: trigger audit_log_only_grows",
        "Removed: 0193f5a0-0000-7000-8000-000000000002",
    ]
    assert [line.lead for line in lines] == [str(LEAD), "", ""]
    assert lines[0].detail == "It differs."
    assert lines[1].detail == "The database does not refuse any more what it should."
    assert set(subjects_of(found)) == {LEAD, UUID("0193f5a0-0000-7000-8000-000000000002")}


def test_how_it_was_checked_gives_the_figures() -> None:
    checks = dict(checks_of(verified()))

    assert checks["Entries"] == "8,412,990 recomputed: parts, checksum, MAC"
    assert checks["Checkpoints"] == "1,204 roots and signatures held against the log"
