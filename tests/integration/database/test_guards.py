"""What the app's role may not do, whatever SQL it sends: the database itself refuses."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from leads_core.database import asyncpg_url, connect
from leads_core.leads.schemas import LeadRead, Source
from leads_core.leads.service import LeadService
from tests.builders import a_lead

REFUSED = {
    "change an entry": "UPDATE audit_log SET action = 'DELETE'",
    "remove an entry": "DELETE FROM audit_log",
    "empty the trail": "TRUNCATE audit_log CASCADE",
    "empty the pending entries": "TRUNCATE audit_pending",
    "change a pending entry": "UPDATE audit_pending SET entry_id = entry_id",
    "remove a lead": "DELETE FROM leads",
    "empty the leads": "TRUNCATE leads CASCADE",
    "change a lead without a new version": "UPDATE leads SET city = 'Rome'",
    "change a lead to a version that has no entry": "UPDATE leads SET city = 'Rome', version = version + 1",
    "skip a version": "UPDATE leads SET version = version + 2",
    "give a lead another's id": "UPDATE leads SET id = gen_random_uuid(), version = version + 1",
    "add a lead without an entry": """INSERT INTO leads (id, domain, stage, source, is_manual, enrichment_status,
        version, created_at, updated_at, search_text)
        VALUES (gen_random_uuid(), 'evil.com', 'new', 'api', false, 'pending', 1, now(), now(), 'evil.com')""",
    "switch triggers off": "ALTER TABLE audit_log DISABLE TRIGGER ALL",
    "pretend to replicate": "SET session_replication_role = replica",
    "drop the trail": "DROP TABLE audit_log",
    "make a table": "CREATE TABLE mine (x int)",
    "drop the key into the trail": "ALTER TABLE leads DROP CONSTRAINT leads_version_has_an_entry",
}


@pytest.fixture
async def app_role(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A bare connection with the app's rights."""
    connection = await connect(asyncpg_url(owner_url))
    yield connection
    await connection.close()


@pytest.fixture
async def lead(leads: LeadService, acting: object) -> LeadRead:
    return await leads.create(a_lead(), source=Source.FORM)


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED)
async def test_the_app_may_not(
    app_role: asyncpg.Connection, owner: asyncpg.Connection, lead: LeadRead, statement: str
) -> None:
    with pytest.raises(asyncpg.PostgresError) as refused:
        await app_role.execute(statement)

    assert refused.value.sqlstate in {"42501", "23001", "23503"}, refused.value
    assert await owner.fetchval("SELECT version FROM leads WHERE id = $1", lead.id) == 1
    assert await owner.fetchval("SELECT count(*) FROM audit_log WHERE subject_id = $1", lead.id) == 1


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET action = 'DELETE'", "DELETE FROM audit_log"])
async def test_even_the_owner_is_stopped_while_the_triggers_stand(
    owner: asyncpg.Connection, lead: LeadRead, statement: str
) -> None:
    with pytest.raises(asyncpg.PostgresError, match="only grows"):
        await owner.execute(statement)


async def test_people_with_psql_can_read_an_entry_as_one_row(owner: asyncpg.Connection, lead: LeadRead) -> None:
    row = await owner.fetchrow(
        "SELECT action, ip_address, user_agent, new_values ->> 'email' FROM audit_log_leads WHERE lead_id = $1",
        lead.id,
    )

    assert tuple(row) == ("CREATE", "203.0.113.7", "Mozilla/5.0", "ana@acme.com")


async def test_no_other_module_writes_leads() -> None:
    """Import Linter cannot see raw SQL; this can."""

    writes = re.compile(r"\b(INSERT\s+INTO|UPDATE|DELETE\s+FROM|COPY)\s+leads\b(?!_)", re.IGNORECASE)
    root = Path(__file__).parents[3]
    sources = [*(root / "console").rglob("*.py"), *(root / "leads_core").rglob("*.py")]
    guilty = [path for path in sources if writes.search(path.read_text(encoding="utf-8"))]

    assert {path.parent.name for path in guilty} <= {"leads"}
