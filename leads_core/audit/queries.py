"""Read the trail: entries as people and scripts see them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import Integer, Text, column, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.audit.record.entry import PART_OF, Part, fields_of, old_and_new, origin_of

ENTRY = """
    SELECT e.id, e.subject_kind, e.subject_id, e.seq, e.action, e.actor_kind, e.actor_id, e.channel, e.request_id,
           e.task_id, e.occurred_at, e.parts, e.checksum,
           CASE e.actor_kind WHEN 'user' THEN e.actor_id WHEN 'token' THEN t.user_id END AS user_id, l.leaf_index
    FROM audit_log e LEFT JOIN api_tokens t ON e.actor_kind = 'token' AND t.id = e.actor_id
    LEFT JOIN audit_leaves l ON l.entry_id = e.id
"""
#: Enrichment acts in the name of whoever asked; in the trail it is an actor of its own.
BY_MACHINE = "(e.action = 'ENRICH' AND e.channel = 'worker')"
#: One subject's entries, by audit_log_subject_id_seq_key: a trail is short, so its few ids are sorted. They are found
#: first, or the planner would walk the whole log in the order of ids.
OF_SUBJECT = f"""
    WITH mine AS MATERIALIZED (
        SELECT e.id FROM audit_log e WHERE e.subject_id = $1 AND ($2::uuid IS NULL OR e.id %(after)s $2)
        AND ($4::uuid[] IS NULL OR (e.actor_id = ANY($4) AND NOT {BY_MACHINE}) OR ($5 AND {BY_MACHINE}))
        AND ($6::text[] IS NULL OR e.action = ANY($6))
        AND ($7::text[] IS NULL OR EXISTS (
            SELECT 1 FROM unnest($7::text[], $8::text[]) AS wanted(field, part)
            WHERE jsonb_typeof(e.parts -> part) = 'string' OR (e.parts -> part -> 1) ? field)))
    {ENTRY} WHERE e.id = ANY(ARRAY(SELECT id FROM mine ORDER BY id %(order)s LIMIT $3)) ORDER BY e.id %(order)s
"""  # noqa: S608 - constants
OLDEST_FIRST = OF_SUBJECT % {"after": ">", "order": "ASC"}
NEWEST_FIRST = OF_SUBJECT % {"after": "<", "order": "DESC"}

ENTRY_AT = ENTRY + "WHERE e.subject_id = $1 AND e.seq = $2"

#: What one may choose from in the newest entries of a trail: each actor under the name it bore last.
CHOICES = f"""
    WITH mine AS MATERIALIZED (SELECT e.id FROM audit_log e WHERE e.subject_id = $1),
    newest AS MATERIALIZED (
        SELECT e.id, e.action, e.actor_id, e.parts, {BY_MACHINE} AS by_machine
        FROM audit_log e WHERE e.id = ANY(ARRAY(SELECT id FROM mine ORDER BY id DESC LIMIT 1000)))
    SELECT 'machine' AS kind, NULL::uuid AS id, NULL AS value FROM newest WHERE by_machine
    UNION SELECT 'action', NULL, action FROM newest
    UNION SELECT 'field', NULL, jsonb_object_keys(content -> 1)
        FROM newest, jsonb_each(CASE jsonb_typeof(parts) WHEN 'object' THEN parts ELSE '{{}}' END) AS p(name, content)
        WHERE name <> 'origin' AND jsonb_typeof(content -> 1) = 'object'
    UNION (SELECT DISTINCT ON (actor_id) 'actor', actor_id, parts -> 'origin' -> 1 ->> 'actor_name' FROM newest
        WHERE actor_id IS NOT NULL AND NOT by_machine ORDER BY actor_id, id DESC)
"""  # noqa: S608 - constants

#: What a lead's state is made of, by audit_log_subject_id_seq_key.
PAST = text("""
    SELECT seq, action, parts FROM audit_log WHERE subject_id = :subject_id AND seq <= :seq ORDER BY seq
""").columns(column("seq", Integer), column("action", Text), column("parts", JSONB))

#: Leads with an entry after a point in time: ids are UUIDv7, so their order is the order of time.
CHANGED_SINCE = """
    SELECT DISTINCT subject_id FROM (
        SELECT subject_id FROM audit_log WHERE id > $1 AND subject_kind = 'lead' ORDER BY id DESC LIMIT 1000) e LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class EntryRead:
    """One entry. old_values and new_values hold only what changed; erased names the fields that are not known any more.

    ip_address and user_agent are null for readers who may not see them. log_index is null until the log takes it up.
    """

    id: UUID
    subject_kind: str
    subject_id: UUID | None
    seq: int | None
    action: str
    user_id: UUID | None
    actor_kind: str
    actor_id: UUID | None
    actor_name: str | None
    channel: str
    ip_address: str | None
    user_agent: str | None
    request_id: str | None
    task_id: UUID | None
    occurred_at: datetime
    old_values: dict[str, Any]
    new_values: dict[str, Any]
    erased: list[str]
    checksum: str
    log_index: int | None


@dataclass(frozen=True, slots=True)
class PastEntry:
    """What one entry says of the state of its subject."""

    seq: int
    action: str
    parts: Mapping[str, Part]


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """Which entries of a trail are wanted: any of these actors, of these actions, that changed any of these fields.

    Nothing of a kind is no filter. by_machine stands beside the actors: what enrichment did by itself. An entry whose
    part was erased counts as one that changed each of the part's fields: nobody knows any more.
    """

    actor_ids: Sequence[UUID] = ()
    by_machine: bool = False
    actions: Sequence[str] = ()
    fields: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.actor_ids or self.by_machine or self.actions or self.fields)


@dataclass(frozen=True, slots=True)
class TrailChoices:
    """What a trail's entries can be told apart by. actors: id -> the name of their newest entry, None once erased."""

    actors: Mapping[UUID, str | None]
    by_machine: bool
    actions: Sequence[str]
    fields: Sequence[str]


EVERYTHING = TrailFilter()


async def entries_of(
    reader: asyncpg.Connection,
    subject_id: UUID,
    *,
    newest_first: bool,
    after: UUID | None,
    limit: int,
    with_origin: bool,
    only: TrailFilter = EVERYTHING,
) -> list[EntryRead]:
    """The trail of one subject, from the entry after `after` on. with_origin: the reader may see whence it came."""
    actors = list(only.actor_ids) if only.actor_ids or only.by_machine else None
    fields = [field for field in only.fields if field in PART_OF]
    rows = await reader.fetch(
        NEWEST_FIRST if newest_first else OLDEST_FIRST,
        subject_id,
        after,
        limit,
        actors,
        only.by_machine,
        list(only.actions) or None,
        fields if only.fields else None,
        [PART_OF[field] for field in fields],
    )
    return [read_entry(row, with_origin=with_origin) for row in rows]


async def entry_at(reader: asyncpg.Connection, subject_id: UUID, seq: int, *, with_origin: bool) -> EntryRead | None:
    """The entry that made this version of a subject; None where there is none."""
    row = await reader.fetchrow(ENTRY_AT, subject_id, seq)
    return read_entry(row, with_origin=with_origin) if row else None


async def choices_of(reader: asyncpg.Connection, subject_id: UUID) -> TrailChoices:
    """What the newest 1,000 entries of a subject can be filtered by."""
    rows = await reader.fetch(CHOICES, subject_id)
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["kind"], []).append(row["value"])
    return TrailChoices(
        actors={row["id"]: row["value"] for row in rows if row["kind"] == "actor"},
        by_machine="machine" in found,
        actions=found.get("action", []),
        fields=[field for field in found.get("field", []) if field in PART_OF],
    )


async def past_of(session: AsyncSession, subject_id: UUID, seq: int) -> list[PastEntry]:
    """A subject's entries up to this one, the oldest first. Events without a state are none of them."""
    rows = await session.execute(PAST, {"subject_id": subject_id, "seq": seq})
    return [PastEntry(row.seq, row.action, row.parts) for row in rows]


async def leads_changed_since(reader: asyncpg.Connection, entry_id: UUID, limit: int) -> list[UUID]:
    """Leads that entries with a larger id speak of, at most limit of them."""
    return [row["subject_id"] for row in await reader.fetch(CHANGED_SINCE, entry_id, limit)]


def read_entry(row: asyncpg.Record, *, with_origin: bool) -> EntryRead:
    """A row of ENTRY as people and scripts see it."""
    facts = dict(row)
    parts, leaf_index = _readable(json.loads(facts.pop("parts"))), facts.pop("leaf_index")
    old, new, erased = old_and_new(parts)
    origin = origin_of(parts)
    return EntryRead(
        **{**facts, "checksum": facts["checksum"].hex()},
        log_index=leaf_index,
        actor_name=origin["actor_name"],
        ip_address=origin["ip_address"] if with_origin else None,
        user_agent=origin["user_agent"] if with_origin else None,
        old_values=old,
        new_values=new,
        erased=[field for part in erased for field in _fields(part)],
    )


def _readable(parts: Any) -> dict[str, Part]:
    """The parts as far as they have the record's form: a trail that was tampered with is shown all the same."""
    if not isinstance(parts, dict):
        return {}
    return {name: part for name, part in parts.items() if isinstance(part, str) or _is_part(name, part)}


def _is_part(name: str, part: Any) -> bool:
    match part:
        case [str(), dict() as content]:
            return name == "origin" or all(_is_change(field, change) for field, change in content.items())
        case _:
            return False


def _is_change(field: str, change: Any) -> bool:
    if not isinstance(change, list) or len(change) != 2:
        return False
    return field != "provenance" or all(side is None or isinstance(side, dict) for side in change)


def _fields(part: Any) -> tuple[str, ...]:
    return () if part == "origin" else fields_of(part)
