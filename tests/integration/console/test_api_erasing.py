"""POST /api/v1/leads/{id}/erase."""

from __future__ import annotations

import pytest
from httpx2 import AsyncClient

from leads_core.accounts.permissions import Role
from leads_core.context import acting_as
from leads_core.leads.schemas import LeadRead, Source
from leads_core.leads.service import LeadService
from tests.builders import a_lead, an_actor
from tests.integration.console.conftest import Ask


@pytest.fixture
async def admin(browser: Ask) -> AsyncClient:
    return await browser(Role.ADMIN)


@pytest.fixture
async def zoe(leads: LeadService) -> LeadRead:
    with acting_as(an_actor()):
        return await leads.create(
            a_lead(email="zoe@acme.com", contact_name="Zoë", notes="lentils", city="Toledo"), source=Source.API
        )


async def test_the_person_goes_unless_something_else_is_asked_for(admin: AsyncClient, zoe: LeadRead) -> None:
    answer = await admin.post(f"/api/v1/leads/{zoe.id}/erase", json={})

    lead = answer.json()
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert (lead["email"], lead["contact_name"], lead["notes"], lead["city"]) == (None, None, "lentils", "Toledo")
    assert lead["erased_at"] == lead["updated_at"]


async def test_the_trail_names_the_erased_fields(admin: AsyncClient, zoe: LeadRead) -> None:
    await admin.post(f"/api/v1/leads/{zoe.id}/erase", json={"parts": ["text", "data"], "keep": ["domain", "city"]})

    added, erased = (await admin.get(f"/api/v1/leads/{zoe.id}/audit")).json()["items"]

    assert {"notes", "city", "domain"} <= set(added["erased"])
    assert added["new_values"]["email"] == "zoe@acme.com"
    assert (erased["action"], erased["erased"]) == ("ERASE", [])
    assert (erased["new_values"]["city"], erased["new_values"]["notes"]) == ("Toledo", None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"parts": ["everything"]}, "parts"),
        ({"parts": []}, "parts"),
        ({"parts": "person"}, "parts"),
        ({"keep": ["city"]}, "keep"),
        ({"person": True}, "person"),
    ],
)
async def test_what_is_wrong_is_named(
    admin: AsyncClient, leads: LeadService, zoe: LeadRead, body: dict[str, object], field: str
) -> None:
    answer = await admin.post(f"/api/v1/leads/{zoe.id}/erase", json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert await leads.get(zoe.id) == zoe


async def test_a_version_that_is_not_the_leads_erases_nothing(
    admin: AsyncClient, leads: LeadService, zoe: LeadRead
) -> None:
    answer = await admin.post(f"/api/v1/leads/{zoe.id}/erase", json={}, headers={"If-Match": '"9"'})

    assert answer.status_code == 412
    assert await leads.get(zoe.id) == zoe


async def test_a_repeat_with_the_same_key_gets_the_answer_after_the_erasure(admin: AsyncClient, zoe: LeadRead) -> None:
    first, again = [
        await admin.post(f"/api/v1/leads/{zoe.id}/erase", json={}, headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]

    assert (again.status_code, again.content) == (200, first.content)


async def test_no_token_erases_not_even_an_administrators(script: Ask, leads: LeadService, zoe: LeadRead) -> None:
    answer = await (await script(Role.ADMIN)).post(f"/api/v1/leads/{zoe.id}/erase", json={})

    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")
    assert await leads.get(zoe.id) == zoe


async def test_an_erased_lead_is_neither_enriched_nor_put_back(admin: AsyncClient, zoe: LeadRead) -> None:
    await admin.post(f"/api/v1/leads/{zoe.id}/erase", json={})

    answers = [
        await admin.post(f"/api/v1/leads/{zoe.id}/enrich"),
        await admin.post(f"/api/v1/leads/{zoe.id}/revert", json={"seq": 1}),
    ]

    assert [(answer.status_code, answer.json()["type"]) for answer in answers] == [(409, "/problems/erased")] * 2
