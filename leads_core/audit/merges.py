"""Which leads were merged with which, as the trail has it: the two entries of a merge share request and moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import asyncpg

#: Of a lead's own entries by audit_log_subject_id_seq_key, the other's by ix_audit_log_request_of_leads.
PARTNERS = """
    SELECT mine.seq, other.subject_id,
           other.parts -> 'data' -> 1 -> 'merged_into' ->> 1 = mine.subject_id::text AS into_me
    FROM audit_log mine JOIN audit_log other
      ON other.request_id = mine.request_id AND other.task_id IS NULL AND other.subject_kind = 'lead'
     AND other.action = 'MERGE' AND other.occurred_at = mine.occurred_at AND other.subject_id <> mine.subject_id
    WHERE mine.subject_id = $1 AND mine.action = 'MERGE' AND mine.task_id IS NULL ORDER BY mine.id DESC LIMIT 100
"""


@dataclass(frozen=True, slots=True)
class Partner:
    """The other lead of a merge. is_gone: it went into this one; else this one into it, or nobody knows any more."""

    lead_id: UUID
    is_gone: bool


async def partners_of(reader: asyncpg.Connection, lead_id: UUID) -> Mapping[int, Partner]:
    """The entry's seq -> the other lead of that merge: the newest 100, also those that were undone since."""
    rows = await reader.fetch(PARTNERS, lead_id)
    return {row["seq"]: Partner(row["subject_id"], bool(row["into_me"])) for row in rows}
