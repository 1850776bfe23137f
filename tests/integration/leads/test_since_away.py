"""What others changed since somebody looked: counted by kind, and told field by field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from leads_core.accounts.last_seen import see, seen_until
from leads_core.accounts.permissions import Role
from leads_core.accounts.service import Accounts
from leads_core.context import acting_as
from leads_core.leads import since_away
from leads_core.leads.schemas import LeadCreate, LeadUpdate, Source
from leads_core.leads.since_away import News, marks_of, news_since
from tests.builders import an_actor

ME, OTHER = uuid4(), uuid4()


@pytest.fixture
def me():
    return an_actor(actor_id=ME, actor_name="Rosa Engel")


@pytest.fixture
def other():
    return an_actor(actor_id=OTHER, actor_name="Idris Bello")


async def added(leads, name, **fields):
    return await leads.create(LeadCreate(email=f"{name}@acme.com", **fields), source=Source.FORM)


async def news(database, since):
    async with database.reader() as reader:
        return await news_since(reader, since, ME)


async def marks(database, ids, since):
    async with database.reader() as reader:
        return await marks_of(reader, ids, since, ME)


async def test_what_others_did_is_counted_by_kind_and_own_changes_are_not(database, leads, me, other):
    with acting_as(other):
        old = [await added(leads, f"old{n}") for n in range(3)]
    since = datetime.now(UTC)
    with acting_as(me):
        await added(leads, "mine")
        await leads.update(old[0].id, LeadUpdate(city="Bonn"))
    with acting_as(other):
        await added(leads, "new")
        await leads.update(old[1].id, LeadUpdate(stage="won"))
        await leads.update(old[2].id, LeadUpdate(stage="won"))

    assert await news(database, since) == News(since, new=1, enriched=0, changed=2)
    assert not await news(database, datetime.now(UTC))


async def test_more_than_can_be_looked_at_is_at_least_so_many(database, leads, other, monkeypatch):
    monkeypatch.setattr(since_away, "LOOKED_AT", 2)
    since = datetime.now(UTC)
    with acting_as(other):
        for n in range(3):
            await added(leads, f"new{n}")

    found = await news(database, since)

    assert (found.new, found.more) == (3, True)


async def test_a_mark_says_who_changed_a_field_last_and_what_was_before_all_of_it(database, leads, me, other):
    with acting_as(me):
        lead = await added(leads, "stone", city="Porto")
        untouched = await added(leads, "rest")
    since = datetime.now(UTC)
    with acting_as(other):
        await leads.update(lead.id, LeadUpdate(city="Faro"))
        await leads.update(lead.id, LeadUpdate(city="Lisbon", stage="won"))
        new = await added(leads, "new")

    found = await marks(database, [lead.id, untouched.id, new.id], since)

    assert found.keys() == {lead.id}
    said = {field: (mark.by, mark.before) for field, mark in found[lead.id].items()}
    assert said == {"city": ("Idris Bello", "Porto"), "stage": ("Idris Bello", "new")}


async def test_seen_goes_forward_only_and_never_beyond_now(database):
    with acting_as(an_actor()):
        user = (await Accounts(database).add("Rosa", Role.EDITOR)).id
    now = datetime.now(UTC)
    for until in (now - timedelta(hours=1), now - timedelta(hours=2), now + timedelta(days=1)):
        await see(database, user, until)
        async with database.reader() as reader:
            seen = await seen_until(reader, user)
            assert seen is not None
        if until <= now:
            assert seen == now - timedelta(hours=1)
    assert now <= seen <= datetime.now(UTC)
