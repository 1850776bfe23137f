"""Likely duplicates are found from indexes, kept as pairs by a worker that follows the log, and asked about once."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from leads_core import context
from leads_core.audit.log.sequencer import Sequencer
from leads_core.database import Database
from leads_core.errors import NotFound
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.leads import kept_apart, likely_duplicates
from leads_core.leads.duplicates import duplicates_of
from leads_core.leads.forgetting import Erasure
from leads_core.leads.merging import Merge
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.paging import Cursors, Page
from leads_core.settings import Settings
from tests.builders import a_lead

pytestmark = pytest.mark.usefixtures("acting")

CURSORS = Cursors("a secret for tests")
PHONE = "+4930901820"


async def add(leads: LeadService, email: str | None, name: str | None = None, **fields: Any) -> LeadRead:
    wanted = a_lead(email=email, contact_name=name, company_name=None, **fields)
    return await leads.create(wanted, source=Source.FORM)


async def found(database: Database, lead: LeadRead) -> dict[str | None, tuple[str, ...]]:
    async with database.reader() as reader:
        return {
            each.lead.email or each.lead.domain: each.likeness.reasons for each in await duplicates_of(reader, lead.id)
        }


@pytest.fixture
def look(database: Database, settings: Settings) -> Any:
    """A worker's chore: takes the entries into the log, then follows it."""

    async def looked() -> int:
        await Sequencer(database, settings).run_once()
        return await likely_duplicates.find_new(database, seconds=60)

    return looked


async def pairs(database: Database, cursor: str | None = None, limit: int = 50) -> Page[likely_duplicates.Pair]:
    async with database.reader() as reader:
        return await likely_duplicates.page_of_pairs(reader, cursor, limit, cursors=CURSORS)


async def test_each_rule_finds_its_lead_from_either_side(leads: LeadService, database: Database) -> None:
    mara = await add(leads, "mara.holt@acme.com", "Mara Holt", phone=PHONE)
    others = {
        "mara.holt+news@acme.com": await add(leads, "mara.holt+news@acme.com"),
        "mh@other.org": await add(leads, "mh@other.org", phone=PHONE),
        "m.holt@acme.com": await add(leads, "m.holt@acme.com", "M. Holt"),
        "mara.holt@acrne.com": await add(leads, "mara.holt@acrne.com"),
    }
    await add(leads, "idris@acme.com", "Idris Bello")
    await add(leads, "mara.holt@elsewhere.org", "Mara Holt")

    assert await found(database, mara) == {
        "mara.holt+news@acme.com": ("mailbox", "same_name"),
        "mh@other.org": ("phone",),
        "m.holt@acme.com": ("similar_name",),
        "mara.holt@acrne.com": ("same_name", "lookalike_address"),
    }
    for email, other in others.items():
        assert "mara.holt@acme.com" in await found(database, other), email


async def test_a_switchboards_number_says_nothing_of_people(leads: LeadService, database: Database) -> None:
    names = ["Mara Holt", "Idris Bello", "Ana Diaz", "Piotr Nowak", "Kenji Ito", "Wei Chen"]
    colleagues = [await add(leads, f"{name.split()[0].lower()}@acme.com", name, phone=PHONE) for name in names]

    assert [await found(database, one) for one in colleagues[:2]] == [{}, {}]


async def test_those_in_the_bin_and_the_erased_are_nobodys_duplicates(leads: LeadService, database: Database) -> None:
    mara = await add(leads, "mara@acme.com", "Mara Holt")
    binned, erased = [await add(leads, f"{n}@acme.com", "Mara Holt") for n in ("one", "two")]
    await leads.delete(binned.id)
    await leads.erase(erased.id, Erasure())

    assert await found(database, mara) == {}


async def test_a_worker_keeps_the_pairs_and_drops_what_holds_no_longer(
    leads: LeadService, database: Database, look: Any
) -> None:
    mara = await add(leads, "mara@acme.com", "Mara Holt")
    holt = await add(leads, "m.holt@acme.com", "M. Holt")
    await look()

    (pair,) = (await pairs(database)).items
    assert ({pair.lead.id, pair.other.id}, pair.reasons) == ({mara.id, holt.id}, ("similar_name",))
    assert await look() == 0

    await leads.update(holt.id, LeadUpdate(contact_name="Idris Bello"))
    await look()
    assert (await pairs(database)).items == []


async def test_a_worker_looks_at_nothing_while_an_import_runs(
    leads: LeadService, database: Database, look: Any, owner: asyncpg.Connection
) -> None:
    await add(leads, "mara@acme.com", "Mara Holt")
    async with database.transaction() as session:
        await queue.start(session, JobKind.IMPORT, priority=queue.PRIORITY_BULK)
    await owner.execute("UPDATE jobs SET state = 'running'")
    assert await look() == 0

    await owner.execute("UPDATE jobs SET state = 'completed', finished_at = now()")
    assert await look() > 0


async def test_a_pair_leaves_the_page_with_a_merge_and_comes_back_with_its_undoing(
    leads: LeadService, database: Database, look: Any
) -> None:
    mara = await add(leads, "mara@acme.com", "Mara Holt")
    holt = await add(leads, "m.holt@acme.com", "M. Holt")
    await look()

    await leads.merge(mara.id, holt.id, Merge())
    assert (await pairs(database)).items == []

    await look()
    await leads.restore(holt.id)
    await look()
    assert len((await pairs(database)).items) == 1


async def test_what_is_not_a_duplicate_is_not_asked_again(
    leads: LeadService, database: Database, look: Any, owner: asyncpg.Connection
) -> None:
    mara = await add(leads, "mara@acme.com", "Mara Holt")
    holt = await add(leads, "m.holt@acme.com", "M. Holt")

    await kept_apart.dismiss(database, mara.id, holt.id)
    await leads.update(holt.id, LeadUpdate(contact_name="Mara Holt"))
    await look()

    async with database.reader() as reader:
        assert await likely_duplicates.undecided_of(reader, holt.id) == []
    assert (await pairs(database)).items == []
    assert await owner.fetchval("SELECT count(*) FROM audit_log WHERE seq IS NULL") == 0
    async with database.reader() as reader:
        (apart,) = (await kept_apart.page_kept_apart(reader, None, 50, cursors=CURSORS)).items
    assert {apart.lead.id, apart.other.id} == {mara.id, holt.id}
    assert apart.by == context.current().actor_id

    await kept_apart.ask_again(database, holt.id, mara.id)
    async with database.reader() as reader:
        assert (await kept_apart.page_kept_apart(reader, None, 50, cursors=CURSORS)).items == []
    assert len((await pairs(database)).items) == 1


async def test_a_log_that_is_shorter_than_what_was_read_is_read_anew(
    leads: LeadService, database: Database, look: Any, owner: asyncpg.Connection
) -> None:
    await add(leads, "mara@acme.com", "Mara Holt")
    await look()
    await owner.execute("UPDATE duplicates_read SET entries = 1000")
    await add(leads, "m.holt@acme.com", "M. Holt")

    read = await look()
    assert read == 2, await owner.fetch("SELECT * FROM audit_leaves LEFT JOIN audit_log ON id = entry_id")
    assert len((await pairs(database)).items) == 1


async def test_only_leads_that_are_there_are_dismissed(leads: LeadService, database: Database) -> None:
    mara = await add(leads, "mara@acme.com", "Mara Holt")

    with pytest.raises(NotFound):
        await kept_apart.dismiss(database, mara.id, mara.id)


async def test_pages_show_each_pair_once_the_likeliest_first(leads: LeadService, database: Database, look: Any) -> None:
    for company in range(5):
        await add(leads, f"mara@company{company}.com", "Mara Holt")
        await add(leads, f"m.holt@company{company}.com", "Mara Holt" if company % 2 else "M. Holt")
    await look()

    first = await pairs(database, limit=2)
    second = await pairs(database, first.next_cursor, limit=2)
    third = await pairs(database, second.next_cursor, limit=2)
    back = await pairs(database, third.previous_cursor, limit=2)

    shown = [*first.items, *second.items, *third.items]
    assert [pair.score for pair in shown] == sorted((pair.score for pair in shown), reverse=True)
    assert len({frozenset((pair.lead.id, pair.other.id)) for pair in shown}) == len(shown) == 5
    assert (third.next_cursor, first.previous_cursor, back.items) == (None, None, second.items)
