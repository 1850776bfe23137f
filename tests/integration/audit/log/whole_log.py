"""The log looked at whole, by the plainest reading of what it promises, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from leads_core.audit.log.checkpoint_file import CheckpointFile
from leads_core.audit.log.keys import verifier_keys
from leads_core.audit.record.merkle import EMPTY_ROOT, leaf_hash, root_of
from leads_core.audit.record.signed_note import Checkpoint, open_checkpoint
from leads_core.settings import Settings


async def contradictions(owner: asyncpg.Connection, *machines: Settings) -> list[str]:
    """Everything that is not as promised; an empty list for a log that is whole and entirely signed.

    Every entry has one leaf, or waits, or was rejected; leaves have no gap; blocks are right; what the table and the
    machines' files hold is signed by their keys and right; the files hold together what the table holds.
    """
    leaves = await owner.fetch("SELECT * FROM audit_leaves ORDER BY leaf_index")
    hashes = [leaf_hash(leaf["checksum"]) for leaf in leaves]
    rows = await owner.fetch("SELECT * FROM audit_checkpoints ORDER BY number")
    notes = {row["note"]: Checkpoint(row["log_name"], row["size"], row["root"]) for row in rows}
    filed = {machine.checkpoint_file: CheckpointFile(machine.checkpoint_file).read() for machine in machines}
    found = await _places(owner, leaves)
    found += await _blocks(owner, hashes)
    found += [f"checkpoint numbers {[row['number'] for row in rows]}"] * (
        [row["number"] for row in rows] != list(range(1, len(rows) + 1))
    )
    found += [f"two rows for {one.size}" for one in notes.values() if list(notes.values()).count(one) > 1]
    for machine in machines:
        lines = filed[machine.checkpoint_file]
        found += [f"{machine.checkpoint_file}: {line.problem}" for line in lines if line.problem]
        for note in [*notes, *(line.note for line in lines)]:
            found += _checkpoint(note, machine, hashes)
        sizes = [line.checkpoint.size for line in lines if not line.problem]
        found += [f"{machine.checkpoint_file} holds sizes {sizes}"] * (sizes != sorted(set(sizes)))
        newest = sizes[-1] if sizes else 0
        found += [f"{machine.checkpoint_file}: {len(leaves) - newest} leaves are not signed"] * (newest != len(leaves))
    known = {line.checkpoint for lines in filed.values() for line in lines if not line.problem}
    found += [f"no file holds checkpoint {one.size}" for one in set(notes.values()) - known]
    found += [f"no row for checkpoint {one.size}" for one in known - set(notes.values())]
    return found


async def _places(owner: asyncpg.Connection, leaves: Sequence[Any]) -> list[str]:
    found = [f"leaf {leaf['leaf_index']} at place {place}" for place, leaf in enumerate(leaves) if leaf[0] != place]
    entries = {row["id"]: row["checksum"] for row in await owner.fetch("SELECT id, checksum FROM audit_log")}
    places = {leaf["entry_id"]: leaf["checksum"] for leaf in leaves}
    waiting = {row["entry_id"] for row in await owner.fetch("SELECT entry_id FROM audit_pending")}
    rejected = {row["entry_id"] for row in await owner.fetch("SELECT entry_id FROM audit_rejected")}
    found += [f"leaf of {entry_id} differs" for entry_id in places if places[entry_id] != entries.get(entry_id)]
    found += [f"{entry_id} is lost" for entry_id in entries if entry_id not in {*places, *waiting, *rejected}]
    found += [f"{entry_id} waits though it is logged" for entry_id in waiting if entry_id in places]
    return found


async def _blocks(owner: asyncpg.Connection, hashes: Sequence[bytes]) -> list[str]:
    kept = {(row[0], row[1]): row[2] for row in await owner.fetch("SELECT level, block_index, hash FROM audit_blocks")}
    right = {}
    for level in range(1, 4):
        width = 256**level
        for index in range(len(hashes) // width):
            right[level, index] = root_of(hashes[index * width : (index + 1) * width])
    return [] if kept == right else [f"blocks differ: {sorted(kept)} {sorted(right)}"]


def _checkpoint(note: str, machine: Settings, hashes: Sequence[bytes]) -> list[str]:
    checkpoint, _ = open_checkpoint(note, verifier_keys(machine))
    root = root_of(hashes[: checkpoint.size]) if checkpoint.size else EMPTY_ROOT
    right = checkpoint.size <= len(hashes) and checkpoint.root == root
    return [] if right else [f"checkpoint {checkpoint.size} is none of this log"]
