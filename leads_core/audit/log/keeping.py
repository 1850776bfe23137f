"""Checkpoints kept elsewhere: what makes a later rollback provable even against whoever owns this machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from leads_core.audit import trail
from leads_core.audit.models import Action, SubjectKind
from leads_core.database import Database
from leads_core.errors import Invalid, NotFound

LONGEST_PLACE = 200

NEWEST = "SELECT number, log_name, size, root, note, signed_at FROM audit_checkpoints ORDER BY number DESC LIMIT 1"
_PART_OF = {"size": "data", "root": "data", "place": "data"}


@dataclass(frozen=True, slots=True)
class NotedCheckpoint:
    """A checkpoint as the database holds it. note is what to keep: it is signed, and says the rest."""

    number: int
    log_name: str
    size: int
    root: bytes
    note: str
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class KeptCheckpoint:
    """A checkpoint that somebody says they have put elsewhere, and the entry that says so."""

    checkpoint: NotedCheckpoint
    place: str
    entry_id: UUID


async def newest_checkpoint(reader: asyncpg.Connection) -> NotedCheckpoint:
    """The newest checkpoint. Raises NotFound when nothing was signed yet."""
    row = await reader.fetchrow(NEWEST)
    if row is None:
        raise NotFound("checkpoint", "yet: a worker signs one within two seconds of the first entry")
    return NotedCheckpoint(**dict(row))


async def keep_checkpoint(database: Database, place: str, *, number: int | None = None) -> KeptCheckpoint:
    """Write into the trail that the newest checkpoint, or the one of this number, is kept at place.

    place is in the caller's words ("mail to the auditor"). Raises Invalid for an empty or too long one, NotFound.
    """
    place = " ".join(place.split())
    if not 0 < len(place) <= LONGEST_PLACE or "\0" in place:
        raise Invalid.of("place", f"Say in 1 to {LONGEST_PLACE} characters where the checkpoint is kept.")
    async with database.reader() as reader:
        checkpoint = await newest_checkpoint(reader) if number is None else await _checkpoint(reader, number)
    after = {"size": checkpoint.size, "root": checkpoint.root.hex(), "place": place}
    async with database.transaction() as session:
        entry_id = await trail.append(
            session,
            Action.CHECKPOINT_KEPT,
            None,
            seq=None,
            before=None,
            after=after,
            at=trail.now(),
            kind=SubjectKind.LOG,
            part_of=_PART_OF,
        )
    return KeptCheckpoint(checkpoint, place, entry_id)


async def _checkpoint(reader: asyncpg.Connection, number: int) -> NotedCheckpoint:
    row = await reader.fetchrow(NEWEST.replace("ORDER BY number DESC LIMIT 1", "WHERE number = $1"), number)
    if row is None:
        raise NotFound("checkpoint", number)
    return NotedCheckpoint(**dict(row))
