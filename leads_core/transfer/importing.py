"""A file becomes leads: first a check that counts and changes nothing, then a job that any worker may finish.

The job goes batch by batch. A batch's leads, entries, refused rows and progress are one transaction, so a worker that
takes over from a dead one begins where that one had committed, and no row is ever counted twice.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.database import Database
from leads_core.errors import Invalid
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind, JobState
from leads_core.jobs.queue import JobRead
from leads_core.leads.foreseeing import Foreseen
from leads_core.leads.row_matching import Existing, Upserted, UpsertRow
from leads_core.leads.service import LeadService
from leads_core.transfer import readers, uploads
from leads_core.transfer.column_matching import chosen_columns, match_columns
from leads_core.transfer.readers import Row, Table
from leads_core.transfer.reading import Refused, RowReader

BATCH = 1000
#: Rows that are read at a time, between which the event loop has its turn.
TURN = 5
#: Refused rows that a result lists; all of them can be downloaded.
LISTED = 1000

FORGOTTEN = "The file is not kept any more: files are forgotten after 7 days. Choose it again."


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What to do with a file. columns: its names -> fields; None takes the proposal."""

    existing: Existing = Existing.FILL
    is_manual: bool = False
    enrich: bool = False
    columns: Mapping[str, str | None] | None = None
    file_name: str = "file.csv"

    def document(self) -> dict[str, Any]:
        """As a job keeps it."""
        return {**asdict(self), "existing": self.existing.value}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> ImportOptions:
        """What a job kept."""
        names = cls.__slots__
        known = {name: document[name] for name in names if name in document}
        return cls(**{**known, "existing": Existing(document.get("existing", Existing.FILL))})


@dataclass(slots=True)
class ImportResult:
    """How many rows became what; rows are the first refused ones."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Rows that have been dealt with."""
        return self.created + self.updated + self.unchanged + self.rejected

    def count(self, outcomes: Sequence[Upserted], refused: Sequence[Refused]) -> None:
        """Add a batch. Rows that the database refused stand in both."""
        counted = Counter(outcome.outcome for outcome in outcomes)
        self.created += counted["created"]
        self.updated += counted["updated"]
        self.unchanged += counted["unchanged"]
        self.rejected += len(refused)
        for each in refused[: LISTED - len(self.rows)]:
            self.rows.append({"row": each.number, "field": each.field, "value": each.value, "message": each.message})

    @classmethod
    def of(cls, document: Mapping[str, Any] | None) -> ImportResult:
        """What a job has so far."""
        return cls(**document) if document else cls()


async def start(database: Database, read: uploads.Read, options: ImportOptions, total: int) -> UUID:
    """Keep the file with a new job, and queue it: all or none. Gives the job's id."""
    async with database.transaction() as session:
        wanted = options.document()
        job_id = await queue.start(session, JobKind.IMPORT, priority=queue.PRIORITY_BULK, wanted=wanted, total=total)
        await uploads.keep(session, job_id, read)
    return job_id


def proposed_columns(table: Table) -> dict[str, str | None]:
    """Name -> field, as the names and the cells suggest."""
    return {match.name: match.field for match in match_columns(table.header, table.samples)}


def columns_for(table: Table, chosen: Mapping[str, str | None] | None) -> dict[str, str]:
    """Name -> field: as chosen, else as proposed. Raises Invalid (field `columns`) in words."""
    return chosen_columns(table.header, proposed_columns(table) if chosen is None else chosen)


async def recognise(file: BinaryIO) -> Table:
    """How the file is to be read, looked at in a thread. Raises Invalid (field `file`) in words."""
    return await asyncio.to_thread(readers.recognise, file)


async def plan(leads: LeadService, file: BinaryIO, table: Table, options: ImportOptions) -> ImportResult:
    """What an import would do, row by row, as the leads are now. Writes nothing."""
    reader = _reader(file, table, options)
    result, foreseen = ImportResult(), Foreseen()
    async with aclosing(_Batches(reader)) as batches:
        while batch := await batches.next():
            outcomes = await leads.check_rows(batch.rows, options.existing, foreseen)
            result.count(outcomes, batch.refused_with(outcomes, reader))
    return result


class ImportHandler:
    """Runs import jobs. Running one twice changes nothing the second time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._leads = LeadService(database)

    async def run(self, job: JobRead) -> None:
        """Import what is still to be done of the file, batch by batch."""
        with await uploads.fetch(self._database, job.id) as file:
            try:
                options = ImportOptions.of(job.wanted)
                table = await recognise(file)
                reader = _reader(file, table, options)
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
        async with self._database.transaction() as session:
            await queue.finish(session, job.id, JobState.FAILED, error=reason)

    async def _import(self, job: JobRead, reader: RowReader, options: ImportOptions) -> None:
        result = ImportResult.of(job.result)
        async with aclosing(_Batches(reader, skip=result.done)) as batches:
            while batch := await batches.next():
                await self._import_batch(job, reader, options, batch, result)
        async with self._database.transaction() as session:
            await queue.finish(session, job.id, JobState.COMPLETED, result=asdict(result))

    async def _import_batch(
        self, job: JobRead, reader: RowReader, options: ImportOptions, batch: _Batch, result: ImportResult
    ) -> None:
        before = result.done

        async def note(session: AsyncSession, outcomes: Sequence[Upserted]) -> None:
            refused = batch.refused_with(outcomes, reader)
            if refused:
                kept = [[each.number, each.field, each.value, each.message, each.cells] for each in refused]
                await uploads.keep_refused(session, job.id, batch.first_row, kept)
            result.count(outcomes, refused)
            await queue.note_progress(session, job, before=before, done=result.done, result=asdict(result))

        await self._leads.import_rows(batch.rows, options.existing, enrich=options.enrich, beside=note)
        # They are for a request's line in the log; a job of a million rows would keep a million of them.
        context.current().receipts.clear()


@dataclass(slots=True)
class _Batch:
    """Rows that go in together."""

    rows: list[UpsertRow] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    as_read: dict[int, Row] = field(default_factory=dict)
    size: int = 0
    first_row: int = 0

    def add(self, row: Row, read: UpsertRow | Refused) -> None:
        self.size += 1
        self.first_row = self.first_row or row.number
        if isinstance(read, Refused):
            self.refused.append(read)
        else:
            self.rows.append(read)
            self.as_read[row.number] = row
            with suppress(Invalid):  # which matters only if the row will mean no lead that is there
                read.as_new()

    def refused_with(self, outcomes: Sequence[Upserted], reader: RowReader) -> list[Refused]:
        """The rows that could not be read and those that were refused later, in the file's order."""
        later = [reader.refusal(self.as_read[outcome.number], outcome.error) for outcome in outcomes if outcome.error]
        return sorted([*self.refused, *later], key=lambda refused: refused.number)


class _Batches:
    """A file's rows in batches, each read while the database works on the one before.

    Reading takes turns with the event loop. A thread would fight with it for the interpreter and hold up every answer
    of the database by milliseconds: seen, it cost a quarter of an import's time.
    The first `skip` rows are read for their identities only.
    """

    def __init__(self, reader: RowReader, skip: int = 0) -> None:
        self._rows = reader.rows()
        self._skip = skip
        self._ahead: asyncio.Task[_Batch] | None = None

    async def next(self) -> _Batch | None:
        """The next batch, or None at the end."""
        batch = await (self._ahead or self._read())
        self._ahead = asyncio.create_task(self._read()) if batch.size else None
        return batch if batch.size else None

    async def aclose(self) -> None:
        """End the reading: the file may be closed afterwards."""
        if self._ahead is not None:
            self._ahead.cancel()
            await asyncio.wait({self._ahead})
        self._rows.close()

    async def _read(self) -> _Batch:
        while self._skip and (passed := await self._turn(self._skip)):
            self._skip -= len(passed)
        batch = _Batch()
        while batch.size < BATCH and (read := await self._turn(BATCH - batch.size)):
            for each in read:
                batch.add(*each)
        return batch

    async def _turn(self, most: int) -> list[tuple[Row, UpsertRow | Refused]]:
        """About a millisecond's rows; then the loop may see to everything else."""
        await asyncio.sleep(0)
        return list(islice(self._rows, min(most, TURN)))


def _reader(file: BinaryIO, table: Table, options: ImportOptions) -> RowReader:
    columns = columns_for(table, options.columns)
    return RowReader(file, table, columns, is_manual=options.is_manual, source=options.file_name)
