"""The sheets of an Excel workbook as text: a program of its own, so that no workbook can hurt whoever asked for it.

A small file may ask for many gigabytes: two cells in opposite corners of a sheet, one long text in each of a hundred
thousand cells. Here it meets this process's limits alone. Run as `python -I sheets_to_text.py WORKBOOK TEXT COLUMNS`.

The text is UTF-8: a first line of MARK and a JSON list [[sheet's name, bytes], ...], then each sheet as CSV, its rows
where the workbook has them. Exit status 3: protected with a password; 4: nothing in it; else but 0: unreadable.
"""

from __future__ import annotations

import csv
import json
import resource
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TextIO

from python_calamine import (
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetMetadata,
    SheetTypeEnum,
    SheetVisibleEnum,
)

MARK = "\x1csheets "
MEMORY = 1536 << 20
SECONDS = 60
TEXT_BYTES = 512 << 20
PROTECTED, EMPTY = 3, 4
#: Beyond this a number has no exact whole value.
EXACT = 1e15


def main(workbook: Path, text: Path, most_columns: int) -> int:
    """Write the text of each sheet that a person sees and that holds anything."""
    _limit()
    try:
        book = CalamineWorkbook.from_path(workbook)
    except PasswordError:
        return PROTECTED
    sizes: list[tuple[str, int]] = []
    parts = text.with_suffix(".parts")
    with parts.open("w", encoding="utf-8", errors="replace", newline="") as out:
        for name in _seen(book.sheets_metadata):
            begin = out.tell()
            _write(book.get_sheet_by_name(name), out, most_columns)
            if out.tell() > begin:
                sizes.append((name, out.tell() - begin))
    if not sizes:
        return EMPTY
    with parts.open("rb") as content, text.open("wb") as out_file:
        out_file.write(f"{MARK}{json.dumps(sizes)}\n".encode())
        shutil.copyfileobj(content, out_file)
    return 0


def _limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, TEXT_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # some systems do not know each of them
            resource.setrlimit(what, (most, most))


def _seen(sheets: Sequence[SheetMetadata]) -> list[str]:
    tables = [sheet for sheet in sheets if sheet.typ == SheetTypeEnum.WorkSheet]
    visible = [sheet.name for sheet in tables if sheet.visible == SheetVisibleEnum.Visible]
    return visible or [sheet.name for sheet in tables]


def _write(sheet: CalamineSheet, out: TextIO, most_columns: int) -> None:
    """With the blank rows above, so that each row keeps its number. Of a sheet too wide the first row is enough."""
    if sheet.start is None:
        return
    writer = csv.writer(out, lineterminator="\n")
    for row in sheet.iter_rows():
        writer.writerow(_cells(row))
        if len(row) > most_columns:
            return


def _cells(row: Sequence[object]) -> Iterator[str]:
    for cell in row:
        match cell:
            case str():
                yield cell.replace("\x1c", "\ufffd")
            case bool():
                yield "true" if cell else "false"
            case float():
                yield str(int(cell)) if cell.is_integer() and abs(cell) < EXACT else repr(cell)
            case datetime():
                yield str(cell.date() if cell.time() == time() else cell)
            case date() | time() | timedelta() | int():
                yield str(cell)
            case _:
                yield ""


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
