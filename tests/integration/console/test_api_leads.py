from __future__ import annotations

import asyncio
from uuid import uuid4

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

URL = "/api/v1/leads"
MANY = [
    pytest.param(body, id=name)
    for name, body in {
        "lone surrogate": b'{"email": "ana@acme.com", "company_name": "\\ud800"}',
        "U+0000": b'{"email": "ana@acme.com", "notes": "a\\u0000b"}',
        "control character": b'{"email": "ana@acme.com", "city": "a\\u0007b"}',
        "NaN": b'{"email": "ana@acme.com", "employee_count": NaN}',
        "infinity": b'{"email": "ana@acme.com", "employee_count": 1e999}',
        "beyond int32": b'{"email": "ana@acme.com", "employee_count": 9007199254740993}',
        "a date that is none": b'{"email": "ana@acme.com", "follow_up_on": "2026-02-31"}',
        "a year beyond PostgreSQL's text": b'{"email": "ana@acme.com", "follow_up_on": "99999-01-01"}',
        "tags that are no list": b'{"email": "ana@acme.com", "tags": {"a": 1}}',
        "tags with a surrogate": b'{"email": "ana@acme.com", "tags": ["\\udfff"]}',
        "a list in place of a lead": b"[]",
        "no identity": b'{"company_name": "Acme"}',
        "an owner who is nobody": b'{"email": "ana@acme.com", "owner_id": "0193f5a0-0000-7000-8000-0000000000aa"}',
        "a field of ours": b'{"email": "ana@acme.com", "version": 7}',
        "a field of nobody's": b'{"email": "ana@acme.com", "nickname": "A"}',
    }.items()
]


async def created(api: AsyncClient, **fields: object) -> dict[str, object]:
    answer = await api.post(URL, json={"email": "ana@acme.com", **fields})
    assert answer.status_code == 201, answer.text
    lead: dict[str, object] = answer.json()
    return lead


async def test_a_created_lead_is_answered_with_its_address_and_version(api: AsyncClient) -> None:
    answer = await api.post(URL, json={"email": "Ana@Acme.com", "company_name": "Acme"})

    lead = answer.json()
    assert (answer.status_code, answer.headers["ETag"]) == (201, '"1"')
    assert answer.headers["Location"] == f"{URL}/{lead['id']}"
    assert (lead["email"], lead["domain"]) == ("ana@acme.com", "acme.com")
    assert (lead["source"], lead["is_manual"]) == ("api", False)
    assert (await api.get(answer.headers["Location"])).json() == lead


async def test_second_live_lead_with_the_same_email_is_a_conflict_that_names_the_first(api: AsyncClient) -> None:
    first = await created(api)

    answer = await api.post(URL, json={"email": "ana@acme.com"})

    problem = answer.json()
    assert (answer.status_code, problem["existing_id"]) == (409, first["id"])
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (problem["links"], problem["errors"][0]["field"]) == ({"open": f"/leads/{first['id']}"}, "email")


async def test_a_lead_in_the_bin_is_no_conflict_for_a_script(api: AsyncClient) -> None:
    first = await created(api)
    await api.delete(f"{URL}/{first['id']}")

    assert (await created(api))["id"] != first["id"]
    assert (await api.post(f"{URL}/{first['id']}/restore")).status_code == 409


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_what_is_absent_stays_and_null_clears(api: AsyncClient, method: str) -> None:
    lead = await created(api, company_name="Acme", city="Bonn")

    answer = await api.request(method, f"{URL}/{lead['id']}", json={"city": None})

    changed = answer.json()
    assert (changed["city"], changed["company_name"], changed["version"]) == (None, "Acme", 2)
    assert changed["provenance"] == {"city": {"source": "person"}}


@pytest.mark.parametrize(
    ("tag", "status"), [('"1"', 200), ('W/"1"', 200), ("*", 200), ('"7"', 412), ('"x"', 412), ("1", 422)]
)
async def test_if_match_lets_only_that_version_be_changed(api: AsyncClient, tag: str, status: int) -> None:
    lead = await created(api)

    answer = await api.patch(f"{URL}/{lead['id']}", json={"city": "Rome"}, headers={"If-Match": tag})

    assert answer.status_code == status
    if status == 412:
        assert (answer.json()["current"]["version"], answer.headers["ETag"]) == (1, '"1"')


async def test_a_deleted_lead_is_gone_for_those_who_do_not_ask_for_the_bin(api: AsyncClient) -> None:
    lead = await created(api)
    address = f"{URL}/{lead['id']}"

    assert (await api.delete(address)).status_code == 204
    assert (await api.delete(address)).status_code == 404
    assert (await api.get(address)).status_code == 404
    assert (await api.patch(address, json={"city": "Rome"})).status_code == 404
    assert (await api.get(address, params={"deleted": "true"})).json()["version"] == 2
    assert len((await api.get(f"{address}/audit")).json()["items"]) == 2
    assert (await api.post(f"{address}/restore")).json()["version"] == 3
    assert (await api.post(f"{address}/restore")).json()["version"] == 3


@pytest.mark.parametrize("body", MANY)
async def test_what_breaks_a_rule_is_refused_by_name_and_changes_nothing(api: AsyncClient, body: bytes) -> None:
    answer = await api.post(URL, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in {400, 422}, answer.text
    assert all(error["field"] and error["message"] for error in answer.json()["errors"])
    assert (await api.get(URL)).json()["items"] == []


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b'{"email": "ana@acme', "application/json", 400),
        (b'{"email": "\xff"}', "application/json", 400),
        (b"email=ana%40acme.com", "application/x-www-form-urlencoded", 415),
        (b'{"email": "ana@acme.com"}', "text/plain", 415),
        (b'{"notes": "' + b"x" * 2_000_000 + b'"}', "application/json", 413),
        (b"[" * 100_000, "application/json", 400),
    ],
)
async def test_what_cannot_be_read_is_refused_in_words(
    api: AsyncClient, content: bytes, content_type: str, status: int
) -> None:
    answer = await api.post(URL, content=content, headers={"Content-Type": content_type})

    assert (answer.status_code, answer.json()["status"]) == (status, status)


async def test_checks_come_in_their_order(nobody: AsyncClient, script: object, api: AsyncClient) -> None:
    unreadable = {"content": b"{", "headers": {"Content-Type": "text/plain"}}

    assert (await nobody.post(URL, **unreadable)).status_code == 401
    assert (await api.post(URL, **unreadable)).status_code == 415
    assert (await api.patch(f"{URL}/{uuid4()}", json={"stage": "x"})).status_code == 422
    assert (await api.patch(f"{URL}/{uuid4()}", json={"stage": "won"})).status_code == 404
    assert (await api.get(f"{URL}/nix")).status_code == 404


async def test_quick_add_answers_one_line_with_its_lead(api: AsyncClient) -> None:
    answer = await api.post(f"{URL}/quick-add", json={"text": "Ana Díaz <ana@acme.com>"})

    lead = answer.json()
    assert (answer.status_code, lead["contact_name"], lead["enrichment_status"]) == (201, "Ana Díaz", "in_progress")
    job = (await api.get(f"/api/v1/jobs/{lead['enrichment_task_id']}")).json()
    assert (job["kind"], job["state"], job["lead_id"]) == ("enrichment", "queued", lead["id"])


async def test_quick_add_answers_several_lines_with_a_result_each(api: AsyncClient) -> None:
    answer = await api.post(f"{URL}/quick-add", json={"text": "linear.app\nnonsense\nlinear.app"})

    assert answer.status_code == 207
    added, unreadable, duplicate = answer.json()["results"]
    assert [result["status"] for result in (added, unreadable, duplicate)] == [201, 422, 409]
    assert duplicate["problem"]["existing_id"] == added["lead"]["id"]
    assert duplicate["problem"]["links"] == {"open": f"/leads/{added['lead']['id']}"}
    assert "has no ending" in unreadable["problem"]["errors"][0]["message"]


async def test_quick_add_takes_fields_too(api: AsyncClient) -> None:
    answer = await api.post(f"{URL}/quick-add", json={"domain": "linear.app", "company_name": "Linear"})

    assert (answer.status_code, answer.json()["company_name"], answer.json()["source"]) == (201, "Linear", "quick_add")


@pytest.mark.parametrize(
    ("path", "body", "leads"), [("", {"email": "a@acme.com"}, 1), ("/quick-add", {"text": "b@acme.com\nc@acme.com"}, 2)]
)
async def test_a_post_that_comes_again_with_its_key_changes_nothing(
    api: AsyncClient, path: str, body: dict[str, str], leads: int
) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first, *others = await asyncio.gather(*(api.post(URL + path, json=body, headers=key) for _ in range(4)))

    assert {answer.content for answer in others} == {first.content}
    assert (await api.post(URL + path, json={**body, "company_name": "Other"}, headers=key)).status_code == 422
    assert len((await api.get(URL)).json()["items"]) == leads


async def test_the_trail_says_who_did_what_from_where(api: AsyncClient) -> None:
    lead = await created(api, company_name="Acme")
    await api.patch(f"{URL}/{lead['id']}", json={"stage": "won"})

    first, second = (await api.get(f"{URL}/{lead['id']}/audit")).json()["items"]

    assert (first["action"], first["seq"]) == ("CREATE", 1)
    assert (first["actor"]["name"], first["channel"]) == ("editor script", "api")
    assert (second["old_values"], second["new_values"]) == ({"stage": "new"}, {"stage": "won"})
    assert (first["ip_address"], second["user_agent"]) == (None, None)


async def test_the_trail_is_paged_by_cursors_both_ways(api: AsyncClient) -> None:
    lead = await created(api)
    for city in ("Rome", "Bonn", "Oslo"):
        await api.patch(f"{URL}/{lead['id']}", json={"city": city})
    address = f"{URL}/{lead['id']}/audit"

    page = (await api.get(address, params={"order": "desc", "limit": 3})).json()
    rest = (await api.get(address, params={"order": "desc", "limit": 3, "cursor": page["next_cursor"]})).json()

    assert [entry["seq"] for entry in page["items"] + rest["items"]] == [4, 3, 2, 1]
    assert rest["next_cursor"] is None


async def test_health_tells_details_only_to_those_who_may_read(api: AsyncClient, nobody: AsyncClient) -> None:
    await created(api)

    assert (await nobody.get(f"{URL}/health")).json() == {"ok": True}
    health = (await api.get(f"{URL}/health")).json()

    assert (health["audit"]["entries_expected"], health["audit"]["entries_found"]) == (1, 1)
    assert health["audit"]["doors"]["api"] == {"leads": 1, "entries_expected": 1, "entries_found": 1}
    assert health["audit"]["last_write"] is not None
    assert health["queue"]["waiting"] == 0


async def test_health_names_the_door_at_which_an_entry_is_missing(api: AsyncClient, owner: asyncpg.Connection) -> None:
    lead = await created(api)
    await owner.execute(f"""
        SET session_replication_role = replica; DELETE FROM audit_log WHERE subject_id = '{lead["id"]}';
        SET session_replication_role = DEFAULT
    """)

    health = (await api.get(f"{URL}/health")).json()

    assert health["ok"] is False
    assert health["audit"]["doors"]["api"] == {"leads": 1, "entries_expected": 1, "entries_found": 0}


async def test_every_address_under_the_api_answers_in_problem_documents(api: AsyncClient) -> None:
    for answer in (await api.get("/api/v1/nix"), await api.post(f"{URL}/{uuid4()}"), await api.get(f"{URL}?stge=won")):
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["type"].startswith("/problems/")


async def test_a_list_links_its_neighbours_the_first_and_the_last_page(api: AsyncClient) -> None:
    for name in "abcde":
        await created(api, email=f"{name}@acme.com")

    first = await api.get(URL, params={"limit": 2, "sort": "email"})
    last = await api.get(first.links["last"]["url"])
    middle = await api.get(last.links["prev"]["url"])

    assert [lead["email"] for lead in first.json()["items"]] == ["a@acme.com", "b@acme.com"]
    assert [lead["email"] for lead in last.json()["items"]] == ["d@acme.com", "e@acme.com"]
    assert [lead["email"] for lead in middle.json()["items"]] == ["b@acme.com", "c@acme.com"]
    assert first.json()["total"] == {"value": 5, "relation": "exact"}
    assert first.links["first"]["url"] == f"{URL}?limit=2&sort=email"


async def test_mutations_beyond_ten_a_second_are_told_when_to_come_back(api: AsyncClient, app: FastAPI) -> None:
    app.state.settings.rate_limit = 10
    try:
        answers = await asyncio.gather(*(api.post(URL, json={"email": f"a{n}@acme.com"}) for n in range(24)))
    finally:
        app.state.settings.rate_limit = 0

    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {201, 429}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    assert len((await api.get(URL)).json()["items"]) == len(answers) - len(refused)
