"""The leads of an undo job, frozen when it first runs, with what became of each and what was kept of it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Column, ForeignKeyConstraint, Integer, Table, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.audit import operations
from leads_core.audit.operations import Operation
from leads_core.database import C_TEXT, Base
from leads_core.jobs import queue
from leads_core.jobs.queue import JobRead
from leads_core.leads.taking_back import Kept
from leads_core.leads.undoing_many import Undone

undo_items = Table(
    "undo_items",
    Base.metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("lead_id", Uuid, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("outcome", C_TEXT),
    Column("kept", JSONB),
    ForeignKeyConstraint(["job_id"], ["jobs.id"], name="undo_items_job_id_fkey", ondelete="CASCADE"),
)

FREEZE = """
    INSERT INTO undo_items (job_id, place, lead_id, seq)
    SELECT :job, row_number() OVER (ORDER BY lead_id) - 1, lead_id, seq FROM ({touched}) AS touched
"""
BEGIN = text("UPDATE jobs SET total = :total WHERE id = :job AND attempt = :attempt AND total IS NULL RETURNING id")
NEXT = text("""
    SELECT place, lead_id, seq FROM undo_items WHERE job_id = :job AND place >= :place ORDER BY place LIMIT :limit
""")
NOTE = text("""
    UPDATE undo_items SET outcome = said.outcome, kept = said.kept::jsonb
    FROM unnest(:places, :outcomes, :kept) AS said (place, outcome, kept)
    WHERE job_id = :job AND undo_items.place = said.place
""").bindparams(
    bindparam("places", type_=ARRAY(Integer)),
    bindparam("outcomes", type_=ARRAY(C_TEXT)),
    bindparam("kept", type_=ARRAY(Text)),
)
KEPT = text("""
    SELECT place, lead_id, kept::text AS kept FROM undo_items
    WHERE job_id = :job AND place > :place AND kept IS NOT NULL ORDER BY place LIMIT :limit
""")


async def freeze(session: AsyncSession, job: JobRead, operation: Operation) -> None:
    """Nothing joins the operation any more: it has ended. Raises Overtaken where another attempt was first."""
    statement = text(FREEZE.format(touched=operations.touched_sql(operation)))
    frozen = await session.execute(statement, {"job": job.id, **operation.values})
    total: int = frozen.rowcount  # type: ignore[attr-defined]
    if await session.scalar(BEGIN, {"job": job.id, "total": total, "attempt": job.attempt}) is None:
        raise queue.Overtaken


async def from_place(session: AsyncSession, job_id: UUID, place: int, limit: int) -> list[tuple[int, UUID, int]]:
    """The next leads in order: place, id, first entry of the operation."""
    rows = await session.execute(NEXT, {"job": job_id, "place": place, "limit": limit})
    return [(row.place, row.lead_id, row.seq) for row in rows]


async def note(session: AsyncSession, job_id: UUID, places: Sequence[int], undone: Sequence[Undone]) -> None:
    """What became of the leads at these places."""
    kept = [orjson.dumps([one.document() for one in each.kept]).decode() if each.kept else None for each in undone]
    outcomes = [each.outcome for each in undone]
    await session.execute(NOTE, {"job": job_id, "places": list(places), "outcomes": outcomes, "kept": kept})


async def kept_after(session: AsyncSession, job_id: UUID, place: int, limit: int) -> list[tuple[int, UUID, list[Kept]]]:
    """The next leads after a place of which something was kept."""
    rows = await session.execute(KEPT, {"job": job_id, "place": place, "limit": limit})
    return [(row.place, row.lead_id, [Kept.of(one) for one in orjson.loads(row.kept)]) for row in rows]
