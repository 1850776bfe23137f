"""A merged pair comes apart, and is merged again by undoing that; what was merged on since stays."""

from __future__ import annotations

import asyncpg
import pytest

from leads_core.context import RequestContext, acting_as
from leads_core.database import Database, new_id
from leads_core.leads.merging import Merge
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from leads_core.undoing import Operation, Undoing, UndoneNow
from tests.builders import a_lead, an_actor
from tests.integration.trail_state import differences


def ana() -> RequestContext:
    return an_actor(request_id=str(new_id()))


async def undone(database: Database, request: RequestContext, by: RequestContext | None = None) -> UndoneNow:
    with acting_as(by or ana()):
        result = await Undoing(database).undo(Operation(request_id=request.request_id))
    assert isinstance(result, UndoneNow)
    return result


@pytest.fixture
async def mara(leads: LeadService) -> LeadRead:
    with acting_as(ana()):
        return await leads.create(a_lead(email="mara@acme.com", tags=["a"]), source=Source.FORM)


@pytest.fixture
async def holt(leads: LeadService) -> LeadRead:
    with acting_as(ana()):
        lead = a_lead(email="m.holt@acme.com", job_title="Buyer", tags=["b"])
        return await leads.create(lead, source=Source.FORM)


async def test_a_merged_pair_comes_apart_and_together_again_although_an_email_went_over(
    database: Database,
    leads: LeadService,
    mara: LeadRead,
    holt: LeadRead,
    owner: asyncpg.Connection,
    settings: Settings,
) -> None:
    merging, undoing = ana(), ana()
    with acting_as(merging):
        await leads.merge(mara.id, holt.id, Merge(sides={"email": "theirs"}))

    apart = await undone(database, merging, undoing)

    one, other = await leads.get(mara.id), await leads.get(holt.id)
    assert apart.counts == {"put_back": 1, "restored": 1, "kept_of": 0}
    assert (one.email, one.job_title, one.tags) == ("mara@acme.com", None, ["a"])
    assert (other.email, other.tags, other.merged_into, other.deleted_at) == ("m.holt@acme.com", ["b"], None, None)
    assert await differences(owner, settings.mac_keys[0]) == []
    await undone(database, undoing)
    together, gone = await leads.get(mara.id), await leads.get(holt.id, deleted=True)
    assert (together.email, together.tags, gone.merged_into) == ("m.holt@acme.com", ["a", "b"], mara.id)
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_what_people_changed_in_the_merged_lead_stays_with_it(
    database: Database, leads: LeadService, mara: LeadRead, holt: LeadRead
) -> None:
    merging, editing = ana(), an_actor(request_id="editing", actor_name="Idris Bello")
    with acting_as(merging):
        await leads.merge(mara.id, holt.id, Merge())
    with acting_as(editing):
        await leads.update(mara.id, LeadUpdate(job_title="Head of buying"))

    result = await undone(database, merging)

    one, other = await leads.get(mara.id), await leads.get(holt.id)
    assert (one.job_title, one.tags, other.job_title) == ("Head of buying", ["a"], "Buyer")
    assert [(one.reason, one.field) for kept in result.kept for one in kept.kept] == [("changed", "job_title")]


async def test_a_lead_that_was_merged_into_another_one_since_stays_there(
    database: Database,
    leads: LeadService,
    mara: LeadRead,
    holt: LeadRead,
    owner: asyncpg.Connection,
    settings: Settings,
) -> None:
    deleting = ana()
    with acting_as(deleting):
        await leads.delete(holt.id)
    with acting_as(ana()):
        await leads.restore(holt.id)
        await leads.merge(mara.id, holt.id, Merge())

    result = await undone(database, deleting)

    assert (await leads.get(holt.id, deleted=True)).merged_into == mara.id
    assert [one.reason for one in result.kept[0].kept] == ["merged"]
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_a_lead_that_took_in_another_one_does_not_go_to_the_bin(
    database: Database, leads: LeadService, holt: LeadRead
) -> None:
    adding = ana()
    with acting_as(adding):
        added = await leads.create(a_lead(email="mara@acme.com"), source=Source.FORM)
    with acting_as(ana()):
        await leads.merge(added.id, holt.id, Merge())

    result = await undone(database, adding)

    assert (await leads.get(added.id)).deleted_at is None
    assert "merged" in {one.reason for one in result.kept[0].kept}
