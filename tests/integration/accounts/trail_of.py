"""What the trail says of a user or token, read back from the table."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import asyncpg

from leads_core.audit.record.entry import old_and_new, origin_of


async def entries_about(owner: asyncpg.Connection, subject_id: UUID | None) -> list[dict[str, Any]]:
    """Oldest first: action, seq, actor, origin, old and new values."""
    rows = await owner.fetch(
        "SELECT action, seq, actor_kind, actor_id, parts FROM audit_log"
        " WHERE subject_id IS NOT DISTINCT FROM $1 ORDER BY id",
        subject_id,
    )
    return [_entry(row) for row in rows]


def _entry(row: asyncpg.Record) -> dict[str, Any]:
    parts = json.loads(row["parts"])
    old, new, _ = old_and_new(parts)
    return {**row, "parts": parts, "old": old, "new": new, "origin": origin_of(parts)}
