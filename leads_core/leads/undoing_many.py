"""Take back what an operation changed, of many leads in one transaction. Set-based, as imports are written.

The leads are locked in order of id and their entries read under the locks. Entries go in by COPY, then leads by one
prepared UPDATE; leads that come back from the bin are written last, when those that had their email meanwhile have
gone. Where a key breaks all the same, the batch is halved until the lead is found whose identity is another's by now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Literal
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.audit import operations, trail
from leads_core.audit.models import Action
from leads_core.audit.operations import Operation
from leads_core.database import bare
from leads_core.leads import changing, identity
from leads_core.leads.history import REVERTIBLE
from leads_core.leads.models import audited_row
from leads_core.leads.put_back_columns import columns_of, working_owners
from leads_core.leads.row_matching import COLUMNS
from leads_core.leads.taking_back import MERGED_INTO, Kept, TakingBack, take_back
from leads_core.leads.writing import locked_rows

Outcome = Literal["put_back", "to_bin", "restored", "kept", "same"]
"""What became of a lead: values put back, moved to the bin, back from it; nothing done because of what was kept; it
stands as before the operation already."""
Savepoint = Callable[[], AbstractAsyncContextManager[AsyncSession]]

_NEVER = {"id", "source", "source_detail", "created_at", "created_by", "erased_at", "erased_by"}
_SET = tuple(name for name in COLUMNS if name not in _NEVER)
UPDATE = f"UPDATE leads SET {', '.join(f'{name} = ${n}' for n, name in enumerate(_SET, 2))} WHERE id = $1"  # noqa: S608
_updated = itemgetter(*_SET)
#: Most of an import is undone by this: one statement for all.
MOVE = """
    UPDATE leads SET deleted_at = $2, deleted_by = $3, version = version + 1, updated_at = $4, updated_by = $5
    WHERE id = ANY($1)
"""
_MOVED = {"deleted_at", "deleted_by"}
#: Where a list's own columns come from.
_LISTED = {"email", "domain", "company_name", "contact_name"}


@dataclass(slots=True)
class Undone:
    """What became of one lead, the fields that were put back, and what was kept of it."""

    lead_id: UUID
    outcome: Outcome = "same"
    fields: tuple[str, ...] = ()
    kept: list[Kept] = field(default_factory=list)


@dataclass(slots=True)
class _Change:
    """A lead that is to be written: its row, the columns to set, and where what became of it is noted."""

    before: Row[Any]
    values: dict[str, Any]
    undone: Undone

    @property
    def comes_back(self) -> bool:
        return "deleted_at" in self.values and self.values["deleted_at"] is None

    @property
    def action(self) -> Action:
        if "deleted_at" not in self.values:
            return Action.REVERT
        if self.comes_back:
            return Action.RESTORE
        return Action.MERGE if self.values.get(MERGED_INTO) else Action.DELETE


async def undo_many(savepoint: Savepoint, operation: Operation, touched: Sequence[tuple[UUID, int]]) -> list[Undone]:
    """Take back what the operation changed of these leads, given with its first entry of each; in order of id.

    Runs in the caller's transaction.
    """
    if len(touched) > 1:
        async with savepoint() as session:
            await identity.many_in_any_order(session)
    async with savepoint() as session:
        rows = await locked_rows(session, [lead_id for lead_id, _ in touched], COLUMNS, deleted=None)
        steps = await operations.steps_since(session, operation, touched)
        decided = [(row, _decide(row, steps.get(row.id, []))) for row in rows]
        owners = await working_owners(session, [back for _, back in decided])
    undone, changes = [], []
    for row, back in decided:
        outcome = Undone(row.id, kept=back.kept)
        undone.append(outcome)
        if values := columns_of(row, back, owners):
            changes.append(_Change(row, values, outcome))
        elif back.kept:
            outcome.outcome = "kept"
    changes.sort(key=_frees_identities_first)
    await _write_all(savepoint, [change for change in changes if not change.comes_back])
    await _write_all(savepoint, [change for change in changes if change.comes_back])
    return undone


def _frees_identities_first(change: _Change) -> int:
    return (Action.DELETE, Action.MERGE, Action.REVERT, Action.RESTORE).index(change.action)


def _decide(row: Row[Any], steps: Sequence[operations.Step]) -> TakingBack:
    return take_back(
        audited_row(row._mapping),
        is_deleted=row.deleted_at is not None,
        is_erased=row.erased_at is not None,
        steps=steps,
    )


async def _write_all(savepoint: Savepoint, changes: list[_Change]) -> None:
    if not changes:
        return
    try:
        async with savepoint() as session:
            await _write(session, changes)
    except asyncpg.UniqueViolationError:
        pass
    else:
        for change in changes:
            change.undone.outcome = _outcome_of(change)
            change.undone.fields = tuple(name for name in REVERTIBLE if name in change.values)
        return
    if len(changes) > 1:
        middle = len(changes) // 2
        await _write_all(savepoint, changes[:middle])
        await _write_all(savepoint, changes[middle:])
        return
    await _write_without_identity(savepoint, changes[0])


async def _write_without_identity(savepoint: Savepoint, change: _Change) -> None:
    """What is left to do where the email or domain is another lead's by now; that one is named."""
    row, values = change.before, change.values
    wanted = {name: values.get(name, getattr(row, name)) for name in ("email", "domain")}
    async with savepoint() as session:
        other = await identity.live_with(session, wanted)
    taken = "email" if wanted["email"] else "domain"
    change.undone.kept.append(Kept("identity", taken, lead_id=other))
    going = (
        ("deleted_at", "deleted_by", MERGED_INTO) if change.comes_back else ("email", "domain", "registrable_domain")
    )
    change.values = {name: value for name, value in values.items() if name not in going}
    if any(getattr(row, name) != value for name, value in change.values.items() if name != "provenance"):
        await _write_all(savepoint, [change])
    else:
        change.undone.outcome = "kept"


async def _write(session: AsyncSession, changes: Sequence[_Change]) -> None:
    """Entries first, then the leads. On the bare connection, inside the savepoint."""
    at, who = trail.now(), context.current().actor_id
    entries = trail.EntryBatch(session, at)
    updates: list[tuple[Any, ...]] = []
    moving: dict[Action, list[UUID]] = {}
    for change in changes:
        before, seq = change.before._mapping, change.before.version + 1
        if change.values.keys() == _MOVED:
            entries.add(change.action, before["id"], seq=seq, before=None, after=None)
            moving.setdefault(change.action, []).append(before["id"])
            continue
        lead = {**before, **change.values, "version": seq, "updated_at": at, "updated_by": who}
        if change.values.get("deleted_at"):
            lead["deleted_at"] = at
        if change.values.keys() & _LISTED:
            lead |= changing.list_columns(*(lead[name] for name in ("email", "domain", "company_name", "contact_name")))
        entries.add(change.action, before["id"], seq=seq, before=audited_row(before), after=audited_row(lead))
        lead["provenance"] = orjson.dumps(lead["provenance"]).decode()
        updates.append((before["id"], *_updated(lead)))
    await entries.write()
    connection = await bare(session)
    for action, ids in moving.items():
        is_going = action == Action.DELETE
        await connection.execute(MOVE, ids, at if is_going else None, who if is_going else None, at, who)
    if updates:
        await connection.executemany(UPDATE, updates)


def _outcome_of(change: _Change) -> Outcome:
    if change.action == Action.REVERT:
        return "put_back"
    return "restored" if change.comes_back else "to_bin"


def counts_of(undone: Sequence[Undone]) -> Counter[str]:
    """How many leads came out each way; kept_of counts those of which something was kept, done or not."""
    counts: Counter[str] = Counter(each.outcome for each in undone)
    counts["kept_of"] = sum(1 for each in undone if each.kept)
    return counts
