"""The pass over entries keeps nothing of what is right, and little of what is wrong."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import orjson
import pytest

from leads_core.audit.record import entry as record
from leads_core.audit.verification.anomalies import KEPT
from leads_core.audit.verification.entry_check import Macs, recomputed
from leads_core.audit.verification.erasures import ErasedActors
from leads_core.audit.verification.evidence import LEAD_COLUMNS, EntryRow
from leads_core.audit.verification.findings import LISTED, Findings
from leads_core.audit.verification.replay import LEAD_FACTS
from leads_core.audit.verification.subject_check import SubjectCheck

KEY = b"k" * 32
AT = "2026-11-25T10:00:00.000000Z"
ORIGIN = [record.new_salt(), {"actor_name": "Ana", "ip_address": "203.0.113.7", "user_agent": "Mozilla/5.0"}]
ACTOR = "0193f5a0-0000-7000-8000-0000000000bb"
BATCH = 100


def a_trail(leads: int, *, edited: bool = False) -> Iterator[tuple[list[EntryRow], list[tuple[str, str]]]]:
    """Batches of entries, one for each lead, and the leads they lead to."""
    for start in range(0, leads, BATCH):
        rows, stand = [], []
        for number in range(start, start + BATCH):
            lead_id = f"0193f5a0-0000-7000-8000-{number:012x}"
            row = _entry(f"0193f5a0-0000-7000-9000-{number:012x}", lead_id, f"p{number}@acme.com")
            rows.append(row._replace(parts=row.parts.replace("acme", "evil")) if edited else row)
            stand.append((lead_id, _lead(f"p{number}@acme.com")))
        yield rows, stand


def peak(leads: int, *, edited: bool = False) -> tuple[int, SubjectCheck, Findings]:
    """The most memory in use beyond the batch itself."""
    findings = Findings()
    check = SubjectCheck(Macs([KEY]), ErasedActors(), None, findings)
    tracemalloc.start()
    for rows, stand in a_trail(leads, edited=edited):
        check.leads.extend(stand)
        check.feed(rows)
    check.finish()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most, check, findings


def test_twenty_times_the_entries_take_no_more_memory() -> None:
    peak(BATCH)  # what is looked up once stays
    few, _, _ = peak(3 * BATCH)
    many, check, findings = peak(60 * BATCH)

    assert (check.seen.entries, check.seen.leads, len(findings)) == (60 * BATCH, 60 * BATCH, 0)
    assert many < few * 3


@pytest.mark.parametrize("leads", [KEPT // BATCH * BATCH + 5 * BATCH])
def test_a_trail_that_is_all_broken_is_kept_in_part_and_counted_whole(leads: int) -> None:
    _, check, findings = peak(leads, edited=True)

    assert (check.seen.kept, len(check.seen.broken)) == (KEPT, KEPT)
    assert check.seen.unkept == leads - KEPT
    assert len(findings.listed) <= LISTED


def _entry(entry_id: str, lead_id: str, email: str) -> EntryRow:
    parts = {
        "origin": ORIGIN,
        "person": ["s" * 22, {"email": [None, email]}],
        "data": ["t" * 22, {"stage": [None, "new"], "is_manual": [None, False], "source": [None, "api"]}],
    }
    row = EntryRow(
        entry_id, "lead", lead_id, 1, "CREATE", "user", ACTOR, "api", "req-1", None, AT, 1,
        orjson.dumps(parts).decode(), b"", b"", 0, b"", None,
    )  # fmt: skip
    checksum = recomputed(row, parts)
    return row._replace(checksum=checksum, mac=record.mac(KEY, checksum), leaf_checksum=checksum)


def _lead(email: str) -> str:
    columns = {name: None for name in LEAD_COLUMNS if name not in LEAD_FACTS}
    columns |= {"email": email, "stage": "new", "is_manual": False, "source": "api", "tags": [], "provenance": {}}
    facts = {**dict.fromkeys(LEAD_FACTS), "version": 1, "created_at": AT, "created_by": ACTOR}
    return orjson.dumps({**columns, **facts, "updated_at": AT, "updated_by": ACTOR}).decode()
