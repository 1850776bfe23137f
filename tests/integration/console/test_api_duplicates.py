"""Likely duplicates and merging, as scripts do it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from httpx2 import AsyncClient

LEADS = "/api/v1/leads"
MARA = {"email": "mara@acme.com", "contact_name": "Mara Holt", "notes": "One."}
HOLT = {"email": "m.holt@acme.com", "contact_name": "M. Holt", "phone": "+49 30 901820", "notes": "Two."}


@pytest.fixture
async def pair(api: AsyncClient) -> tuple[str, str]:
    created = [(await api.post(LEADS, json=fields)).json()["id"] for fields in (MARA, HOLT)]
    return created[0], created[1]


async def merged(api: AsyncClient, pair: tuple[str, str], headers: dict[str, str] | None = None, **body: Any) -> Any:
    return await api.post(f"{LEADS}/{pair[0]}/merge", json={"other": pair[1], **body}, headers=headers)


async def test_a_lead_says_who_is_likely_the_same_and_why(api: AsyncClient, pair: tuple[str, str]) -> None:
    answer = (await api.get(f"{LEADS}/{pair[0]}/duplicates")).json()

    (found,) = answer["items"]
    assert (found["lead"]["id"], found["reasons"], found["likelihood"]) == (pair[1], ["similar_name"], "likely")
    assert answer["next_cursor"] is None


async def test_a_merge_takes_what_is_asked_for_and_the_rest_as_proposed(
    api: AsyncClient, pair: tuple[str, str]
) -> None:
    answer = await merged(api, pair, take={"email": "theirs"}, values={"job_title": "Buyer"})

    kept = answer.json()
    assert (answer.status_code, answer.headers["ETag"], kept["id"]) == (200, '"2"', pair[0])
    assert [kept[field] for field in ("email", "job_title", "phone", "notes")] == [
        *("m.holt@acme.com", "Buyer", "+4930901820", "One.\n\nTwo.")
    ]


async def test_the_merged_lead_says_where_it_went_and_both_trails_have_the_entry(
    api: AsyncClient, pair: tuple[str, str]
) -> None:
    await merged(api, pair)

    gone = await api.get(f"{LEADS}/{pair[1]}?deleted=true")
    trails = [(await api.get(f"{LEADS}/{one}/audit?order=desc")).json()["items"][0] for one in pair]

    assert (await api.get(f"{LEADS}/{pair[1]}")).status_code == 404
    assert gone.json()["merged_into"] == pair[0]
    assert [(entry["action"], entry["seq"]) for entry in trails] == [("MERGE", 2), ("MERGE", 2)]
    assert trails[0]["request_id"] == trails[1]["request_id"]
    assert trails[1]["new_values"] == {"merged_into": pair[0]}


async def test_an_undo_of_the_request_takes_them_apart_entirely(api: AsyncClient, pair: tuple[str, str]) -> None:
    before = [(await api.get(f"{LEADS}/{one}")).json() for one in pair]
    answer = await merged(api, pair, take={"email": "theirs"})

    undone = await api.post("/api/v1/undo", json={"request_id": answer.headers["X-Request-ID"]})
    after = [(await api.get(f"{LEADS}/{one}")).json() for one in pair]

    assert undone.status_code == 200, undone.text
    moved = ("version", "updated_at", "updated_by")
    assert [{k: v for k, v in lead.items() if k not in moved} for lead in after] == [
        {k: v for k, v in lead.items() if k not in moved} for lead in before
    ]


@pytest.mark.parametrize("stale", [{"mine": 9}, {"theirs": 9}])
async def test_a_version_that_is_not_the_leads_any_more_is_412_with_that_lead(
    api: AsyncClient, pair: tuple[str, str], stale: dict[str, int]
) -> None:
    answer = await merged(api, pair, versions=stale)

    assert (answer.status_code, answer.json()["type"]) == (412, "/problems/stale-version")
    assert answer.json()["current"]["id"] == pair["theirs" in stale]


async def test_if_match_is_the_version_of_the_one_that_stays(api: AsyncClient, pair: tuple[str, str]) -> None:
    assert (await merged(api, pair, {"If-Match": '"7"'})).status_code == 412


async def test_what_was_merged_already_is_409_with_where_it_went(api: AsyncClient, pair: tuple[str, str]) -> None:
    await merged(api, pair)

    for again in (await merged(api, pair), await merged(api, pair[::-1])):
        assert (again.status_code, again.json()["type"]) == (409, "/problems/merged")
        assert (again.json()["merged_into"], again.json()["links"]["open"]) == (pair[0], f"/leads/{pair[0]}")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"take": {"email": "both"}}, "take.email"),
        ({"take": {"source": "mine"}}, "take.source"),
        ({"take": {"email": "ours"}}, "take.email"),
        ({"values": {"email": "no address"}}, "values.email"),
        ({"values": {"email": None, "domain": None}}, "take.email"),
        ({"take": {"city": "mine"}, "values": {"city": "Oslo"}}, "take.city"),
        ({"versions": {"mine": 0}}, "versions.mine"),
        ({"keep": "mine"}, "keep"),
        ({"other": "x"}, "other"),
    ],
)
async def test_a_wrong_choice_is_422_by_field(
    api: AsyncClient, pair: tuple[str, str], body: dict[str, Any], field: str
) -> None:
    answer = await merged(api, pair, **body)

    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"].startswith(field)


async def test_itself_is_422_and_a_lead_that_is_not_there_404(api: AsyncClient, pair: tuple[str, str]) -> None:
    assert (await merged(api, (pair[0], pair[0]))).status_code == 422
    assert (await merged(api, (pair[0], str(uuid4())))).status_code == 404


async def test_a_repeat_with_its_key_is_given_the_first_answer(api: AsyncClient, pair: tuple[str, str]) -> None:
    first, second = [await merged(api, pair, {"Idempotency-Key": "merge-1"}) for _ in range(2)]

    assert (first.status_code, second.status_code, second.json()) == (200, 200, first.json())
