"""What became of each lead of a bulk job: by outcome, page by page, with who stands behind a conflict."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from leads_core.audit.record.entry import old_and_new, origin_of
from leads_core.database import Database
from leads_core.leads.bulk_items import OTHERS, WELL
from leads_core.leads.names import LeadName, names_of

READ_AT_ONCE = 1000

_ROWS = """
    SELECT place, lead_id, outcome, about FROM bulk_items
    WHERE job_id = $1 AND place > $2 AND outcome IS NOT NULL {of_outcome} ORDER BY place LIMIT $3
"""
ALL = _ROWS.format(of_outcome="")
#: Many: by the primary key.
WENT_WELL = _ROWS.format(of_outcome="AND outcome = $4")
#: Few: by ix_bulk_items_others.
WENT_OTHERWISE = _ROWS.format(of_outcome=f"AND outcome = $4 AND {OTHERS}")
ENTRIES = """
    SELECT id, actor_kind, actor_id, action, occurred_at, parts::text AS parts FROM audit_log WHERE id = ANY($1::uuid[])
"""


@dataclass(frozen=True, slots=True)
class Behind:
    """The entry behind a conflict: who (None once the name was erased), when, and field -> new value."""

    actor_kind: str
    actor_id: UUID | None
    name: str | None
    action: str
    at: datetime
    new_values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One lead: lead is None for one that is nowhere. behind and other say what stood in the way."""

    place: int
    lead_id: UUID
    outcome: str
    lead: LeadName | None
    behind: Behind | None = None
    other_id: UUID | None = None
    other: LeadName | None = None


async def rows_of(
    reader: asyncpg.Connection, job_id: UUID, *, outcome: str | None = None, after: int = -1, limit: int
) -> list[ResultRow]:
    """The next leads of the set with which something has been done, or tried; with outcome those it came to."""
    if outcome is None:
        rows = await reader.fetch(ALL, job_id, after, limit)
    else:
        rows = await reader.fetch(WENT_WELL if outcome in WELL else WENT_OTHERWISE, job_id, after, limit, outcome)
    abouts = [row["about"] for row in rows if row["about"]]
    names = await names_of(reader, [*(row["lead_id"] for row in rows), *abouts])
    behind = await _behind(reader, [about for about in abouts if about not in names])
    return [_row(row, names, behind) for row in rows]


async def all_rows(database: Database, job_id: UUID) -> AsyncIterator[list[ResultRow]]:
    """Everything, page by page, in short statements."""
    after = -1
    while True:
        async with database.reader() as reader:
            page = await rows_of(reader, job_id, after=after, limit=READ_AT_ONCE)
        if not page:
            return
        yield page
        after = page[-1].place


async def _behind(reader: asyncpg.Connection, entry_ids: Sequence[UUID]) -> dict[UUID, Behind]:
    rows = await reader.fetch(ENTRIES, entry_ids) if entry_ids else []
    found = {}
    for row in rows:
        parts = orjson.loads(row["parts"])
        _, new, _ = old_and_new(parts)
        name = origin_of(parts)["actor_name"]
        found[row["id"]] = Behind(row["actor_kind"], row["actor_id"], name, row["action"], row["occurred_at"], new)
    return found


def _row(row: Any, names: Mapping[UUID, LeadName], behind: Mapping[UUID, Behind]) -> ResultRow:
    about = row["about"]
    is_lead = about in names
    return ResultRow(
        row["place"],
        row["lead_id"],
        row["outcome"],
        names.get(row["lead_id"]),
        behind.get(about),
        about if is_lead else None,
        names[about] if is_lead else None,
    )
