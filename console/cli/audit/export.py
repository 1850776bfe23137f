"""`leads audit export`: the trail as JSON Lines, which `leads audit verify --from-export` reads without a database."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import BinaryIO

from console.cli.surroundings import open_database
from console.cli.where import Where, parameters_of
from leads_core.audit import exporting
from leads_core.audit.entry_filter import EntryFilter
from leads_core.audit.export_entries import RecordedExport
from leads_core.audit.log.keys import log_name
from leads_core.errors import Misconfigured


async def export(*, output: Path | None = None, where: Where = ()) -> None:
    """Write the whole trail, its log and the leads to stdout, or the entries of a filter. The export is recorded.

    Parameters
    ----------
    output: the file to write instead; it appears under this name once it is whole, readable by you alone.
    where: a filter as the API has it, such as actor=system; several times for several. The file is then not complete.
    """
    wanted = EntryFilter.from_query(parameters_of(where))
    counted = exporting.Exported()
    async with open_database() as (settings, database):
        with _file(output) as file:
            pieces = exporting.export(database, log_name(settings), wanted, counted)
            async with (
                RecordedExport(database, "audit", as_format="jsonl", wanted=wanted.canonical()) as recorded,
                aclosing(recorded.recorded(pieces, lambda: counted.entries)) as leaving,
            ):
                async for piece in leaving:
                    file.write(piece)
                    _progress(counted)
    if sys.stderr.isatty():
        print(file=sys.stderr)


@contextmanager
def _file(output: Path | None) -> Iterator[BinaryIO]:
    """Where the export goes. A file that was cut off never stands under the name that was asked for."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    draft = output.with_name(f"{output.name}.part")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
        draft.replace(output)
    except OSError as error:
        raise Misconfigured(f"{error.filename or output}: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)


def _progress(counted: exporting.Exported) -> None:
    if sys.stderr.isatty():
        print(f"\r{counted.entries:,} entries", end="", file=sys.stderr, flush=True)
