"""What providers found beside a person's word: taken over or waved away, and the trail says which."""

from __future__ import annotations

from uuid import UUID, uuid4

import asyncpg
import pytest

from leads_core.audit import trail
from leads_core.context import RequestContext
from leads_core.database import Database
from leads_core.enrichment import queries
from leads_core.enrichment.merging import Fact
from leads_core.enrichment.suggestions import Suggestions
from leads_core.errors import Invalid, NotFound
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import a_lead
from tests.integration.trail_state import differences

pytestmark = pytest.mark.usefixtures("acting")


async def found(database: Database, lead: LeadRead, source: str = "website", **values: object) -> None:
    facts = [
        Fact(field, value, source, 71, trail.now(), "https://acme.com/contact", suggestion_only=True)
        for field, value in values.items()
    ]
    async with database.transaction() as session:
        await queries.replace_facts(session, lead.id, uuid4(), [source], facts)


@pytest.fixture
async def lead(leads: LeadService) -> LeadRead:
    return await leads.create(a_lead(phone="+18055550142", city="Bonn", country="US"), source=Source.FORM)


async def test_a_suggestion_that_is_used_becomes_the_persons_word(
    database: Database, leads: LeadService, lead: LeadRead, ana: RequestContext
) -> None:
    await found(database, lead, phone="+1 805 555 0177", city="Köln")
    suggestions = Suggestions(database)
    phone = next(one for one in await suggestions.of(lead) if one.field == "phone")

    after, taken = await suggestions.accept(lead.id, [phone.id])

    assert (after.phone, after.city, after.version, after.updated_by) == ("+18055550177", "Bonn", 2, ana.actor_id)
    assert ("phone" in after.provenance, [one.field for one in taken]) == (False, ["phone"])
    assert [one.field for one in await suggestions.of(after)] == ["city"]


async def test_all_suggestions_of_a_lead_are_used_in_one_entry(database: Database, lead: LeadRead) -> None:
    await found(database, lead, phone="+1 805 555 0177", city="Köln", industry="Tools")

    after, taken = await Suggestions(database).accept(lead.id)

    assert (after.phone, after.city, after.industry, after.version) == ("+18055550177", "Köln", "Tools", 2)
    assert len(taken) == 3


async def test_a_suggestion_that_is_waved_away_stays_away_and_the_trail_says_so(
    database: Database, leads: LeadService, lead: LeadRead, owner: asyncpg.Connection, settings: Settings
) -> None:
    await found(database, lead, phone="+1 805 555 0177", city="Köln")
    suggestions = Suggestions(database)

    waved = await suggestions.dismiss(lead.id)

    assert {one.field for one in waved} == {"phone", "city"}
    assert await suggestions.of(lead) == []
    assert (await leads.get(lead.id)).version == 1
    entry = await owner.fetchrow(
        "SELECT seq, parts #> '{person,1,phone}' AS phone, parts #> '{data,1,city}' AS city FROM audit_log"
        " WHERE subject_id = $1 AND action = 'DISMISS'",
        lead.id,
    )
    assert tuple(entry) == (None, '["+18055550177", null]', '["Köln", null]')
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_what_was_waved_away_comes_back_only_with_another_value(database: Database, lead: LeadRead) -> None:
    suggestions = Suggestions(database)
    await found(database, lead, phone="+1 805 555 0177")
    await suggestions.dismiss(lead.id)

    await found(database, lead, phone="+1 805 555 0177")
    await found(database, lead, "register", phone="+1 805 555 0177")
    assert await suggestions.of(lead) == []

    await found(database, lead, phone="+1 805 555 0199")
    assert [one.value for one in await suggestions.of(lead)] == ["+18055550199"]


async def test_two_providers_that_say_the_same_are_one_suggestion(database: Database, lead: LeadRead) -> None:
    await found(database, lead, "website", phone="+1 805 555 0177")
    await found(database, lead, "register", phone="+18055550177")
    suggestions = Suggestions(database)

    (one,) = await suggestions.of(lead)
    await suggestions.dismiss(lead.id, [one.id])

    assert (len(one.ids), await suggestions.of(lead)) == (2, [])


async def test_a_suggestion_that_does_not_stand_any_more_changes_nothing(
    database: Database, leads: LeadService, lead: LeadRead
) -> None:
    await found(database, lead, phone="+1 805 555 0177")
    suggestions = Suggestions(database)
    (one,) = await suggestions.of(lead)
    await leads.update(lead.id, LeadUpdate.model_validate({"phone": "+1 805 555 0177"}))

    for decide in (suggestions.accept, suggestions.dismiss):
        with pytest.raises(NotFound):
            await decide(lead.id, [one.id])

    assert (await leads.get(lead.id)).version == 2


async def test_one_answer_holds_for_every_lead_of_the_company(
    database: Database, leads: LeadService, lead: LeadRead, owner: asyncpg.Connection, settings: Settings
) -> None:
    others = [await leads.create(a_lead(email=f"{name}@acme.com"), source=Source.API) for name in ("bo", "cy")]
    elsewhere = await leads.create(a_lead(email="di@other.com"), source=Source.API)
    binned = await leads.create(a_lead(email="ed@acme.com"), source=Source.API)
    await leads.delete(binned.id)
    await found(database, lead, industry="Tools", phone="+1 805 555 0177")
    suggestions = Suggestions(database)
    by_field = {one.field: one for one in await suggestions.of(lead)}

    changed = await suggestions.accept_for_all(lead.id, by_field["industry"].id)

    assert changed == 3
    assert [(await leads.get(one.id)).industry for one in (lead, *others, elsewhere)] == ["Tools"] * 3 + [None]
    assert (await leads.get(binned.id, deleted=None)).industry is None
    assert await suggestions.accept_for_all(lead.id, await again(database, lead, "industry", "Drills")) == 3
    with pytest.raises(Invalid):
        await suggestions.accept_for_all(lead.id, by_field["phone"].id)
    assert await differences(owner, settings.mac_keys[0]) == []


async def again(database: Database, lead: LeadRead, field: str, value: str) -> UUID:
    await found(database, lead, "register", **{field: value})
    fresh = await LeadService(database).get(lead.id)
    return next(one.id for one in await Suggestions(database).of(fresh) if one.field == field)
