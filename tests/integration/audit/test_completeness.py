"""Entries expected and found, by door: what is missing is seen at once, and nothing else is."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from leads_core.audit import completeness
from leads_core.audit.completeness import DOORS, Door
from leads_core.database import Database
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from tests.builders import a_lead

pytestmark = pytest.mark.usefixtures("acting")


async def figures(database: Database) -> completeness.Completeness:
    async with database.reader() as reader:
        return await completeness.completeness(reader)


@pytest.fixture
async def three(leads: LeadService) -> dict[str, LeadRead]:
    """Three leads by three doors: one changed twice, one put into the bin."""
    api = await leads.create(a_lead(email="ana@acme.com"), source=Source.API)
    form = await leads.create(a_lead(email="bo@acme.com"), source=Source.FORM)
    (quick,) = await leads.quick_add("cy@acme.com")
    for city in ("Rome", "Bonn"):
        await leads.update(api.id, LeadUpdate(city=city))
    await leads.delete(form.id)
    assert quick.lead is not None
    return {"api": api, "form": form, "quick_add": quick.lead}


async def test_each_door_has_what_its_leads_versions_say(database: Database, three: dict[str, LeadRead]) -> None:
    found = await figures(database)

    assert found.doors == {
        "quick_add": Door(1, 1, 1),
        "form": Door(1, 2, 2),
        "api": Door(1, 3, 3),
        "import": Door(),
    }
    assert found.total == Door(3, 6, 6)
    assert found.is_complete
    assert found.last_write is not None


@pytest.mark.parametrize(("door", "seq"), [("api", 1), ("api", 2), ("api", 3), ("form", 2), ("quick_add", 1)])
async def test_an_entry_that_was_removed_is_missing_at_its_door(
    database: Database, three: dict[str, LeadRead], owner: asyncpg.Connection, door: str, seq: int
) -> None:
    before = await figures(database)
    await _behind_our_back(owner, f"DELETE FROM audit_log WHERE subject_id = '{three[door].id}' AND seq = {seq}")

    found = await figures(database)

    complete = before.doors[door]
    assert not found.is_complete
    assert found.doors[door] == Door(complete.leads, complete.entries_expected, complete.entries_found - 1)
    assert all(other.is_complete for name, other in found.doors.items() if name != door)


async def test_an_entry_too_many_makes_up_for_none(
    database: Database, three: dict[str, LeadRead], owner: asyncpg.Connection
) -> None:
    moved = f"UPDATE audit_log SET seq = 17 WHERE subject_id = '{three['api'].id}' AND seq = 2"
    await _behind_our_back(owner, moved)

    assert not (await figures(database)).is_complete


async def test_busy_writers_are_no_alarm(database: Database, leads: LeadService, three: dict[str, LeadRead]) -> None:
    async def write(name: str) -> None:
        lead = await leads.create(a_lead(email=f"{name}@busy.com"), source=Source.API)
        for city in ("Rome", "Bonn", "Oslo"):
            await leads.update(lead.id, LeadUpdate(city=city))

    async with asyncio.TaskGroup() as writing:
        tasks = [writing.create_task(write(f"p{number}")) for number in range(12)]
        while not all(task.done() for task in tasks):
            assert (await figures(database)).is_complete

    assert (await figures(database)).doors["api"] == Door(13, 51, 51)


async def test_the_doors_are_the_sources_a_lead_may_have() -> None:
    assert set(DOORS) == set(Source)


async def test_it_reads_by_indexes_alone(database: Database) -> None:
    async with database.reader() as reader:
        plan = "\n".join(row[0] for row in await reader.fetch(f"EXPLAIN {completeness.BY_DOOR}"))

    assert "ix_leads_live_updated" in plan
    assert "ix_leads_bin" in plan
    assert "audit_log_subject_id_seq_key" in plan
    assert "Seq Scan" not in plan


async def _behind_our_back(owner: asyncpg.Connection, statement: str) -> None:
    await owner.execute(f"SET session_replication_role = replica; {statement}; SET session_replication_role = DEFAULT")
