"""How the log stands, in one cheap look: for the console, for health, for whoever watches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

#: More waiting entries than this are not counted.
COUNTED = 100_000

STATE = """
    WITH pending AS (SELECT entry_id FROM audit_pending ORDER BY entry_id LIMIT $1),
         kept AS (SELECT parts, occurred_at FROM audit_log WHERE action = 'CHECKPOINT_KEPT' ORDER BY id DESC LIMIT 1),
         verified AS (SELECT id, finished_at, ok,
                             CASE jsonb_typeof(result -> 'findings') WHEN 'array'
                                  THEN jsonb_array_length(result -> 'findings') ELSE 0 END AS findings
                      FROM audit_verifications ORDER BY id DESC LIMIT 1)
    SELECT coalesce((SELECT max(leaf_index) + 1 FROM audit_leaves), 0) AS leaves,
           (SELECT count(*) FROM pending) AS unlogged,
           (SELECT occurred_at FROM audit_log WHERE id = (SELECT entry_id FROM pending LIMIT 1)) AS unlogged_since,
           (SELECT count(*) FROM audit_rejected r
            WHERE NOT EXISTS (SELECT FROM audit_leaves l WHERE l.entry_id = r.entry_id)) AS rejected,
           c.number, c.log_name, c.size, c.signed_at,
           s.alarm, s.alarmed_by, s.alarmed_at, s.looked_at,
           kept.parts #>> '{data,1,size,1}' AS kept_size, kept.parts #>> '{data,1,place,1}' AS kept_place,
           kept.occurred_at AS kept_at,
           verified.id AS verification_id, verified.finished_at, verified.ok, verified.findings,
           coalesce(inet_server_addr() <> inet_client_addr(), false) AS is_elsewhere
    FROM (SELECT) one
    LEFT JOIN (SELECT * FROM audit_checkpoints ORDER BY number DESC LIMIT 1) c ON true
    LEFT JOIN audit_signing s ON true
    LEFT JOIN kept ON true
    LEFT JOIN verified ON true
"""


@dataclass(frozen=True, slots=True)
class NewestCheckpoint:
    """The newest checkpoint that the database knows of."""

    number: int
    log_name: str
    size: int
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class KeptElsewhere:
    """The last time that somebody put a checkpoint where this installation cannot reach it: its size, and where."""

    size: int
    place: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LastVerification:
    """The newest verification of the whole trail."""

    id: UUID
    finished_at: datetime
    ok: bool
    findings: int


@dataclass(frozen=True, slots=True)
class LogState:
    """The log now.

    unlogged counts the entries that wait for the log, up to COUNTED; unlogged_since is the oldest one's time.
    alarm says why nothing is signed; looked_at when a sequencer last looked, to some seconds, null if none ever did.
    database_is_elsewhere: the server runs on another machine than this process, as far as their addresses show.
    """

    leaves: int
    checkpoint: NewestCheckpoint | None
    unlogged: int
    unlogged_since: datetime | None
    rejected: int
    alarm: str | None
    alarmed_at: datetime | None
    looked_at: datetime | None
    kept: KeptElsewhere | None
    verification: LastVerification | None
    database_is_elsewhere: bool


async def log_state(reader: asyncpg.Connection) -> LogState:
    """How the log stands."""
    row = await reader.fetchrow(STATE, COUNTED)
    return LogState(
        leaves=row["leaves"],
        checkpoint=_checkpoint(row),
        unlogged=row["unlogged"],
        unlogged_since=row["unlogged_since"],
        rejected=row["rejected"],
        alarm=row["alarm"],
        alarmed_at=row["alarmed_at"],
        looked_at=row["looked_at"],
        kept=_kept(row),
        verification=_verification(row),
        database_is_elsewhere=row["is_elsewhere"],
    )


def _checkpoint(row: asyncpg.Record) -> NewestCheckpoint | None:
    if row["number"] is None:
        return None
    return NewestCheckpoint(row["number"], row["log_name"], row["size"], row["signed_at"])


def _kept(row: asyncpg.Record) -> KeptElsewhere | None:
    if row["kept_size"] is None or not row["kept_size"].isdigit():
        return None
    return KeptElsewhere(int(row["kept_size"]), row["kept_place"] or "", row["kept_at"])


def _verification(row: asyncpg.Record) -> LastVerification | None:
    if row["verification_id"] is None:
        return None
    return LastVerification(row["verification_id"], row["finished_at"], row["ok"], row["findings"])
