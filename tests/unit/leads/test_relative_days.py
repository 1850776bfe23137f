"""A day that is said by its distance is another one tomorrow."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from leads_core.errors import Invalid
from leads_core.leads.filters import LeadFilter, Range
from leads_core.leads.relative_days import span_of

WEDNESDAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("today", date(2026, 11, 25), date(2026, 11, 26)),
        ("yesterday", date(2026, 11, 24), date(2026, 11, 25)),
        ("tomorrow", date(2026, 11, 26), date(2026, 11, 27)),
        ("7d", date(2026, 11, 18), date(2026, 11, 19)),
        ("in7d", date(2026, 12, 2), date(2026, 12, 3)),
        ("week", date(2026, 11, 23), date(2026, 11, 30)),
        ("month", date(2026, 11, 1), date(2026, 12, 1)),
    ],
)
def test_what_each_word_means_on_a_wednesday(text: str, first: date, after: date) -> None:
    assert span_of(text, WEDNESDAY) == (first, after)


@pytest.mark.parametrize("text", ["0d", "d", "9999d", "-7d", "7", "Today", "in d", "7 d", "٧d"])
def test_anything_else_is_no_relative_day(text: str) -> None:
    assert span_of(text, WEDNESDAY) is None


def test_a_month_ends_with_the_year() -> None:
    assert span_of("month", date(2026, 12, 31)) == (date(2026, 12, 1), date(2027, 1, 1))


def test_a_filter_includes_the_whole_span_that_it_names() -> None:
    found = LeadFilter.from_query(
        {"created_from": "7d", "follow_up_from": "week", "follow_up_to": "week"}, today=WEDNESDAY
    )

    assert found.created == Range(datetime(2026, 11, 18, tzinfo=UTC), None)
    assert found.follow_up == Range(date(2026, 11, 23), date(2026, 11, 30))


def test_what_is_no_day_is_refused_and_both_kinds_are_named() -> None:
    with pytest.raises(Invalid, match=r"2026-11-24.*or today, yesterday"):
        LeadFilter.from_query({"created_from": "soon"})
