"""Read the trail: entries as people and scripts see them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import Integer, Text, column, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.audit.record.entry import Part, fields_of, old_and_new, origin_of

ENTRY = """
    SELECT e.id, e.subject_kind, e.subject_id, e.seq, e.action, e.actor_kind, e.actor_id, e.channel, e.request_id,
           e.task_id, e.occurred_at, e.parts, e.checksum,
           CASE e.actor_kind WHEN 'user' THEN e.actor_id WHEN 'token' THEN t.user_id END AS user_id, l.leaf_index
    FROM audit_log e LEFT JOIN api_tokens t ON e.actor_kind = 'token' AND t.id = e.actor_id
    LEFT JOIN audit_leaves l ON l.entry_id = e.id
"""
#: One lead's entries, by audit_log_subject_id_seq_key: a trail is short, so its few rows are sorted.
OLDEST_FIRST = ENTRY + "WHERE e.subject_id = $1 AND ($2::uuid IS NULL OR e.id > $2) ORDER BY e.id LIMIT $3"
NEWEST_FIRST = ENTRY + "WHERE e.subject_id = $1 AND ($2::uuid IS NULL OR e.id < $2) ORDER BY e.id DESC LIMIT $3"

#: What a lead's state is made of, by audit_log_subject_id_seq_key.
PAST = text("""
    SELECT seq, action, parts FROM audit_log WHERE subject_id = :subject_id AND seq <= :seq ORDER BY seq
""").columns(column("seq", Integer), column("action", Text), column("parts", JSONB))

#: The newest entries and whether the leads they speak of have as many entries as their version says.
COMPLETENESS = """
    WITH newest AS (SELECT id, version FROM leads WHERE deleted_at IS NULL
                    ORDER BY updated_at DESC, id DESC LIMIT 1000),
         counted AS (
             SELECT version, (SELECT count(*) FROM audit_log WHERE subject_id = newest.id AND seq IS NOT NULL) AS found
             FROM newest)
    SELECT coalesce(sum(version), 0)::bigint AS expected, coalesce(sum(found), 0)::bigint AS found,
           (SELECT occurred_at FROM audit_log ORDER BY id DESC LIMIT 1) AS last_write,
           (SELECT count(*) FROM (SELECT 1 FROM audit_pending LIMIT 100000) p) AS pending
    FROM counted
"""

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
class Completeness:
    """Entries expected (the sum of versions) and found, of the 1,000 leads that changed last."""

    expected: int
    found: int
    last_write: datetime | None
    pending: int


async def entries_of(
    reader: asyncpg.Connection,
    subject_id: UUID,
    *,
    newest_first: bool,
    after: UUID | None,
    limit: int,
    with_origin: bool,
) -> list[EntryRead]:
    """The trail of one subject, from the entry after `after` on. with_origin: the reader may see whence it came."""
    rows = await reader.fetch(NEWEST_FIRST if newest_first else OLDEST_FIRST, subject_id, after, limit)
    return [read_entry(row, with_origin=with_origin) for row in rows]


async def past_of(session: AsyncSession, subject_id: UUID, seq: int) -> list[PastEntry]:
    """A subject's entries up to this one, the oldest first. Events without a state are none of them."""
    rows = await session.execute(PAST, {"subject_id": subject_id, "seq": seq})
    return [PastEntry(row.seq, row.action, row.parts) for row in rows]


async def completeness(reader: asyncpg.Connection) -> Completeness:
    """Whether every version of the leads that changed last has its entry."""
    row = await reader.fetchrow(COMPLETENESS)
    return Completeness(row["expected"], row["found"], row["last_write"], row["pending"])


async def leads_changed_since(reader: asyncpg.Connection, entry_id: UUID, limit: int) -> list[UUID]:
    """Leads that entries with a larger id speak of, at most limit of them."""
    return [row["subject_id"] for row in await reader.fetch(CHANGED_SINCE, entry_id, limit)]


def read_entry(row: asyncpg.Record, *, with_origin: bool) -> EntryRead:
    """A row of ENTRY as people and scripts see it."""
    facts = dict(row)
    parts, leaf_index = json.loads(facts.pop("parts")), facts.pop("leaf_index")
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


def _fields(part: Any) -> tuple[str, ...]:
    return () if part == "origin" else fields_of(part)
