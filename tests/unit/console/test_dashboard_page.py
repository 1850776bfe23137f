"""Which days a period's bars begin with."""

from __future__ import annotations

from datetime import date

import pytest

from console.dashboard_page import PERIODS, USUAL, period_of

WEDNESDAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("name", "first", "last", "count"),
    [
        ("7", date(2026, 11, 19), WEDNESDAY, 7),
        ("30", date(2026, 10, 27), WEDNESDAY, 30),
        ("90", date(2026, 9, 7), date(2026, 11, 23), 12),
        ("365", date(2025, 12, 1), date(2026, 11, 1), 12),
    ],
)
def test_a_period_ends_with_the_unit_that_goes_on(name, first, last, count):
    starts = period_of(name).starts(WEDNESDAY)

    assert (starts[0], starts[-1], len(starts)) == (first, last, count)
    assert starts == sorted(set(starts))


@pytest.mark.parametrize("name", [None, "", "8", "x"])
def test_a_period_that_there_is_not_is_the_usual_one(name):
    assert period_of(name) is USUAL
    assert {period.name for period in PERIODS} == {"7", "30", "90", "365"}
