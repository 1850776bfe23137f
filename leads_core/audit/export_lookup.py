"""Whose file is this? Exports found by the SHA-256 of what they sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from leads_core.audit.record import entry as record
from leads_core.audit.record.canonical import NotCanonical

#: The entries of the ends, by ix_audit_log_export_sha256, and with them those of the beginnings.
ENTRIES_OF_FILE = """
    SELECT e.*, l.leaf_index,
           coalesce(e.parts #>> '{data,1,sha256,1}' = $1, false) AS is_end
    FROM audit_log e LEFT JOIN audit_leaves l ON l.entry_id = e.id
    WHERE e.action = 'EXPORT' AND e.subject_id IN (
        SELECT subject_id FROM audit_log WHERE action = 'EXPORT' AND parts #>> '{data,1,sha256,1}' = $1)
    ORDER BY e.id
"""


@dataclass(frozen=True, slots=True)
class ExportRead:
    """One export, as its entries say. What an entry that is missing or was erased would say is None.

    complete is False for a download that broke off: the bytes are what was sent of it. genuine says that the entry
    which names the file is as it was written, by checksum and MAC: of one that is not, nothing is read. log_index is
    where it stands in the signed log, None until it is there.
    """

    id: UUID
    entry_id: UUID
    log_index: int | None
    genuine: bool
    what: str | None = None
    format: str | None = None
    filter: str | None = None
    columns: str | None = None
    actor_kind: str | None = None
    actor_id: UUID | None = None
    actor_name: str | None = None
    channel: str | None = None
    ip_address: str | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None
    rows: int | None = None
    complete: bool = False


async def exports_of_file(reader: asyncpg.Connection, sha256: str, mac_keys: Sequence[bytes]) -> list[ExportRead]:
    """Every export that sent exactly these bytes, the oldest first; sha256 in lower-case hex."""
    rows = await reader.fetch(ENTRIES_OF_FILE, sha256)
    genuine = [row for row in rows if _is_genuine(row, mac_keys)]
    return [_read(row, genuine) for row in rows if row["is_end"]]


def _read(end: asyncpg.Record, genuine: Sequence[asyncpg.Record]) -> ExportRead:
    known = ExportRead(end["subject_id"], end["id"], end["leaf_index"], genuine=end in genuine)
    if not known.genuine:
        return known
    values, origin = _values(end), record.origin_of(json.loads(end["parts"]))
    known = replace(
        known,
        **{name: end[name] for name in ("actor_kind", "actor_id", "channel")},
        actor_name=origin["actor_name"],
        ip_address=origin["ip_address"],
        ended_at=end["occurred_at"],
        rows=values["rows"],
        complete=values["complete"],
    )
    for row in genuine:
        wanted = _values(row) if row["subject_id"] == known.id else {}
        if "what" in wanted:
            return replace(known, began_at=row["occurred_at"], **wanted)
    return known


def _values(row: asyncpg.Record) -> dict[str, Any]:
    return record.old_and_new(json.loads(row["parts"]))[1]


def _is_genuine(row: asyncpg.Record, mac_keys: Sequence[bytes]) -> bool:
    facts = {name: row[name] for name in record.EntryRecord.__dataclass_fields__ if name != "parts"}
    try:
        checksum = record.checksum(record.EntryRecord(**facts, parts=json.loads(row["parts"])))
    except (NotCanonical, ValueError, AttributeError):  # whatever somebody made of the column
        return False
    return bool(checksum == row["checksum"]) and record.mac_is_valid(mac_keys, checksum, row["mac"])
