"""The address of the trail's page: chips, links, and the filter it stands for."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from console.audit_address import ACTIONS, ACTOR_KINDS, SUBJECTS, AuditAddress
from leads_core.audit.models import ACTOR_KINDS as KINDS
from leads_core.audit.models import Action, SubjectKind
from leads_core.errors import Invalid

NOW = datetime(2026, 11, 24, 14, 31, tzinfo=UTC)
ROSA = UUID("0193f5a0-0000-7000-8000-0000000000a1")


def test_what_nobody_knows_and_what_is_empty_is_left_out() -> None:
    address = AuditAddress([("action", "DELETE"), ("colour", "red"), ("actor", ""), ("when", "any")])

    assert address.canonical == "/audit?action=DELETE"
    assert address.has_empties


def test_days_that_go_on_begin_at_midnight() -> None:
    for when, day in (("today", 24), ("7days", 18)):
        wanted = AuditAddress([("when", when)]).wanted(NOW, ROSA)
        assert (wanted.since, wanted.until) == (datetime(2026, 11, day, tzinfo=UTC), None)


def test_of_days_that_go_on_and_a_first_day_the_later_holds() -> None:
    for day, first in (("2026-11-20", 20), ("2026-11-02", 18)):
        wanted = AuditAddress([("when", "7days"), ("occurred_from", day)]).wanted(NOW, ROSA)
        assert wanted.since == datetime(2026, 11, first, tzinfo=UTC)


def test_days_that_nobody_knows_are_refused_by_name() -> None:
    with pytest.raises(Invalid, match=r"query\.when: Give one of today, 7days, 30days"):
        AuditAddress([("when", "yesterday")]).wanted(NOW, ROSA)


def test_a_chip_says_its_filter_in_words_and_leads_to_the_address_without_it() -> None:
    address = AuditAddress(
        [("actor", str(ROSA)), ("action", "DELETE"), ("action", "ERASE"), ("occurred_from", "2026-11-21")]
    )

    who, did, since = address.chips({str(ROSA): "Rosa Engel"})

    assert (who.field, who.value) == ("Who", "Rosa Engel")
    assert (did.field, did.value) == ("Did", "Moved to the bin or Erased")
    assert (since.field, since.value) == ("From", "21 Nov 2026")
    assert did.without == f"/audit?actor={ROSA}&occurred_from=2026-11-21"


def test_a_change_of_filter_leads_to_the_first_page() -> None:
    address = AuditAddress([("channel", "web"), ("cursor", "abc")])

    assert address.canonical == "/audit?channel=web&cursor=abc"
    assert address.with_filter("task_id", "7") == "/audit?channel=web&task_id=7"
    assert address.export_url == "/audit/export?channel=web"


def test_everything_that_can_be_asked_for_has_a_word() -> None:
    assert set(ACTIONS) == {action.value for action in Action}
    assert set(SUBJECTS) == {kind.value for kind in SubjectKind}
    assert set(ACTOR_KINDS) == set(KINDS)
