"""A file becomes leads, by a job that any worker may finish.

The job goes batch by batch. A batch's leads, entries, refused rows and progress are one transaction, so a worker that
takes over from a dead one begins where that one had committed, and no row is ever counted twice. What would happen is
looked at before, by checking.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import asdict
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.database import Database
from leads_core.errors import Invalid
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind, JobState
from leads_core.jobs.queue import JobRead
from leads_core.leads.row_matching import Upserted
from leads_core.leads.service import LeadService
from leads_core.transfer import checking, uploads
from leads_core.transfer.batches import BATCH, Batch, Batches
from leads_core.transfer.checking import reader_of, recognise
from leads_core.transfer.import_options import ImportOptions, ImportResult
from leads_core.transfer.reading import RowReader

FORGOTTEN = "The file is not kept any more: files are forgotten after 7 days. Choose it again."


async def start(database: Database, read: uploads.Read, options: ImportOptions, total: int) -> UUID:
    """Keep the opened file with a new job, and queue it: all or none. Gives the job's id."""
    async with database.transaction() as session:
        wanted = options.document()
        job_id = await queue.start(session, JobKind.IMPORT, priority=queue.PRIORITY_BULK, wanted=wanted, total=total)
        await uploads.keep(session, job_id, read)
    return job_id


class ImportHandler:
    """Runs import jobs. Running one twice changes nothing the second time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._leads = LeadService(database)

    async def run(self, job: JobRead) -> None:
        """Import what is still to be done of the file, batch by batch."""
        if checking.is_check(job):
            return await checking.CheckHandler(self._database, BATCH).run(job)
        with await uploads.fetch(self._database, job.id) as file:
            try:
                options = ImportOptions.of(job.wanted)
                reader = reader_of(file, await recognise(file, options.read_as), options)
            except Invalid as error:
                gone = not file.seek(0, 2)
                return await self.give_up(job, FORGOTTEN if gone else error.errors[0].message)
            try:
                await self._import(job, reader, options)
            except queue.Overtaken:
                return None
        return None

    async def give_up(self, job: JobRead, reason: str) -> None:
        """End the job as failed; the rows that came in before stay, and are counted in its result."""
        if checking.is_check(job):
            await checking.CheckHandler(self._database, BATCH).give_up(job, reason)
            return
        async with self._database.transaction() as session:
            await queue.finish(session, job.id, JobState.FAILED, error=reason)

    async def _import(self, job: JobRead, reader: RowReader, options: ImportOptions) -> None:
        result = ImportResult.of(job.result)
        seen = await uploads.foreseen(self._database, job.id)
        end = JobState.COMPLETED
        async with aclosing(Batches(reader, BATCH, skip=result.done)) as batches:
            while batch := await batches.next():
                if await self._is_to_stop(job):
                    end = JobState.CANCELLED
                    break
                await self._import_batch(job, reader, options, batch, result, seen)
        async with self._database.transaction() as session:
            await queue.finish(session, job.id, end, result=asdict(result))

    async def _is_to_stop(self, job: JobRead) -> bool:
        async with self._database.transaction() as session:
            return await queue.is_to_stop(session, job.id)

    async def _import_batch(
        self, job: JobRead, reader: RowReader, options: ImportOptions, batch: Batch, result: ImportResult, seen: str
    ) -> None:
        before = result.done

        async def note(session: AsyncSession, outcomes: Sequence[Upserted]) -> None:
            refused = batch.refused_with(outcomes, reader)
            if refused:
                await uploads.keep_refused(session, job.id, batch.first_row, refused)
            result.count(outcomes, refused)
            result.differed += _differing(batch, batch.letters(outcomes, refused), seen[before:])
            await queue.note_progress(session, job, before=before, done=result.done, result=asdict(result))

        await self._leads.import_rows(batch.rows, options.existing, enrich=options.enrich, beside=note)
        # They are for a request's line in the log; a job of a million rows would keep a million of them.
        context.current().receipts.clear()


def _differing(batch: Batch, letters: str, seen: str) -> int:
    """Rows that came out otherwise than foreseen, or that hold back since somebody was faster. 0 without a check."""
    if not seen:
        return 0
    held = {row.number for row in batch.rows if row.is_held_back}
    together = zip(batch.numbers, letters, seen, strict=False)
    return sum(letter != before or number in held for number, letter, before in together)
