"""What one request or one job changed on leads, as the trail has it: what an undo is reckoned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Integer, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.audit.record.entry import Part, origin_of

#: By ix_audit_log_request_of_leads. What a job wrote that the request began is the job's, not the request's.
OF_REQUEST = "e.request_id = :request_id AND e.task_id IS NULL AND e.subject_kind = 'lead' AND e.seq IS NOT NULL"
#: By ix_audit_log_task_id.
OF_JOB = "e.task_id = :task_id AND e.subject_kind = 'lead' AND e.seq IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Operation:
    """Everything that one request changed on leads itself, or one job. One of the two is given."""

    request_id: str | None = None
    task_id: UUID | None = None

    @property
    def condition(self) -> str:
        """Which entries e are its own, in SQL, with `values`."""
        return OF_JOB if self.task_id is not None else OF_REQUEST

    @property
    def values(self) -> dict[str, Any]:
        return {"task_id": self.task_id} if self.task_id is not None else {"request_id": self.request_id}

    def wrote(self, request_id: str | None, task_id: UUID | None) -> bool:
        """Whether an entry of this request and job belongs to it."""
        if self.task_id is not None:
            return task_id == self.task_id
        return task_id is None and request_id == self.request_id

    def __str__(self) -> str:
        return str(self.task_id or self.request_id)


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a lead: is_mine when the operation wrote it. parts as the trail has them."""

    id: UUID
    seq: int
    action: str
    is_mine: bool
    parts: Mapping[str, Part]
    actor_kind: str
    actor_id: UUID | None
    channel: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote an entry. name is None once it was erased."""

    kind: str
    id: UUID | None
    name: str | None
    by_machine: bool
    channel: str
    at: datetime


#: Lead by lead through the index, however few of the trail's entries the planner knows of.
SINCE = text("""
    SELECT e.* FROM unnest(:ids, :seqs) AS touched (id, seq) CROSS JOIN LATERAL (
        SELECT id, subject_id, seq, action, request_id, task_id, parts::text AS parts, actor_kind, actor_id, channel,
               occurred_at
        FROM audit_log WHERE subject_id = touched.id AND audit_log.seq >= touched.seq ORDER BY audit_log.seq OFFSET 0
    ) AS e
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("seqs", type_=ARRAY(Integer)))
AUTHOR = "SELECT id, actor_kind, actor_id, channel, action, occurred_at, parts::text AS parts FROM audit_log WHERE"
AUTHORS = text(f"{AUTHOR} id = ANY(:ids)").bindparams(bindparam("ids", type_=ARRAY(Uuid)))
FIRST = text(f"{AUTHOR} subject_id = :lead_id AND seq = :seq")


async def touched_by(session: AsyncSession, operation: Operation, limit: int) -> list[tuple[UUID, int]]:
    """The leads that it changed, with its first entry of each, from its first `limit` entries; in order of id."""
    found = await session.execute(
        text(f"SELECT e.subject_id, e.seq FROM audit_log e WHERE {operation.condition} LIMIT :limit"),  # noqa: S608
        {**operation.values, "limit": limit},
    )
    first: dict[UUID, int] = {}
    for lead_id, seq in found:
        first[lead_id] = min(seq, first.get(lead_id, seq))
    return sorted(first.items())


def touched_sql(operation: Operation) -> str:
    """Each lead that it changed (lead_id), with its first entry (seq). A query, for whoever keeps them in a table."""
    return f"""
        SELECT e.subject_id AS lead_id, min(e.seq) AS seq FROM audit_log e WHERE {operation.condition}
        GROUP BY e.subject_id
    """  # noqa: S608 - constants


async def steps_since(
    session: AsyncSession, operation: Operation, touched: Sequence[tuple[UUID, int]]
) -> dict[UUID, list[Step]]:
    """Of each lead its entries from this seq on, the oldest first; by audit_log_subject_id_seq_key."""
    rows = await session.execute(
        SINCE, {"ids": [lead_id for lead_id, _ in touched], "seqs": [seq for _, seq in touched]}
    )
    found: dict[UUID, list[Step]] = {}
    for row in rows:
        step = Step(
            row.id,
            row.seq,
            row.action,
            operation.wrote(row.request_id, row.task_id),
            orjson.loads(row.parts),
            row.actor_kind,
            row.actor_id,
            row.channel,
            row.occurred_at,
        )
        found.setdefault(row.subject_id, []).append(step)
    return found


async def first_of(session: AsyncSession, lead_id: UUID, seq: int) -> Author:
    """Who wrote this entry of a lead, which is there."""
    row = (await session.execute(FIRST, {"lead_id": lead_id, "seq": seq})).one()
    return _author(row)


async def authors_of(session: AsyncSession, entry_ids: Sequence[UUID]) -> dict[UUID, Author]:
    """Who wrote these entries, by their names of that time."""
    rows = await session.execute(AUTHORS, {"ids": list(entry_ids)})
    return {row.id: _author(row) for row in rows}


def _author(row: Any) -> Author:
    name = origin_of(orjson.loads(row.parts))["actor_name"]
    by_machine = row.action == "ENRICH" and row.channel == "worker"
    return Author(row.actor_kind, row.actor_id, name, by_machine, row.channel, row.occurred_at)
