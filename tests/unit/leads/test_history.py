"""A lead's past, entry by entry."""

from __future__ import annotations

from typing import Any

import pytest

from leads_core.audit.queries import PastEntry
from leads_core.audit.record import entry as record
from leads_core.errors import Invalid
from leads_core.leads.history import REVERTIBLE, differing, state_at

ORIGIN = {"actor_name": "Ana", "ip_address": "203.0.113.7", "user_agent": "tests"}
ERASED = "0" * 64


def past(*states: dict[str, Any]) -> list[PastEntry]:
    """An entry for each step from one state to the next."""
    before: dict[str, Any] = {}
    entries = []
    for seq, after in enumerate(states, 1):
        parts = record.parts_of_change(before, after, ORIGIN)
        entries.append(PastEntry(seq, "CREATE" if seq == 1 else "UPDATE", parts))
        before = after
    return entries


def erased(entry: PastEntry, part: str) -> PastEntry:
    return PastEntry(entry.seq, entry.action, {**entry.parts, part: ERASED})


def test_a_lead_stands_as_its_last_entry_left_it() -> None:
    first = {"email": "ana@acme.com", "city": "Bonn"}
    found = {"city": {"source": "website", "confidence": 80}}

    entries = past(first, {**first, "city": "Oslo", "provenance": found}, {**first, "city": None})

    assert [state_at(entries[:n]).value("city") for n in (1, 2, 3)] == ["Bonn", "Oslo", None]
    assert state_at(entries[:2]).provenance("city") == found["city"]
    assert state_at(entries).provenance("city") is None


def test_no_tags_and_an_empty_list_of_them_are_the_same() -> None:
    standing = state_at(past({"domain": "acme.com"}))

    assert "tags" not in differing(standing, {"domain": "acme.com", "tags": []})


def test_what_the_machine_keeps_for_itself_is_not_put_back() -> None:
    standing = state_at(past({"domain": "acme.com", "enrichment_status": "pending", "source": "form"}))

    assert differing(standing, {"domain": "acme.com", "enrichment_status": "failed", "source": "api"}) == []
    assert not {"source", "source_detail", "enriched_at", "registrable_domain"} & set(REVERTIBLE)


def test_an_erased_part_leaves_its_own_fields_unknown_and_no_others() -> None:
    created, changed = past(
        {"domain": "acme.com", "notes": "Hm"}, {"domain": "acme.com", "notes": "Ah", "city": "Bonn"}
    )

    standing = state_at([erased(created, "text"), erased(changed, "text")])

    assert standing.unknown == {"notes", "description"}
    assert (standing.value("notes"), standing.value("city")) == (None, "Bonn")
    assert "notes" not in differing(standing, {"domain": "acme.com", "notes": "now", "city": "Bonn"})


def test_from_the_erasure_on_what_it_erased_is_known_again() -> None:
    (created,) = past({"domain": "acme.com", "notes": "Hm", "description": "A person"})
    part = [record.new_salt(), {"notes": [None, None]}]
    erasure = PastEntry(2, "ERASE", {"origin": record.origin_part(None, None, None), "text": part})

    standing = state_at([erased(created, "text"), erasure])

    assert (standing.unknown, standing.value("notes")) == (frozenset(), None)


def test_a_trail_with_a_hole_says_which_entry_is_missing() -> None:
    first, _, third = past({"city": "Bonn"}, {"city": "Oslo"}, {"city": "Rome"})

    with pytest.raises(Invalid, match="Entry 2 of this trail is missing"):
        state_at([first, third])
