"""Cursors are opaque, signed, and of use in the list that wrote them only."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from leads_core.errors import Invalid
from leads_core.paging import FIRST, LAST, Cursors, Position, around, page_size

CURSORS = Cursors("a secret")
LIST = "-created_at all"

VALUES = some.one_of(
    some.none(),
    some.text(),
    some.integers(-(2**31), 2**31),
    some.uuids(),
    some.dates(),
    some.datetimes(timezones=some.just(UTC)),
)
POSITIONS = some.builds(
    Position,
    part=some.integers(0, 5),
    key=some.one_of(some.none(), some.lists(VALUES, min_size=1, max_size=3).map(tuple)),
    backwards=some.booleans(),
    seen=some.one_of(some.none(), some.integers(0, 2**40)),
)


@given(POSITIONS)
def test_a_cursor_reads_back_as_it_was_written(position: Position) -> None:
    assert CURSORS.read(CURSORS.write(position, LIST), LIST) == position


@given(POSITIONS, some.data())
def test_a_changed_cursor_is_refused(position: Position, data: some.DataObject) -> None:
    cursor = CURSORS.write(position, LIST)
    place = data.draw(some.integers(0, len(cursor) - 2))
    letter = data.draw(some.sampled_from("abcXYZ019-_."))
    changed = cursor[:place] + letter + cursor[place + 1 :]

    if changed != cursor:
        with pytest.raises(Invalid, match=r"query\.cursor"):
            CURSORS.read(changed, LIST)


@pytest.mark.parametrize("cursor", ["", ".", "x", "a.b.c", "é", "\x00", "a" * 5000])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid, match="leave it out"):
        CURSORS.read(cursor, LIST)


def test_a_cursor_of_another_list_or_another_installation_is_refused() -> None:
    cursor = CURSORS.write(Position(0, (datetime(2026, 1, 1, tzinfo=UTC), UUID(int=1))), LIST)

    for cursors, of in ((CURSORS, "company_name all"), (Cursors("another secret"), LIST)):
        with pytest.raises(Invalid):
            cursors.read(cursor, of)


def test_without_a_cursor_the_list_begins_at_its_first_page() -> None:
    assert CURSORS.read(None, LIST) == FIRST
    assert FIRST.is_first
    assert not LAST.is_first


@pytest.mark.parametrize(("given_size", "size"), [(None, 50), ("1", 1), ("200", 200), (7, 7)])
def test_a_page_shows_as_many_rows_as_asked_for(given_size: str | int | None, size: int) -> None:
    assert page_size(given_size) == size


@pytest.mark.parametrize("given_size", ["0", "201", "-1", "ten", "", "1.5", 10**30])
def test_a_page_of_no_or_too_many_rows_is_refused(given_size: str | int) -> None:
    with pytest.raises(Invalid, match=r"query\.limit"):
        page_size(given_size)


def test_rows_before_a_page_are_counted_as_long_as_the_way_is_known() -> None:
    first, last = Position(0, (date(2026, 1, 1),)), Position(0, (date(2026, 1, 2),))

    onwards = around(Position(0, ("x",), seen=50), first, last, 50, more=True)
    back = around(Position(0, ("x",), backwards=True, seen=100), first, last, 50, more=True)
    from_the_end = around(LAST, first, last, 50, more=True)
    back_at_the_start = around(Position(0, ("x",), backwards=True, seen=None), first, last, 7, more=False)

    assert (onwards.before, onwards.following and onwards.following.seen) == (50, 100)
    assert (back.before, back.preceding and back.preceding.seen) == (50, 50)
    assert (from_the_end.before, from_the_end.following) == (None, None)
    assert (back_at_the_start.before, back_at_the_start.preceding) == (0, None)
