"""What the trail says of its own log: whether it was reopened under another name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg
import orjson

from leads_core.audit.log.taking import ENTRIES, reason_to_reject
from leads_core.audit.record.entry import old_and_new
from leads_core.audit.record.signed_note import Checkpoint

NEWEST_REOPENINGS = """
    SELECT id FROM audit_log WHERE subject_id IS NULL AND subject_kind = 'log' AND action = 'REOPEN'
    ORDER BY id DESC LIMIT 100
"""


async def is_reopened(
    connection: asyncpg.Connection, mac_keys: Sequence[bytes], abandoned: Checkpoint, name: str | None = None
) -> bool:
    """Whether an entry in the log, with a MAC of ours, gives up this checkpoint for a log of this name, or of any."""
    ids = [row["id"] for row in await connection.fetch(NEWEST_REOPENINGS)]
    rows = await connection.fetch(ENTRIES, ids)
    return any(
        _gives_up(row, abandoned, name) for row in rows if row["is_logged"] and reason_to_reject(row, mac_keys) is None
    )


def _gives_up(row: Any, abandoned: Checkpoint, name: str | None) -> bool:
    _, said, _ = old_and_new(orjson.loads(row["parts"]))
    return (
        name in {None, said.get("log_name")}
        and said.get("abandoned_log_name") == abandoned.log_name
        and isinstance(said.get("abandoned_size"), int)
        and abandoned.size <= said["abandoned_size"]
    )
