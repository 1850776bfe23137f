"""A picture and its table say the same, and a bar is as long as its number."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from console import charts
from console.charts import BOTTOM, GAP, NARROW, TOP, Series, stacked, with_column

SERIES = (Series("a", "A", "s1"), Series("b", "B", "s2"))
COUNTS = st.dictionaries(st.tuples(st.integers(0, 5), st.sampled_from(["a", "b"])), st.integers(0, 10**9), max_size=12)


@given(counts=COUNTS)
def test_bars_stand_on_each_other_and_are_as_high_as_their_numbers(counts):
    chart = stacked([str(n) for n in range(6)], SERIES, counts)

    top = charts._round_up(max([*(sum(counts.get((n, key), 0) for key in "ab") for n in range(6)), 0]))
    assert len(chart.bars) == sum(1 for n in counts.values() if n)
    for bar in chart.bars:
        place, rest = bar.title.split(": ")
        key, said = rest.split(" ")
        n = counts[int(place), key.lower()]
        assert said == f"{n:,}"
        assert abs(bar.height - max(0.5, n / top * (BOTTOM - TOP) - GAP)) < 0.11
        assert TOP - 0.2 <= bar.y <= BOTTOM


@given(counts=COUNTS)
def test_the_table_holds_every_number_and_their_sums(counts):
    table = stacked([str(n) for n in range(6)], SERIES, counts).table

    assert list(table.heads) == ["From", "A", "B", "All"]
    for place, (name, cells) in enumerate(table.rows):
        a, b = counts.get((place, "a"), 0), counts.get((place, "b"), 0)
        assert (name, list(cells)) == (str(place), [f"{a:,}", f"{b:,}", f"{a + b:,}"])
    sums = [sum(n for (_, key), n in counts.items() if key in keys) for keys in ("a", "b", "ab")]
    assert list(table.foot) == [f"{n:,}" for n in sums]


@given(st.integers(0, 10**10))
def test_the_axis_reaches_over_the_largest_in_steps_that_people_count_in(largest):
    top = charts._round_up(largest)
    step = top // 3

    assert top >= largest
    assert top % 3 == 0
    assert str(step).rstrip("0") in {"1", "2", "3", "4", "5", "6", "8"}
    assert largest <= 3 or top <= 3 * largest


def test_nothing_counted_is_an_empty_picture():
    assert stacked(["Mon"], SERIES, {}).is_empty


def test_the_key_says_how_many_or_how_many_of_a_hundred():
    counts = {(0, "a"): 3, (1, "b"): 1}

    assert [said for _, said in stacked(["Mon", "Tue"], SERIES, counts).key] == ["3", "1"]
    assert [said for _, said in stacked(["Mon", "Tue"], SERIES, counts, shares=True).key] == ["75 %", "25 %"]
    assert stacked(["Mon", "Tue"], SERIES, counts).says == "From Mon to Tue, 4 in all; most at Mon: 3."


@given(times=st.integers(1, 40), width=st.sampled_from([charts.WIDE, NARROW]))
def test_words_under_the_bars_have_room_and_the_last_one_stands(times, width):
    words = stacked([str(n) for n in range(times)], SERIES, {}, width=width).words

    assert words[-1].text == str(times - 1)
    assert words[-1].often
    assert all(right.x - left.x >= charts.WORD - 0.1 for left, right in pairwise(words))


def test_one_more_column_stands_in_the_table_alone():
    chart = with_column(stacked(["Mon"], SERIES, {(0, "a"): 1}), "Half within", ["2 s"], "3 s")

    assert chart.table.heads[-1] == "Half within"
    assert chart.table.rows == [("Mon", ["1", "0", "1", "2 s"])]
    assert chart.table.foot[-1] == "3 s"
