"""The trail of one lead: filtered and paged by the database."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from leads_core.audit.queries import NEWEST_FIRST, OLDEST_FIRST, TrailFilter, choices_of, entries_of
from leads_core.context import acting_as
from leads_core.database import Database
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from tests.builders import ANA_ID, a_lead, an_actor

BO_ID = uuid4()


@pytest.fixture
async def acme(leads: LeadService) -> LeadRead:
    """Ana adds it, Bo changes city and stage, a machine fills the phone for Ana, Ana changes the city."""
    bo = an_actor(actor_id=BO_ID, actor_name="Bo", channel="api")
    with acting_as(an_actor()):
        lead = await leads.create(a_lead(), source=Source.FORM)
    with acting_as(bo):
        await leads.update(lead.id, LeadUpdate(city="Oslo", stage="won"))
    with acting_as(an_actor()):
        begun = await leads.enrich(lead.id)
    with acting_as(an_actor(channel="worker", task_id=begun.enrichment_task_id)):
        assert begun.enrichment_task_id is not None
        found = {"phone": "+4532121212", "enrichment_status": "completed", "enrichment_outcome": "found"}
        await leads.record_enrichment(lead.id, begun.enrichment_task_id, lambda *_: found, _nothing)
    with acting_as(an_actor()):
        return await leads.update(lead.id, LeadUpdate(city="Bonn"))


async def _nothing(*_: Any) -> None: ...


async def seqs(database: Database, lead_id: UUID, only: TrailFilter, **page: Any) -> list[int | None]:
    asked = {"newest_first": True, "after": None, "limit": 100, "with_origin": False, **page}
    async with database.reader() as reader:
        return [entry.seq for entry in await entries_of(reader, lead_id, only=only, **asked)]


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (TrailFilter(), [5, 4, 3, 2, 1]),
        (TrailFilter(actor_ids=[BO_ID]), [2]),
        (TrailFilter(actor_ids=[ANA_ID]), [5, 3, 1]),
        (TrailFilter(by_machine=True), [4]),
        (TrailFilter(actor_ids=[BO_ID], by_machine=True), [4, 2]),
        (TrailFilter(actor_ids=[uuid4()]), []),
        (TrailFilter(actions=["UPDATE"]), [5, 2]),
        (TrailFilter(actions=["CREATE", "ENRICH"]), [4, 3, 1]),
        (TrailFilter(fields=["city"]), [5, 2]),
        (TrailFilter(fields=["phone", "stage"]), [4, 2, 1]),
        (TrailFilter(actor_ids=[ANA_ID], actions=["UPDATE"], fields=["city"]), [5]),
        (TrailFilter(fields=["no_such_field"]), []),
    ],
)
async def test_each_filter_narrows_and_several_of_a_kind_widen(
    database: Database, acme: LeadRead, only: TrailFilter, expected: list[int]
) -> None:
    assert await seqs(database, acme.id, only) == expected
    assert await seqs(database, acme.id, only, newest_first=False) == expected[::-1]


async def test_a_filtered_trail_is_paged_by_the_last_entry_of_the_page_before(
    database: Database, acme: LeadRead
) -> None:
    async with database.reader() as reader:
        page = await entries_of(
            reader,
            acme.id,
            newest_first=True,
            after=None,
            limit=2,
            with_origin=False,
            only=TrailFilter(fields=["phone", "city"]),
        )

    rest = await seqs(database, acme.id, TrailFilter(fields=["phone", "city"]), after=page[-1].id)

    assert ([entry.seq for entry in page], rest) == ([5, 4], [2])


async def test_an_entry_whose_part_was_erased_may_have_changed_any_field_of_it(
    database: Database, acme: LeadRead, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "SET session_replication_role = replica; UPDATE audit_log"
        f" SET parts = jsonb_set(parts, '{{person}}', to_jsonb(repeat('0', 64))) WHERE subject_id = '{acme.id}'"
        " AND seq = 4; SET session_replication_role = DEFAULT"
    )

    assert await seqs(database, acme.id, TrailFilter(fields=["job_title"])) == [4]


async def test_the_choices_are_what_the_trail_holds(database: Database, acme: LeadRead) -> None:
    async with database.reader() as reader:
        choices = await choices_of(reader, acme.id)

    assert dict(choices.actors) == {ANA_ID: "Ana Díaz", BO_ID: "Bo"}
    assert choices.by_machine
    assert set(choices.actions) == {"CREATE", "UPDATE", "ENRICH"}
    assert {"city", "stage", "phone", "email"} <= set(choices.fields)
    assert "provenance" not in choices.fields


@pytest.mark.parametrize("statement", [NEWEST_FIRST, OLDEST_FIRST])
async def test_a_trail_is_found_by_its_subject_however_long_the_log_is(
    database: Database, owner: asyncpg.Connection, statement: str
) -> None:
    await owner.execute(
        "SET session_replication_role = replica; INSERT INTO audit_log (id, subject_kind, subject_id, seq, action,"
        " actor_kind, actor_id, channel, occurred_at, v, parts, checksum, mac) SELECT gen_random_uuid(), 'lead',"
        " gen_random_uuid(), 1, 'CREATE', 'user', gen_random_uuid(), 'web', now(), 1, '{}', '', ''"
        " FROM generate_series(1, 5000); ANALYZE audit_log; SET session_replication_role = DEFAULT"
    )
    async with database.reader() as reader:
        values = (uuid4(), None, 101, None, False, None, None, [])
        plan = "\n".join(row[0] for row in await reader.fetch(f"EXPLAIN {statement}", *values))

    assert "audit_log_subject_id_seq_key" in plan
    assert plan.count("audit_log_pkey") == plan.count("Index Cond: (id = ANY")
    assert "Seq Scan" not in plan
