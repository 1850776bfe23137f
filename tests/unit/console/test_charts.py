"""A picture and its table say the same, and a bar is as long as its number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from console import charts
from console.charts import BOTTOM, GAP, TOP, Series, lying, stacked

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
    assert lying(("Source", "Leads"), [("Form", 0, "0")], "s3").is_empty


def test_lying_bars_say_their_numbers_behind_them():
    chart = lying(("Source", "Leads"), [("Import", 10, "10"), ("Form", 5, "5")], "s3")

    assert [bar.title for bar in chart.bars] == ["Import: 10", "Form: 5"]
    assert chart.bars[0].width == 2 * chart.bars[1].width
    assert [word.text for word in chart.words] == ["Import", "10", "Form", "5"]
    assert chart.table.rows == [("Import", ["10"]), ("Form", ["5"])]
