"""Many leads at once, by identity: rows of a file become leads, fill leads, or change nothing. Set-based.

A batch is one transaction of the service's. Reads look up all rows together; entries, then leads, go in by COPY and
one prepared UPDATE. Locks: leads in id order; new identities in their own order, so that two imports never wait for
each other in a circle (identity.py). Who loses a race for an identity sees the winner's lead and fills that one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from operator import itemgetter
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.audit import trail
from leads_core.audit.models import Action
from leads_core.database import bare, new_id
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.leads import changing, identity
from leads_core.leads.models import audited_row
from leads_core.leads.row_matching import (
    COLUMNS,
    Decided,
    Existing,
    Found,
    Upserted,
    UpsertRow,
    Values,
    decide,
    existing_owners,
    ids_of,
    leads_with,
    rejected,
)
from leads_core.leads.schemas import EnrichmentStatus
from leads_core.leads.writing import locked_rows

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

#: A lead's values as COPY and UPDATE take them. A batch keeps no more of a lead than this: dictionaries by the
#: thousand busy the garbage collector as much as their making does the processor.
Record: TypeAlias = tuple[Any, ...]
_inserted = itemgetter(*COLUMNS)
_updated = itemgetter(*_SET)
_EMAIL, _DOMAIN = COLUMNS.index("email"), COLUMNS.index("domain")
_NOTHING = dict.fromkeys(COLUMNS)

#: Opens a savepoint of the caller's transaction, which forgets what was noted inside when it is undone.
Savepoint = Callable[[], AbstractAsyncContextManager[AsyncSession]]


async def upsert_many(
    savepoint: Savepoint, rows: Sequence[UpsertRow], existing: Existing, *, enrich: bool = False
) -> list[Upserted]:
    """Write the rows in the caller's transaction; what became of each, in their order.

    No two rows may have the same identity. enrich begins an enrichment for each new lead. A row that means a lead
    which another row has just touched is written after that one, with an entry of its own.
    """
    outcomes: list[Upserted] = []
    waiting = list(rows)
    async with savepoint() as session:
        await identity.many_in_order(session)
    while waiting:
        waiting, written = await _write_wave(savepoint, waiting, existing, enrich=enrich)
        outcomes += written
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
        return [], [rejected(rows[0], "email" if rows[0].lead.email else "domain", sentence)]
    middle = len(rows) // 2
    later, written = await _write_wave(savepoint, rows[:middle], existing, enrich=enrich)
    more_later, more = await _write_wave(savepoint, rows[middle:], existing, enrich=enrich)
    return later + more_later, written + more


async def _decide_under_locks(session: AsyncSession, rows: list[UpsertRow], existing: Existing) -> Decided:
    """Decide on what is there; lock what is to change, and decide again if it has changed meanwhile."""
    owners = await existing_owners(session, rows)
    while True:
        leads = {lead.id: lead for lead in await leads_with(session, await ids_of(session, rows))}
        decided = decide(rows, Found.of(list(leads.values())), existing, owners)
        changing_ids = [before.id for _, before, _ in decided.changes]
        if not changing_ids:
            return decided
        locked = await locked_rows(session, changing_ids, COLUMNS, deleted=False)
        if all(lead.version == leads[lead.id].version for lead in locked) and len(locked) == len(changing_ids):
            return decided


async def _write(session: AsyncSession, decided: Decided, *, enrich: bool) -> list[Upserted]:
    """Entries first, then the leads, then their jobs."""
    at, who = trail.now(), context.current().actor_id
    entries = trail.EntryBatch(session, at)
    outcomes = decided.settled
    inserts: list[Record] = []
    updates: list[Record] = []
    jobs: list[tuple[UUID, UUID]] = []
    for row, values in decided.new:
        lead = {**_NOTHING, **values, "id": new_id(), "version": 1, "created_at": at, "created_by": who}
        if enrich:
            task_id = new_id()
            lead |= changing.enrichment_begun(task_id)
            jobs.append((task_id, lead["id"]))
        entries.add(Action.CREATE, lead["id"], seq=1, before=None, after=audited_row(lead))
        inserts.append(_inserted(_as_stored(lead, at, who)))
        outcomes.append(Upserted(row.number, "created", lead["id"]))
    for row, before, values in decided.changes:
        lead = {**before._mapping, **values, "version": before.version + 1}
        was, becomes = audited_row(before._mapping), audited_row(lead)
        entries.add(Action.UPDATE, before.id, seq=lead["version"], before=was, after=becomes)
        updates.append((before.id, *_updated(_as_stored(lead, at, who))))
        outcomes.append(Upserted(row.number, "updated", before.id))
    await entries.write()
    await _copy_and_update(session, inserts, updates)
    if jobs:
        await queue.start_many(
            session,
            JobKind.ENRICHMENT,
            [(job_id, lead_id, {"status_before": EnrichmentStatus.PENDING.value}) for job_id, lead_id in jobs],
            priority=queue.PRIORITY_BULK,
        )
    return outcomes


async def _copy_and_update(session: AsyncSession, inserts: list[Record], updates: list[Record]) -> None:
    """On the bare connection, inside the transaction: the savepoint has begun it."""
    connection = await bare(session)
    if inserts:
        # In the order of their identities: two imports at once wait for each other, never in a circle.
        inserts.sort(key=lambda lead: (lead[_EMAIL] is None, lead[_EMAIL] or lead[_DOMAIN]))
        await connection.copy_records_to_table("leads", records=inserts, columns=COLUMNS)
    if updates:
        updates.sort(key=itemgetter(0))
        await connection.executemany(UPDATE, updates)


def _as_stored(lead: Values, at: datetime, who: UUID | None) -> Values:
    """With who changed it and when, the lists' own columns, and JSON as the bare connection takes it."""
    return {
        **lead,
        **changing.list_columns(lead["email"], lead["domain"], lead["company_name"], lead["contact_name"]),
        "updated_at": at,
        "updated_by": who,
        "provenance": orjson.dumps(lead["provenance"]).decode(),
    }
