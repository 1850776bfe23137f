"""What left the house for a lead: shown, taken as a file that the trail knows, gone with the person."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from httpx2 import AsyncClient

from leads_core.accounts.permissions import Role
from leads_core.database import Database, new_id
from leads_core.enrichment import outgoing_requests
from leads_core.leads.schemas import Source
from leads_core.leads.service import LeadService
from leads_core.outgoing.recording import RequestRecord
from leads_core.transfer import exporting_requests
from tests.builders import a_lead

pytestmark = pytest.mark.usefixtures("acting")

Ask = Callable[[Role], Awaitable[AsyncClient]]
AT = datetime(2026, 11, 24, 14, 31, tzinfo=UTC)


@pytest.fixture
async def viewer(browser: Ask) -> AsyncClient:
    return await browser(Role.VIEWER)


async def asked(database: Database, lead_id: UUID, count: int, *, error: str | None = None) -> None:
    records = [
        RequestRecord(
            AT + timedelta(seconds=place), "website", f"https://acme.com/{place}", "acme.com", "192.0.2.1",
            None if error else 200, 0 if error else 1_234, error,
        )
        for place in range(count)
    ]  # fmt: skip
    async with database.transaction() as session:
        await outgoing_requests.note(session, lead_id, new_id(), records)


async def a_lead_of(leads: LeadService) -> UUID:
    return (await leads.create(a_lead(email="mara@acme.com"), source=Source.API)).id


async def test_the_lead_offers_its_requests_and_they_say_what_came_back(
    viewer: AsyncClient, leads: LeadService, database: Database
) -> None:
    lead = await a_lead_of(leads)
    nothing = (await viewer.get(f"/leads/{lead}/requests")).text
    await asked(database, lead, 2)
    await asked(database, lead, 1, error="=HYPERLINK(1) does not allow automated reading.")

    page = (await viewer.get(f"/leads/{lead}/requests")).text
    part = (await viewer.get(f"/leads/{lead}/requests", headers={"HX-Request-Type": "partial"})).text

    assert f'href="/leads/{lead}/requests"' in (await viewer.get(f"/leads/{lead}")).text
    assert "Nothing has left the house" in nothing
    for answer in (page, part):
        assert answer.count("https://acme.com/") == 3
        assert "1,234 bytes" in answer
        assert "does not allow automated reading." in answer
    assert "<html" not in part


async def test_of_many_the_newest_are_shown_and_the_file_has_all(
    viewer: AsyncClient, leads: LeadService, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting_requests, "PAGE", 100)
    lead = await a_lead_of(leads)
    await asked(database, lead, 203)

    page = (await viewer.get(f"/leads/{lead}/requests")).text
    answer = await viewer.get(f"/leads/{lead}/requests.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))

    assert "The newest 200. The file has all." in page
    assert answer.headers["content-disposition"].startswith('attachment; filename="requests-')
    assert [row["url"] for row in rows] == [f"https://acme.com/{place}" for place in reversed(range(203))]


async def test_the_file_runs_no_formula_and_the_trail_knows_it(
    viewer: AsyncClient, leads: LeadService, database: Database, owner: asyncpg.Connection
) -> None:
    lead = await a_lead_of(leads)
    await asked(database, lead, 1, error="=HYPERLINK(1)")

    answer = await viewer.get(f"/leads/{lead}/requests.csv")
    entries = await owner.fetch("SELECT parts FROM audit_log WHERE action = 'EXPORT' ORDER BY id")
    first, last = [{name: pair[1] for name, pair in json.loads(row["parts"])["data"][1].items()} for row in entries]

    (row,) = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert (row["requested_at"], row["status"], row["bytes"]) == ("2026-11-24T14:31:00.000000Z", "", "0")
    assert row["error"] == "'=HYPERLINK(1)"
    assert first == {"what": "requests", "format": "csv", "filter": f"lead_id={lead}"}
    assert last == {"rows": 1, "sha256": hashlib.sha256(answer.content).hexdigest(), "complete": True}


async def test_what_left_the_house_is_gone_with_the_person(
    viewer: AsyncClient, browser: Ask, leads: LeadService, database: Database
) -> None:
    lead = await a_lead_of(leads)
    await asked(database, lead, 1)
    admin = await browser(Role.ADMIN)
    answer = await admin.post(f"/api/v1/leads/{lead}/erase", json={}, headers={"Sec-Fetch-Site": "same-origin"})

    page = (await viewer.get(f"/leads/{lead}/requests")).text
    file = (await viewer.get(f"/leads/{lead}/requests.csv")).text

    assert answer.status_code == 200, answer.text
    assert "forgotten with its person" in page
    assert "acme.com/0" not in page + file
