"""Many leads at once, by identity: rows of a file become leads, fill leads, or change nothing. Set-based.

A batch is one transaction of the service's. Reads look up all rows together; entries, then leads, go in by COPY and
one prepared UPDATE. Locks: leads in id order; new identities in their own order, so that two imports never wait for
each other in a circle. Who loses a race for an identity sees the winner's lead and fills that one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, Literal, cast
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import ARRAY, Row, Table, Uuid, any_, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.audit import trail
from leads_core.audit.models import Action
from leads_core.audit.record.entry import PART_OF
from leads_core.database import MAC_KEY, new_id
from leads_core.errors import FieldError, Invalid
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.leads import changing
from leads_core.leads.models import Lead, audited
from leads_core.leads.schemas import EnrichmentStatus, LeadCreate, Source

Values = dict[str, Any]
Outcome = Literal["created", "updated", "unchanged", "rejected"]

LEADS = cast(Table, Lead.__table__)
#: The database makes these by itself.
_MADE = {"arrival", "bucket", "facet"}
COLUMNS = tuple(each.name for each in LEADS.columns if each.name not in _MADE)
#: What a file may change in a lead that exists, with what follows from it.
_SET = tuple(
    name
    for name in COLUMNS
    if name
    not in {
        "id", "source", "source_detail", "created_at", "created_by", "deleted_at", "deleted_by", "erased_at",
        "erased_by", "enrichment_status", "enrichment_outcome", "enrichment_task_id", "enrichment_error", "enriched_at",
    }
)  # fmt: skip
UPDATE = f"UPDATE leads SET {', '.join(f'{name} = ${n}' for n, name in enumerate(_SET, 2))} WHERE id = $1"  # noqa: S608

#: Leads with one of these emails, by leads_live_email_key; with one of these domains alone, by leads_live_domain_key;
#: else the oldest at the domain, by ix_leads_domain. An erased person is nobody's: nothing is filled in again.
FIND = text("""
    SELECT found.id FROM unnest(CAST(:emails AS text[])) wanted CROSS JOIN LATERAL (
        SELECT id FROM leads WHERE deleted_at IS NULL AND email = wanted COLLATE "C" LIMIT 1) found
    UNION ALL
    SELECT coalesce(
        (SELECT id FROM leads
         WHERE deleted_at IS NULL AND email IS NULL AND erased_at IS NULL AND domain = wanted COLLATE "C"),
        (SELECT id FROM leads
         WHERE deleted_at IS NULL AND erased_at IS NULL AND domain = wanted COLLATE "C"
         ORDER BY created_at, id LIMIT 1))
    FROM unnest(CAST(:domains AS text[])) wanted
""")
OWNERS = text("SELECT id FROM users WHERE id = ANY(:ids)")

#: Opens a savepoint of the caller's transaction, which forgets what was noted inside when it is undone.
Savepoint = Callable[[], AbstractAsyncContextManager[AsyncSession]]


class Existing(StrEnum):
    """What becomes of a lead that a row finds: fill its empty fields, overwrite what differs, or leave it alone.

    A lead that a row finds by its domain, but that has an email, is filled at most: it may be about somebody else.
    """

    FILL = "fill"
    OVERWRITE = "overwrite"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class UpsertRow:
    """A row: its number in the file, the lead it describes, and which of the lead's fields the file really gives."""

    number: int
    lead: LeadCreate
    given: frozenset[str]


@dataclass(frozen=True, slots=True)
class Upserted:
    """What became of a row; error for a rejected one."""

    number: int
    outcome: Outcome
    lead_id: UUID | None = None
    error: FieldError | None = None


@dataclass(slots=True)
class Foreseen:
    """What the earlier rows of a file would have made: for a check, which writes nothing."""

    #: Domain -> the fields that the first lead there would have.
    created_at: dict[str, set[str]] = field(default_factory=dict)
    #: Lead -> the fields that would have been filled.
    filled: dict[UUID, set[str]] = field(default_factory=dict)


@dataclass(slots=True)
class _Found:
    """The leads that rows may mean."""

    by_email: dict[str, Row[Any]]
    by_domain: dict[str, Row[Any]]

    @classmethod
    def of(cls, leads: Sequence[Row[Any]]) -> _Found:
        oldest_last = sorted(leads, key=lambda lead: (lead.email is not None, lead.created_at, lead.id), reverse=True)
        return cls(
            {lead.email: lead for lead in leads if lead.email},
            {lead.domain: lead for lead in oldest_last if lead.domain and lead.erased_at is None},
        )

    def match(self, lead: LeadCreate) -> Row[Any] | None:
        return self.by_email.get(lead.email) if lead.email else self.by_domain.get(lead.domain or "")


@dataclass(slots=True)
class _Decided:
    """What is to be written for some rows, and which must wait until that is written."""

    new: list[tuple[UpsertRow, Values]] = field(default_factory=list)
    changes: list[tuple[UpsertRow, Row[Any], Values]] = field(default_factory=list)
    settled: list[Upserted] = field(default_factory=list)
    waiting: list[tuple[UpsertRow, Row[Any] | None]] = field(default_factory=list)


async def upsert_many(
    savepoint: Savepoint, rows: Sequence[UpsertRow], existing: Existing, *, enrich: bool = False
) -> list[Upserted]:
    """Write the rows in the caller's transaction; what became of each, in their order.

    No two rows may have the same identity. enrich begins an enrichment for each new lead. A row that means a lead
    which another row has just touched is written after that one, with an entry of its own.
    """
    outcomes: list[Upserted] = []
    waiting = list(rows)
    while waiting:
        waiting, written = await _write_wave(savepoint, waiting, existing, enrich=enrich)
        outcomes += written
    return sorted(outcomes, key=lambda outcome: outcome.number)


async def check_many(
    session: AsyncSession, rows: Sequence[UpsertRow], existing: Existing, foreseen: Foreseen
) -> list[Upserted]:
    """What upsert_many would make of the rows, after those that went into foreseen."""
    leads = await _leads(session, await _ids_of(session, rows))
    decided = _decide(rows, _Found.of(leads), existing, await _owners(session, rows), {})
    outcomes = decided.settled
    for row, values in decided.new:
        outcomes.append(_foresee_new(row, values, existing, foreseen))
    for row, before, values in decided.changes:
        outcomes.append(_foresee_change(row, before, values, foreseen))
    for row, touched in decided.waiting:
        if touched is None:
            outcomes.append(_foresee_new(row, {"domain": row.lead.domain}, existing, foreseen))
        else:
            outcomes.append(_foresee_change(row, touched, _changes(row, touched, existing), foreseen))
    return sorted(outcomes, key=lambda outcome: outcome.number)


async def _write_wave(
    savepoint: Savepoint, rows: list[UpsertRow], existing: Existing, *, enrich: bool
) -> tuple[list[UpsertRow], list[Upserted]]:
    """The rows that must wait, and what became of the others."""
    for _ in range(3):
        try:
            async with savepoint() as session:
                decided = await _decide_under_locks(session, rows, existing)
                written = await _write(session, decided, enrich=enrich)
                return [row for row, _ in decided.waiting], written
        except asyncpg.UniqueViolationError:
            # Somebody else was first with an identity and has committed: the next look finds that lead.
            continue
    if len(rows) == 1:
        sentence = "Another lead with this address came and went at the same moment. Import the file again."
        return [], [_rejected(rows[0], "email" if rows[0].lead.email else "domain", sentence)]
    middle = len(rows) // 2
    later, written = await _write_wave(savepoint, rows[:middle], existing, enrich=enrich)
    more_later, more = await _write_wave(savepoint, rows[middle:], existing, enrich=enrich)
    return later + more_later, written + more


async def _decide_under_locks(session: AsyncSession, rows: list[UpsertRow], existing: Existing) -> _Decided:
    """Decide on what is there; lock what is to change, and decide again if it has changed meanwhile."""
    owners = await _owners(session, rows)
    prepared: dict[int, Values] = {}
    while True:
        leads = {lead.id: lead for lead in await _leads(session, await _ids_of(session, rows))}
        decided = _decide(rows, _Found.of(list(leads.values())), existing, owners, prepared)
        changing_ids = [before.id for _, before, _ in decided.changes]
        if not changing_ids:
            return decided
        locked = await _leads(session, changing_ids, lock=True)
        if all(lead.version == leads[lead.id].version for lead in locked) and len(locked) == len(changing_ids):
            return decided


def _decide(
    rows: Sequence[UpsertRow], found: _Found, existing: Existing, owners: set[UUID], prepared: dict[int, Values]
) -> _Decided:
    decided = _Decided()
    touched: set[UUID] = set()
    new_domains: set[str] = set()
    for row in rows:
        before = found.match(row.lead)
        try:
            if "owner_id" in row.given and row.lead.owner_id not in owners:
                raise Invalid.of("owner_id", "There is no such user. Choose one from the list of users.")
            if before is not None:
                if before.id in touched:
                    decided.waiting.append((row, before))
                elif changes := _changes(row, before, existing):
                    decided.changes.append((row, before, changes))
                    touched.add(before.id)
                else:
                    decided.settled.append(Upserted(row.number, "unchanged", before.id))
            elif row.lead.email is None and row.lead.domain in new_domains:
                decided.waiting.append((row, None))
            else:
                if row.number not in prepared:
                    prepared[row.number] = changing.values_of_new(row.lead, Source.IMPORT)
                decided.new.append((row, prepared[row.number]))
                new_domains.add(prepared[row.number]["domain"])
        except Invalid as error:
            decided.settled.append(_rejected(row, error.errors[0].field, error.errors[0].message))
    return decided


def _changes(row: UpsertRow, before: Row[Any], existing: Existing) -> Values:
    """The columns that the row would set in a lead that exists."""
    if existing is Existing.LEAVE:
        return {}
    fill_only = existing is Existing.FILL or (row.lead.email is None and before.email is not None)
    changes: Values = {}
    for name in row.given:
        if name != "source_detail":
            value, was = getattr(row.lead, name), getattr(before, name)
            if value != was and (not fill_only or was is None or was == []):
                changes[name] = value.value if isinstance(value, StrEnum) else value
    # A row of every column answers the same questions as the mapped class.
    return changing.with_persons_values(cast(Lead, before), changes) if changes else {}


async def _write(session: AsyncSession, decided: _Decided, *, enrich: bool) -> list[Upserted]:
    """Entries first, then the leads, then their jobs."""
    at, who = trail.now(), context.current().actor_id
    entry_of = partial(trail.entry_row, at=at, key=session.info[MAC_KEY], origin=trail.origin_part())
    outcomes = decided.settled
    entries: list[Values] = []
    inserts: list[Values] = []
    updates: list[Values] = []
    jobs: list[tuple[UUID, UUID]] = []
    for row, values in decided.new:
        lead = {
            **dict.fromkeys(COLUMNS), **values, "id": new_id(), "version": 1,
            "created_at": at, "created_by": who, "updated_at": at, "updated_by": who,
        }  # fmt: skip
        if enrich:
            task_id = new_id()
            lead |= changing.enrichment_begun(task_id)
            jobs.append((task_id, lead["id"]))
        inserts.append(_with_list_columns(lead))
        entries.append(entry_of(Action.CREATE, lead["id"], seq=1, before=None, after=_audited(lead)))
        outcomes.append(Upserted(row.number, "created", lead["id"]))
    for row, before, values in decided.changes:
        lead = {**before._mapping, **values, "version": before.version + 1, "updated_at": at, "updated_by": who}
        updates.append(_with_list_columns(lead))
        was, becomes = _audited(before._mapping), _audited(lead)
        entries.append(entry_of(Action.UPDATE, before.id, seq=lead["version"], before=was, after=becomes))
        outcomes.append(Upserted(row.number, "updated", before.id))
    if entries:
        await trail.append_many(session, entries)
    await _copy_and_update(session, inserts, updates)
    if jobs:
        await queue.start_many(
            session,
            JobKind.ENRICHMENT,
            [(job_id, lead_id, {"status_before": EnrichmentStatus.PENDING.value}) for job_id, lead_id in jobs],
            priority=queue.PRIORITY_BULK,
        )
    return outcomes


async def _copy_and_update(session: AsyncSession, inserts: list[Values], updates: list[Values]) -> None:
    """On the bare connection, inside the transaction: the savepoint has begun it."""
    connection = (await (await session.connection()).get_raw_connection()).driver_connection
    assert connection is not None  # noqa: S101 - a pooled connection that is in use
    if inserts:
        # In the order of their identities: two imports at once wait for each other, never in a circle.
        inserts.sort(key=lambda lead: (lead["email"] is None, lead["email"] or lead["domain"]))
        await connection.copy_records_to_table(
            "leads", records=[tuple(_stored(lead, COLUMNS)) for lead in inserts], columns=COLUMNS
        )
    if updates:
        updates.sort(key=lambda lead: lead["id"])
        await connection.executemany(UPDATE, [(lead["id"], *_stored(lead, _SET)) for lead in updates])


def _stored(lead: Values, columns: Sequence[str]) -> list[Any]:
    return [orjson.dumps(lead[name]).decode() if name == "provenance" else lead[name] for name in columns]


def _with_list_columns(lead: Values) -> Values:
    lead |= changing.list_columns(lead["email"], lead["domain"], lead["company_name"], lead["contact_name"])
    return lead


def _audited(lead: Any) -> Values:
    values = {name: audited(lead[name]) for name in PART_OF if lead[name] is not None}
    return {**values, "provenance": lead["provenance"]}


async def _ids_of(session: AsyncSession, rows: Sequence[UpsertRow]) -> list[UUID]:
    emails = [row.lead.email for row in rows if row.lead.email]
    domains = [row.lead.domain for row in rows if not row.lead.email]
    found = await session.scalars(FIND, {"emails": emails, "domains": domains})
    return [lead_id for lead_id in found if lead_id is not None]


async def _leads(session: AsyncSession, ids: Sequence[UUID], *, lock: bool = False) -> Sequence[Row[Any]]:
    if not ids:
        return []
    wanted = select(*(LEADS.c[name] for name in COLUMNS)).where(
        LEADS.c.id == any_(bindparam("ids", ids, ARRAY(Uuid))), LEADS.c.deleted_at.is_(None)
    )
    if lock:
        wanted = wanted.order_by(LEADS.c.id).with_for_update(key_share=True)
    return (await session.execute(wanted)).all()


async def _owners(session: AsyncSession, rows: Sequence[UpsertRow]) -> set[UUID]:
    ids = {row.lead.owner_id for row in rows if "owner_id" in row.given}
    return set(await session.scalars(OWNERS, {"ids": list(ids)})) if ids else set()


def _rejected(row: UpsertRow, field_name: str, message: str) -> Upserted:
    return Upserted(row.number, "rejected", error=FieldError(field_name, message))


def _foresee_new(row: UpsertRow, values: Values, existing: Existing, foreseen: Foreseen) -> Upserted:
    """A new lead, or, for a domain alone, what it adds to the lead that an earlier row would have made there."""
    domain = values["domain"]
    if row.lead.email is None and domain in foreseen.created_at:
        missing = set(row.given) - foreseen.created_at[domain]
        if existing is Existing.LEAVE or not missing:
            return Upserted(row.number, "unchanged")
        foreseen.created_at[domain] |= missing
        return Upserted(row.number, "updated")
    if domain is not None and row.lead.email is not None:
        has = {name for name, value in values.items() if value is not None and value != []}
        foreseen.created_at.setdefault(domain, has)
    return Upserted(row.number, "created")


def _foresee_change(row: UpsertRow, before: Row[Any], changes: Values, foreseen: Foreseen) -> Upserted:
    filled = foreseen.filled.setdefault(before.id, set())
    outcome: Outcome = "updated" if changes.keys() - filled else "unchanged"
    filled |= changes.keys()
    return Upserted(row.number, outcome, before.id)
