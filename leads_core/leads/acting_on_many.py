"""One action on many leads in one transaction: stage, owner, tags, follow-up, into the bin and out of it. Set-based.

Leads are locked in order of id. What somebody else said of the very thing since the version that was seen is a
conflict: it is named, and not overwritten; a change of anything else is none. Entries go in by COPY, then the leads by
one statement. Leads that come back from the bin are written in the order of their identities, as imports write them,
so that two at once wait for each other, never in a circle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, Row, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.audit import trail
from leads_core.audit.models import Action
from leads_core.database import bare
from leads_core.errors import Unavailable
from leads_core.leads import identity
from leads_core.leads.bulk_actions import FIELDS, Asked, BulkAction
from leads_core.leads.bulk_items import Became, Item
from leads_core.leads.changed_since import conflicts
from leads_core.leads.models import audited
from leads_core.leads.normalising import TAGS_LIMIT
from leads_core.leads.owners import working
from leads_core.leads.schemas import Stage
from leads_core.leads.writing import locked_rows

Savepoint = Callable[[], AbstractAsyncContextManager[AsyncSession]]

DONE, UNCHANGED, GONE, CONFLICT = Became("done"), Became("unchanged"), Became("gone"), "conflict"
_READ = (
    *("id", "version", "stage", "owner_id", "tags", "follow_up_on", "email", "domain"),
    *("deleted_at", "erased_at", "merged_into"),
)
#: What the entry of each action says.
ENTRY = {
    **dict.fromkeys(FIELDS, Action.UPDATE),
    BulkAction.DELETE: Action.DELETE,
    BulkAction.RESTORE: Action.RESTORE,
}
#: One value for all of them.
SET_ALL = {
    name: f"UPDATE leads SET {name} = $2, version = version + 1, updated_at = $3, updated_by = $4 WHERE id = ANY($1)"  # noqa: S608
    for name in ("stage", "owner_id", "follow_up_on")
}
SET_TAGS = "UPDATE leads SET tags = $2, version = version + 1, updated_at = $3, updated_by = $4 WHERE id = ANY($1)"
DELETE = """
    UPDATE leads SET deleted_at = $2, deleted_by = $3, version = version + 1, updated_at = $2, updated_by = $3
    WHERE id = ANY($1)
"""
RESTORE = """
    UPDATE leads SET deleted_at = NULL, deleted_by = NULL, merged_into = NULL,
           version = version + 1, updated_at = $2, updated_by = $3
    WHERE id = $1
"""
#: Who stands in the way of each lead in the bin, by leads_live_email_key and leads_live_domain_key.
IN_THE_WAY = text("""
    SELECT b.id, coalesce(
        (SELECT l.id FROM leads l WHERE l.deleted_at IS NULL AND l.email = b.email),
        (SELECT l.id FROM leads l WHERE b.email IS NULL AND b.erased_at IS NULL AND l.deleted_at IS NULL
                                    AND l.email IS NULL AND l.erased_at IS NULL AND l.domain = b.domain)) AS other
    FROM leads b WHERE b.id = ANY(:ids)
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)))
#: Somebody who is faster with an identity is seen at the next look.
LOOKS = 5


@dataclass(frozen=True, slots=True)
class _Change:
    """A lead that is to be written, and what its column will hold."""

    lead: Row[Any]
    value: Any


async def act_on_many(savepoint: Savepoint, asked: Asked, items: Sequence[Item]) -> dict[UUID, Became]:
    """Do it with each lead, in the caller's transaction; what became of each."""
    if asked.action is BulkAction.RESTORE and len(items) > 1:
        async with savepoint() as session:
            await identity.many_in_any_order(session)
    for _ in range(LOOKS):
        try:
            async with savepoint() as session:
                return await _act(session, asked, items)
        except asyncpg.UniqueViolationError:
            continue
    raise Unavailable("Other leads with the same addresses come and go just now. Nothing was changed; try again.")


async def _act(session: AsyncSession, asked: Asked, items: Sequence[Item]) -> dict[UUID, Became]:
    outcomes = {item.lead_id: GONE for item in items}
    seen = {item.lead_id: item.version for item in items}
    changes: list[_Change] = []
    for lead in await locked_rows(session, list(outcomes), _READ, deleted=None):
        decided = _decide(asked, lead)
        if isinstance(decided, Became):
            outcomes[lead.id] = decided
        else:
            changes.append(decided)
    changes = await _without_conflicts(session, asked, changes, seen, outcomes)
    if asked.action is BulkAction.RESTORE:
        changes = await _without_taken(session, changes, outcomes)
    elif asked.owner is not None and not await working(session, [asked.owner]):
        outcomes |= {change.lead.id: Became("no_owner") for change in changes}
        changes = []
    if changes:
        await _write(session, asked, changes)
        outcomes |= {change.lead.id: DONE for change in changes}
    return outcomes


def _decide(asked: Asked, lead: Row[Any]) -> _Change | Became:
    in_bin = lead.deleted_at is not None
    match asked.action:
        case BulkAction.RESTORE:
            return _Change(lead, None) if in_bin else UNCHANGED
        case _ if in_bin:
            return GONE
        case BulkAction.DELETE:
            return _Change(lead, None)
        case BulkAction.ADD_TAGS | BulkAction.REMOVE_TAGS:
            value: Any = _tags(asked, lead.tags)
            if len(value) > TAGS_LIMIT:
                return Became("too_many_tags")
        case _:
            value = asked.value.value if isinstance(asked.value, Stage) else asked.value
    return UNCHANGED if value == getattr(lead, asked.field) else _Change(lead, value)


def _tags(asked: Asked, now: list[str]) -> list[str]:
    """In the spelling that is there already."""
    wanted = {tag.casefold() for tag in asked.value}
    if asked.action is BulkAction.REMOVE_TAGS:
        return [tag for tag in now if tag.casefold() not in wanted]
    there = {tag.casefold() for tag in now}
    return [*now, *(tag for tag in asked.value if tag.casefold() not in there)]


async def _without_conflicts(
    session: AsyncSession,
    asked: Asked,
    changes: list[_Change],
    seen: Mapping[UUID, int | None],
    outcomes: dict[UUID, Became],
) -> list[_Change]:
    later = {
        change.lead.id: version
        for change in changes
        if (version := seen[change.lead.id]) is not None and version < change.lead.version
    }
    if not later:
        return changes
    found = await conflicts(session, asked, later)
    outcomes |= {lead_id: Became(CONFLICT, entry) for lead_id, entry in found.items()}
    return [change for change in changes if change.lead.id not in found]


async def _without_taken(session: AsyncSession, changes: list[_Change], outcomes: dict[UUID, Became]) -> list[_Change]:
    """Whose identity a live lead has stays in the bin; of two with one identity the first comes back."""
    rows = await session.execute(IN_THE_WAY, {"ids": [change.lead.id for change in changes]})
    others = {row.id: row.other for row in rows}
    free, coming = [], dict[tuple[str, str], UUID]()
    for change in changes:
        lead = change.lead
        key = ("email", lead.email) if lead.email else ("domain", "" if lead.erased_at else lead.domain or "")
        other = others.get(lead.id) or (coming.get(key) if key[1] else None)
        if other is not None:
            outcomes[lead.id] = Became("taken", other)
            continue
        coming[key] = lead.id
        free.append(change)
    return sorted(free, key=lambda change: (change.lead.email is None, change.lead.email or change.lead.domain or ""))


async def _write(session: AsyncSession, asked: Asked, changes: Sequence[_Change]) -> None:
    """Entries first, then the leads. On the bare connection, inside the savepoint."""
    at, who = trail.now(), context.current().actor_id
    entries = trail.EntryBatch(session, at)
    for change in changes:
        lead, before, after = change.lead, dict[str, Any](), dict[str, Any]()
        if asked.field:
            before[asked.field], after[asked.field] = audited(getattr(lead, asked.field)), audited(change.value)
        elif asked.action is BulkAction.RESTORE:
            before["merged_into"], after["merged_into"] = audited(lead.merged_into), None
        entries.add(ENTRY[asked.action], lead.id, seq=lead.version + 1, before=before, after=after)
    await entries.write()
    connection = await bare(session)
    ids = [change.lead.id for change in changes]
    match asked.action:
        case BulkAction.DELETE:
            await connection.execute(DELETE, ids, at, who)
        case BulkAction.RESTORE:
            await connection.executemany(RESTORE, [(lead_id, at, who) for lead_id in ids])
        case BulkAction.ADD_TAGS | BulkAction.REMOVE_TAGS:
            for tags, some in _by_tags(changes).items():
                await connection.execute(SET_TAGS, some, list(tags), at, who)
        case _:
            await connection.execute(SET_ALL[asked.field], ids, changes[0].value, at, who)


def _by_tags(changes: Sequence[_Change]) -> dict[tuple[str, ...], list[UUID]]:
    """Most leads of a batch come to the same tags: one statement for all of those."""
    found: dict[tuple[str, ...], list[UUID]] = {}
    for change in changes:
        found.setdefault(tuple(change.value), []).append(change.lead.id)
    return found
