"""Uploaded files: kept in the database in pieces, so that any worker can read them; forgotten after 7 days.

Pieces from 0 on are the file. Below zero are the rows that could not come in, a JSON list each (row, field, value,
message, cells), written with the batch they were in. From FORESEEN on stands what a check saw: a letter for each row.
A draft is a job that nobody has begun: it counts as cancelled, but while a worker checks it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, BinaryIO, cast
from uuid import UUID

import orjson
from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.database import Database, new_id
from leads_core.jobs import queue
from leads_core.jobs.models import Job, JobFile, JobKind, JobState
from leads_core.jobs.queue import JobRead
from leads_core.transfer.delimited import MIB
from leads_core.transfer.reading import Refused

PIECE = 256 * 1024
#: Bytes of a file that stay in memory while it is read; the rest lies in a temporary file.
IN_MEMORY = 4 * MIB
#: Beyond every piece of a file.
FORESEEN = 1 << 30

Read = Callable[[int], Awaitable[bytes]]


def reading(file: BinaryIO) -> Read:
    """An opened file from its beginning."""
    file.seek(0)

    async def read(size: int) -> bytes:
        return await asyncio.to_thread(file.read, size)

    return read


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


async def change_draft(
    database: Database, job_id: UUID, *, wanted: Mapping[str, Any], plan: Mapping[str, Any], letters: str = ""
) -> None:
    """Note what a person has chosen, and what would come of it (letters: of each row). Ends a check of this draft."""
    values = {
        "wanted": {**wanted, "draft": True, "check": False},
        "result": dict(plan),
        "state": JobState.CANCELLED.value,
        "finished_at": func.now(),
    }
    async with database.transaction() as session:
        mine = select(Job.id).where(Job.id == job_id, Job.wanted["draft"].as_boolean()).with_for_update()
        if await session.scalar(mine) is None:
            return
        await session.execute(update(Job).where(Job.id == job_id).values(**values))
        await session.execute(delete(JobFile).where(JobFile.job_id == job_id, JobFile.piece >= FORESEEN))
        for at in range(0, len(letters), PIECE):
            piece = {"job_id": job_id, "piece": FORESEEN + at // PIECE, "content": letters[at : at + PIECE].encode()}
            await session.execute(insert(JobFile), piece)


async def begin_check(
    database: Database, job_id: UUID, *, wanted: Mapping[str, Any], document: Mapping[str, Any], total: int
) -> None:
    """Let a worker look what would come of a draft. Nothing happens to one that was begun, or is looked at already."""
    async with database.transaction() as session:
        values = {"wanted": {**wanted, "draft": True, "check": True}, "result": dict(document)}
        if await _queued(session, job_id, {**values, "total": total}):
            await queue.enqueue(session, JobKind.IMPORT, job_id, priority=queue.PRIORITY_ASKED)


async def forget_check(database: Database, job_id: UUID) -> None:
    """Remove what an earlier check saw."""
    async with database.transaction() as session:
        seen = or_(JobFile.piece < 0, JobFile.piece >= FORESEEN)
        await session.execute(delete(JobFile).where(JobFile.job_id == job_id, seen))


async def foreseen(database: Database, job_id: UUID) -> str:
    """What the check saw: a letter for each row of the file, in order; empty when nothing was checked."""
    wanted = select(JobFile.content).where(JobFile.job_id == job_id, JobFile.piece >= FORESEEN).order_by(JobFile.piece)
    async with database.transaction() as session:
        return b"".join(await session.scalars(wanted)).decode()


async def begin(database: Database, job_id: UUID, *, wanted: Mapping[str, Any], total: int) -> bool:
    """Make the draft a job, in the name of who begins it. False when somebody has begun it, or it is being checked."""
    async with database.transaction() as session:
        if not await _queued(session, job_id, {"result": None, "wanted": dict(wanted), "total": total}):
            return False
        # The rows that the check refused; the import writes its own.
        await session.execute(delete(JobFile).where(JobFile.job_id == job_id, JobFile.piece < 0))
        await queue.enqueue(session, JobKind.IMPORT, job_id, priority=queue.PRIORITY_BULK)
    return True


async def _queued(session: AsyncSession, job_id: UUID, values: Mapping[str, Any]) -> bool:
    """The draft in the name of whoever asks now; False when it is none, or a worker looks at it."""
    who = context.current()
    asked = (
        update(Job)
        .where(Job.id == job_id, Job.wanted["draft"].as_boolean(), Job.finished_at.is_not(None))
        .values(
            state=JobState.QUEUED.value,
            finished_at=None,
            started_at=None,
            attempt=0,
            done=0,
            error=None,
            created_at=func.now(),
            actor_kind=who.actor_kind,
            actor_id=who.actor_id,
            origin=_origin(),
            request_id=who.request_id,
            **values,
        )
        .returning(Job.id)
    )
    return await session.scalar(asked) is not None


async def recent(database: Database, limit: int, before: UUID | None = None) -> list[JobRead]:
    """The newest imports that somebody began, or those that came before one, by ix_jobs_kind_id."""
    wanted = select(Job).where(Job.kind == JobKind.IMPORT.value, Job.wanted["draft"].as_boolean().is_not(True))
    if before is not None:
        wanted = wanted.where(Job.id < before)
    async with database.transaction() as session:
        found = await session.scalars(wanted.order_by(Job.id.desc()).limit(limit))
        return [JobRead.of(job) for job in found]


async def keep_refused(session: AsyncSession, job_id: UUID, first_row: int, refused: Sequence[Refused]) -> None:
    """Keep the rows of a batch that could not come in; first_row is the batch's, and names the piece."""
    content = orjson.dumps([[each.number, each.field, each.value, each.message, each.cells] for each in refused])
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
