"""Rows as an Excel workbook, of any number at constant memory: each is written out before the next.

A workbook's last bytes say where its first ones are, so it is made whole in a temporary file and sent away then. Every
cell is text or a number: nothing in it can run. Nothing is left behind when the making is broken off.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xlsxwriter

from leads_core.errors import Invalid
from leads_core.transfer.formulas import disarmed

#: Rows that Excel can show, the names among them.
SHEET_ROWS = 1_048_576
PIECE = 256 * 1024
WIDTH = 18
#: Every text stays the text it is.
_AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}

Cell = str | int
Rows = AsyncIterator[Sequence[Sequence[Cell]]]


async def workbook(names: Sequence[str], batches: Rows, *, most: int = SHEET_ROWS) -> AsyncGenerator[bytes, None]:
    """The file in pieces, the first of them when all rows are in. Raises Invalid (`format`) when they do not fit."""
    with TemporaryDirectory(prefix="leads-export-") as folder:
        writing = _Writing(Path(folder), names)
        try:
            async for rows in batches:
                if writing.rows + len(rows) > most:
                    raise Invalid.of("format", f"A sheet holds {most - 1:,} leads, and these are more. Take CSV.")
                await asyncio.to_thread(writing.write, rows)
            await asyncio.to_thread(writing.end)
        finally:
            writing.give_up()
        with writing.path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece


class _Writing:
    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.path = folder / "leads.xlsx"
        self.rows = 0
        self._book = xlsxwriter.Workbook(self.path, {"constant_memory": True, "tmpdir": str(folder), **_AS_TEXT})
        self._sheet = self._book.add_worksheet("Leads")
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, len(names) - 1, WIDTH)
        self._put(names, self._book.add_format({"bold": True}))

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        for row in rows:
            self._put(row)

    def end(self) -> None:
        self._book.close()

    def give_up(self) -> None:
        """A workbook that was not ended writes nothing more."""
        self._book.fileclosed = True

    def _put(self, cells: Iterable[Cell], shape: Any = None) -> None:
        for place, cell in enumerate(cells):
            if cell != "":
                self._writer(cell)(self.rows, place, _kept(cell), shape)
        self.rows += 1

    def _writer(self, cell: Cell) -> Callable[..., Any]:
        return self._sheet.write_number if isinstance(cell, int) else self._sheet.write_string  # type: ignore[no-any-return]


def _kept(cell: Cell) -> Cell:
    """As it is. A text that reading would take for an armed formula is armed once more, so that it comes back."""
    return f"'{cell}" if isinstance(cell, str) and disarmed(cell) != cell else cell
