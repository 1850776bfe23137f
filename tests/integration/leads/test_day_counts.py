"""The dashboard's numbers are those that an obvious count finds, whatever was done and in whatever order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from leads_core.enrichment import day_figures
from leads_core.enrichment.day_figures import BOUNDS, Ended, within
from leads_core.leads.counting import mend_counts
from leads_core.leads.day_counts import came_in, fold_days
from leads_core.leads.schemas import LeadCreate, LeadUpdate, Source, Stage

LONG_AGO = date(2020, 1, 1)
STEPS = st.lists(
    st.tuples(st.sampled_from(["create", "stage", "delete", "restore", "fold"]), st.integers(0, 5)), max_size=12
)
OBVIOUS = text("""
    SELECT date_trunc(:unit, created_at AT TIME ZONE 'UTC')::date, stage, source, count(*) FROM leads
    WHERE deleted_at IS NULL GROUP BY 1, 2, 3
""")


@given(steps=STEPS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_leads_of_each_day_stage_and_source_are_as_many_as_a_count_finds(database, leads, acting, steps):
    made: list = []
    for step, n in steps:
        if step == "create":
            lead = LeadCreate(email=f"{len(made)}-{datetime.now(UTC).timestamp()}@acme.com")
            made.append((await leads.create(lead, source=list(Source)[n % 4])).id)
        elif step == "fold":
            await fold_days(database)
        elif made:
            lead_id = made[n % len(made)]
            live = (await leads.get(lead_id, deleted=None)).deleted_at is None
            if step == "stage" and live:
                await leads.update(lead_id, LeadUpdate(stage=list(Stage)[n % 5]))
            elif step == "delete" and live:
                await leads.delete(lead_id)
            elif step == "restore" and not live:
                await leads.restore(lead_id)

    for unit in ("day", "week", "month"):
        assert await _counted(database, unit) == await _obvious(database, unit)


async def test_folding_leaves_one_row_for_each_day_and_code(database, leads, acting):
    for n in range(5):
        await leads.create(LeadCreate(email=f"{n}@acme.com"), source=Source.FORM)

    assert await fold_days(database) == 5
    assert await fold_days(database) == 0
    async with database.transaction() as session:
        assert (await session.execute(text("SELECT n, fresh FROM lead_days"))).all() == [(5, False)]


async def test_what_changes_neither_stage_nor_source_nor_day_writes_no_figure(database, leads, acting):
    lead = await leads.create(LeadCreate(email="max@acme.com", is_manual=True), source=Source.FORM)
    await fold_days(database)

    await leads.update(lead.id, LeadUpdate(city="Bonn", is_manual=False))

    assert await fold_days(database) == 0


async def test_figures_that_went_wrong_are_mended(database, leads, acting):
    await leads.create(LeadCreate(email="max@acme.com"), source=Source.FORM)
    async with database.transaction() as session:
        await session.execute(text("RESET ROLE"))
        await session.execute(text("INSERT INTO lead_days (day, facet, n) VALUES ('2026-01-05', 0, 7)"))

    assert (await mend_counts(database), await mend_counts(database)) == (1, 0)
    assert await _counted(database, "day") == await _obvious(database, "day")


async def test_an_ended_enrichment_counts_by_outcome_and_by_the_time_it_took(database, acting):
    at = datetime(2026, 3, 4, 23, 59, tzinfo=UTC)
    async with database.transaction() as session:
        await day_figures.note_end(session, "found", at - timedelta(seconds=1.5), at)
        await day_figures.note_end(session, None, at - timedelta(days=2), at)
    await fold_days(database)

    async with database.reader() as reader:
        found = await day_figures.ended(reader, "month", LONG_AGO)

    assert found == [Ended(date(2026, 3, 1), "failed", len(BOUNDS), 1), Ended(date(2026, 3, 1), "found", 1, 1)]


def test_half_of_them_ended_within_the_bound_that_half_of_them_kept():
    figures = [Ended(LONG_AGO, "found", 0, 1), Ended(LONG_AGO, "found", 2, 8), Ended(LONG_AGO, "found", len(BOUNDS), 1)]

    assert (within(figures, 0.05), within(figures, 0.5), within(figures, 0.95)) == (1.0, 5.0, None)
    assert within([], 0.5) is None


async def _counted(database, unit):
    async with database.reader() as reader:
        found = await came_in(reader, unit, LONG_AGO)
    return {(each.start, each.stage, each.source, each.n) for each in found}


async def _obvious(database, unit):
    async with database.transaction() as session:
        return {tuple(row) for row in await session.execute(OBVIOUS, {"unit": unit})}
