from __future__ import annotations

import asyncpg
import pytest

from leads_core.audit.models import Action
from leads_core.context import RequestContext
from leads_core.errors import IdentityTaken, Invalid, NoContext, NotFound, StaleVersion
from leads_core.leads.schemas import LeadUpdate, Source
from leads_core.leads.service import LeadService
from tests.builders import a_lead


async def test_creating_a_lead_writes_its_entry_beside_it(
    leads: LeadService, acting: RequestContext, owner: asyncpg.Connection
) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)

    entry = await owner.fetchrow("SELECT * FROM audit_log WHERE subject_id = $1", lead.id)
    assert (entry["seq"], entry["action"], entry["actor_id"]) == (1, Action.CREATE, acting.actor_id)
    assert (lead.version, lead.created_at, lead.domain) == (1, entry["occurred_at"], "acme.com")


async def test_nobody_changes_anything_anonymously(leads: LeadService, owner: asyncpg.Connection) -> None:
    with pytest.raises(NoContext):
        await leads.create(a_lead(), source=Source.FORM)

    assert await owner.fetchval("SELECT count(*) FROM leads") == 0


@pytest.mark.usefixtures("acting")
async def test_second_live_lead_with_the_same_email_is_a_conflict(leads: LeadService) -> None:
    first = await leads.create(a_lead(), source=Source.FORM)

    with pytest.raises(IdentityTaken) as caught:
        await leads.create(a_lead(), source=Source.API)

    assert (caught.value.field, caught.value.existing_id) == ("email", first.id)


@pytest.mark.usefixtures("acting")
async def test_an_update_that_changes_nothing_writes_nothing(leads: LeadService) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)

    same = await leads.update(lead.id, LeadUpdate(company_name=" Acme "))

    assert same == lead


@pytest.mark.usefixtures("acting")
async def test_a_stale_version_is_refused_with_the_lead_as_it_stands(leads: LeadService) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)
    changed = await leads.update(lead.id, LeadUpdate(city="Bonn"), if_version=1)

    with pytest.raises(StaleVersion) as caught:
        await leads.update(lead.id, LeadUpdate(city="Rome"), if_version=1)

    assert caught.value.current == changed


@pytest.mark.usefixtures("acting")
async def test_a_deleted_lead_is_gone_until_it_is_restored(leads: LeadService) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)
    await leads.delete(lead.id)

    with pytest.raises(NotFound):
        await leads.get(lead.id)
    restored = await leads.restore(lead.id)

    assert (restored.version, restored.deleted_at, await leads.get(lead.id)) == (3, None, restored)


@pytest.mark.usefixtures("acting")
async def test_quick_add_begins_enrichment_with_the_lead(leads: LeadService, owner: asyncpg.Connection) -> None:
    (added,) = await leads.quick_add("Ana Díaz <ana@acme.com>")

    assert added.lead is not None
    assert (added.lead.enrichment_status, added.lead.is_manual) == ("in_progress", True)
    job = await owner.fetchrow("SELECT * FROM jobs WHERE id = $1", added.lead.enrichment_task_id)
    assert (job["state"], job["lead_id"]) == ("queued", added.lead.id)
    assert await owner.fetchval("SELECT count(*) FROM pgqueuer") == 1


@pytest.mark.usefixtures("acting")
async def test_a_duplicate_says_what_its_line_knows_more_and_writes_nothing(leads: LeadService) -> None:
    lead = await leads.create(a_lead(company_name=None), source=Source.FORM)

    (stopped,) = await leads.quick_add("Ana Diaz <ana@acme.com>")
    checked = await leads.check_quick_add("Ana Diaz <ana@acme.com>\nnonsense\nglobex.com")

    assert (stopped.existing, stopped.news) == (lead, {"contact_name": "Ana Diaz"})
    assert (checked[0].existing, checked[0].news) == (lead, stopped.news)
    assert [result.error is None for result in checked] == [False, False, True]
    assert await leads.get(lead.id) == lead


@pytest.mark.usefixtures("acting")
async def test_what_is_new_fills_only_what_is_empty_as_that_persons_word(
    leads: LeadService, owner: asyncpg.Connection
) -> None:
    lead = await leads.create(a_lead(email=None, domain="acme.com"), source=Source.FORM)

    filled = await leads.add_what_is_new(lead.id, "https://acme.com/about")
    again = await leads.add_what_is_new(lead.id, "Other Name <acme.com>")

    assert (filled.website, filled.company_name, filled.version) == ("https://acme.com/about", "Acme", 2)
    assert (again, filled.provenance) == (filled, {})
    assert await owner.fetchval("SELECT array_agg(action ORDER BY seq) FROM audit_log") == ["CREATE", "UPDATE"]


@pytest.mark.usefixtures("acting")
@pytest.mark.parametrize("line", ["Ana <bo@acme.com>", "nonsense", "", "a@acme.com\nb@acme.com"])
async def test_a_line_about_another_lead_fills_nothing(leads: LeadService, line: str) -> None:
    lead = await leads.create(a_lead(), source=Source.FORM)

    with pytest.raises(Invalid):
        await leads.add_what_is_new(lead.id, line)

    assert await leads.get(lead.id) == lead


@pytest.mark.usefixtures("acting")
@pytest.mark.parametrize("enrich", [True, False])
async def test_a_new_lead_can_be_searched_and_sorted_at_once(
    leads: LeadService, owner: asyncpg.Connection, enrich: bool
) -> None:
    lead = await leads.create(a_lead(company_name="Öl & Co", contact_name="José"), source=Source.API, enrich=enrich)

    row = await owner.fetchrow("SELECT search_text, company_sort, contact_sort FROM leads WHERE id = $1", lead.id)
    assert tuple(row) == ("ana@acme.com\nol & co\njose", "ol & co", "jose")


@pytest.mark.usefixtures("acting")
async def test_nobody_who_left_is_given_a_lead_and_who_has_one_keeps_it(
    leads: LeadService, owner: asyncpg.Connection
) -> None:
    nora = await owner.fetchval(
        "INSERT INTO users (id, name, role, version, created_at)"
        " VALUES (gen_random_uuid(), 'Nora', 'editor', 1, now()) RETURNING id"
    )
    hers = await leads.create(a_lead(owner_id=nora), source=Source.FORM)
    await owner.execute("UPDATE users SET disabled_at = now() WHERE id = $1", nora)
    other = await leads.create(a_lead(email="bo@acme.com"), source=Source.FORM)

    for giving in (
        leads.create(a_lead(email="cy@acme.com", owner_id=nora), source=Source.FORM),
        leads.update(other.id, LeadUpdate(owner_id=nora)),
    ):
        with pytest.raises(Invalid) as refused:
            await giving
        assert refused.value.errors[0].field == "owner_id"
    assert (await leads.update(hers.id, LeadUpdate(owner_id=nora, city="Bonn"))).city == "Bonn"
    assert await owner.fetchval("SELECT count(*) FROM leads") == 2
