"""`leads audit verify`: recompute the trail and name every place that is not as it was written."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter

from console.cli.audit.export import export as write_export
from console.cli.audit.verification_wording import spoken
from console.cli.surroundings import open_database, settings_at_a_database
from leads_core.audit.verification import keeping
from leads_core.audit.verification.findings import LeadReport, Report
from leads_core.audit.verification.sources import DatabaseSource, ExportSource
from leads_core.audit.verification.trusted import Trusted
from leads_core.audit.verification.verifier import verify as verify_trail
from leads_core.audit.verification.verifier import verify_lead
from leads_core.database import asyncpg_url, connect, faults_in_words
from leads_core.errors import LeadExplorerError, Misconfigured
from leads_core.settings import Settings, load_settings

Flag = Annotated[bool, Parameter(negative="")]


async def verify(
    *,
    lead: UUID | None = None,
    as_json: Annotated[bool, Parameter("--json", negative="")] = False,
    checkpoint: Annotated[Sequence[Path], Parameter("--checkpoint", negative="")] = (),
    receipts: Path | None = None,
    export: Path | None = None,
    from_export: Path | None = None,
    record: Flag = False,
) -> int:
    """Recompute the trail and name each finding. Exit status: 0 whole, 1 findings, 2 could not be checked.

    Parameters
    ----------
    lead: look at this lead alone.
    as_json: print the result as one JSON object.
    checkpoint: a checkpoint that was kept elsewhere; may be given several times.
    receipts: the console's log: entries that it names and that are gone are found.
    export: afterwards write the whole trail into this file, for somebody to verify elsewhere.
    from_export: verify such a file, without any database.
    record: keep the result, for the pages that show it.
    """
    _refuse_together(lead=lead, from_export=from_export, receipts=receipts)
    _refuse_together(lead=lead, from_export=from_export, export=export)
    _refuse_together(lead=lead, from_export=from_export, record=record or None)
    _refuse_together(lead=lead, checkpoint=checkpoint or None)
    try:
        return await _run(lead, as_json, checkpoint, receipts, export, from_export, record=record)
    except LeadExplorerError:
        raise
    except Exception as error:  # what a tampered row makes of us must not look like a status of ours
        traceback.print_exc()
        raise Misconfigured(f"The verification broke off: {error}") from error


async def _run(
    lead: UUID | None,
    as_json: bool,
    checkpoint: Sequence[Path],
    receipts: Path | None,
    export: Path | None,
    from_export: Path | None,
    *,
    record: bool,
) -> int:
    if from_export is not None:
        return _said(await _verify_export(from_export, checkpoint), as_json)
    with settings_at_a_database() as settings:
        if lead is not None:
            return _said(await _verify_lead(settings, lead), as_json)
        status = _said(await _verify(settings, checkpoint, receipts, record=record), as_json)
        if export is not None:
            await write_export(output=export)
        return status


async def _verify_export(path: Path, checkpoints: Sequence[Path]) -> Report:
    """With the keys that are set here. This machine's checkpoint file counts only where there is one."""
    trusted = Trusted.of(load_settings())
    if trusted.checkpoint_file is None or not trusted.checkpoint_file.exists():
        trusted = replace(trusted, checkpoint_file=None)
    return await verify_trail(ExportSource(path), trusted, checkpoints=checkpoints, progress=_progress)


async def _verify(settings: Settings, checkpoints: Sequence[Path], receipts: Path | None, *, record: bool) -> Report:
    began = datetime.now(UTC)
    source = DatabaseSource(str(settings.database_url))
    try:
        trusted = Trusted.of(settings)
        report = await verify_trail(source, trusted, checkpoints=checkpoints, receipts=receipts, progress=_progress)
    except Misconfigured as error:
        if record:
            async with open_database(settings) as (_, database):
                await keeping.keep_failure(database, str(error), began)
        raise
    if record:
        async with open_database(settings) as (_, database):
            await keeping.keep(database, report, began)
    return report


async def _verify_lead(settings: Settings, lead: UUID) -> LeadReport:
    with faults_in_words():
        connection = await connect(asyncpg_url(str(settings.database_url)))
        try:
            return await verify_lead(connection, Trusted.of(settings), lead)
        finally:
            await connection.close()


def _refuse_together(**options: object) -> None:
    given = [f"--{name.replace('_', '-')}" for name, value in options.items() if value is not None]
    if len(given) > 1:
        raise Misconfigured(f"{given[1]} cannot be combined with {given[0]}.")


def _progress(what: str, done: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done:,} {what}", end="", file=sys.stderr, flush=True)


def _said(report: Report | LeadReport, as_json: bool) -> int:
    """Print the result. Gives the exit status."""
    if sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    sys.stdout.write(json.dumps(report.as_json(), ensure_ascii=False) + "\n" if as_json else spoken(report))
    sys.stdout.flush()
    return 0 if report.ok else 1
