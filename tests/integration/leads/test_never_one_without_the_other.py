"""A change and its entry are one transaction: broken at any statement, neither is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.database import Database
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import a_lead
from tests.integration.trail_state import differences

Change = Callable[[LeadService, LeadRead], Awaitable[Any]]


class Broken(Exception):
    """What the test makes happen."""


async def _nothing(_session: AsyncSession, _lead: LeadRead) -> None: ...


async def _delete_and_restore(leads: LeadService, lead: LeadRead) -> None:
    if not (await leads.get(lead.id, deleted=None)).is_deleted:
        await leads.delete(lead.id)
    await leads.restore(lead.id)


async def _enrich_and_record(leads: LeadService, lead: LeadRead) -> None:
    begun = await leads.enrich(lead.id)
    found = {"city": "Bonn", "enrichment_status": "completed", "enrichment_outcome": "found"}
    assert begun.enrichment_task_id is not None
    await leads.record_enrichment(lead.id, begun.enrichment_task_id, lambda _lead, _at: found, _nothing)


CHANGES: dict[str, Change] = {
    "create": lambda leads, _: leads.create(a_lead(email="bo@acme.com"), source=Source.API, enrich=True),
    "quick-add": lambda leads, _: leads.quick_add("linear.app"),
    "update": lambda leads, lead: leads.update(lead.id, LeadUpdate(city="Bonn", notes="n", email="c@acme.com")),
    "delete and restore": _delete_and_restore,
    "enrich and record": _enrich_and_record,
}


@pytest.mark.usefixtures("acting")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_a_transaction_broken_at_any_statement_leaves_neither_change_nor_entry(
    leads: LeadService, database: Database, owner: asyncpg.Connection, settings: Settings, change: Change
) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)
    engine, allowed, used = database.engine.sync_engine, 0, 0

    def break_it(*_: Any) -> None:
        nonlocal used
        used += 1
        if used > allowed:
            raise Broken

    for name in ("before_cursor_execute", "commit"):
        event.listen(engine, name, break_it)
    try:
        while allowed < 100:
            used = 0
            try:
                await change(leads, lead)
            except Broken:
                assert await differences(owner, settings.mac_keys[0]) == []
                allowed += 1
            else:
                break
    finally:
        for name in ("before_cursor_execute", "commit"):
            event.remove(engine, name, break_it)

    assert allowed > 2
    assert await differences(owner, settings.mac_keys[0]) == []
