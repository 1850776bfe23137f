"""The trail in sentences."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from console.trail_wording import Difference, trail_line

ROSA = UUID("0190a000-0000-7000-8000-000000000001")
JOB = UUID("0190a000-0000-7000-8000-0000deadbeef")


@dataclass
class AnEntry:
    action: str = "UPDATE"
    seq: int | None = 4
    actor_kind: str = "user"
    actor_id: UUID | None = ROSA
    actor_name: str | None = "Rosa Engel"
    channel: str = "web"
    ip_address: str | None = "203.0.113.24"
    user_agent: str | None = "Mozilla/5.0 (X11) Firefox/140.0"
    task_id: UUID | None = None
    occurred_at: datetime = datetime(2026, 11, 24, 14, 26, tzinfo=UTC)
    old_values: dict[str, Any] = field(default_factory=dict)
    new_values: dict[str, Any] = field(default_factory=dict)
    erased: list[str] = field(default_factory=list)


def test_a_stage_says_from_where_to_where() -> None:
    line = trail_line(AnEntry(old_values={"stage": "new"}, new_values={"stage": "qualified"}), ROSA)

    assert (line.who, line.what) == ("You", "changed stage from New to Qualified")
    assert line.differences == [Difference("Stage", "New", "Qualified")]


def test_others_are_named_and_several_fields_listed() -> None:
    old = {"phone": "+1 1", "job_title": None}
    line = trail_line(AnEntry(old_values=old, new_values={"phone": "+1 2", "job_title": "CPO"}), None)

    assert (line.who, line.what) == ("Rosa Engel", "changed job title and phone")
    assert line.differences == [Difference("Job title", None, "CPO"), Difference("Phone", "+1 1", "+1 2")]


def test_many_fields_fold() -> None:
    names = ("phone", "city", "country", "website", "notes")
    line = trail_line(AnEntry(new_values=dict.fromkeys(names, "x")), ROSA)

    assert (line.what, line.folded) == ("changed 5 fields", "5 fields")


def test_how_it_came_in_is_said() -> None:
    line = trail_line(AnEntry("CREATE", 1, new_values={"source": "quick_add", "domain": "acme.com"}), ROSA)

    assert (line.what, line.folded) == ("added it by Quick-Add", "As it was added")


def test_the_worker_acts_for_whoever_asked() -> None:
    filled = {"website": "https://acme.com", "enrichment_status": "completed", "enrichment_outcome": "found"}
    line = trail_line(AnEntry("ENRICH", channel="worker", task_id=JOB, new_values=filled), ROSA)

    assert (line.who, line.what, line.where) == (
        "Enrichment",
        "filled website for you",
        "Worker · job deadbeef · entry 4",
    )


def test_a_failed_enrichment_says_why() -> None:
    failed = {"enrichment_status": "failed", "enrichment_error": "No such domain."}
    line = trail_line(AnEntry("ENRICH", channel="worker", new_values=failed), None)

    assert line.what == "failed for Rosa Engel: No such domain."


def test_asking_for_enrichment_and_finding_nothing_are_told_apart() -> None:
    begun = AnEntry("ENRICH", new_values={"enrichment_status": "in_progress", "enrichment_task_id": str(JOB)})
    ended = AnEntry("ENRICH", channel="worker", new_values={"enrichment_status": "completed"})

    assert trail_line(begun, ROSA).what == "started enrichment"
    assert trail_line(ended, ROSA).what == "found nothing new for you"


def test_bin_and_restore_have_no_differences() -> None:
    lines = [trail_line(AnEntry(action), ROSA) for action in ("DELETE", "RESTORE")]

    assert [line.what for line in lines] == ["moved it to the bin", "restored it from the bin"]
    assert [line.differences for line in lines] == [[], []]


def test_addresses_are_shown_only_to_whoever_may_see_them() -> None:
    entry = AnEntry()

    assert trail_line(entry, ROSA).where == "Web · entry 4"
    assert trail_line(entry, ROSA, shows_addresses=True).where == "Web · 203.0.113.24 · Firefox 140 · entry 4"


def test_what_was_erased_is_named_and_not_shown() -> None:
    line = trail_line(AnEntry(actor_name=None, actor_id=None, erased=["email"]), None)

    assert line.who == "Somebody whose name was erased"
    assert line.differences == [Difference("Email", None, None, erased=True)]


def test_an_erasure_says_what_it_took_and_shows_nothing() -> None:
    taken = dict.fromkeys(("email", "phone", "notes"))
    line = trail_line(AnEntry("ERASE", old_values=taken, new_values=taken), ROSA)

    assert (line.what, line.differences) == (
        "erased the person and description and notes, here and in every entry before",
        [],
    )


def test_a_dismissal_names_the_value_and_changes_nothing() -> None:
    entry = AnEntry("DISMISS", None, old_values={"phone": "+45 32 12 12 12"}, new_values={"phone": None})
    line = trail_line(entry, ROSA)

    assert (line.what, line.where) == ("dismissed “+45 32 12 12 12” for phone", "Web")
    assert line.differences == []


def test_a_revert_lists_what_it_put_back() -> None:
    entry = AnEntry("REVERT", old_values={"city": "Oslo", "stage": "won"}, new_values={"city": None, "stage": "new"})

    assert trail_line(entry, ROSA).what == "put back city and stage"
    assert trail_line(AnEntry("REVERT", new_values={"provenance": {}}), ROSA).what == "put back where values came from"


def test_an_owner_is_called_by_name() -> None:
    idris = "0190a000-0000-7000-8000-000000000002"
    line = trail_line(
        AnEntry(old_values={"owner_id": None}, new_values={"owner_id": idris}), ROSA, names={idris: "Idris"}
    )

    assert line.differences == [Difference("Owner", None, "Idris")]
