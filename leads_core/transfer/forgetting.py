"""Files that hold a person: found among the uploads that are kept, and taken out of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.errors import StillRunning
from leads_core.jobs.models import Job, JobFile, JobKind

#: A file is searched as it was uploaded: the encodings that an import reads.
ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp1252", "cp1250")
RUNS = "An import whose file holds this person has not ended yet. Wait until it has, then erase."


class Needles:
    """Texts that betray a person, to be found in bytes whatever their case and the file's encoding."""

    def __init__(self, texts: Iterable[str]) -> None:
        wanted = {text.strip().lower() for text in texts}
        self.texts = frozenset(text for text in wanted if text)
        self._bytes = frozenset(spelled for text in self.texts for spelled in _spellings(text))
        #: Two pieces of a file are searched with this many bytes of the first before the second.
        self.overlap = max(map(len, self._bytes), default=1) - 1

    def in_bytes(self, content: bytes) -> bool:
        folded = content.lower()
        return any(needle in folded for needle in self._bytes)

    def in_text(self, *values: object) -> bool:
        folded = " ".join(str(value) for value in values).lower()
        return any(text in folded for text in self.texts)


def _spellings(text: str) -> Iterator[bytes]:
    for encoding in ENCODINGS:
        with suppress(UnicodeEncodeError):  # what an encoding cannot write stands in no file of it
            yield text.encode(encoding).lower()


async def files_holding(session: AsyncSession, needles: Needles) -> list[UUID]:
    """The jobs whose kept files hold one of the needles. Reads every file that is kept, piece by piece."""
    pieces = (
        await session.execute(select(JobFile.job_id, JobFile.piece).order_by(JobFile.job_id, JobFile.piece))
    ).all()
    found: list[UUID] = []
    tail, before = b"", None
    for job_id, piece in pieces if needles.texts else ():
        if job_id in found[-1:]:
            continue
        tail = tail if job_id == before and piece > 0 else b""
        content = tail + await _content(session, job_id, piece)
        if needles.in_bytes(content):
            found.append(job_id)
        tail, before = content[-needles.overlap :] if needles.overlap else b"", job_id
    return found


async def forget_files(session: AsyncSession, job_ids: Collection[UUID], needles: Needles) -> int:
    """Remove the files of these imports, and what their results and refused rows say of the person.

    Gives the number of files removed. Raises StillRunning when one of the imports has not ended: its file is needed.
    """
    if not job_ids:
        return 0
    wanted = select(Job).where(Job.id.in_(job_ids), Job.kind == JobKind.IMPORT.value).order_by(Job.id)
    jobs = (await session.scalars(wanted.with_for_update())).all()
    if any(job.finished_at is None for job in jobs):
        raise StillRunning(RUNS)
    removed = 0
    for job in jobs:
        gone = delete(JobFile).where(JobFile.job_id == job.id, JobFile.piece >= 0)
        removed += bool(getattr(await session.execute(gone), "rowcount", 0))
        await _mend_refused(session, job.id, needles)
        await _mend_result(session, job, needles)
    return removed


async def _mend_refused(session: AsyncSession, job_id: UUID, needles: Needles) -> None:
    """The refused rows that are kept for download, without the person's."""
    pieces = select(JobFile.piece, JobFile.created_at).where(JobFile.job_id == job_id, JobFile.piece < 0)
    for piece, created_at in (await session.execute(pieces)).all():
        rows: Sequence[Any] = orjson.loads(await _content(session, job_id, piece))
        kept = [row for row in rows if not needles.in_text(orjson.dumps(row).decode())]
        if len(kept) < len(rows):
            await session.execute(delete(JobFile).where(JobFile.job_id == job_id, JobFile.piece == piece))
            mended = {"job_id": job_id, "piece": piece, "content": orjson.dumps(kept), "created_at": created_at}
            await session.execute(insert(JobFile), mended)


async def _mend_result(session: AsyncSession, job: Job, needles: Needles) -> None:
    """What an import or the look before it says of the person: refused rows, and examples of the columns."""
    before = job.result or {}
    after = _without(before, needles)
    if before.get("plan"):
        after["plan"] = _without(before["plan"], needles)
    if "columns" in before:
        after["columns"] = [
            {**column, "example": ""} if needles.in_text(column.get("example")) else column
            for column in before["columns"]
        ]
    if after != before:
        await session.execute(update(Job).where(Job.id == job.id).values(result=after))


def _without(result: Mapping[str, Any], needles: Needles) -> dict[str, Any]:
    if "rows" not in result:
        return dict(result)
    kept = [row for row in result["rows"] if not needles.in_text(row.get("value"), row.get("message"))]
    return {**result, "rows": kept}


async def _content(session: AsyncSession, job_id: UUID, piece: int) -> bytes:
    content = await session.scalar(select(JobFile.content).where(JobFile.job_id == job_id, JobFile.piece == piece))
    return content or b""
