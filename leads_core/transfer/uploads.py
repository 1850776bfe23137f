"""Uploaded files: kept in the database in pieces, so that any worker can read them; forgotten after 7 days.

Pieces from 0 on are the file. Below zero are the rows that could not come in, a JSON list each (row, field, value,
message, cells), written with the batch they were in. A draft is a job that nobody has begun: it counts as cancelled.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, BinaryIO, cast
from uuid import UUID

import orjson
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.database import Database, new_id
from leads_core.jobs import queue
from leads_core.jobs.models import Job, JobFile, JobKind, JobState
from leads_core.jobs.queue import JobRead
from leads_core.transfer.readers import MIB

PIECE = 256 * 1024
#: Bytes of a file that stay in memory while it is read; the rest lies in a temporary file.
IN_MEMORY = 4 * MIB

Read = Callable[[int], Awaitable[bytes]]


async def keep(session: AsyncSession, job_id: UUID, read: Read) -> None:
    """Keep a file with its job, piece by piece. read(n) gives at most n bytes, none at the end."""
    piece = 0
    while content := await read(PIECE):
        await session.execute(insert(JobFile), {"job_id": job_id, "piece": piece, "content": content})
        piece += 1


async def fetch(database: Database, job_id: UUID) -> BinaryIO:
    """The file, to be closed by the caller; empty when it was forgotten. One short statement for each piece."""
    file = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))  # noqa: SIM115 - the caller closes it
    piece = 0
    while (content := await _piece(database, job_id, piece)) is not None:
        file.write(content)
        piece += 1
    file.seek(0)
    return file


async def draft(database: Database, read: Read, wanted: Mapping[str, Any]) -> UUID:
    """Keep a file before anybody has said what to do with it. Gives the id of the job that it may become."""
    job_id, who = new_id(), context.current()
    async with database.transaction() as session:
        job = Job(
            id=job_id,
            kind=JobKind.IMPORT.value,
            state=JobState.CANCELLED.value,
            actor_kind=who.actor_kind,
            actor_id=who.actor_id,
            origin=_origin(),
            request_id=who.request_id,
            wanted={**wanted, "draft": True},
            finished_at=func.now(),
        )
        session.add(job)
        await session.flush()
        await keep(session, job_id, read)
    return job_id


async def change_draft(database: Database, job_id: UUID, *, wanted: Mapping[str, Any], plan: Mapping[str, Any]) -> None:
    """Note what a person has chosen so far, and what would come of it."""
    async with database.transaction() as session:
        chosen = update(Job).where(Job.id == job_id, Job.wanted["draft"].as_boolean())
        await session.execute(chosen.values(wanted={**wanted, "draft": True}, result=dict(plan)))


async def begin(database: Database, job_id: UUID, *, wanted: Mapping[str, Any], total: int) -> bool:
    """Make the draft a job, in the name of who begins it. False when somebody has begun it already."""
    who = context.current()
    async with database.transaction() as session:
        begun = (
            update(Job)
            .where(Job.id == job_id, Job.wanted["draft"].as_boolean())
            .values(
                state=JobState.QUEUED.value,
                finished_at=None,
                result=None,
                wanted=dict(wanted),
                total=total,
                created_at=func.now(),
                actor_kind=who.actor_kind,
                actor_id=who.actor_id,
                origin=_origin(),
                request_id=who.request_id,
            )
            .returning(Job.id)
        )
        if await session.scalar(begun) is None:
            return False
        await queue.enqueue(session, JobKind.IMPORT, job_id, priority=queue.PRIORITY_BULK)
    return True


async def recent(database: Database, limit: int) -> list[JobRead]:
    """The newest imports that somebody began, by ix_jobs_kind_id."""
    wanted = select(Job).where(Job.kind == JobKind.IMPORT.value, Job.wanted["draft"].as_boolean().is_not(True))
    async with database.transaction() as session:
        found = await session.scalars(wanted.order_by(Job.id.desc()).limit(limit))
        return [JobRead.of(job) for job in found]


async def keep_refused(session: AsyncSession, job_id: UUID, first_row: int, refused: Sequence[Sequence[Any]]) -> None:
    """Keep the rows of a batch that could not come in; first_row is the batch's, and names the piece."""
    content = orjson.dumps(refused)
    await session.execute(insert(JobFile), {"job_id": job_id, "piece": -first_row, "content": content})


async def refused_rows(database: Database, job_id: UUID) -> AsyncIterator[list[Any]]:
    """The rows that could not come in, in the file's order: row, field, value, message, cells."""
    after = 0
    while True:
        wanted = select(JobFile).where(JobFile.job_id == job_id, JobFile.piece < after)
        async with database.transaction() as session:
            piece = await session.scalar(wanted.order_by(JobFile.piece.desc()).limit(1))
        if piece is None:
            return
        after = piece.piece
        for row in orjson.loads(piece.content):
            yield row


async def _piece(database: Database, job_id: UUID, piece: int) -> bytes | None:
    async with database.transaction() as session:
        wanted = select(JobFile.content).where(JobFile.job_id == job_id, JobFile.piece == piece)
        return await session.scalar(wanted)


def _origin() -> dict[str, Any]:
    who = context.current()
    return {"actor_name": who.actor_name, "ip_address": who.ip_address, "user_agent": who.user_agent}
