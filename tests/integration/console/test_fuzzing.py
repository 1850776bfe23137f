"""Whatever a client sends, it is never answered with a 500: the API's own document says what to try."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads_core.accounts.permissions import Role
from tests.integration.console.conftest import Ask

API = "/api/v1/leads"

#: Anything JSON can say, lone surrogates and U+0000 among it.
texts = st.text(st.characters(), max_size=40) | st.sampled_from(["\x00", "\ud800", "a\u202eb", "=1+1", "' OR 1=1 --"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
FIELDS = (
    *("email", "domain", "company_name", "contact_name", "job_title", "phone", "website", "linkedin_url", "industry"),
    *("employee_count", "city", "country", "language", "description", "notes", "tags", "stage", "owner_id"),
    *("follow_up_on", "is_manual", "source_detail", "enrich", "text"),
)
bodies = st.dictionaries(st.sampled_from(FIELDS) | texts, values, max_size=4)
forms = st.dictionaries(st.sampled_from(FIELDS), texts, max_size=4)
queries = st.dictionaries(
    st.sampled_from(
        [
            "stage",
            "owner",
            "tag",
            "domain",
            "country",
            "created_from",
            "q",
            "sort",
            "limit",
            "cursor",
            "deleted",
            "total",
        ]
    ),
    texts,
    max_size=4,
)
quickly = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quickly
@given(body=bodies, version=values)
async def test_no_batch_and_no_bulk_breaks_the_api(api: AsyncClient, body: Mapping[str, Any], version: object) -> None:
    batch = {"leads": [body, version]}
    bulk = {"action": "set_stage", "values": body, "ids": [version], "versions": {str(version): version}}

    for path, document in (("/batch", batch), ("/bulk", bulk)):
        answer = await api.post(
            API + path, content=json.dumps(document).encode(), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code < 500, answer.text


@quickly
@given(body=bodies, path=st.sampled_from(["", "/quick-add"]))
async def test_no_body_breaks_the_api(api: AsyncClient, body: Mapping[str, Any], path: str) -> None:
    content = json.dumps(body).encode()

    answer = await api.post(API + path, content=content, headers={"Content-Type": "application/json"})

    assert answer.status_code in {201, 207, 400, 409, 422}, answer.text


@quickly
@given(query=queries)
async def test_no_query_breaks_the_list(api: AsyncClient, query: dict[str, str]) -> None:
    sent = {name: value.encode("utf-8", "surrogatepass").decode("utf-8", "replace") for name, value in query.items()}

    answer = await api.get(API, params=sent)

    assert answer.status_code in {200, 422}, answer.text


@quickly
@given(
    body=st.dictionaries(st.sampled_from(FIELDS), texts, max_size=4),
    path=st.sampled_from(["/leads", "/leads/quick-add"]),
)
async def test_no_form_breaks_the_console(browser: Ask, body: dict[str, str], path: str) -> None:
    client = await browser(Role.EDITOR)
    sent = {name: value.encode("utf-8", "surrogatepass") for name, value in body.items()}

    answer = await client.post(path, data=sent)

    assert answer.status_code in {200, 303, 400, 409, 422}, answer.text


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"{" * 50_000, b'{"a":' * 5_000, b"[1e400]", b'"\\ud800"', b"null", b""]
)
async def test_no_bytes_break_the_api(api: AsyncClient, content: bytes) -> None:
    answer = await api.post(API, content=content, headers={"Content-Type": "application/json"})

    assert answer.status_code in {400, 422}


async def test_every_promised_answer_has_an_example_in_the_document(app: FastAPI, nobody: AsyncClient) -> None:
    document = (await nobody.get("/api/v1/openapi.json")).json()

    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if path != f"{API}/health":
                problems = {status for status in operation["responses"] if status >= "400"}
                assert {"400", "401", "403", "404", "409", "412", "413", "415", "422", "429", "503"} <= problems, (
                    method,
                    path,
                )
