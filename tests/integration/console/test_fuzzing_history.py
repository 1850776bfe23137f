"""Whatever is asked of a lead's past, it is never answered with a 500."""

from __future__ import annotations

import json
from typing import Any

import pytest
from httpx2 import AsyncClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads_core.accounts.permissions import Role
from tests.integration.console.conftest import Ask

texts = st.text(st.characters(), max_size=20) | st.sampled_from(
    ["\x00", "\ud800", "1", "2", "city", "UPDATE", "٣", "²"]
)
values = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.lists(texts, max_size=3)
quickly = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
async def lead_id(api: AsyncClient) -> str:
    lead = (await api.post("/api/v1/leads", json={"email": "ana@acme.com"})).json()
    await api.patch(f"/api/v1/leads/{lead['id']}", json={"city": "Rome"})
    return str(lead["id"])


@quickly
@given(body=st.dictionaries(st.sampled_from(["seq", "fields"]) | texts, values, max_size=3))
async def test_no_body_breaks_a_revert(api: AsyncClient, lead_id: str, body: dict[str, Any]) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await api.post(f"/api/v1/leads/{lead_id}/revert", content=json.dumps(body).encode(), headers=headers)

    assert answer.status_code in {200, 400, 422}, answer.text


@quickly
@given(form=st.dictionaries(st.sampled_from(["seq", "field", "version", "then"]), texts, max_size=4))
async def test_no_form_breaks_a_revert(browser: Ask, lead_id: str, form: dict[str, str]) -> None:
    data = {name: value.encode("utf-8", "surrogatepass") for name, value in form.items()}
    answer = await (await browser(Role.EDITOR)).post(f"/leads/{lead_id}/revert", data=data)

    assert answer.status_code in {200, 303, 400, 412, 422}, answer.text


@quickly
@given(
    query=st.dictionaries(
        st.sampled_from(["at", "field", "actor", "action", "before", "reverted"]),
        texts | st.uuids().map(str),
        max_size=4,
    )
)
async def test_no_address_breaks_the_page_of_a_lead(browser: Ask, lead_id: str, query: dict[str, str]) -> None:
    params = {name: value.encode("utf-8", "replace").decode() for name, value in query.items()}
    answer = await (await browser(Role.EDITOR)).get(f"/leads/{lead_id}", params=params)

    assert answer.status_code in {200, 404}, answer.text
