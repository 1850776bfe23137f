"""Put back: a value, a lead. Each a new entry; refused with the reason where it cannot be."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from leads_core.accounts.permissions import Role
from leads_core.accounts.service import Accounts
from leads_core.database import Database
from leads_core.errors import Erased, IdentityTaken, Invalid, LeadExplorerError, NotFound, StaleVersion
from leads_core.leads.history import REVERTIBLE
from leads_core.leads.models import audited
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import a_lead
from tests.integration.trail_state import differences

pytestmark = pytest.mark.usefixtures("acting")

FOUND = {"source": "website", "confidence": 80, "found_at": "2026-11-24T12:00:00.000000Z", "url": "https://acme.com"}


def revertible(lead: LeadRead) -> dict[str, Any]:
    return {name: getattr(lead, name) for name in REVERTIBLE}


async def filled(leads: LeadService, lead: LeadRead, **values: Any) -> LeadRead:
    """The lead after a machine filled these fields."""
    begun = await leads.enrich(lead.id)

    async def nothing(*_: Any) -> None: ...

    found = {
        **values,
        "provenance": {**lead.provenance, **dict.fromkeys(values, FOUND)},
        "enrichment_status": "completed",
        "enrichment_outcome": "found",
    }
    assert begun.enrichment_task_id is not None
    after = await leads.record_enrichment(lead.id, begun.enrichment_task_id, lambda *_: found, nothing)
    assert after is not None
    return after


async def entry(owner: asyncpg.Connection, lead_id: UUID, seq: int) -> asyncpg.Record:
    return await owner.fetchrow("SELECT * FROM audit_log WHERE subject_id = $1 AND seq = $2", lead_id, seq)


async def erase(owner: asyncpg.Connection, lead_id: UUID, part: str) -> None:
    """The part becomes its digest in every entry of the lead, as an erasure leaves it."""
    await owner.execute(
        "SET session_replication_role = replica;"
        f"UPDATE audit_log SET parts = jsonb_set(parts, '{{{part}}}', to_jsonb(repeat('0', 64)))"
        f" WHERE subject_id = '{lead_id}' AND parts ? '{part}';"
        "SET session_replication_role = DEFAULT"
    )


async def test_a_value_is_put_back_and_the_others_stay(leads: LeadService, owner: asyncpg.Connection) -> None:
    lead = await leads.create(a_lead(city="Bonn"), source=Source.FORM)
    await leads.update(lead.id, LeadUpdate(city="Oslo", stage="won"))

    after = await leads.revert(lead.id, 1, fields=["city"])

    written = await entry(owner, lead.id, 3)
    assert (after.city, after.stage, after.version) == ("Bonn", "won", 3)
    assert written["action"] == "REVERT"


async def test_a_lead_is_put_back_whole_and_the_revert_can_be_undone(
    leads: LeadService, owner: asyncpg.Connection, settings: Settings
) -> None:
    first = await leads.create(a_lead(city="Bonn", tags=["one"], follow_up_on="2026-12-01"), source=Source.FORM)
    changes = LeadUpdate(email="bo@other.com", domain="other.com", city=None, tags=[], follow_up_on=None, notes="Hm")
    second = await leads.update(first.id, changes)

    back = await leads.revert(first.id, 1)
    undone = await leads.revert(first.id, 2)

    assert revertible(back) == revertible(first)
    assert back.registrable_domain == "acme.com"
    assert revertible(undone) == revertible(second)
    assert await differences(owner, settings.mac_keys[0]) == []


async def test_where_nothing_differs_nothing_is_written(leads: LeadService) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)
    lead = await leads.update(lead.id, LeadUpdate(stage="won"))

    assert await leads.revert(lead.id, 2) == lead
    assert await leads.revert(lead.id, 1, fields=["city"]) == lead


async def test_what_a_machine_filled_comes_back_as_the_machines(leads: LeadService) -> None:
    lead = await filled(leads, await leads.create(a_lead(), source=Source.FORM), city="Oslo")
    await leads.update(lead.id, LeadUpdate(city="Bergen"))

    after = await leads.revert(lead.id, lead.version, fields=["city"])

    assert (after.city, after.provenance) == ("Oslo", {"city": FOUND})


async def test_what_is_emptied_by_putting_back_is_filled_by_no_machine_again(leads: LeadService) -> None:
    lead = await filled(leads, await leads.create(a_lead(), source=Source.FORM), city="Oslo")

    after = await leads.revert(lead.id, 1)

    assert (after.city, after.provenance) == (None, {"city": {"source": "person"}})
    assert await leads.revert(lead.id, 1) == after


async def test_the_machines_bookkeeping_is_not_put_back(leads: LeadService) -> None:
    lead = await filled(leads, await leads.create(a_lead(), source=Source.FORM), city="Oslo")

    after = await leads.revert(lead.id, 1)

    kept = ("enrichment_status", "enrichment_outcome", "enrichment_task_id", "enriched_at", "source")
    assert [getattr(after, name) for name in kept] == [getattr(lead, name) for name in kept]


async def test_a_stale_version_is_refused(leads: LeadService) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)
    changed = await leads.update(lead.id, LeadUpdate(city="Bonn"))

    with pytest.raises(StaleVersion) as caught:
        await leads.revert(lead.id, 1, if_version=1)

    assert caught.value.current == changed


async def test_an_email_that_is_another_leads_by_now_is_refused_with_that_lead(leads: LeadService) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)
    lead = await leads.update(lead.id, LeadUpdate(email="bo@acme.com"))
    other = await leads.create(a_lead(), source=Source.FORM)

    with pytest.raises(IdentityTaken) as caught:
        await leads.revert(lead.id, 1)

    assert (caught.value.field, caught.value.existing_id) == ("email", other.id)
    assert await leads.get(lead.id) == lead


async def test_a_lead_in_the_bin_is_left_there(leads: LeadService) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)
    await leads.update(lead.id, LeadUpdate(city="Bonn"))
    await leads.delete(lead.id)

    with pytest.raises(NotFound):
        await leads.revert(lead.id, 1)


async def test_the_time_in_the_bin_is_no_state_to_go_back_to(leads: LeadService) -> None:
    lead = await leads.create(a_lead(city="Bonn"), source=Source.FORM)
    await leads.delete(lead.id)
    await leads.restore(lead.id)
    await leads.update(lead.id, LeadUpdate(city="Oslo"))

    after = await leads.revert(lead.id, 2)

    assert (after.city, after.deleted_at) == ("Bonn", None)


@pytest.mark.parametrize("seq", [0, -1, 3, 2**31])
async def test_an_entry_that_the_lead_does_not_have_is_refused_with_those_it_has(leads: LeadService, seq: int) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)
    await leads.update(lead.id, LeadUpdate(city="Bonn"))

    with pytest.raises(Invalid, match="entries 1 to 2"):
        await leads.revert(lead.id, seq)


async def test_a_lead_that_is_not_there_is_not_found(leads: LeadService) -> None:
    with pytest.raises(NotFound):
        await leads.revert(uuid4(), 1)
    with pytest.raises(NotFound):
        await leads.as_it_stood(uuid4(), 1)


async def test_nothing_of_an_erased_person_is_put_back(leads: LeadService, owner: asyncpg.Connection) -> None:
    lead = await leads.create(a_lead(city="Bonn"), source=Source.FORM)
    await leads.update(lead.id, LeadUpdate(city="Oslo"))
    await owner.execute(
        f"SET session_replication_role = replica; UPDATE leads SET erased_at = now() WHERE id = '{lead.id}';"
        "SET session_replication_role = DEFAULT"
    )

    with pytest.raises(Erased):
        await leads.revert(lead.id, 1)


async def test_what_was_erased_is_named_and_the_rest_can_be_put_back(
    leads: LeadService, owner: asyncpg.Connection
) -> None:
    lead = await leads.create(a_lead(city="Bonn", notes="Hm"), source=Source.FORM)
    await leads.update(lead.id, LeadUpdate(city="Oslo", notes="Ah"))
    await erase(owner, lead.id, "text")

    with pytest.raises(Invalid) as caught:
        await leads.revert(lead.id, 1)
    after = await leads.revert(lead.id, 1, fields=["city"])

    assert {error.field for error in caught.value.errors} == {"notes", "description"}
    assert (after.city, after.notes) == ("Bonn", "Ah")


async def test_an_owner_who_was_disabled_gets_no_lead_back(leads: LeadService, database: Database) -> None:
    idris = await Accounts(database).add("Idris", Role.EDITOR)
    lead = await leads.create(a_lead(city="Bonn", owner_id=idris.id), source=Source.FORM)
    await leads.update(lead.id, LeadUpdate(owner_id=None, city="Oslo"))
    await Accounts(database).disable(idris.id)

    with pytest.raises(Invalid) as caught:
        await leads.revert(lead.id, 1)
    after = await leads.revert(lead.id, 1, fields=["city"])

    assert [error.field for error in caught.value.errors] == ["owner_id"]
    assert (after.city, after.owner_id) == ("Bonn", None)


async def test_a_value_that_todays_rules_refuse_is_named(leads: LeadService, owner: asyncpg.Connection) -> None:
    lead = await leads.create(a_lead(city="Bonn"), source=Source.FORM)
    await leads.update(lead.id, LeadUpdate(country="NL"))
    await owner.execute(
        "SET session_replication_role = replica;"
        """UPDATE audit_log SET parts = jsonb_set(parts, '{data,1,country}', '[null, "XX"]')"""
        f" WHERE subject_id = '{lead.id}' AND seq = 2;"
        "SET session_replication_role = DEFAULT"
    )

    with pytest.raises(Invalid) as caught:
        await leads.revert(lead.id, 2)

    assert [error.field for error in caught.value.errors] == ["country"]


async def test_a_lead_is_never_left_without_email_and_domain(leads: LeadService) -> None:
    lead = await leads.create(a_lead(email=None, domain="acme.com"), source=Source.FORM)
    await leads.update(lead.id, LeadUpdate(email="ana@gmail.com", domain=None))

    with pytest.raises(Invalid, match="Without email and domain"):
        await leads.revert(lead.id, 1, fields=["email"])
    assert (await leads.revert(lead.id, 1)).domain == "acme.com"


async def test_reverts_and_updates_at_once_leave_a_trail_without_a_gap(
    leads: LeadService, owner: asyncpg.Connection, settings: Settings
) -> None:
    lead = await leads.create(a_lead(city="Bonn"), source=Source.FORM)
    await leads.update(lead.id, LeadUpdate(city="Oslo"))

    attempts = [
        leads.revert(lead.id, 1 + n % 2) if n % 3 else leads.update(lead.id, LeadUpdate(city=f"City {n}"))
        for n in range(16)
    ]
    await asyncio.gather(*attempts)

    assert await differences(owner, settings.mac_keys[0]) == []


async def test_of_many_who_put_one_version_back_one_wins(leads: LeadService) -> None:
    lead = await leads.create(a_lead(city="Bonn"), source=Source.FORM)
    await leads.update(lead.id, LeadUpdate(city="Oslo"))

    ended = await asyncio.gather(*(leads.revert(lead.id, 1, if_version=2) for _ in range(16)), return_exceptions=True)

    assert [one.version for one in ended if isinstance(one, LeadRead)] == [3]
    assert {type(one) for one in ended if not isinstance(one, LeadRead)} == {StaleVersion}


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "email": st.sampled_from(["ana@acme.com", "bo@gmail.com", None]),
        "domain": st.sampled_from(["acme.com", "mail.acme.com", None]),
        "phone": st.sampled_from(["+4532121212", "32121212", None]),
        "country": st.sampled_from(["DK", "NL", None]),
        "city": st.sampled_from(["Oslo", "Bonn", None]),
        "tags": st.lists(st.sampled_from(["a", "b", "c"]), unique=True),
        "stage": st.sampled_from(["new", "won", "lost"]),
        "follow_up_on": st.sampled_from(["2026-12-01", None]),
        "employee_count": st.sampled_from([0, 7, None]),
        "is_manual": st.booleans(),
    },
)
FILLED = st.fixed_dictionaries(
    {}, optional={"city": st.just("Rome"), "phone": st.just("555 12345"), "country": st.just("US")}
)
STEPS = st.lists(st.one_of(CHANGES, FILLED.map(lambda found: {"by a machine": found})), min_size=1, max_size=6)


@examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, back=st.lists(st.integers(1, 12), min_size=1, max_size=3))
async def test_whatever_happened_a_lead_put_back_stands_as_it_stood(
    steps: list[dict[str, Any]],
    back: list[int],
    database: Database,
    owner: asyncpg.Connection,
    emptying: str,
    settings: Settings,
) -> None:
    await owner.execute(emptying)
    leads = LeadService(database)
    lead = await leads.create(a_lead(), source=Source.FORM)
    stood = {1: revertible(lead)}
    for step in steps:
        try:
            if "by a machine" in step:
                lead = await filled(leads, lead, **step["by a machine"])
            else:
                lead = await leads.update(lead.id, LeadUpdate(**step))
        except LeadExplorerError:
            lead = await leads.get(lead.id)
        stood[lead.version] = revertible(lead)
    for number in back:
        seq = min(stood, key=lambda version: abs(version - number))

        lead = await leads.revert(lead.id, seq)

        assert revertible(lead) == stood[seq]
        standing = await leads.as_it_stood(lead.id, seq)
        assert {name: standing.value(name) for name in REVERTIBLE} == _as_entries_say(stood[seq])
        stood[lead.version] = revertible(lead)
    assert await differences(owner, settings.mac_keys[0]) == []


def _as_entries_say(values: dict[str, Any]) -> dict[str, Any]:
    return {name: audited(value) for name, value in values.items()}
