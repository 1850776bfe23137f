"""Charts as shapes: where each bar, line and word of a picture stands, and the table that says the same. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console import wording

#: Units of the pictures' own coordinates; a template gives them to the SVG's viewBox.
WIDE, TALL = 720, 216
NARROW, ROW, BAR = 440, 39, 16
LEFT, BOTTOM, TOP = 44, 186, 12
WORDS = 104
#: Room for the number behind the longest bar.
NUMBER = 90
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
    """A text in the picture. often: one of those that stay when there is little room."""

    x: float
    y: float
    text: str
    often: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """The same numbers: the heads, then rows of a name and its cells."""

    heads: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture and its table. lines are (y, what stands at it); series are its key."""

    width: int
    height: int
    bars: Sequence[Bar]
    words: Sequence[Word]
    table: Table
    lines: Sequence[tuple[float, str]] = ()
    series: Sequence[Series] = ()

    @property
    def is_empty(self) -> bool:
        return not self.bars


def stacked(times: Sequence[str], series: Sequence[Series], counts: Mapping[tuple[int, str], int]) -> Chart:
    """A bar for each time with a part for each series, the first lowest; counts: (place of the time, key) -> n."""
    totals = [sum(counts.get((place, each.key), 0) for each in series) for place in range(len(times))]
    top = _round_up(max([*totals, 0]))
    scale = (BOTTOM - TOP) / top
    step = (WIDE - LEFT) / max(1, len(times))
    width = round(min(34, step * 0.66), 1)
    bars, words = [], []
    for place, label in enumerate(times):
        middle = LEFT + step * (place + 0.5)
        y = float(BOTTOM)
        for each in series:
            if n := counts.get((place, each.key), 0):
                height = max(0.5, n * scale - GAP)
                y -= n * scale
                title = f"{label}: {each.label} {wording.number(n)}"
                bars.append(Bar(round(middle - width / 2, 1), round(y, 1), width, round(height, 1), each.style, title))
        words.append(Word(round(middle, 1), BOTTOM + 22, label, often=place % 3 == (len(times) - 1) % 3))
    lines = [
        (round(BOTTOM - top * n / LINES * scale, 1), wording.short_number(top * n // LINES)) for n in range(LINES + 1)
    ]
    rows = [
        (label, [wording.number(counts.get((place, each.key), 0)) for each in series] + [wording.number(totals[place])])
        for place, label in enumerate(times)
    ]
    heads = ["From", *(each.label for each in series), "All"]
    return Chart(WIDE, TALL, bars, _thinned(words), Table(heads, rows), lines, series)


def lying(heads: Sequence[str], rows: Sequence[tuple[str, int, str]], style: str) -> Chart:
    """A bar for each row, of (name, number, the number as it is said), and what it says behind it."""
    largest = max([n for _, n, _ in rows] + [1])
    bars, words = [], []
    for place, (name, n, said) in enumerate(rows):
        width = round((NARROW - WORDS - NUMBER) * n / largest, 1)
        y = place * ROW + 4
        if n:
            bars.append(Bar(WORDS, y, max(1.0, width), BAR, style, f"{name}: {said}"))
        words += [Word(0, y + 13, name), Word(WORDS + (max(1.0, width) + 8 if n else 0), y + 13, said, often=False)]
    table = Table(heads, [(name, [said]) for name, _, said in rows])
    return Chart(NARROW, max(1, len(rows)) * ROW, bars, words, table)


def _thinned(words: Sequence[Word]) -> list[Word]:
    """Not more words under the bars than fit beside each other."""
    every = -(-len(words) // 13)
    last = len(words) - 1
    return [word for place, word in enumerate(words) if (last - place) % every == 0]


def _round_up(largest: int) -> int:
    """A number that three equal steps reach, and each of them is one that people count in."""
    step = max(1, -(-largest // LINES))
    size = 1
    while step > 10 * size:
        size *= 10
    return LINES * next(size * n for n in (1, 2, 3, 4, 5, 6, 8, 10) if size * n >= step)
