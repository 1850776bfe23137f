"""What the dashboard says: figures of today, what came in, what is due, and four pictures of a period. Days are UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg

from console import charts, wording
from console.charts import Chart, Series
from leads_core.enrichment import day_figures
from leads_core.enrichment.day_figures import BOUNDS, FAILED, Ended
from leads_core.leads.day_counts import CameIn, Unit, any_lead, came_in
from leads_core.leads.filters import LeadFilter
from leads_core.leads.ordering import Sort
from leads_core.leads.queries import page_of_leads
from leads_core.leads.rows import LeadRow
from leads_core.paging import Cursors, Page

#: Rows of what came in and of what is due.
LISTED = 6
TODAY = ("Leads that came in today", "created_from=today")
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
    "under 1 s",
    "1 to 2 s",
    "2 to 5 s",
    "5 to 10 s",
    "10 to 30 s",
    "30 to 60 s",
    "1 to 5 min",
    "to 1 hour",
    "longer",
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
    """A number of today: what it counts, what is worth knowing beside it, and where its leads stand."""

    label: str
    value: str
    beside: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything that the page shows."""

    period: Period
    figures: Sequence[Figure]
    by_stage: Chart
    by_source: Chart
    outcomes: Chart
    took: Chart
    new: Page[LeadRow]
    due: Page[LeadRow]
    has_leads: bool


def period_of(name: str | None) -> Period:
    """The one of this name; the usual one for a name that there is not."""
    return next((period for period in PERIODS if period.name == name), USUAL)


async def dashboard(
    reader: asyncpg.Connection, period: Period, now: datetime, *, me: UUID | None, cursors: Cursors
) -> Dashboard:
    """Read in a handful of statements, none of which walks the leads."""
    today = now.astimezone(UTC).date()
    starts = period.starts(today)
    leads = await came_in(reader, period.unit, starts[0])
    ends = await day_figures.ended(reader, period.unit, starts[0])
    # Of yesterday and today, whatever the period is.
    days = await came_in(reader, "day", today - timedelta(days=1))
    ended_today = await day_figures.ended(reader, "day", today)

    async def page(query: dict[str, list[str]], sort: str) -> Page[LeadRow]:
        wanted = LeadFilter.from_query(query, me=me)
        return await page_of_leads(reader, wanted, Sort.parse(sort), None, LISTED, cursors=cursors)

    new = await page({"created_from": [today.isoformat()]}, "-created_at")
    due = await page({"follow_up_to": [today.isoformat()]}, "follow_up_on")
    mine = await page({"follow_up_to": [today.isoformat()], "owner": ["me"]}, "follow_up_on") if me else None
    return Dashboard(
        period,
        [_came_in_today(days, today), _enriched_today(ended_today), *_due(due, mine)],
        _stacked(period, starts, STAGES, [(each.start, each.stage, each.n) for each in leads]),
        _by_source(leads),
        _stacked(period, starts, OUTCOMES, [(each.start, each.outcome, each.n) for each in ends]),
        _took(ends),
        new,
        due,
        has_leads=await any_lead(reader),
    )


def _came_in_today(days: Sequence[CameIn], today: date) -> Figure:
    n, before = (sum(each.n for each in days if each.start == day) for day in (today, today - timedelta(days=1)))
    return Figure(
        "came in today", wording.short_number(n), f"{wording.number(before)} yesterday", "/leads?created_from=today"
    )


def _enriched_today(ends: Sequence[Ended]) -> Figure:
    n, failed = sum(each.n for each in ends), sum(each.n for each in ends if each.outcome == FAILED)
    half = day_figures.within(ends, 0.5)
    parts = [f"half within {half:g} s" if half else "", f"{wording.number(failed)} failed" if failed else ""]
    return Figure("enriched today", wording.short_number(n), ", ".join(filter(None, parts)), "/enrichment")


def _due(due: Page[LeadRow], mine: Page[LeadRow] | None) -> list[Figure]:
    figures = [Figure("due", _total(due), "today or before", "/leads?follow_up_to=today&sort=follow_up_on")]
    if mine is not None:
        url = "/leads?owner=me&follow_up_to=today&sort=follow_up_on"
        figures.append(Figure("of them yours", _total(mine), "", url))
    return figures


def _total(page: Page[LeadRow]) -> str:
    assert page.total is not None  # noqa: S101 - it was asked for
    return wording.count_in_words(page.total.value, page.total.relation)


def _stacked(
    period: Period, starts: Sequence[date], series: Sequence[Series], counted: Sequence[tuple[date, str, int]]
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
    return charts.stacked(names, series, counts)


def _by_source(leads: Sequence[CameIn]) -> Chart:
    totals = [(each.label, sum(lead.n for lead in leads if lead.source == each.key)) for each in SOURCES]
    rows = [(label, n, wording.number(n)) for label, n in sorted(totals, key=lambda row: -row[1])]
    return charts.lying(("Source", "Leads"), rows, "s3")


def _took(ends: Sequence[Ended]) -> Chart:
    counts = [sum(each.n for each in ends if each.took == place) for place in range(len(BOUNDS) + 1)]
    all_of_them = max(1, sum(counts))
    rows = [(name, n, f"{n * 100 / all_of_them:.0f} %") for name, n in zip(TOOK, counts, strict=True) if n]
    return charts.lying(("From asked to ended", "Share"), rows, "s3")
