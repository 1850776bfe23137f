"""What the dashboard says: news, figures of today, what came in and is due, four pictures of a period. Days are UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

import asyncpg

from console import charts, wording
from console.away_page import Away, away_of
from console.charts import Chart, Series
from leads_core.accounts.last_seen import seen_until
from leads_core.enrichment import day_figures
from leads_core.enrichment.day_figures import BOUNDS, FAILED, Ended
from leads_core.leads.day_counts import CameIn, Unit, any_lead, came_in
from leads_core.leads.filters import LeadFilter
from leads_core.leads.ordering import Sort
from leads_core.leads.queries import page_of_leads, total_of
from leads_core.leads.rows import LeadRow
from leads_core.leads.since_away import news_since
from leads_core.paging import Cursors

#: Rows of what came in and of what is due.
LISTED = 6
STAGES = (
    Series("qualified", "Qualified", "s3"),
    Series("contacted", "Contacted", "s2"),
    Series("new", "New", "s1"),
    Series("lost", "Lost", "s0"),
    Series("won", "Won", "s4"),
)
OUTCOMES = (
    Series("found", "Found", "s3"),
    Series("partial", "In part", "s2"),
    Series("nothing", "Nothing new", "s1"),
    Series(FAILED, "Failed", "s5"),
)
SOURCES = (
    Series("import", "Import", "s1"),
    Series("api", "API", "s2"),
    Series("form", "Form", "s0"),
    Series("quick_add", "Quick-Add", "s3"),
)
TOOK = (
    Series("2", "Up to 2 s", "s3"),
    Series("10", "2 to 10 s", "s2"),
    Series("60", "10 to 60 s", "s1"),
    Series("longer", "Longer", "s0"),
)
#: When a follow-up is due, as filters of the list, soonest first.
DUE = (
    ("overdue", {"follow_up_to": "yesterday"}),
    ("due today", {"follow_up_from": "today", "follow_up_to": "today"}),
    ("due in 7 days", {"follow_up_from": "tomorrow", "follow_up_to": "in7d"}),
)


@dataclass(frozen=True, slots=True)
class Period:
    """What the pictures show: so many units back from the one that goes on."""

    name: str
    label: str
    unit: Unit
    units: int

    def starts(self, today: date) -> list[date]:
        """The first day of each unit, the oldest first."""
        first = {"day": today, "week": today - timedelta(days=today.weekday()), "month": today.replace(day=1)}[
            self.unit
        ]
        starts = [first]
        while len(starts) < self.units:
            before = starts[-1] - timedelta(days=7 if self.unit == "week" else 1)
            starts.append(before.replace(day=1) if self.unit == "month" else before)
        return starts[::-1]

    @property
    def by_unit(self) -> str:
        return f"{self.unit} by {self.unit}"


PERIODS = (
    Period("7", "7 days", "day", 7),
    Period("30", "30 days", "day", 30),
    Period("90", "12 weeks", "week", 12),
    Period("365", "12 months", "month", 12),
)
USUAL = PERIODS[2]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of today: what it counts, what is worth knowing beside it, and where the leads of each stand."""

    label: str
    value: str
    url: str
    beside: str = ""
    beside_url: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything that the page shows."""

    period: Period
    away: Away | None
    figures: Sequence[Figure]
    by_stage: Chart
    by_source: Chart
    outcomes: Chart
    took: Chart
    new: Sequence[LeadRow]
    due: Sequence[LeadRow]
    has_leads: bool


def period_of(name: str | None) -> Period:
    """The one of this name; the usual one for a name that there is not."""
    return next((period for period in PERIODS if period.name == name), USUAL)


async def dashboard(
    reader: asyncpg.Connection, period: Period, now: datetime, *, me: UUID, cursors: Cursors
) -> Dashboard:
    """Read in a handful of statements, none of which walks the leads."""
    today = now.astimezone(UTC).date()
    starts = period.starts(today)
    leads = await came_in(reader, period.unit, starts[0])
    ends = await day_figures.ended(reader, period.unit, starts[0])
    # Of yesterday and today, whatever the period is.
    days = await came_in(reader, "day", today - timedelta(days=1))
    ended_today = await day_figures.ended(reader, "day", today)
    since = await seen_until(reader, me)

    def leads_with(filters: Mapping[str, str]) -> LeadFilter:
        return LeadFilter.from_query(filters, me=me, today=today)

    async def first(filters: Mapping[str, str], sort: str) -> Sequence[LeadRow]:
        wanted, order = leads_with(filters), Sort.parse(sort)
        return (await page_of_leads(reader, wanted, order, None, LISTED, cursors=cursors, total=False)).items

    async def due(label: str, filters: dict[str, str]) -> Figure:
        yours = {"owner": "me"} | filters
        totals = [await total_of(reader, leads_with(each)) for each in (filters, yours)]
        said = [wording.count_in_words(total.value, total.relation) for total in totals]
        urls = [f"/leads?{urlencode(each | {'sort': 'follow_up_on'})}" for each in (filters, yours)]
        return Figure(label, said[0], urls[0], f"{said[1]} yours", urls[1])

    return Dashboard(
        period,
        away_of(await news_since(reader, since, me), now) if since else None,
        [_came_in_today(days, today), _enriched_today(ended_today), *[await due(*each) for each in DUE]],
        _stacked(period, starts, STAGES, [(each.start, each.stage, each.n) for each in leads]),
        _stacked(period, starts, SOURCES, [(each.start, each.source, each.n) for each in leads], width=charts.NARROW),
        _stacked(period, starts, OUTCOMES, [(each.start, each.outcome, each.n) for each in ends], shares=True),
        _took(period, starts, ends),
        await first({"created_from": "today"}, "-created_at"),
        await first({"follow_up_to": "in7d"}, "follow_up_on"),
        has_leads=await any_lead(reader),
    )


def _came_in_today(days: Sequence[CameIn], today: date) -> Figure:
    n, before = (sum(each.n for each in days if each.start == day) for day in (today, today - timedelta(days=1)))
    return Figure(
        "came in today", wording.short_number(n), "/leads?created_from=today", f"{wording.number(before)} yesterday"
    )


def _enriched_today(ends: Sequence[Ended]) -> Figure:
    n, failed = sum(each.n for each in ends), sum(each.n for each in ends if each.outcome == FAILED)
    half = _half_within(ends)
    parts = [f"half within {half}" if half else "", f"{wording.number(failed)} failed" if failed else ""]
    return Figure("enriched today", wording.short_number(n), "/enrichment", ", ".join(filter(None, parts)))


def _half_within(ends: Sequence[Ended]) -> str:
    """The time within which half of them ended, in words; empty where there is none to say."""
    half = day_figures.within(ends, 0.5)
    return "" if half is None else wording.duration(half)


def _stacked(
    period: Period,
    starts: Sequence[date],
    series: Sequence[Series],
    counted: Sequence[tuple[date, str, int]],
    *,
    width: int = charts.WIDE,
    shares: bool = False,
) -> Chart:
    counts: dict[tuple[int, str], int] = {}
    for start, key, n in counted:
        if start in starts:
            place = starts.index(start)
            counts[place, key] = counts.get((place, key), 0) + n
    months = period.unit == "month"
    names = [
        wording.MONTHS[day.month - 1] if months else f"{day.day} {wording.MONTHS[day.month - 1]}" for day in starts
    ]
    return charts.stacked(names, series, counts, width=width, shares=shares)


def _took(period: Period, starts: Sequence[date], ends: Sequence[Ended]) -> Chart:
    """How long each took, in four kinds; the table says within what time half of them ended."""
    kinds = [(each.start, _kind(each.took), each.n) for each in ends]
    chart = _stacked(period, starts, TOOK, kinds, width=charts.NARROW, shares=True)
    halves = [_half_within([each for each in ends if each.start == start]) for start in starts]
    return charts.with_column(chart, "Half within", halves, _half_within(ends))


def _kind(took: int) -> str:
    """The series of a place among BOUNDS."""
    bound = BOUNDS[took] if took < len(BOUNDS) else None
    return next((key for key in ("2", "10", "60") if bound is not None and bound <= float(key)), "longer")
