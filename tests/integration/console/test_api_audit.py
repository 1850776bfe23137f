"""GET /api/v1/audit: the trail over everything, for scripts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from httpx2 import AsyncClient

from leads_core.accounts.permissions import Role, Scope
from leads_core.accounts.schemas import UserRead
from leads_core.accounts.tokens import Tokens
from leads_core.audit.log.sequencer import Sequencer
from leads_core.audit.verification.sources import ExportSource
from leads_core.audit.verification.trusted import Trusted
from leads_core.audit.verification.verifier import verify
from leads_core.context import acting_as
from leads_core.database import Database
from leads_core.settings import Settings
from tests.builders import an_actor
from tests.integration.console.conftest import Ask


@pytest.fixture
async def trail(script: Ask) -> AsyncClient:
    """An administrator's script."""
    return await script(Role.ADMIN)


async def a_lead(api: AsyncClient, **given: str) -> str:
    answer = await api.post("/api/v1/leads", json={"email": "ana@acme.com", **given})
    return str(answer.json()["id"])


async def test_the_newest_entry_comes_first_whatever_it_is_about(trail: AsyncClient) -> None:
    lead = await a_lead(trail)
    await trail.patch(f"/api/v1/leads/{lead}", json={"stage": "won"})

    newest, before, token, *_ = (await trail.get("/api/v1/audit")).json()["items"]

    assert (newest["action"], newest["lead_id"], newest["seq"]) == ("UPDATE", lead, 2)
    assert (newest["old_values"], newest["new_values"]) == ({"stage": "new"}, {"stage": "won"})
    assert (before["action"], before["subject_kind"], before["subject_id"]) == ("CREATE", "lead", lead)
    assert (token["action"], token["subject_kind"], token["lead_id"]) == ("CREATE", "token", None)


async def test_a_lead_reads_the_same_here_as_in_its_own_trail(trail: AsyncClient) -> None:
    lead = await a_lead(trail)
    await trail.patch(f"/api/v1/leads/{lead}", json={"stage": "won"})

    here = (await trail.get("/api/v1/audit", params={"subject_id": lead})).json()["items"]

    assert here == (await trail.get(f"/api/v1/leads/{lead}/audit?order=desc")).json()["items"]


async def test_filters_go_together_and_pages_follow_each_other(trail: AsyncClient) -> None:
    ids = [await a_lead(trail, email=f"a{n}@acme.com") for n in range(5)]
    await trail.delete(f"/api/v1/leads/{ids[0]}")
    asked = {"action": "CREATE", "channel": "api", "subject_kind": "lead", "actor_kind": "token", "limit": "2"}

    found, cursor = [], ""
    while cursor is not None:
        page = (await trail.get("/api/v1/audit", params={**asked, **({"cursor": cursor} if cursor else {})})).json()
        found += [entry["lead_id"] for entry in page["items"]]
        cursor = page["next_cursor"]

    assert found == ids[::-1]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("actoin=CREATE", "query.actoin"),
        ("action=created", "query.action"),
        ("limit=0", "query.limit"),
        ("cursor=x", "query.cursor"),
        ("total=none", "query.total"),
        ("occurred_to=soon", "query.occurred_to"),
    ],
)
async def test_what_is_no_filter_is_refused_by_its_name(trail: AsyncClient, query: str, field: str) -> None:
    answer = await trail.get(f"/api/v1/audit?{query}")

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_whence_an_entry_came_is_for_those_who_may_see_it(browser: Ask, trail: AsyncClient) -> None:
    await a_lead(trail)
    viewer = await browser(Role.VIEWER)

    theirs = (await viewer.get("/api/v1/audit?action=CREATE&subject_kind=lead")).json()["items"][0]
    whole = (await trail.get("/api/v1/audit?action=CREATE&subject_kind=lead")).json()["items"][0]

    assert (theirs["ip_address"], theirs["user_agent"]) == (None, None)
    assert (whole["ip_address"], whole["user_agent"]) == ("198.51.100.7", "tests/1")


async def test_a_token_for_leads_alone_does_not_read_the_whole_trail(
    trail: AsyncClient, people: dict[Role, UserRead], database: Database
) -> None:
    with acting_as(an_actor()):
        token = await Tokens(database).create(people[Role.ADMIN].id, "leads only", [Scope.LEADS_READ])
    headers = {"Authorization": f"Bearer {token.token}"}

    assert (await trail.get("/api/v1/audit", headers=headers)).status_code == 403
    assert (await trail.get("/api/v1/audit/export", headers=headers)).status_code == 403


async def test_an_export_of_a_filter_has_its_entries_oldest_first_and_says_the_filter(trail: AsyncClient) -> None:
    ids = [await a_lead(trail, email=f"a{n}@acme.com") for n in range(3)]

    answer = await trail.get("/api/v1/audit/export?subject_kind=lead&channel=api")

    header, *entries, footer = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert (header["complete"], header["filter"]) == (False, {"channel": ["api"], "subject_kind": ["lead"]})
    assert [entry["subject_id"] for entry in entries] == ids
    assert footer["entries"] == 3


async def test_an_export_of_everything_is_complete(trail: AsyncClient) -> None:
    lead = await a_lead(trail)

    lines = [json.loads(line) for line in (await trail.get("/api/v1/audit/export")).text.splitlines()]

    assert (lines[0]["complete"], lines[0]["filter"]) == (True, None)
    assert [line["id"] for line in lines if line["kind"] == "lead"] == [lead]


async def test_an_export_stands_in_the_trail_with_the_digest_of_the_file(trail: AsyncClient) -> None:
    await a_lead(trail)

    answer = await trail.get("/api/v1/audit/export?action=CREATE")

    ended, began = (await trail.get("/api/v1/audit?action=EXPORT")).json()["items"]
    assert began["new_values"] == {"what": "audit", "format": "jsonl", "filter": "action=CREATE"}
    assert ended["new_values"]["sha256"] == hashlib.sha256(answer.content).hexdigest()
    assert ended["new_values"]["complete"] is True


@pytest.mark.parametrize(("query", "complete"), [("", True), ("?subject_kind=lead&channel=api", False)])
async def test_what_is_exported_verifies_without_a_database(
    trail: AsyncClient, database: Database, settings: Settings, tmp_path: Path, query: str, complete: bool
) -> None:
    settings.checkpoint_file.unlink(missing_ok=True)
    lead = await a_lead(trail)
    await trail.patch(f"/api/v1/leads/{lead}", json={"stage": "won", "notes": "Zürich 🚀"})
    await Sequencer(database, settings).run_once()
    file = tmp_path / "trail.jsonl"

    file.write_bytes((await trail.get(f"/api/v1/audit/export{query}")).content)

    report = await verify(ExportSource(file), Trusted.of(settings))
    assert (report.ok, report.findings) == (True, ())
    assert (report.leads > 0, report.leaves > 0) == (complete, complete)
    assert report.entries >= 2


async def test_only_who_may_see_addresses_takes_the_trail_away(browser: Ask) -> None:
    assert (await (await browser(Role.EDITOR)).get("/api/v1/audit/export")).status_code == 403
