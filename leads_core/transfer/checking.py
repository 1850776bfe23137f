"""What an import would do, before it does anything: counted for all rows, and in full for each that somebody looks at.

A small file is checked while its page is asked for, a large one by a job that any worker may finish. What is kept is a
letter for each row and the rows that cannot come in; differences are reckoned afresh for the page that shows them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, replace
from itertools import compress
from typing import Any, BinaryIO
from uuid import UUID

from leads_core.audit import trail
from leads_core.audit.record.entry import timestamp
from leads_core.database import Database
from leads_core.errors import Invalid
from leads_core.jobs import queue
from leads_core.jobs.queue import JobRead
from leads_core.leads.foreseeing import Difference, Foreseen
from leads_core.leads.row_matching import Outcome, UpsertRow
from leads_core.leads.service import LeadService
from leads_core.transfer import readers, uploads
from leads_core.transfer.batches import BATCH, LETTERS, Batches
from leads_core.transfer.column_matching import chosen_columns, match_columns
from leads_core.transfer.import_options import ImportOptions, ImportResult
from leads_core.transfer.readers import AS_IT_LOOKS, ReadAs, Table
from leads_core.transfer.reading import RowReader

#: A file of more rows is checked by a job.
AT_ONCE = 5_000
#: Rows of one outcome that are shown at a time.
SHOWN = 20

STOPPED = "The check was stopped. Check again to see what will happen."


async def opened(file: BinaryIO) -> BinaryIO:
    """The file as it can be read, a workbook's sheets as text; the caller closes it. Raises Invalid (field `file`)."""
    return await asyncio.to_thread(readers.opened, file)


async def recognise(file: BinaryIO, asked: ReadAs = AS_IT_LOOKS) -> Table:
    """How an opened file is to be read, looked at in a thread. Raises Invalid in words."""
    return await asyncio.to_thread(readers.recognise, file, asked)


def proposed_columns(table: Table) -> dict[str, str | None]:
    """Name -> field, as the names and the cells suggest."""
    return {match.name: match.field for match in match_columns(table.header, table.samples)}


def columns_for(table: Table, chosen: Mapping[str, str | None] | None) -> dict[str, str]:
    """Name -> field: as chosen, else as proposed. Raises Invalid (field `columns`) in words."""
    return chosen_columns(table.header, proposed_columns(table) if chosen is None else chosen)


def reader_of(file: BinaryIO, table: Table, options: ImportOptions) -> RowReader:
    """The file's rows as the options want them read. Raises Invalid (field `columns`)."""
    columns = columns_for(table, options.columns)
    return RowReader(
        file,
        table,
        columns,
        is_manual=options.is_manual,
        source=options.file_name,
        for_all=options.for_all.cells,
        tags=options.for_all.tags,
        checked_at=options.checked_at,
    )


async def plan(leads: LeadService, file: BinaryIO, table: Table, options: ImportOptions) -> ImportResult:
    """What an import would do, row by row, as the leads are now. Writes nothing."""
    reader = reader_of(file, table, options)
    result, foreseen = ImportResult(), Foreseen()
    async with aclosing(Batches(reader, BATCH)) as batches:
        while batch := await batches.next():
            outcomes = await leads.check_rows(batch.rows, options.existing, foreseen)
            result.count(outcomes, batch.refused_with(outcomes, reader))
    return result


def is_check(job: JobRead) -> bool:
    """Whether the job only looks what would happen."""
    return bool(job.wanted.get("check"))


async def look(database: Database, job_id: UUID, options: ImportOptions) -> None:
    """Note what a person has chosen for a draft, and see what would come of it: at once, or by a job."""
    with await uploads.fetch(database, job_id) as file:
        document, wanted, table = await _described(file, options)
        if table is None or document["error"]:
            await uploads.change_draft(database, job_id, wanted=wanted, plan=document)
        elif table.total > AT_ONCE:
            await uploads.begin_check(database, job_id, wanted=wanted, document=document, total=table.total)
        else:
            await uploads.change_draft(database, job_id, wanted=wanted, plan=document)
            await _Check(database, job_id, BATCH).run(file, table, ImportOptions.of(wanted), document, None)


class CheckHandler:
    """Runs the checks of large files."""

    def __init__(self, database: Database, batch: int) -> None:
        self._database = database
        self._batch = batch

    async def run(self, job: JobRead) -> None:
        """Look at the whole file. Begins anew when a worker has died at it."""
        options = ImportOptions.of(job.wanted)
        with await uploads.fetch(self._database, job.id) as file:
            document, wanted, table = await _described(file, options)
            if table is None or document["error"]:
                return await uploads.change_draft(self._database, job.id, wanted=wanted, plan=document)
            try:
                check = _Check(self._database, job.id, self._batch)
                await check.run(file, table, ImportOptions.of(wanted), document, job)
            except queue.Overtaken:
                return None
        return None

    async def give_up(self, job: JobRead, reason: str) -> None:
        """Back to the draft, with the reason."""
        document = {**(job.result or {}), "plan": None, "error": reason}
        await uploads.change_draft(self._database, job.id, wanted=job.wanted, plan=document)


class _Check:
    """One look at the whole file. Writes what it saw beside the job, never a lead."""

    def __init__(self, database: Database, job_id: UUID, batch: int) -> None:
        self._database = database
        self._leads = LeadService(database)
        self._job_id = job_id
        self._batch = batch

    async def run(
        self, file: BinaryIO, table: Table, options: ImportOptions, document: Mapping[str, Any], job: JobRead | None
    ) -> None:
        """With a job, says how far it is after each batch. Raises queue.Overtaken."""
        options = replace(options, checked_at=timestamp(trail.now()))
        reader = reader_of(file, table, options)
        result, foreseen, letters = ImportResult(), Foreseen(), ""
        await uploads.forget_check(self._database, self._job_id)
        noted, stopped = job.done if job else 0, False
        async with aclosing(Batches(reader, self._batch)) as batches:
            while not stopped and (batch := await batches.next()):
                outcomes = await self._leads.check_rows(batch.rows, options.existing, foreseen)
                refused = batch.refused_with(outcomes, reader)
                result.count(outcomes, refused)
                letters += batch.letters(outcomes, refused)
                async with self._database.transaction() as session:
                    if refused:
                        await uploads.keep_refused(session, self._job_id, batch.first_row, refused)
                    if job:
                        await queue.note_progress(session, job, before=noted, done=result.done, result=document)
                        stopped = await queue.is_to_stop(session, job.id)
                noted = result.done
        found = {"error": STOPPED} if stopped else {"plan": asdict(result)}
        await uploads.change_draft(
            self._database,
            self._job_id,
            wanted=options.document(),
            plan={**document, **found},
            letters="" if stopped else letters,
        )


async def rows_of(database: Database, job: JobRead, outcome: Outcome, page: int) -> list[Difference]:
    """Some rows of a checked draft with what they would change, as the leads are now. page counts from 1."""
    letters = await uploads.foreseen(database, job.id)
    wanted = [found.start() for found in re.finditer(LETTERS[outcome], letters)][(page - 1) * SHOWN : page * SHOWN]
    if not wanted:
        return []
    options = ImportOptions.of(job.wanted)
    with await uploads.fetch(database, job.id) as file:
        if not file.seek(0, 2):  # forgotten
            return []
        reader = reader_of(file, await recognise(file, options.read_as), options)
        rows = await asyncio.to_thread(_read_at, reader, wanted)
    return await LeadService(database).differences(rows, options.existing)


def _read_at(reader: RowReader, places: Sequence[int]) -> list[UpsertRow]:
    """The rows at these places, the others passed over unread."""
    chosen = [False] * (places[-1] + 1)
    for place in places:
        chosen[place] = True
    read = [reader.read(row) for row in compress(readers.rows(reader.file, reader.table), chosen)]
    return [row for row in read if isinstance(row, UpsertRow)]


async def _described(file: BinaryIO, options: ImportOptions) -> tuple[dict[str, Any], dict[str, Any], Table | None]:
    """What a draft remembers of its file and of what was chosen, so that looking at the page again costs nothing."""
    wanted = options.document()
    try:
        table = await recognise(file, options.read_as)
    except Invalid as error:
        return {"columns": [], "file": None, "plan": None, "error": error.errors[0].message}, wanted, None
    proposed = match_columns(table.header, table.samples)
    # Read in another way, a file may have other columns: then the choice for the old ones says nothing.
    chosen = options.columns if options.columns is not None and set(options.columns) == set(table.header) else None
    columns: Mapping[str, str | None] = chosen if chosen is not None else {each.name: each.field for each in proposed}
    problem = ""
    try:
        columns_for(table, columns)
    except Invalid as refused:
        problem = refused.errors[0].message
    shown = [
        {
            **asdict(match),
            "field": columns.get(match.name),
            "how": match.how if columns.get(match.name) == match.field else "chosen by you",
        }
        for match in proposed
    ]
    described = {
        name: getattr(table, name) for name in ("total", "size", "encoding", "delimiter", "has_names", "sheet")
    }
    described |= {"encoding_name": table.encoding_name, "split": table.delimiter_name, "sheets": list(table.sheets)}
    return (
        {"columns": shown, "file": described, "plan": None, "error": problem},
        {**wanted, "columns": dict(columns)},
        table,
    )
