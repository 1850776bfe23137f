"""Days are read as people and spreadsheets write them, where they can be one day only."""

from __future__ import annotations

import pytest

from leads_core.transfer.days import iso_day


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026-12-24", "2026-12-24"),
        ("2026-12-24 08:30:00", "2026-12-24"),
        ("2026-12-24T08:30Z", "2026-12-24"),
        ("24.12.2026", "2026-12-24"),
        ("3. 4. 2026", "2026-04-03"),
        ("24/12/2026", "2026-12-24"),
        ("12/24/2026", "2026-12-24"),
        ("5/5/2026", "2026-05-05"),
        ("03/04/2026", "03/04/2026"),
        ("13/13/2026", "13/13/2026"),
        ("soon", "soon"),
    ],
)
def test_a_cell_that_can_be_one_day_only_is_that_day(cell: str, day: str) -> None:
    assert iso_day(cell) == day
