"""`leads seed`, `leads import` and `leads export`: many leads at once."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, BinaryIO

from cyclopts import Parameter

from console.cli.surroundings import open_database
from console.cli.where import Where, parameters_of
from leads_core import context
from leads_core.audit.export_entries import RecordedExport
from leads_core.database import Database
from leads_core.errors import Invalid, Misconfigured
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.jobs.queue import JobRead
from leads_core.jobs.worker import Worker
from leads_core.leads import seeding
from leads_core.leads.filters import LeadFilter
from leads_core.leads.ordering import Sort
from leads_core.leads.row_matching import Existing
from leads_core.leads.service import LeadService
from leads_core.paging import Cursors
from leads_core.transfer import checking, exporting, importing, uploads
from leads_core.transfer.export_columns import named_columns
from leads_core.transfer.exporting import Format
from leads_core.transfer.import_options import ForAllRows, ImportOptions, ImportResult
from leads_core.transfer.importing import ImportHandler
from leads_core.transfer.readers import ReadAs

AsJson = Annotated[bool, Parameter("--json", negative="")]


async def seed(*, count: int = 1000, as_json: AsJson = False) -> None:
    """Make realistic leads, each with its entry in the trail: invented people at real companies.

    Parameters
    ----------
    count: how many.
    as_json: print the result as one JSON object.
    """
    if count < 1:
        raise Invalid.of("count", "Give a number from 1 on.")
    async with open_database() as (settings, database):
        key, who = settings.mac_keys[0], context.current()
        created = await seeding.seed(database.url, key, who, count, progress=lambda done: _progress(done, count))
    _report(ImportResult(created=created), as_json)


async def import_file(
    path: Path,
    *,
    existing: Existing = Existing.FILL,
    manual: bool = False,
    enrich: bool = False,
    dry_run: bool = False,
    sheet: str | None = None,
    tags: str = "",
    as_json: AsJson = False,
) -> int:
    """Import leads from a CSV, TSV or Excel file; columns are found by their names. Exit status 1: rows were refused.

    Parameters
    ----------
    path: the file.
    existing: of leads that are there already: fill what is empty, overwrite, or leave them.
    manual: mark the leads as added by hand.
    enrich: search for what is missing.
    dry_run: only count what would happen.
    sheet: of a workbook, the sheet's name; the first by default.
    tags: added to each of the leads, with commas between.
    as_json: print the result as one JSON object.
    """
    options = ImportOptions(
        existing=existing,
        is_manual=manual,
        enrich=enrich,
        file_name=path.name,
        read_as=ReadAs(sheet=sheet),
        for_all=ForAllRows.parse(tags=tags),
    )
    try:
        sent = path.open("rb")
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}.") from error
    with sent, closing(await checking.opened(sent)) as file:
        table = await checking.recognise(file, options.read_as)
        checking.columns_for(table, None)
        async with open_database() as (_, database):
            if dry_run:
                result = await checking.plan(LeadService(database), file, table, options)
            else:
                result = await _imported(database, file, options, table.total)
    _report(result, as_json)
    return 1 if result.rejected else 0


async def export(
    *,
    format: Format = Format.CSV,  # noqa: A002
    where: Where = (),
    sort: str | None = None,
    columns: str | None = None,
) -> None:
    """Write leads to stdout.

    Parameters
    ----------
    format: csv or xlsx (both safe from formulas), or jsonl.
    where: a filter as the API has it, such as stage=won; several times for several.
    sort: the order, such as -created_at or company_name.
    columns: those to write, such as company_name,email; all of them without.
    """
    parameters = parameters_of(where)
    names = named_columns([columns] if columns else [])
    wanted = LeadFilter.from_query(parameters)
    order = Sort.parse(sort, in_bin=wanted.deleted)
    filtered = exporting.canonical_query({**parameters, **({"sort": [sort]} if sort else {})})
    counted = exporting.Counted()
    async with open_database() as (settings, database):
        pieces = exporting.export(database, wanted, order, Cursors(settings.signing_secret), format, counted, names)
        async with (
            RecordedExport(database, "leads", as_format=format.value, wanted=filtered, columns=names) as recorded,
            aclosing(recorded.recorded(pieces, lambda: counted.leads)) as leaving,
        ):
            async for piece in leaving:
                sys.stdout.buffer.write(piece)
                sys.stdout.flush()


async def _imported(database: Database, file: BinaryIO, options: ImportOptions, total: int) -> ImportResult:
    """Run the import as a job, like every import; this process takes it unless another worker is quicker."""
    job_id = await importing.start(database, uploads.reading(file), options, total)
    async with _working(database):
        while True:
            async with database.transaction() as session:
                job = await queue.find(session, job_id)
            assert job is not None  # noqa: S101 - it was started above
            _progress(job.done, total)
            if job.is_finished:
                return _result_of(job)
            await asyncio.sleep(0.1)


@asynccontextmanager
async def _working(database: Database) -> AsyncIterator[None]:
    worker = Worker(database, {JobKind.IMPORT: ImportHandler(database)})
    running = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await running


def _result_of(job: JobRead) -> ImportResult:
    if job.error is not None:
        raise Invalid.of("file", job.error)
    return ImportResult.of(job.result)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done:,} of {total:,}", end="\n" if done >= total else "", file=sys.stderr, flush=True)


def _report(result: ImportResult, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(result)))
        return
    print(f"{result.created:,} created, {result.updated:,} updated, {result.unchanged:,} unchanged.")
    if result.rejected:
        print(f"{result.rejected:,} refused:")
        for row in result.rows:
            print(f"  row {row['row']}, {row['field']}: {row['message']}")
