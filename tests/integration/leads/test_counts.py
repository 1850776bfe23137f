"""Totals stay exact whatever happens to leads, at once and in any order; tags follow."""

from __future__ import annotations

import asyncio
import random

import asyncpg

from leads_core.context import RequestContext
from leads_core.database import Database
from leads_core.leads import counting
from leads_core.leads.facets import FINE, decode, encode, facet_sql, tags_sql
from leads_core.leads.schemas import LeadUpdate, Source, Stage
from leads_core.leads.service import LeadService
from tests.builders import a_lead
from tests.integration.leads import list_data

COUNTED = "SELECT facet, count(*) AS n FROM leads WHERE deleted_at IS NULL GROUP BY facet ORDER BY facet"
STORED = "SELECT facet, sum(n)::bigint AS n FROM lead_counts GROUP BY facet HAVING sum(n) <> 0 ORDER BY facet"
TAGGED = (
    "SELECT tag, created_at, id FROM leads, unnest(tags) AS tag WHERE deleted_at IS NULL ORDER BY tag, created_at, id"
)
STORED_TAGS = "SELECT tag, created_at, lead_id AS id FROM lead_tagging ORDER BY tag, created_at, lead_id"


async def test_counts_and_tags_stay_exact_while_many_change_leads_at_once(
    database: Database, leads: LeadService, acting: RequestContext, owner: asyncpg.Connection
) -> None:
    chance = random.Random(11)  # noqa: S311 - the same each time

    async def a_life(number: int) -> None:
        lead = await leads.create(a_lead(email=f"p{number}@acme.com", tags=["vip"]), source=Source.API)
        await leads.update(lead.id, LeadUpdate(stage=chance.choice(tuple(Stage)), tags=["cold", "fair"][: number % 3]))
        if number % 2:
            await leads.delete(lead.id)
        if number % 4 == 1:
            await leads.restore(lead.id)
        await counting.fold_counts(database)

    await asyncio.gather(*(a_life(number) for number in range(40)))

    assert await owner.fetch(STORED) == await owner.fetch(COUNTED)
    assert await owner.fetch(STORED_TAGS) == await owner.fetch(TAGGED)
    assert await counting.mend_counts(database) == 0


async def test_copy_is_counted_too(database: Database, owner: asyncpg.Connection) -> None:
    await list_data.insert(owner, list_data.some_leads(300, (), seed=3))

    assert await owner.fetch(STORED) == await owner.fetch(COUNTED)
    assert await owner.fetch(STORED_TAGS) == await owner.fetch(TAGGED)


async def test_folding_leaves_one_row_for_each_code_and_every_sum_as_it_was(
    database: Database, owner: asyncpg.Connection
) -> None:
    for seed in range(3):
        await list_data.insert(owner, [*list_data.some_leads(60, (), seed)][seed * 20 : seed * 20 + 20])
    before = await owner.fetch(STORED)

    await counting.fold_counts(database)

    assert await owner.fetch(STORED) == before
    assert await owner.fetchval("SELECT count(*) = count(DISTINCT facet) FROM lead_counts")


async def test_counts_that_went_wrong_are_mended(database: Database, owner: asyncpg.Connection) -> None:
    await list_data.insert(owner, list_data.some_leads(50, (), seed=5))
    await owner.execute("DELETE FROM lead_counts WHERE facet = (SELECT min(facet) FROM lead_counts)")

    assert await counting.mend_counts(database) == 1

    assert await owner.fetch(STORED) == await owner.fetch(COUNTED)


async def test_the_apps_role_can_write_neither_counts_nor_tags(database: Database) -> None:
    for table in ("lead_counts", "lead_tagging"):
        async with database.engine.connect() as connection:
            refused = await connection.exec_driver_sql(
                f"SELECT has_table_privilege('leads_app', '{table}', 'INSERT, UPDATE, DELETE, TRUNCATE')"
            )
            assert refused.scalar() is False


async def test_the_databases_code_of_a_lead_is_the_one_python_computes(
    database: Database, owner: asyncpg.Connection
) -> None:
    await list_data.insert(owner, list_data.some_leads(500, (), seed=9))

    rows = await owner.fetch(
        f"SELECT *, {facet_sql()} AS computed, {tags_sql()} AS tags_of, lead_tags(bucket, facet) FROM leads"
    )

    for row in rows:
        status = row["enrichment_outcome"] or row["enrichment_status"]
        facts = {"has_email": row["email"] is not None, "source": row["source"], "status": status}
        code = encode(**facts, stage=row["stage"], is_manual=row["is_manual"])
        assert row["facet"] == row["computed"] == code
        assert decode(code) == {**facts, "stage": row["stage"], "is_manual": row["is_manual"]}
        assert sorted(row["tags_of"]) == sorted(row["lead_tags"])
        assert row["lead_tags"][0] == FINE + row["bucket"]
