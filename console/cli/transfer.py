"""`leads import` and `leads export`: files in and out, without a browser. Progress goes to stderr."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

from cyclopts import Parameter

from console.cli.surroundings import open_database
from leads_core.context import acting_as
from leads_core.database import Database
from leads_core.errors import Invalid, LeadExplorerError, NotFound
from leads_core.jobs import queue
from leads_core.jobs.queue import JobRead
from leads_core.jobs.worker import in_the_name_of
from leads_core.leads.filters import LeadFilter
from leads_core.leads.ordering import Sort
from leads_core.leads.service import LeadService
from leads_core.leads.upserting import Existing
from leads_core.paging import Cursors
from leads_core.transfer import exporting, importing, uploads
from leads_core.transfer.exporting import Format
from leads_core.transfer.importing import ImportHandler, ImportOptions, ImportResult

AsJson = Annotated[bool, Parameter(name="--json", negative="")]
Column = Annotated[list[str] | None, Parameter(name="--column", negative="")]


async def import_file(
    file: Path,
    *,
    existing: Literal["fill", "overwrite", "leave"] = "fill",
    is_manual: bool = False,
    enrich: bool = False,
    dry_run: bool = False,
    column: Column = None,
    as_json: AsJson = False,
) -> int:
    """Import leads from a CSV or TSV file. Exit status: 0 all rows came in, 1 some were rejected, 2 could not run.

    Parameters
    ----------
    file
        The file; its first row holds the names of the columns.
    existing
        What becomes of a lead that exists: fill its empty fields, overwrite it, or leave it alone.
    is_manual
        Mark the new leads as added by hand.
    enrich
        Begin an enrichment for each new lead.
    dry_run
        Count what would happen, and change nothing.
    column
        Where a column goes, as "E-Mail=email"; once given, other columns are left out.
    as_json
        Print the result as one JSON object.
    """
    chosen = _columns(column) if column else None
    options = ImportOptions(Existing(existing), is_manual, enrich, chosen, file.name)
    async with open_database() as (_, database):
        result = await _run(database, file, options, dry_run=dry_run)
    print(json.dumps(asdict(result)) if as_json else _in_words(result, dry_run=dry_run))
    return 1 if result.rejected else 0


async def export(
    *,
    as_format: Annotated[Literal["csv", "jsonl"], Parameter(name="--format")] = "csv",
    where: Annotated[list[str] | None, Parameter(name="--where", negative="")] = None,
    sort: str | None = None,
) -> int:
    """Write leads to stdout.

    Parameters
    ----------
    as_format
        csv or jsonl.
    where
        A filter as in the list's address, such as "stage=won" or "q=acme"; may be given several times.
    sort
        The order, such as "-created_at" or "company_name".
    """
    parameters: dict[str, list[str]] = {}
    for condition in where or []:
        name, _, value = condition.partition("=")
        parameters.setdefault(name, []).append(value)
    wanted = LeadFilter.from_query(parameters)
    order = Sort.parse(sort, in_bin=wanted.deleted)
    async with open_database() as (settings, database):
        cursors = Cursors(settings.signing_secret)
        async for piece in exporting.export(database, wanted, order, cursors, Format(as_format)):
            await asyncio.to_thread(_write, piece)
    return 0


async def _run(database: Database, path: Path, options: ImportOptions, *, dry_run: bool) -> ImportResult:
    try:
        file = path.open("rb")
    except OSError as error:
        raise Invalid.of("file", f"{path} cannot be read: {error.strerror}.") from None
    with file:
        table = await importing.recognise(file)
        columns = importing.columns_for(table, options.columns)
        if dry_run:
            return await importing.plan(LeadService(database), file, table, options)
        file.seek(0)

        async def read(size: int) -> bytes:
            return file.read(size)

        wanted = {**options.document(), "columns": columns}
        job_id = await uploads.draft(database, read, wanted)
        await uploads.begin(database, job_id, wanted=wanted, total=table.total, queued=False)
    return await _work(database, job_id, table.total)


async def _work(database: Database, job_id: UUID, total: int) -> ImportResult:
    """Run the job here, in the operating system user's name, and say on a terminal how far it is."""
    async with database.transaction() as session:
        job = await queue.take(session, job_id)
    if job is None:
        raise NotFound("import", job_id)
    handler = ImportHandler(database)
    saying = asyncio.create_task(_say_progress(database, job_id, total))
    try:
        with acting_as(in_the_name_of(job)):
            await handler.run(job)
    except BaseException:
        await asyncio.shield(handler.give_up(job, "The command was stopped. Run it again: nothing comes in twice."))
        raise
    finally:
        saying.cancel()
    ended = await _job(database, job_id)
    if ended.error:
        raise LeadExplorerError(ended.error)
    return ImportResult.of(ended.result)


async def _say_progress(database: Database, job_id: UUID, total: int) -> None:
    while sys.stderr.isatty():
        await asyncio.sleep(0.5)
        job = await _job(database, job_id)
        print(f"\r{job.done:,} of {total:,} rows", end="", file=sys.stderr, flush=True)


async def _job(database: Database, job_id: UUID) -> JobRead:
    async with database.transaction() as session:
        job = await queue.find(session, job_id)
    if job is None:
        raise NotFound("import", job_id)
    return job


def _columns(given: list[str]) -> dict[str, str | None]:
    pairs = [pair.rpartition("=") for pair in given]
    if not all(name and field for name, _, field in pairs):
        raise Invalid.of("column", 'Give the name in the file and the field, such as --column "E-Mail=email".')
    return {name: field for name, _, field in pairs}


def _in_words(result: ImportResult, *, dry_run: bool) -> str:
    counted = (
        f"{result.created:,} created, {result.updated:,} updated, "
        f"{result.unchanged:,} unchanged, {result.rejected:,} rejected"
    )
    lines = [f"Would be: {counted}" if dry_run else counted]
    lines += [f"row {row['row']:,}, {row['field']}: {row['message']} {row['value']}".rstrip() for row in result.rows]
    return "\n".join(lines)


def _write(piece: bytes) -> None:
    sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
