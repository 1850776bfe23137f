"""Entries that were rejected because their MAC key was not known here yet: once it is, they wait for the log again."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog

from leads_core.audit.log.locking import lock_the_log
from leads_core.audit.log.taking import BATCH, ENTRIES, WRONG_MAC, reason_to_reject
from leads_core.audit.record.entry import key_id
from leads_core.database import Database

log = structlog.get_logger(__name__)

WITH_A_KNOWN_KEY = """
    SELECT r.entry_id FROM audit_rejected r JOIN audit_log e ON e.id = r.entry_id
    WHERE r.reason = $1 AND substring(e.mac FOR 4) = ANY($2::bytea[]) AND r.entry_id > $3
          AND NOT EXISTS (SELECT FROM audit_leaves l WHERE l.entry_id = r.entry_id)
    ORDER BY r.entry_id LIMIT $4
"""
WAIT_AGAIN = "INSERT INTO audit_pending SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING"


async def reconsider_rejected(database: Database, mac_keys: Sequence[bytes]) -> int:
    """Have those that one of these keys seals after all wait again. Gives how many.

    An app that was given a new key before the worker was writes entries that the worker cannot know for honest.
    """
    count, last, goes_on = 0, UUID(int=0), True
    while goes_on:
        async with database.transaction() as session:
            connection = await lock_the_log(session)
            known = [key_id(key) for key in mac_keys]
            found = await connection.fetch(WITH_A_KNOWN_KEY, WRONG_MAC, known, last, BATCH)
            ids = [row["entry_id"] for row in found]
            rows = await connection.fetch(ENTRIES, ids) if ids else []
            honest = [row["id"] for row in rows if reason_to_reject(row, mac_keys) is None]
            if honest:
                await connection.execute(WAIT_AGAIN, honest)
        count, last, goes_on = count + len(honest), ids[-1] if ids else last, len(ids) == BATCH
    if count:
        log.info("audit_entries_reconsidered", entries=count)
    return count
