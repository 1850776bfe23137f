"""POST /api/v1/leads/batch: by identity, a result for each, one transaction, one change for the limit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from httpx2 import AsyncClient

from leads_core.accounts.permissions import Role
from leads_core.settings import Settings
from tests.integration.trail_state import differences

LEADS = "/api/v1/leads"
BATCH = f"{LEADS}/batch"
Ask = Callable[[Role], Awaitable[AsyncClient]]


async def sent(api: AsyncClient, leads: list[Any], **more: Any) -> list[dict[str, Any]]:
    answer = await api.post(BATCH, json={"leads": leads, **more})
    assert answer.status_code == 207, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    assert [result["index"] for result in results] == list(range(len(leads)))
    return results


def said(results: list[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(result["status"], result["outcome"]) for result in results]


async def test_new_ones_are_created_known_ones_filled_and_the_same_again_writes_nothing(
    api: AsyncClient, owner: asyncpg.Connection, settings: Settings
) -> None:
    await api.post(LEADS, json={"email": "mara@acme.com", "city": "Berlin"})
    leads = [
        {"email": "Mara@acme.com", "city": "Bonn", "stage": "won", "phone": "+49 30 1234567"},
        {"domain": "https://www.ahorn.com/about", "tags": ["fair"]},
    ]

    first, again = await sent(api, leads), await sent(api, leads)

    assert said(first) == [(200, "updated"), (201, "created")]
    assert said(again) == [(200, "unchanged"), (200, "unchanged")]
    known, new = (result["lead"] for result in first)
    assert (known["city"], known["phone"], known["version"]) == ("Berlin", "+49301234567", 2)
    assert (new["domain"], new["tags"], new["source"], new["is_manual"]) == ("ahorn.com", ["fair"], "api", False)
    assert [result["lead"]["version"] for result in again] == [2, 1]
    assert await differences(owner, settings.mac_keys[0]) == []


@pytest.mark.parametrize(
    ("existing", "city", "phone"),
    [("fill", "Berlin", "+49301234567"), ("overwrite", "Bonn", "+49301234567"), ("leave", "Berlin", None)],
)
async def test_what_becomes_of_those_that_are_there_is_as_in_an_import(
    api: AsyncClient, existing: str, city: str, phone: str | None
) -> None:
    await api.post(LEADS, json={"email": "mara@acme.com", "city": "Berlin", "job_title": "CTO"})

    (result,) = await sent(
        api,
        [{"email": "mara@acme.com", "city": "Bonn", "phone": "+49 30 1234567", "job_title": None}],
        existing=existing,
    )

    lead = result["lead"]
    assert (lead["city"], lead["phone"], lead["job_title"]) == (city, phone, "CTO")


async def test_what_is_wrong_is_named_with_its_place_and_holds_up_nobody(api: AsyncClient) -> None:
    results = await sent(
        api,
        [
            {"email": "mara@acme.com"},
            {"email": "not an address", "stage": "golden"},
            "acme.com",
            {"city": "Bonn"},
            {"domain": "ahorn.com", "owner_id": "0193f5a0-0000-7000-8000-0000000000aa"},
            {"domain": "elm.com", "version": 3},
        ],
    )

    assert said(results) == [(201, "created"), *[(422, "rejected")] * 5]
    fields = [[error["field"] for error in result["problem"]["errors"]] for result in results[1:]]
    assert fields == [
        ["leads.1.email", "leads.1.stage"],
        ["leads.2"],
        ["leads.3.email"],
        ["leads.4.owner_id"],
        ["leads.5.version"],
    ]
    assert (await api.get(LEADS)).json()["total"]["value"] == 1


async def test_of_two_with_one_identity_the_second_meets_the_lead_of_the_first(api: AsyncClient) -> None:
    results = await sent(
        api, [{"email": "mara@acme.com"}, {"email": "MARA@acme.com", "city": "Bonn"}, {"domain": "acme.com"}]
    )

    assert said(results) == [(201, "created"), (200, "updated"), (200, "unchanged")]
    assert len({result["lead"]["id"] for result in results}) == 1


async def test_a_repeat_with_its_key_is_one_batch(api: AsyncClient, owner: asyncpg.Connection) -> None:
    body, key = {"leads": [{"email": "mara@acme.com"}]}, {"Idempotency-Key": "b1"}

    first, second = [await api.post(BATCH, json=body, headers=key) for _ in range(2)]

    assert (first.status_code, second.status_code) == (207, 207)
    assert first.content == second.content
    assert await owner.fetchval("SELECT cardinality(lead_ids) FROM idempotency_keys") == 1


async def test_new_ones_are_looked_up_when_that_is_asked_for(api: AsyncClient, owner: asyncpg.Connection) -> None:
    results = await sent(api, [{"domain": "acme.com"}, {"domain": "ahorn.com"}], enrich=True)

    assert {result["lead"]["enrichment_status"] for result in results} == {"in_progress"}
    assert await owner.fetchval("SELECT count(*) FROM jobs WHERE kind = 'enrichment'") == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"leads": []}, "leads"),
        ({"leads": [{"domain": f"acme{n}.com"} for n in range(501)]}, "leads"),
        ({"leads": {"domain": "acme.com"}}, "leads"),
        ({}, "leads"),
        ({"leads": [{"domain": "acme.com"}], "existing": "skip"}, "existing"),
        ({"leads": [{"domain": "acme.com"}], "mode": "fast"}, "mode"),
    ],
    ids=["none", "too many", "no list", "nothing", "unknown existing", "unknown field"],
)
async def test_a_batch_that_cannot_be_meant_is_refused_whole(
    api: AsyncClient, owner: asyncpg.Connection, body: dict[str, Any], field: str
) -> None:
    answer = await api.post(BATCH, json=body)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert await owner.fetchval("SELECT count(*) FROM leads") == 0


async def test_only_who_may_change_leads_may_send_many(script: Ask) -> None:
    body = {"leads": [{"domain": "acme.com"}]}

    answers = {role: (await (await script(role)).post(BATCH, json=body)).status_code for role in Role}

    assert answers == {Role.VIEWER: 403, Role.EDITOR: 207, Role.ADMIN: 207}
