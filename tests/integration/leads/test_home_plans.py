"""What the dashboard and the line over the list ask at 100,000 leads: nothing walks the leads or the trail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.dashboard_page import PERIODS, Period, dashboard
from leads_core.database import Database
from leads_core.leads.since_away import LOOKED_AT, marks_of, news_since
from tests.integration.leads.test_list_plans import CURSORS, ME, Watched, generic_plan, nodes, seeded

__all__ = ["seeded"]  # a fixture
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class WatchedInAll(Watched):
    """Remembers single rows and values as well."""

    async def fetchrow(self, statement: str, *values: Any) -> Any:
        self.asked.append((statement, values))
        return await self._reader.fetchrow(statement, *values)

    async def fetchval(self, statement: str, *values: Any) -> Any:
        self.asked.append((statement, values))
        return await self._reader.fetchval(statement, *values)


@pytest.mark.parametrize("period", PERIODS, ids=lambda period: period.name)
async def test_the_dashboard_walks_no_lead(seeded: Database, period: Period) -> None:
    async with seeded.reader() as reader:
        watched: Any = WatchedInAll(reader)
        shown = await dashboard(watched, period, datetime.now(UTC), me=ME, cursors=CURSORS)
        assert shown.has_leads
        await _no_walk(watched)


async def test_news_and_marks_are_one_statement_each_and_look_at_the_last_changes_only(seeded: Database) -> None:
    async with seeded.reader() as reader:
        ids = await reader.fetch("SELECT id FROM leads WHERE deleted_at IS NULL ORDER BY updated_at DESC LIMIT 50")
        watched: Any = WatchedInAll(reader)
        news = await news_since(watched, LONG_AGO, ME)
        await marks_of(watched, [row["id"] for row in ids], datetime.now(UTC) - timedelta(days=1), ME)

        assert (news.new + news.enriched + news.changed, news.more) == (LOOKED_AT + 1, True)
        assert len(watched.asked) == 2
        await _no_walk(watched)


async def _no_walk(watched: Any) -> None:
    for statement, values in watched.asked:
        for node in nodes(await generic_plan(watched._reader, statement, values)):
            walked = (node["Node Type"], node.get("Relation Name"))
            assert walked not in {("Seq Scan", "leads"), ("Seq Scan", "audit_log")}, statement
