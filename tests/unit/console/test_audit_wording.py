"""Every kind of entry as one row of the whole trail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from console.audit_wording import Names, Row, row_of
from leads_core.audit.models import Action
from leads_core.audit.queries import EntryRead
from leads_core.leads.names import LeadName

ENTRY = UUID("01a20f7d-b10d-7697-bae4-96f31c224f3e")
LEAD, BINNED, GONE, ERASED = (UUID(f"0193f5a0-0000-7000-8000-00000000000{n}") for n in range(4))
ROSA, TOKEN, EXPORT = (UUID(f"0193f5a0-0000-7000-8000-0000000000a{n}") for n in range(3))
NAMES = Names(
    leads={
        LEAD: LeadName("Bitwarden", in_bin=False, is_erased=False),
        BINNED: LeadName("Sonos (old)", in_bin=True, is_erased=False),
        ERASED: LeadName(None, in_bin=False, is_erased=True),
    },
    users={ROSA: "Rosa Engel"},
    tokens={TOKEN: "crm-sync"},
)


def a_row(**given: Any) -> Row:
    facts: dict[str, Any] = {
        "id": ENTRY,
        "subject_kind": "lead",
        "subject_id": LEAD,
        "seq": 3,
        "action": "UPDATE",
        "user_id": ROSA,
        "actor_kind": "user",
        "actor_id": ROSA,
        "actor_name": "Rosa Engel",
        "channel": "web",
        "ip_address": "203.0.113.24",
        "user_agent": "Firefox",
        "request_id": "r",
        "task_id": None,
        "occurred_at": datetime(2026, 11, 24, 14, 31, tzinfo=UTC),
        "old_values": {},
        "new_values": {},
        "erased": [],
        "checksum": "c" * 64,
        "log_index": 8_412_990,
    }
    return row_of(EntryRead(**{**facts, **given}), NAMES, refused=False)


def said(row: Row) -> tuple[str, str, str, str]:
    """Who, did, what about, and what changed, as it reads."""
    parts = [
        " ".join(filter(None, [one.label, one.old, "erased" if one.erased else one.new])) for one in row.differences
    ]
    return row.who, row.did, row.subject.name, " ".join(filter(None, [row.before, ", ".join(parts), row.after]))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"old_values": {"stage": "new"}, "new_values": {"stage": "won"}},
            ("Rosa Engel", "changed", "Bitwarden", "Stage New Won"),
        ),
        (
            {"action": "CREATE", "new_values": {"email": "a@b.com", "source": "quick_add", "stage": "new"}},
            ("Rosa Engel", "added", "Bitwarden", "a@b.com by Quick-Add"),
        ),
        (
            {"action": "CREATE", "channel": "import", "new_values": {"domain": "b.com", "source": "import"}},
            ("Rosa Engel", "imported", "Bitwarden", "b.com by an import"),
        ),
        (
            {"action": "CREATE", "erased": ["email"], "new_values": {"source": "form"}},
            ("Rosa Engel", "added", "Bitwarden", "erased with the form"),
        ),
        (
            {"action": "DELETE", "subject_id": BINNED},
            ("Rosa Engel", "moved to the bin", "Sonos (old)", "All fields kept"),
        ),
        ({"action": "RESTORE"}, ("Rosa Engel", "restored", "Bitwarden", "From the bin")),
        (
            {"action": "REVERT", "old_values": {"city": "Bonn"}, "new_values": {"city": "Porto"}},
            ("Rosa Engel", "put back", "Bitwarden", "City Bonn Porto"),
        ),
        (
            {"action": "DISMISS", "seq": None, "old_values": {"phone": "1"}, "new_values": {"phone": None}},
            ("Rosa Engel", "dismissed", "Bitwarden", "A suggestion for phone"),
        ),
        (
            {"action": "ERASE", "subject_id": ERASED},
            ("Rosa Engel", "erased", "An erased lead", "Values removed on request; the trail is whole"),
        ),
        (
            {
                "action": "ENRICH",
                "channel": "worker",
                "new_values": {"enrichment_status": "failed", "enrichment_error": "Website did not answer in 10 s"},
            },
            ("Enrichment", "failed on", "Bitwarden", "Website did not answer in 10 s"),
        ),
        (
            {
                "action": "ENRICH",
                "channel": "worker",
                "new_values": {"enrichment_status": "completed", "phone": "1", "country": "DK", "city": "Bonn"},
            },
            ("Enrichment", "enriched", "Bitwarden", "3 fields: phone, city, country"),
        ),
        (
            {"action": "ENRICH", "channel": "worker", "new_values": {"enrichment_status": "completed"}},
            ("Enrichment", "enriched", "Bitwarden", "Found nothing new"),
        ),
        (
            {"action": "ENRICH", "new_values": {"enrichment_status": "in_progress"}},
            ("Rosa Engel", "began to enrich", "Bitwarden", "Asked the providers"),
        ),
        (
            {"action": "SIGN_IN", "subject_kind": "user", "subject_id": ROSA, "new_values": {"method": "link"}},
            ("Rosa Engel", "signed in", "Rosa Engel", "By a sign-in link"),
        ),
        (
            {
                "action": "SIGN_IN_FAILED",
                "subject_kind": "user",
                "subject_id": None,
                "actor_kind": "anonymous",
                "actor_name": None,
                "new_values": {"method": "password", "email": "rosa@example.com"},
            },
            ("Not signed in", "failed to sign in", "Nobody known", "With a password, as rosa@example.com"),
        ),
        (
            {"action": "SIGN_OUT", "subject_kind": "user", "subject_id": ROSA},
            ("Rosa Engel", "signed out", "Rosa Engel", ""),
        ),
        (
            {
                "subject_kind": "user",
                "subject_id": ROSA,
                "old_values": {"role": "viewer"},
                "new_values": {"role": "editor"},
            },
            ("Rosa Engel", "changed the role of", "Rosa Engel", "Role viewer editor"),
        ),
        (
            {"action": "CREATE", "subject_kind": "user", "subject_id": ROSA, "new_values": {"role": "admin"}},
            ("Rosa Engel", "added", "Rosa Engel", "As administrator"),
        ),
        (
            {
                "action": "CREATE",
                "subject_kind": "token",
                "subject_id": TOKEN,
                "new_values": {"scopes": ["leads:read"]},
            },
            ("Rosa Engel", "added", "crm-sync", "May leads:read"),
        ),
        (
            {"subject_kind": "token", "subject_id": TOKEN, "new_values": {"revoked_at": "2026-11-24T14:31:00.000000Z"}},
            ("Rosa Engel", "revoked", "crm-sync", "Revoked at 24 Nov 2026, 14:31:00 UTC"),
        ),
        (
            {
                "action": "EXPORT",
                "subject_kind": "export",
                "subject_id": EXPORT,
                "new_values": {"what": "leads", "format": "csv", "filter": "stage=won"},
            },
            ("Rosa Engel", "began to export", "Leads", "As CSV: stage=won"),
        ),
        (
            {
                "action": "EXPORT",
                "subject_kind": "export",
                "subject_id": EXPORT,
                "new_values": {"rows": 1204, "sha256": "ab" * 32, "complete": False},
            },
            ("Rosa Engel", "exported", "Export", "1,204 rows, broken off · SHA-256 abababababab…"),
        ),
        (
            {
                "action": "CHECKPOINT_KEPT",
                "subject_kind": "log",
                "subject_id": None,
                "new_values": {"size": 8412990, "place": "mail to the auditor", "root": "00"},
            },
            ("Rosa Engel", "kept a checkpoint", "The log", "mail to the auditor · 8,412,990 entries"),
        ),
        (
            {
                "action": "REOPEN",
                "subject_kind": "log",
                "subject_id": None,
                "new_values": {"reason": "backup of Monday"},
            },
            ("Rosa Engel", "reopened", "The log", "backup of Monday"),
        ),
        ({"subject_id": GONE}, ("Rosa Engel", "changed", "A lead that is gone", "No field")),
        ({"actor_name": None}, ("Somebody whose name was erased", "changed", "Bitwarden", "No field")),
    ],
)
def test_an_entry_reads_as_a_sentence(given: dict[str, Any], expected: tuple[str, str, str, str]) -> None:
    assert said(a_row(**given)) == expected


def test_every_action_there_is_has_words() -> None:
    for action in Action:
        row = a_row(action=action.value, subject_kind="log", subject_id=None)
        assert row.did == row.did.lower()
        assert "_" not in row.did


def test_a_row_leads_to_the_leads_trail_at_this_entry() -> None:
    assert a_row(seq=7).subject.url == f"/leads/{LEAD}?at=7"
    assert a_row(subject_id=BINNED).subject.note == "in the bin"
    assert a_row(subject_id=GONE).subject.url is None


def test_an_enrichment_says_for_whom_where_others_say_from_where() -> None:
    assert a_row().whence == "203.0.113.24"
    assert a_row(action="ENRICH", channel="worker").whence == "for Rosa Engel"
    assert a_row(ip_address=None).whence == ""


def test_a_long_value_is_cut_to_one_line() -> None:
    row = a_row(old_values={"notes": None}, new_values={"notes": "Met in Lisbon.\n" * 40})

    assert row.differences[0].new is not None
    assert len(row.differences[0].new) <= 80
    assert "\n" not in row.differences[0].new
