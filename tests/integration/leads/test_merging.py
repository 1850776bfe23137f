"""Two leads become one: what stays, what goes, whose word counts, and who wins where two people merge at once."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as some

from leads_core.errors import AlreadyMerged, Erased, IdentityTaken, Invalid, NotFound, StaleVersion
from leads_core.leads.forgetting import Erasure
from leads_core.leads.merging import Merge
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import a_lead
from tests.integration.trail_state import differences

pytestmark = pytest.mark.usefixtures("acting")

MARA = {"email": "mara@acme.com", "contact_name": "Mara Holt"}
HOLT = {"email": "m.holt@acme.com", "contact_name": "M. Holt", "phone": "+49 30 901820", "job_title": "Buyer"}


async def two(
    leads: LeadService, one: dict[str, Any] = MARA, other: dict[str, Any] = HOLT
) -> tuple[LeadRead, LeadRead]:
    created = [await leads.create(a_lead(**fields), source=Source.FORM) for fields in (one, other)]
    return created[0], created[1]


async def found(owner: asyncpg.Connection, settings: Settings) -> list[str]:
    return await differences(owner, settings.mac_keys[0])


async def entries(owner: asyncpg.Connection, lead_id: UUID) -> list[str]:
    rows = await owner.fetch("SELECT action FROM audit_log WHERE subject_id = $1 ORDER BY seq", lead_id)
    return [row["action"] for row in rows]


async def test_the_one_that_stays_takes_what_it_lacks_and_the_other_goes_to_the_bin(
    leads: LeadService, owner: asyncpg.Connection, settings: Settings
) -> None:
    mara, holt = await two(leads)

    kept, gone = await leads.merge(mara.id, holt.id, Merge())

    assert (kept.email, kept.phone, kept.job_title, kept.version) == ("mara@acme.com", "+4930901820", "Buyer", 2)
    assert (gone.is_deleted, gone.merged_into, gone.phone) == (True, mara.id, "+4930901820")
    assert [await entries(owner, one.id) for one in (mara, holt)] == [["CREATE", "MERGE"]] * 2
    requests = await owner.fetch("SELECT DISTINCT request_id FROM audit_log WHERE action = 'MERGE'")
    assert len(requests) == 1
    assert await found(owner, settings) == []


async def test_it_may_take_the_others_email(leads: LeadService, owner: asyncpg.Connection, settings: Settings) -> None:
    mara, holt = await two(leads)

    kept, gone = await leads.merge(mara.id, holt.id, Merge(sides={"email": "theirs"}))

    assert (kept.email, gone.email) == ("m.holt@acme.com", "m.holt@acme.com")
    assert await found(owner, settings) == []


async def test_nothing_to_take_still_stands_in_both_trails(
    leads: LeadService, owner: asyncpg.Connection, settings: Settings
) -> None:
    mara, other = await two(leads, MARA, {"email": "mara@acme.de", "domain": "acme.com", "contact_name": "Mara Holt"})

    kept, _ = await leads.merge(mara.id, other.id, Merge())

    assert (kept.version, kept.email) == (2, "mara@acme.com")
    assert await entries(owner, mara.id) == ["CREATE", "MERGE"]
    assert await found(owner, settings) == []


async def test_tags_unite_notes_join_and_the_further_stage_wins(leads: LeadService) -> None:
    mara, holt = await two(
        leads,
        {**MARA, "tags": ["a", "b"], "notes": "Met in Oslo.", "stage": "new", "follow_up_on": "2026-12-09"},
        {**HOLT, "tags": ["b", "c"], "notes": "Wants a quote.", "stage": "qualified", "follow_up_on": "2026-12-01"},
    )

    kept, _ = await leads.merge(mara.id, holt.id, Merge())

    assert (kept.tags, kept.notes) == (["a", "b", "c"], "Met in Oslo.\n\nWants a quote.")
    assert (kept.stage, str(kept.follow_up_on)) == ("qualified", "2026-12-01")


async def test_a_persons_word_comes_before_a_machines_and_a_source_moves_with_its_value(
    leads: LeadService, owner: asyncpg.Connection, settings: Settings
) -> None:
    mara, holt = await two(leads, {**MARA, "city": "Oslo"}, {**HOLT, "city": None})
    task = (await leads.enrich(holt.id)).enrichment_task_id
    assert task is not None
    source = {"source": "website", "confidence": 80, "found_at": "2026-11-24T10:00:00.000000Z", "url": None}
    done = {"enrichment_status": "completed", "enrichment_outcome": "found"}

    async def nothing_more(*_: Any) -> None:
        pass

    await leads.record_enrichment(
        holt.id,
        task,
        lambda lead, _at: {
            **done, "city": "Bergen", "industry": "Tools", "provenance": {"city": source, "industry": source}
        },
        nothing_more,
    )  # fmt: skip

    kept, _ = await leads.merge(mara.id, holt.id, Merge())

    assert (kept.city, kept.industry, kept.provenance) == ("Oslo", "Tools", {"industry": source})
    assert await found(owner, settings) == []


async def test_of_two_words_the_later_counts(leads: LeadService) -> None:
    mara, holt = await two(leads, {**MARA, "city": "Oslo"}, {**HOLT, "city": "Bergen"})
    await leads.update(mara.id, LeadUpdate(city="Tromsø"))

    kept, _ = await leads.merge(mara.id, holt.id, Merge())

    assert kept.city == "Tromsø"


async def test_what_is_left_empty_on_purpose_no_machine_fills(leads: LeadService) -> None:
    mara, holt = await two(leads, {**MARA, "city": "Oslo"}, HOLT)

    kept, _ = await leads.merge(mara.id, holt.id, Merge(sides={"city": "theirs"}, values={"phone": None}))

    assert (kept.city, kept.phone, kept.provenance["city"]) == (None, None, {"source": "person"})


async def test_a_lead_that_changed_meanwhile_is_not_merged(
    leads: LeadService, owner: asyncpg.Connection, settings: Settings
) -> None:
    mara, holt = await two(leads)
    await leads.update(holt.id, LeadUpdate(city="Oslo"))

    with pytest.raises(StaleVersion) as refused:
        await leads.merge(mara.id, holt.id, Merge(versions={mara.id: 1, holt.id: 1}))

    assert (refused.value.current.id, refused.value.current.version) == (holt.id, 2)
    assert [(await leads.get(one.id)).version for one in (mara, holt)] == [1, 2]
    assert await found(owner, settings) == []


async def test_a_third_lead_with_the_same_identity_is_in_the_way(leads: LeadService) -> None:
    third = await leads.create(a_lead(email=None, domain="acme.com"), source=Source.FORM)
    mara, other = await two(leads, MARA, {"email": None, "domain": "acme.de"})

    with pytest.raises(IdentityTaken) as refused:
        await leads.merge(mara.id, other.id, Merge(sides={"email": "theirs", "domain": "mine"}))

    assert (refused.value.field, refused.value.existing_id) == ("domain", third.id)
    assert [(await leads.get(one.id)).version for one in (mara, other)] == [1, 1]


@pytest.mark.parametrize("bad", [{"sides": {"email": "both"}}, {"sides": {"city": "mine"}, "values": {"city": "Oslo"}}])
async def test_a_choice_that_cannot_be_is_refused_by_field(bad: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        Merge(**bad)

    assert [error.field.partition(".")[0] for error in refused.value.errors] == ["take"]


async def test_itself_the_erased_and_those_in_the_bin_are_not_merged(leads: LeadService) -> None:
    mara, holt = await two(leads)
    third = await leads.create(a_lead(email="x@acme.com"), source=Source.FORM)
    await leads.erase(third.id, Erasure())

    with pytest.raises(Invalid):
        await leads.merge(mara.id, mara.id, Merge())
    with pytest.raises(Erased):
        await leads.merge(mara.id, third.id, Merge())
    await leads.delete(holt.id)
    with pytest.raises(NotFound):
        await leads.merge(mara.id, holt.id, Merge())


async def test_restoring_a_merged_lead_takes_it_apart_unless_its_email_is_taken(
    leads: LeadService, owner: asyncpg.Connection, settings: Settings
) -> None:
    mara, holt = await two(leads)
    await leads.merge(mara.id, holt.id, Merge(sides={"email": "theirs"}))

    with pytest.raises(IdentityTaken) as refused:
        await leads.restore(holt.id)
    await leads.update(mara.id, LeadUpdate(email="mara@acme.com"))
    restored = await leads.restore(holt.id)

    assert refused.value.existing_id == mara.id
    assert (restored.is_deleted, restored.merged_into) == (False, None)
    assert await found(owner, settings) == []


async def test_an_enrichment_that_still_runs_ends_without_harm(
    leads: LeadService, owner: asyncpg.Connection, settings: Settings
) -> None:
    mara, holt = await two(leads)
    task = (await leads.enrich(holt.id)).enrichment_task_id
    assert task is not None

    async def unreached(*_: Any) -> None:
        raise AssertionError("the job is not the lead's any more")

    _, gone = await leads.merge(mara.id, holt.id, Merge())
    late = await leads.record_enrichment(holt.id, task, lambda *_: {"city": "Oslo"}, unreached)

    assert (late, gone.enrichment_status, gone.enrichment_task_id) == (None, "pending", None)
    assert await owner.fetchval("SELECT state FROM jobs WHERE id = $1", task) == "cancelled"
    assert await found(owner, settings) == []


@pytest.mark.parametrize("crossing", [False, True])
async def test_of_many_who_merge_one_pair_one_wins_and_the_others_are_told(
    leads: LeadService, owner: asyncpg.Connection, settings: Settings, crossing: bool
) -> None:
    mara, holt = await two(leads)
    pairs = [(mara.id, holt.id) if n % 2 or not crossing else (holt.id, mara.id) for n in range(8)]

    ended = await asyncio.gather(*(leads.merge(*pair, Merge()) for pair in pairs), return_exceptions=True)

    refused = [error for error in ended if isinstance(error, BaseException)]
    assert {type(error) for error in refused} == {AlreadyMerged}
    assert len(refused) == len(pairs) - 1
    assert await owner.fetchval("SELECT count(*) FROM leads WHERE deleted_at IS NULL") == 1
    assert await owner.fetchval("SELECT count(*) FROM audit_log WHERE action = 'MERGE'") == 2
    assert await found(owner, settings) == []


FIELDS: dict[str, some.SearchStrategy[Any]] = {
    "company_name": some.sampled_from([None, "Acme", "Acme GmbH"]),
    "contact_name": some.sampled_from([None, "Mara Holt"]),
    "phone": some.sampled_from([None, "+4930901820"]),
    "notes": some.sampled_from([None, "One.", "Two."]),
    "tags": some.lists(some.sampled_from(["a", "b", "c"]), unique=True),
    "stage": some.sampled_from(["new", "contacted", "qualified", "won", "lost"]),
    "is_manual": some.booleans(),
}
SIDES = some.dictionaries(some.sampled_from([*FIELDS, "email", "domain"]), some.sampled_from(["mine", "theirs"]))


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=some.fixed_dictionaries(FIELDS), other=some.fixed_dictionaries(FIELDS), sides=SIDES)
async def test_whatever_is_chosen_the_trail_says_how_both_leads_stand(
    leads: LeadService,
    owner: asyncpg.Connection,
    settings: Settings,
    emptying: str,
    one: dict[str, Any],
    other: dict[str, Any],
    sides: dict[str, Any],
) -> None:
    await owner.execute(emptying)
    mine, theirs = await two(leads, {**MARA, **one}, {**HOLT, "domain": "acme.de", **other})

    kept, gone = await leads.merge(mine.id, theirs.id, Merge(sides=sides))

    for field, side in sides.items():
        wanted = getattr(mine if side == "mine" else theirs, field)
        assert getattr(kept, field) == wanted, field
    assert {**gone.model_dump(), **dict.fromkeys(CHANGED)} == {**theirs.model_dump(), **dict.fromkeys(CHANGED)}
    assert await found(owner, settings) == []


CHANGED = ("version", "updated_at", "updated_by", "deleted_at", "deleted_by", "merged_into")
