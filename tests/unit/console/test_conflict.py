"""Two people changed one lead."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from console.conflict import FieldAtOdds, conflict_of
from console.forms import Form
from leads_core.leads.schemas import LeadRead, LeadUpdate

IDRIS = UUID("0190a000-0000-7000-8000-000000000002")
NOW = datetime(2026, 11, 24, 14, 25, tzinfo=UTC)


@dataclass
class AnEntry:
    seq: int | None = 2
    action: str = "UPDATE"
    actor_kind: str = "user"
    actor_id: UUID | None = IDRIS
    actor_name: str | None = "Idris Bello"
    channel: str = "web"
    ip_address: str | None = None
    task_id: UUID | None = None
    occurred_at: datetime = NOW
    old_values: dict[str, Any] = field(default_factory=dict)
    new_values: dict[str, Any] = field(default_factory=dict)
    erased: list[str] = field(default_factory=list)


def a_read(**given: Any) -> LeadRead:
    facts: dict[str, Any] = dict.fromkeys(LeadRead.model_fields)
    facts |= {"id": IDRIS, "tags": [], "stage": "new", "source": "form", "is_manual": True, "provenance": {}}
    facts |= {"enrichment_status": "pending", "version": 2, "created_at": NOW, "updated_at": NOW, "domain": "acme.com"}
    return LeadRead.model_validate({**facts, **given})


def typed(**texts: str) -> tuple[dict[str, str], LeadUpdate]:
    form = Form(list(texts.items()))
    return form.lead_texts, LeadUpdate.model_validate(form.lead_values)


def test_a_field_that_both_changed_is_asked_about() -> None:
    since = [AnEntry(old_values={"stage": "new"}, new_values={"stage": "contacted"})]

    conflict = conflict_of(*typed(stage="qualified"), a_read(stage="contacted"), since, None)

    assert conflict.fields == [FieldAtOdds("stage", "qualified", "contacted")]
    assert (conflict.kept, conflict.who) == ({}, "Idris Bello")


def test_what_only_they_changed_is_theirs_and_what_only_i_changed_is_mine() -> None:
    since = [AnEntry(old_values={"notes": None}, new_values={"notes": "Called"})]
    current = a_read(notes="Called", city="Oslo")

    conflict = conflict_of(*typed(notes="", city="Bergen", stage="new"), current, since, None)

    assert (conflict.fields, conflict.kept) == ([], {"city": "Bergen"})


def test_what_both_set_alike_is_no_question() -> None:
    since = [AnEntry(old_values={"tags": None}, new_values={"tags": ["q4"]})]

    conflict = conflict_of(*typed(tags="q4"), a_read(tags=["q4"]), since, None)

    assert (conflict.fields, conflict.kept) == ([], {})


def test_several_changes_of_theirs_are_held_against_the_first() -> None:
    since = [
        AnEntry(3, old_values={"city": "B"}, new_values={"city": "C"}),
        AnEntry(2, old_values={"city": "A"}, new_values={"city": "B"}),
    ]

    untouched = conflict_of(*typed(city="A"), a_read(city="C"), since, None)
    mine = conflict_of(*typed(city="B"), a_read(city="C"), since, None)

    assert untouched.fields == []
    assert mine.fields == [FieldAtOdds("city", "B", "C")]


def test_a_machine_and_my_other_window_are_named_as_such() -> None:
    worker = AnEntry(channel="worker", old_values={"city": None}, new_values={"city": "C"})
    own = AnEntry(old_values={"city": None}, new_values={"city": "C"})

    assert conflict_of(*typed(city="B"), a_read(city="C"), [worker], None).who == "Enrichment"
    assert conflict_of(*typed(city="B"), a_read(city="C"), [own], IDRIS).who == "You, in another window,"
