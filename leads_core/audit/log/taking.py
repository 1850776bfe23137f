"""The sequencer's first step: pending entries become leaves, in one transaction; what is not ours never does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import structlog

from leads_core.audit.log.locking import lock_the_log
from leads_core.audit.log.tree import BrokenLog, size_of_log, tree_at
from leads_core.audit.record import entry as record
from leads_core.audit.record.merkle import leaf_hash
from leads_core.database import Database

log = structlog.get_logger(__name__)

BATCH = 5_000

NO_ENTRY = "there is no such entry"
MALFORMED = "it is no record that could have been written: a value or a part is malformed"
WRONG_CHECKSUM = "its checksum is not that of what it says"
WRONG_MAC = "its MAC is wrong, or was made with a key that is none of ours"

# A time that Python has no word for would make the whole batch unreadable; no honest entry has one.
_ENTRY = """
    e.id, e.subject_kind, e.subject_id, e.seq, e.action, e.actor_kind, e.actor_id, e.channel, e.request_id, e.task_id,
    e.v, e.parts::text AS parts, e.checksum, e.mac, l.leaf_index IS NOT NULL AS is_logged,
    CASE WHEN e.occurred_at BETWEEN '0002-01-01Z' AND '9998-12-31Z' THEN e.occurred_at END AS occurred_at
"""
PENDING = f"""
    SELECT p.entry_id, {_ENTRY} FROM (SELECT entry_id FROM audit_pending ORDER BY entry_id LIMIT $1) p
    LEFT JOIN audit_log e ON e.id = p.entry_id LEFT JOIN audit_leaves l ON l.entry_id = p.entry_id
    ORDER BY p.entry_id
"""  # noqa: S608 - the list of columns is ours
ENTRIES = f"""
    SELECT {_ENTRY} FROM audit_log e LEFT JOIN audit_leaves l ON l.entry_id = e.id WHERE e.id = ANY($1::uuid[])
"""  # noqa: S608 - as above
ADD_LEAVES = """
    INSERT INTO audit_leaves (leaf_index, entry_id, checksum)
    SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bytea[])
"""
REJECT = "INSERT INTO audit_rejected (entry_id, reason, rejected_at) VALUES ($1, $2, now()) ON CONFLICT DO NOTHING"
ADD_BLOCK = "INSERT INTO audit_blocks (level, block_index, hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
NOT_PENDING = "DELETE FROM audit_pending WHERE entry_id = ANY($1::uuid[])"


@dataclass(frozen=True, slots=True)
class Taken:
    """What one transaction did: entries that became leaves, ones that were rejected, whether more may be waiting."""

    taken: int
    rejected: int
    is_full: bool


async def take_pending(database: Database, mac_keys: Sequence[bytes]) -> Taken:
    """Take up to BATCH pending entries into the log, by id."""
    async with database.transaction() as session:
        connection = await lock_the_log(session)
        rows = await connection.fetch(PENDING, BATCH)
        reasons = await asyncio.to_thread(_reasons, rows, mac_keys)
        taken = [row for row in rows if row["entry_id"] not in reasons and not row["is_logged"]]
        if taken:
            await _add_leaves(connection, [(row["id"], row["checksum"]) for row in taken])
        if reasons:
            await connection.executemany(REJECT, list(reasons.items()))
        await connection.execute(NOT_PENDING, [row["entry_id"] for row in rows])
    for entry_id, reason in reasons.items():
        log.error("audit_entry_rejected", entry_id=str(entry_id), reason=reason)
    return Taken(len(taken), len(reasons), is_full=len(rows) == BATCH)


def reason_to_reject(row: Any, mac_keys: Sequence[bytes]) -> str | None:
    """What is wrong with a row of audit_log; None when it is as one of our keys' holders wrote it."""
    try:
        computed = record.checksum(_record(row))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return MALFORMED
    if computed != row["checksum"]:
        return WRONG_CHECKSUM
    return None if record.mac_is_valid(mac_keys, computed, row["mac"]) else WRONG_MAC


def _reasons(rows: Sequence[Any], mac_keys: Sequence[bytes]) -> dict[UUID, str]:
    found = {row["entry_id"]: reason_to_reject(row, mac_keys) if row["id"] else NO_ENTRY for row in rows}
    return {entry_id: reason for entry_id, reason in found.items() if reason is not None}


def _record(row: Any) -> record.EntryRecord:
    parts = orjson.loads(row["parts"])
    return record.EntryRecord(
        id=row["id"],
        subject_kind=row["subject_kind"],
        subject_id=row["subject_id"],
        seq=row["seq"],
        action=row["action"],
        actor_kind=row["actor_kind"],
        actor_id=row["actor_id"],
        channel=row["channel"],
        request_id=row["request_id"],
        task_id=row["task_id"],
        occurred_at=row["occurred_at"],
        parts=parts,
        v=row["v"],
    )


async def _add_leaves(connection: asyncpg.Connection, leaves: Sequence[tuple[UUID, bytes]]) -> None:
    """Behind the last leaf, with the blocks that they fill."""
    size = await size_of_log(connection)
    try:
        tree = await tree_at(connection, size)
    except BrokenLog as error:
        # Somebody removed leaves: signing will say so. What is new still gets its place; blocks are only a cache.
        log.error("audit_log_broken", error=str(error))
        blocks = []
    else:
        blocks = [block for _, checksum in leaves for block in tree.append(leaf_hash(checksum))]
    await connection.execute(ADD_LEAVES, range(size, size + len(leaves)), *map(list, zip(*leaves, strict=True)))
    if blocks:
        await connection.executemany(ADD_BLOCK, blocks)
