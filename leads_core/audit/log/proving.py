"""Prove an entry out of the database: its row, a few hundred hashes of the log, and a checkpoint that covers it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import asyncpg

from leads_core.audit.log.inclusion_proof import InclusionProof, Node, checksum_of, hashes_of, nodes_of
from leads_core.audit.record import merkle
from leads_core.audit.record.canonical import NotCanonical
from leads_core.audit.record.entry import EntryRecord, Part, record_of
from leads_core.errors import Conflict, Invalid, NotFound

#: By primary key, and its leaf by audit_leaves_entry_id_key.
ENTRY = """
    SELECT e.id, e.subject_kind, e.subject_id, e.seq, e.action, e.actor_kind, e.actor_id, e.channel, e.request_id,
           e.task_id, e.occurred_at, e.v, e.parts, l.leaf_index, l.checksum,
           (SELECT reason FROM audit_rejected r WHERE r.entry_id = e.id) AS rejected
    FROM audit_log e LEFT JOIN audit_leaves l ON l.entry_id = e.id WHERE e.id = $1
"""
NEWEST = "SELECT number, size, root, note FROM audit_checkpoints ORDER BY number DESC LIMIT 1"
NUMBERED = "SELECT number, size, root, note FROM audit_checkpoints WHERE number = $1"
LEAVES = "SELECT leaf_index, checksum FROM audit_leaves WHERE leaf_index = ANY($1)"
BLOCKS = "SELECT block_index, hash FROM audit_blocks WHERE level = $1 AND block_index = ANY($2)"
VERIFY = "Run `leads audit verify`: it names the place."


async def prove(
    reader: asyncpg.Connection, entry_id: UUID, *, disclose: Iterable[str] = (), checkpoint: int | None = None
) -> InclusionProof:
    """The proof of an entry under a checkpoint by its number, else the newest. disclose names the parts it shows.

    Raises NotFound for the entry or the checkpoint; Invalid for a part that it cannot show, saying which it has;
    Conflict when the log does not hold the entry yet, no checkpoint covers it, or the log does not fit together.
    """
    row = await reader.fetchrow(ENTRY, entry_id)
    if row is None:
        raise NotFound("audit entry", entry_id)
    index = _index_of(row)
    signed = await _checkpoint(reader, checkpoint, index)
    parts = json.loads(row["parts"])
    record = _recorded(row, parts)
    shown = _shown(parts, disclose)
    nodes = await _read(reader, nodes_of(index, signed["size"]))
    hashes = hashes_of(index, signed["size"], nodes.__getitem__)
    if merkle.root_by_inclusion(index, signed["size"], merkle.leaf_hash(row["checksum"]), hashes) != signed["root"]:
        raise Conflict(f"The log does not come to the root of checkpoint {signed['number']}. {VERIFY}")
    return InclusionProof(record, shown, index, hashes, signed["note"])


def _index_of(row: asyncpg.Record) -> int:
    if row["leaf_index"] is not None:
        return int(row["leaf_index"])
    if row["rejected"] is not None:
        raise Conflict(f"The log refused this entry: {row['rejected']}. {VERIFY}")
    raise Conflict("The entry is not in the log yet: a worker takes it up within seconds. Is one running?")


async def _checkpoint(reader: asyncpg.Connection, number: int | None, index: int) -> asyncpg.Record:
    """The checkpoint by that number, else the newest. Raises NotFound, Conflict when it ends before the leaf."""
    row = await (reader.fetchrow(NEWEST) if number is None else reader.fetchrow(NUMBERED, number))
    if row is None and number is not None:
        raise NotFound("checkpoint", number)
    if row is None or row["size"] <= index:
        which = "No checkpoint covers" if number is None else f"Checkpoint {number} does not cover"
        raise Conflict(f"{which} the entry: it is leaf {index} of the log, and a worker signs within seconds.")
    return row


def _recorded(row: asyncpg.Record, parts: Mapping[str, Part]) -> dict[str, Any]:
    """R of an entry. Raises Conflict when the entry is not the one that the log holds."""
    facts = {name: row[name] for name in EntryRecord.__dataclass_fields__}
    try:
        record = record_of(EntryRecord(**{**facts, "parts": parts}))
        same = checksum_of(record) == row["checksum"]
    except (NotCanonical, AttributeError, ValueError):
        same = False
    if not same:
        raise Conflict(f"The entry is not what the log holds: somebody changed it. {VERIFY}")
    return record


def _shown(parts: Mapping[str, Part], disclose: Iterable[str]) -> dict[str, list[Any]]:
    shown: dict[str, list[Any]] = {}
    for name in disclose:
        part = parts.get(name)
        if part is None:
            raise Invalid.of("disclose", f"The entry has no part {name!r}; it has {', '.join(sorted(parts))}.")
        if isinstance(part, str):
            raise Invalid.of("disclose", f"The part {name!r} was erased: only its digest is left. Leave it out.")
        shown[name] = part
    return shown


async def _read(reader: asyncpg.Connection, nodes: set[Node]) -> dict[Node, bytes]:
    """The hashes of these nodes. Raises Conflict when one is missing."""
    found: dict[Node, bytes] = {}
    for level in sorted({level for level, _ in nodes}):
        wanted = [index for at, index in nodes if at == level]
        if level == 0:
            rows = await reader.fetch(LEAVES, wanted)
            found |= {(0, row["leaf_index"]): merkle.leaf_hash(row["checksum"]) for row in rows}
        else:
            rows = await reader.fetch(BLOCKS, level, wanted)
            found |= {(level, row["block_index"]): row["hash"] for row in rows}
    if missing := len(nodes - found.keys()):
        raise Conflict(f"The log is not whole, hashes that are missing: {missing}. {VERIFY}")
    return found
