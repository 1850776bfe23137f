"""Charts as shapes: where each bar, line and word of a picture stands, and the table that says the same. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from console import wording

#: Units of the pictures' own coordinates; a template gives them to the SVG's viewBox.
WIDE, NARROW, TALL = 720, 440, 216
LEFT, BOTTOM, TOP = 44, 186, 12
#: The least room for a word under the bars.
WORD = 54
#: Half of a word in little room, where letters are larger.
EDGE = 36
GAP = 1
LINES = 3


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of what is counted. style is the class of its bars and of its key."""

    key: str
    label: str
    style: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle; title says what it stands for."""

    x: float
    y: float
    width: float
    height: float
    style: str
    title: str


@dataclass(frozen=True, slots=True)
class Word:
    """A text under the bars, about x or up to it. often: one of those that stay when there is little room."""

    x: float
    y: float
    text: str
    anchor: str = "middle"
    often: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """The same numbers: the heads, then rows of a name and its cells; foot is their sums."""

    heads: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]
    foot: Sequence[str]


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture, its key with a number behind each word, what it says in a sentence, and its table.

    lines are (y, what stands at it).
    """

    width: int
    bars: Sequence[Bar]
    words: Sequence[Word]
    lines: Sequence[tuple[float, str]]
    key: Sequence[tuple[Series, str]]
    says: str
    table: Table

    @property
    def height(self) -> int:
        return TALL

    @property
    def is_empty(self) -> bool:
        return not self.bars


def stacked(
    times: Sequence[str],
    series: Sequence[Series],
    counts: Mapping[tuple[int, str], int],
    *,
    width: int = WIDE,
    shares: bool = False,
) -> Chart:
    """A bar for each time with a part for each series, the first lowest; counts: (place of the time, key) -> n.

    shares: the key says how many of a hundred, not how many.
    """
    totals = [sum(counts.get((place, each.key), 0) for each in series) for place in range(len(times))]
    sums = [sum(counts.get((place, each.key), 0) for place in range(len(times))) for each in series]
    said = [_share(n, sum(sums)) if shares else wording.number(n) for n in sums]
    top = _round_up(max([*totals, 0]))
    step = (width - LEFT) / max(1, len(times))
    words = [_word(LEFT + step * (place + 0.5), label, width) for place, label in enumerate(times)]
    return Chart(
        width,
        _bars(times, series, counts, step, top),
        _thinned(words, int((width - LEFT) // WORD)),
        [
            (round(BOTTOM - (BOTTOM - TOP) * n / LINES, 1), wording.short_number(top * n // LINES))
            for n in range(LINES + 1)
        ],
        list(zip(series, said, strict=True)),
        _sentence(times, totals),
        Table(
            ["From", *(each.label for each in series), "All"],
            [
                (label, [wording.number(counts.get((place, each.key), 0)) for each in series] + [wording.number(total)])
                for place, (label, total) in enumerate(zip(times, totals, strict=True))
            ],
            [*map(wording.number, sums), wording.number(sum(sums))],
        ),
    )


def with_column(chart: Chart, head: str, cells: Sequence[str], foot: str) -> Chart:
    """The same picture, with one more column in its table."""
    rows = [(name, [*row, cell]) for (name, row), cell in zip(chart.table.rows, cells, strict=True)]
    return replace(chart, table=Table([*chart.table.heads, head], rows, [*chart.table.foot, foot]))


def _bars(
    times: Sequence[str], series: Sequence[Series], counts: Mapping[tuple[int, str], int], step: float, top: int
) -> list[Bar]:
    scale = (BOTTOM - TOP) / top
    width = round(min(34, step * 0.66), 1)
    bars = []
    for place, label in enumerate(times):
        x, y = round(LEFT + step * (place + 0.5) - width / 2, 1), float(BOTTOM)
        for each in series:
            if n := counts.get((place, each.key), 0):
                height = round(max(0.5, n * scale - GAP), 1)
                y -= n * scale
                bars.append(
                    Bar(x, round(y, 1), width, height, each.style, f"{label}: {each.label} {wording.number(n)}")
                )
    return bars


def _word(middle: float, label: str, width: int) -> Word:
    """Under its bar; one that would reach over the edge ends there."""
    if middle > width - EDGE:
        return Word(width, BOTTOM + 22, label, "end")
    return Word(round(middle, 1), BOTTOM + 22, label)


def _sentence(times: Sequence[str], totals: Sequence[int]) -> str:
    """What somebody sees at a glance: from when to when, and where most are."""
    if not times:
        return ""
    most, at = max(zip(totals, times, strict=True), key=lambda each: each[0])
    all_of_them = wording.number(sum(totals))
    return f"From {times[0]} to {times[-1]}, {all_of_them} in all; most at {at}: {wording.number(most)}."


def _share(n: int, all_of_them: int) -> str:
    return f"{n * 100 / max(1, all_of_them):.0f} %"


def _thinned(words: Sequence[Word], room: int) -> list[Word]:
    """As many words under the bars as fit beside each other, the last one always; each third stays in little room."""
    every = -(-len(words) // room)
    kept = list(reversed(words))[::every]
    return [replace(word, often=place % 3 == 0) for place, word in enumerate(kept)][::-1]


def _round_up(largest: int) -> int:
    """A number that three equal steps reach, and each of them is one that people count in."""
    step = max(1, -(-largest // LINES))
    size = 1
    while step > 10 * size:
        size *= 10
    return LINES * next(size * n for n in (1, 2, 3, 4, 5, 6, 8, 10) if size * n >= step)
