"""Whether somebody else had a word about the very thing since a version was seen, from the trail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Integer, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.audit.models import Action
from leads_core.leads.bulk_actions import Asked, BulkAction

#: By audit_log_subject_id_seq_key. What oneself did since was seen by oneself.
SINCE = text("""
    SELECT e.id, e.subject_id, e.action, e.parts::text AS parts
    FROM unnest(:ids, :versions) AS seen (id, version)
    JOIN audit_log e ON e.subject_id = seen.id AND e.seq > seen.version
    WHERE e.actor_id IS DISTINCT FROM :me
    ORDER BY e.subject_id, e.seq
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("versions", type_=ARRAY(Integer)))


async def conflicts(session: AsyncSession, asked: Asked, seen: Mapping[UUID, int]) -> dict[UUID, UUID]:
    """Of these leads, with the version of each that was seen, those with a conflict: the last entry that is one.

    A value conflicts with a change of that value, tags with a change of the same tags; into the bin and out of it
    with whatever a person did. What a machine found is no conflict.
    """
    values = {"ids": list(seen), "versions": list(seen.values()), "me": context.current().actor_id}
    rows = await session.execute(SINCE, values)
    return {row.subject_id: row.id for row in rows if _is_conflict(asked, row.action, orjson.loads(row.parts))}


def change_of(field: str, parts: Mapping[str, Any]) -> tuple[Any, Any] | None:
    """What an entry says of a field: (old, new). None where it says nothing, and where that was erased."""
    return next(((old, new) for name, (old, new) in _changes(parts) if name == field), None)


def _is_conflict(asked: Asked, action: str, parts: Mapping[str, Any]) -> bool:
    if not asked.field:
        return action != Action.ENRICH
    change = change_of(asked.field, parts)
    if change is None:
        return False
    if asked.action in {BulkAction.ADD_TAGS, BulkAction.REMOVE_TAGS}:
        old, new = ({tag.casefold() for tag in tags or ()} for tags in change)
        return bool((old ^ new) & {tag.casefold() for tag in asked.value})
    return True


def _changes(parts: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    for name, part in parts.items():
        if name != "origin" and not isinstance(part, str):
            yield from part[1].items()
