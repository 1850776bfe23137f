"""Sixteen at once on one lead: one wins, versions have no gap, the trail is complete."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import asyncpg
import pytest

from leads_core.errors import Conflict, IdentityTaken, NotFound, StaleVersion
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import a_lead
from tests.integration.trail_state import differences

CLIENTS = 16

pytestmark = pytest.mark.usefixtures("acting")


async def outcomes(*attempts: Awaitable[LeadRead]) -> tuple[list[LeadRead], list[BaseException]]:
    """Those that went through, and what the others were told."""
    ended: list[Any] = await asyncio.gather(*attempts, return_exceptions=True)
    won = [lead for lead in ended if isinstance(lead, LeadRead)]
    return won, [error for error in ended if not isinstance(error, LeadRead)]


@pytest.mark.parametrize("fields", [{"email": "ana@acme.com"}, {"email": None, "domain": "acme.com"}])
async def test_of_many_who_create_the_same_lead_one_wins(
    leads: LeadService, owner: asyncpg.Connection, settings: Settings, fields: dict[str, Any]
) -> None:
    won, lost = await outcomes(*(leads.create(a_lead(**fields), source=Source.API) for _ in range(CLIENTS)))

    assert len(won) == 1
    assert {type(error) for error in lost} == {IdentityTaken}
    assert {error.existing_id for error in lost if isinstance(error, IdentityTaken)} == {won[0].id}
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_of_many_who_change_one_version_one_wins(
    leads: LeadService, owner: asyncpg.Connection, settings: Settings
) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)

    won, lost = await outcomes(
        *(leads.update(lead.id, LeadUpdate(city=f"City {n}"), if_version=1) for n in range(CLIENTS))
    )

    assert ([one.version for one in won], len(lost)) == ([2], CLIENTS - 1)
    assert {type(error) for error in lost} == {StaleVersion}
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_many_changes_without_a_version_each_have_their_own(
    leads: LeadService, owner: asyncpg.Connection, settings: Settings
) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)

    won, lost = await outcomes(*(leads.update(lead.id, LeadUpdate(city=f"City {n}")) for n in range(CLIENTS)))

    assert (sorted(one.version for one in won), lost) == (list(range(2, CLIENTS + 2)), [])
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_delete_against_restore_leaves_a_trail_that_says_how_it_ended(
    leads: LeadService, owner: asyncpg.Connection, settings: Settings
) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)

    _, lost = await outcomes(*((leads.delete if n % 2 else leads.restore)(lead.id) for n in range(CLIENTS)))

    assert {type(error) for error in lost} <= {NotFound}
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_restore_against_create_of_the_same_identity_leaves_one_live_lead(
    leads: LeadService, owner: asyncpg.Connection, settings: Settings
) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)
    await leads.delete(lead.id)

    restores = (leads.restore(lead.id) for _ in range(CLIENTS // 2))
    creates = (leads.create(a_lead(), source=Source.API) for _ in range(CLIENTS // 2))
    _, lost = await outcomes(*restores, *creates)

    assert all(isinstance(error, Conflict) for error in lost), lost
    assert await owner.fetchval("SELECT count(*) FROM leads WHERE deleted_at IS NULL") == 1
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_many_who_enrich_one_lead_start_one_job(leads: LeadService, owner: asyncpg.Connection) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)

    won, lost = await outcomes(*(leads.enrich(lead.id) for _ in range(CLIENTS)))

    assert ({one.version for one in won}, lost) == ({2}, [])
    assert await owner.fetchval("SELECT count(*) FROM jobs") == 1
