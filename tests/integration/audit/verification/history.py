"""A small but whole history: people, scripts and machines at work for a while, all of it in the log and signed.

It is made once for a run and put back before each test, so that every test may break it in its own way.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from leads_core.accounts.permissions import Role, Scope
from leads_core.accounts.service import Accounts
from leads_core.accounts.sessions import Sessions
from leads_core.accounts.signing_in import SigningIn
from leads_core.accounts.tokens import Tokens
from leads_core.context import SYSTEM_ACTOR_ID, RequestContext, acting_as
from leads_core.database import Database, new_id
from leads_core.erasing import Erasing, Erasure
from leads_core.leads.row_matching import Existing, UpsertRow
from leads_core.leads.schemas import LeadCreate, LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from tests.builders import a_lead, an_actor

#: Enough that the log has a full block of 256 leaves.
IMPORTED = 260
PASSWORD = "correct horse battery"
SECRET = "a secret of the tests"

TakeIn = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class History:
    """Who and what there is. acme has five entries: created, two updates, deleted, restored."""

    user: str
    token: str
    acme: str
    bo: str
    chen: str
    dora: str
    eva: str
    imported: Sequence[str]
    #: Subject -> its entries in order of seq; those without one (a sign-in) come last.
    entries: Mapping[str, Sequence[str]]
    #: Entry of eva -> its parts before she was erased, as a backup would still have them.
    before_erasure: Mapping[str, dict[str, Any]]

    def entry(self, subject: str, seq: int) -> str:
        """The id of that entry; seq 0 is the last one."""
        return self.entries[subject][seq - 1]


async def live(database: Database, sequence: TakeIn) -> History:
    """Let it happen. sequence takes what is pending into the log and signs it: now and then, as a worker does."""
    leads = LeadService(database)
    with acting_as(_operator()):
        ana = await Accounts(database).add("Ana Díaz", Role.ADMIN, email="ana@example.com", password=PASSWORD)
    with acting_as(an_actor(actor_kind="anonymous", actor_id=None, actor_name=None, request_id="req-door")):
        await SigningIn(database, Sessions(database, SECRET), tries_a_minute=0).with_password(
            "ana@example.com", PASSWORD
        )
    await sequence()

    with acting_as(an_actor(actor_id=ana.id, request_id="req-token")):
        token = await Tokens(database).create(ana.id, "CRM sync", [Scope.LEADS_WRITE])
    acme = await _a_lead_with_a_long_life(leads, ana.id)
    await sequence()

    bo = await _an_enriched_lead(leads, ana.id)
    with acting_as(_script(token.id, "req-script-1")):
        chen = await leads.create(a_lead(email="chen@nine.com", company_name="Nine"), source=Source.API)
    with acting_as(_script(token.id, "req-script-2")):
        await leads.update(chen.id, LeadUpdate(job_title="CTO", stage="contacted"))
    with acting_as(an_actor(actor_id=ana.id, request_id="req-dora")):
        dora = await leads.create(a_lead(email="dora@ten.com", company_name="Ten"), source=Source.FORM)
        await leads.delete(dora.id)
    await sequence()

    imported = await _an_import(leads, ana.id)
    await sequence()

    with acting_as(an_actor(actor_id=ana.id, request_id="req-eva")):
        eva = await leads.create(a_lead(email="eva@eleven.com", contact_name="Eva", notes="shy"), source=Source.FORM)
        await leads.update(eva.id, LeadUpdate(job_title="COO", notes="very shy"))
        before_erasure = await _parts_of(database, eva.id)
        await Erasing(database).erase_lead(eva.id, Erasure(frozenset({"person", "text"})))
        await leads.update(eva.id, LeadUpdate(stage="lost"))
    await sequence()
    named = {"user": ana, "token": token, "acme": acme, "bo": bo, "chen": chen, "dora": dora, "eva": eva}
    ids = {name: str(who.id) for name, who in named.items()}
    return History(**ids, imported=imported, entries=await _entries(database), before_erasure=before_erasure)


async def _a_lead_with_a_long_life(leads: LeadService, user: UUID) -> LeadRead:
    with acting_as(an_actor(actor_id=user, request_id="req-acme-1")):
        acme = await leads.create(
            a_lead(
                email="ana@acme.com", contact_name="Ana Ruiz", phone="+49 30 1234567", description="Tools", city="Bonn"
            ),
            source=Source.FORM,
        )
    with acting_as(an_actor(actor_id=user, request_id="req-acme-2")):
        await leads.update(acme.id, LeadUpdate(stage="qualified", notes="Call on Monday.", job_title="CPO"))
    with acting_as(an_actor(actor_id=user, request_id="req-acme-3", ip_address="198.51.100.4")):
        await leads.update(acme.id, LeadUpdate(stage="won", tags=["pilot"]))
    with acting_as(an_actor(actor_id=user, request_id="req-acme-4")):
        await leads.delete(acme.id)
        return await leads.restore(acme.id)


async def _an_enriched_lead(leads: LeadService, user: UUID) -> LeadRead:
    with acting_as(an_actor(actor_id=user, request_id="req-bo")) as ana:
        (added,) = await leads.quick_add("bo@linear.app")
    assert added.lead is not None
    task = added.lead.enrichment_task_id
    assert task is not None
    with acting_as(ana.on_behalf("worker", task)):
        await leads.record_enrichment(added.lead.id, task, _found, _nothing_beside)
    return added.lead


async def _an_import(leads: LeadService, user: UUID) -> list[str]:
    with acting_as(an_actor(actor_id=user, request_id="req-import").on_behalf("import", new_id())):
        rows = [
            UpsertRow(number, LeadCreate(email=f"p{number}@many.com", city="Ulm"), frozenset({"email", "city"}))
            for number in range(1, IMPORTED + 1)
        ]
        outcomes = await leads.import_rows(rows, Existing.FILL)
    return [str(outcome.lead_id) for outcome in outcomes]


def _found(_lead: LeadRead, at: datetime) -> dict[str, Any]:
    source = {"source": "website", "confidence": 80, "found_at": "2026-11-24T10:00:00.000000Z", "url": None}
    found = {"city": "San Francisco", "phone": "+14155550100", "description": "Plans work."}
    done = {"enrichment_status": "completed", "enrichment_outcome": "found", "enriched_at": at}
    return {**found, **done, "provenance": dict.fromkeys(found, source)}


async def _nothing_beside(_session: object, _lead: LeadRead) -> None:
    """No facts, no job: only the lead is looked at here."""


async def _parts_of(database: Database, lead_id: UUID) -> dict[str, dict[str, Any]]:
    async with database.reader() as reader:
        rows = await reader.fetch("SELECT id, parts FROM audit_log WHERE subject_id = $1", lead_id)
    return {str(row["id"]): json.loads(row["parts"]) for row in rows}


async def _entries(database: Database) -> dict[str, list[str]]:
    async with database.reader() as reader:
        rows = await reader.fetch("SELECT id, subject_id FROM audit_log ORDER BY subject_id, seq, id")
    entries: dict[str, list[str]] = {}
    for row in rows:
        entries.setdefault(str(row["subject_id"]), []).append(str(row["id"]))
    return entries


def _operator() -> RequestContext:
    return an_actor(
        actor_kind="system", actor_id=SYSTEM_ACTOR_ID, actor_name="root", channel="cli", ip_address="local",
        user_agent="leads/1.0", request_id="req-operator",
    )  # fmt: skip


def _script(token: UUID, request: str) -> RequestContext:
    return an_actor(
        actor_kind="token", actor_id=token, actor_name="CRM sync", channel="api", ip_address="192.0.2.9",
        user_agent="curl/8", request_id=request,
    )  # fmt: skip


@dataclass(frozen=True)
class Backup:
    """Every table and the checkpoint file as they were at one moment."""

    tables: Mapping[str, tuple[tuple[str, ...], bytes]]
    file: bytes

    @classmethod
    async def of(cls, owner: asyncpg.Connection, checkpoint_file: Path) -> Backup:
        columns = await owner.fetch(
            """SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) AS names
               FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
               WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND is_generated = 'NEVER'
                 AND table_name <> 'alembic_version' GROUP BY table_name"""
        )
        tables = {}
        for table, names in columns:
            content = io.BytesIO()
            await owner.copy_from_table(table, columns=names, output=content, format="binary")
            tables[table] = (tuple(names), content.getvalue())
        return cls(tables, await asyncio.to_thread(checkpoint_file.read_bytes))

    async def put_back(self, owner: asyncpg.Connection, checkpoint_file: Path | None = None) -> None:
        """The tables, and the file too where its place is given."""
        async with guards_asleep(owner):
            for table in self.tables:
                await owner.execute(f'DELETE FROM "{table}"')
            for table, (names, content) in self.tables.items():
                await owner.copy_to_table(table, columns=names, source=io.BytesIO(content), format="binary")
        if checkpoint_file is not None:
            await asyncio.to_thread(checkpoint_file.write_bytes, self.file)


@asynccontextmanager
async def guards_asleep(owner: asyncpg.Connection) -> AsyncIterator[None]:
    """A superuser's session in which no trigger and no foreign key does anything."""
    await owner.execute("SET session_replication_role = replica")
    try:
        yield
    finally:
        await owner.execute("SET session_replication_role = DEFAULT")
