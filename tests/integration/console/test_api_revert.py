"""POST /leads/{id}/revert, as scripts use it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from leads_core.accounts.permissions import Role
from tests.integration.console.conftest import Ask

URL = "/api/v1/leads"


@pytest.fixture
async def acme(api: AsyncClient) -> dict[str, Any]:
    """A lead of three entries: city and stage were changed, one after the other."""
    lead = (await api.post(URL, json={"email": "ana@acme.com", "city": "Bonn"})).json()
    await api.patch(f"{URL}/{lead['id']}", json={"city": "Oslo"})
    changed: dict[str, Any] = (await api.patch(f"{URL}/{lead['id']}", json={"stage": "won"})).json()
    return changed


async def test_a_lead_goes_back_to_how_it_stood_by_an_entry_of_its_own(api: AsyncClient, acme: dict[str, Any]) -> None:
    answer = await api.post(f"{URL}/{acme['id']}/revert", json={"seq": 1})

    lead = answer.json()
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"4"')
    assert (lead["city"], lead["stage"], lead["version"]) == ("Bonn", "new", 4)
    newest = (await api.get(f"{URL}/{acme['id']}/audit", params={"order": "desc", "limit": 1})).json()["items"][0]
    assert (newest["action"], newest["seq"]) == ("REVERT", 4)
    assert newest["new_values"] == {"city": "Bonn", "stage": "new"}


async def test_only_the_named_fields_go_back(api: AsyncClient, acme: dict[str, Any]) -> None:
    answer = await api.post(f"{URL}/{acme['id']}/revert", json={"seq": 1, "fields": ["stage"]})

    assert (answer.json()["city"], answer.json()["stage"]) == ("Oslo", "new")


async def test_where_nothing_differs_the_lead_keeps_its_version(api: AsyncClient, acme: dict[str, Any]) -> None:
    answer = await api.post(f"{URL}/{acme['id']}/revert", json={"seq": 3})

    assert (answer.status_code, answer.headers["ETag"], answer.json()) == (200, '"3"', acme)


@pytest.mark.parametrize(("tag", "status"), [('"3"', 200), ('W/"3"', 200), ("*", 200), ('"2"', 412), ("3", 422)])
async def test_if_match_lets_only_that_version_be_put_back(
    api: AsyncClient, acme: dict[str, Any], tag: str, status: int
) -> None:
    answer = await api.post(f"{URL}/{acme['id']}/revert", json={"seq": 1}, headers={"If-Match": tag})

    assert answer.status_code == status


async def test_the_same_key_puts_back_once(api: AsyncClient, acme: dict[str, Any]) -> None:
    address, key = f"{URL}/{acme['id']}/revert", {"Idempotency-Key": str(uuid4())}
    first = await api.post(address, json={"seq": 1}, headers=key)
    await api.patch(f"{URL}/{acme['id']}", json={"city": "Rome"})

    again = await api.post(address, json={"seq": 1}, headers=key)
    other = await api.post(address, json={"seq": 2}, headers=key)

    assert (again.content, other.status_code) == (first.content, 422)
    assert (await api.get(f"{URL}/{acme['id']}")).json()["city"] == "Rome"


async def test_an_identity_that_is_taken_names_the_lead_that_has_it(api: AsyncClient, acme: dict[str, Any]) -> None:
    await api.patch(f"{URL}/{acme['id']}", json={"email": "bo@acme.com"})
    other = (await api.post(URL, json={"email": "ana@acme.com"})).json()

    answer = await api.post(f"{URL}/{acme['id']}/revert", json={"seq": 1})

    assert (answer.status_code, answer.json()["existing_id"]) == (409, other["id"])


async def test_a_lead_in_the_bin_is_not_found(api: AsyncClient, acme: dict[str, Any]) -> None:
    await api.delete(f"{URL}/{acme['id']}")

    assert (await api.post(f"{URL}/{acme['id']}/revert", json={"seq": 1})).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "seq"),
        ({"seq": 0}, "seq"),
        ({"seq": 4}, "seq"),
        ({"seq": 10**30}, "seq"),
        ({"seq": "three"}, "seq"),
        ({"seq": 1, "fields": []}, "fields"),
        ({"seq": 1, "fields": ["version"]}, "fields.0"),
        ({"seq": 1, "fields": ["enrichment_status"]}, "fields.0"),
        ({"seq": 1, "field": ["city"]}, "field"),
    ],
)
async def test_what_cannot_be_meant_is_refused_by_name(
    api: AsyncClient, acme: dict[str, Any], body: dict[str, Any], field: str
) -> None:
    answer = await api.post(f"{URL}/{acme['id']}/revert", json=body)

    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])
    assert (await api.get(f"{URL}/{acme['id']}")).json() == acme


async def test_whoever_only_reads_puts_nothing_back(script: Ask, acme: dict[str, Any]) -> None:
    viewer = await script(Role.VIEWER)

    assert (await viewer.post(f"{URL}/{acme['id']}/revert", json={"seq": 1})).status_code == 403


async def test_the_document_shows_what_to_send(app: FastAPI) -> None:
    document = app.openapi()

    body = document["components"]["schemas"]["RevertBody"]
    assert body["examples"] == [{"seq": 3}, {"seq": 3, "fields": ["stage", "phone"]}]
    assert {"409", "412", "422"} <= set(document["paths"][URL + "/{lead_id}/revert"]["post"]["responses"])
