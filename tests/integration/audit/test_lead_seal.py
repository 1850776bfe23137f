"""A lead's seal, as its entries and the log really are."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from leads_core.audit.lead_seal import LeadSeal, seal_of, seal_of_many_entries
from leads_core.audit.log.keeping import keep_checkpoint
from leads_core.audit.log.sequencer import Sequencer
from leads_core.audit.verification.findings import FindingKind
from leads_core.audit.verification.trusted import Trusted
from leads_core.database import Database
from leads_core.errors import NotFound
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import a_lead

pytestmark = pytest.mark.usefixtures("acting")


@pytest.fixture
def own_log(settings: Settings, tmp_path: Any) -> Settings:
    """Settings under which a log begins anew, with the MAC keys that the pools write with."""
    own = {"audit_checkpoint_file": tmp_path / "checkpoints", "audit_log_name": f"{tmp_path.name}.example.com/audit"}
    return settings.model_copy(update=own)


@pytest.fixture
async def acme(leads: LeadService) -> LeadRead:
    lead = await leads.create(a_lead(city="Bonn"), source=Source.FORM)
    return await leads.update(lead.id, LeadUpdate(city="Oslo"))


async def seal(database: Database, settings: Settings, lead: LeadRead) -> LeadSeal:
    trusted = Trusted.of(settings)
    assert trusted.mac_keys
    return await seal_of(database, trusted, lead.id)


async def test_new_entries_wait_and_a_checkpoint_seals_them(
    database: Database, own_log: Settings, leads: LeadService, acme: LeadRead
) -> None:
    waiting = await seal(database, own_log, acme)
    await Sequencer(database, own_log).run_once()
    sealed = await seal(database, own_log, acme)
    await leads.update(acme.id, LeadUpdate(city="Rome"))
    again = await seal(database, own_log, acme)

    assert (waiting.report.sealed, waiting.report.unsealed, waiting.newest_leaf) == (None, 2, None)
    assert (sealed.report.sealed, sealed.report.unsealed, sealed.newest_leaf) == (1, 0, 1)
    assert (again.report.sealed, again.report.unsealed) == (None, 1)
    assert [one.report.ok for one in (waiting, sealed, again)] == [True, True, True]


async def test_a_checkpoint_kept_elsewhere_covers_what_was_there_when_it_was_signed(
    database: Database, own_log: Settings, leads: LeadService, acme: LeadRead
) -> None:
    await Sequencer(database, own_log).run_once()
    await keep_checkpoint(database, "mail to the auditor")
    await Sequencer(database, own_log).run_once()
    kept = await seal(database, own_log, acme)
    await leads.update(acme.id, LeadUpdate(city="Rome"))
    await Sequencer(database, own_log).run_once()
    newer = await seal(database, own_log, acme)

    assert (kept.is_kept_elsewhere, newer.is_kept_elsewhere) == (True, False)
    assert newer.report.sealed is not None


async def test_an_edited_entry_is_named_by_its_number(
    database: Database, own_log: Settings, acme: LeadRead, owner: asyncpg.Connection
) -> None:
    await Sequencer(database, own_log).run_once()
    await owner.execute(
        "SET session_replication_role = replica;"
        """UPDATE audit_log SET parts = jsonb_set(parts, '{data,1,city,1}', '"Rome"') WHERE seq = 2;"""
        "SET session_replication_role = DEFAULT"
    )

    broken = await seal(database, own_log, acme)

    assert [finding.kind for finding in broken.report.findings] == [FindingKind.EDITED]
    assert list(broken.numbers.values()) == [2]


async def test_a_lead_changed_past_the_app_is_found(
    database: Database, own_log: Settings, acme: LeadRead, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "SET session_replication_role = replica; UPDATE leads SET city = 'Rome';SET session_replication_role = DEFAULT"
    )

    broken = await seal(database, own_log, acme)

    assert [finding.kind for finding in broken.report.findings] == [FindingKind.LEAD_CHANGED]


async def test_a_long_trail_is_checked_apart_and_says_the_same(
    database: Database, own_log: Settings, acme: LeadRead
) -> None:
    await Sequencer(database, own_log).run_once()

    apart = await seal_of_many_entries(database, Trusted.of(own_log), acme.id)

    assert apart.report == (await seal(database, own_log, acme)).report
    with pytest.raises(NotFound):
        await seal_of_many_entries(database, Trusted.of(own_log), uuid4())


async def test_a_lead_that_is_not_there_has_no_seal(database: Database, own_log: Settings) -> None:
    with pytest.raises(NotFound):
        await seal_of(database, Trusted.of(own_log), uuid4())


async def test_no_change_at_the_same_moment_is_taken_for_a_break(
    database: Database, own_log: Settings, leads: LeadService, acme: LeadRead
) -> None:
    sequencer = Sequencer(database, own_log)

    async def write(number: int) -> None:
        for step in range(10):
            await leads.update(acme.id, LeadUpdate(city=f"City {number} {step}"))

    async def look() -> list[str]:
        found = []
        for _ in range(20):
            report = (await seal(database, own_log, acme)).report
            found += [str(finding) for finding in report.findings]
            await sequencer.run_once()
        return found

    *_, found = await asyncio.gather(*(write(number) for number in range(4)), look())

    assert found == []
    assert (await seal(database, own_log, acme)).report.entries == 42
