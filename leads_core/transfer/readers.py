"""CSV, TSV and the text of workbooks, whoever wrote them: recognise how to read it, then give the rows one by one.

Works on a binary file, never on a whole text in memory. Nothing here blocks for the network; callers that serve
others run opened() and recognise() in a thread.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, cast

from leads_core.errors import Invalid
from leads_core.transfer.delimited import (
    CELL_LIMIT,
    COLUMN_LIMIT,
    DELIMITERS,
    ENCODINGS,
    HEAD,
    MIB,
    SAMPLES,
    delimiter_and_first_row,
    encoding_of,
    records,
)
from leads_core.transfer.workbook_reading import Part, as_text, sheets_of

FILE_LIMIT = 64 * MIB
ROW_LIMIT = 1_000_000
HEADER_LIMIT = 200

_MAGIC = {
    b"\xd0\xcf\x11\xe0": "This is an old Excel workbook. Save it as .xlsx or CSV (UTF-8) and choose that file.",
    b"%PDF": "This is a PDF. Choose a CSV, TSV or Excel file.",
    b"\x89PNG": "This is a picture. Choose a CSV, TSV or Excel file.",
    b"\xff\xd8\xff": "This is a picture. Choose a CSV, TSV or Excel file.",
    b"\x1f\x8b": "This file is compressed. Unpack it and choose the file inside.",
}
_NEVER_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_LINE_ENDS = re.compile(r"\r\n|[\r\n\t]")
#: Signs that no text has, and the share of them from which a file is none.
_NO_TEXT = bytes(sign for sign in range(32) if sign not in b"\t\n\f\r\x1b")
_MOST_OF_THEM = 0.05
_LOOKS_LIKE_DATA = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+|(https?://)?([a-z0-9-]+\.)+[a-z]{2,}(/\S*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReadAs:
    """How somebody wants a file read. None: as it looks. encoding is one of ENCODINGS, delimiter of DELIMITERS."""

    encoding: str | None = None
    delimiter: str | None = None
    has_names: bool | None = None
    sheet: str | None = None

    def __post_init__(self) -> None:
        """Raises Invalid that names the field."""
        if self.encoding is not None and self.encoding not in ENCODINGS:
            raise Invalid.of("encoding", f"Give one of {', '.join(ENCODINGS)}.")
        if self.delimiter is not None and self.delimiter not in DELIMITERS:
            raise Invalid.of("delimiter", "Give a comma, a semicolon, a tab or a bar.")
        if self.sheet is not None and self.sheet != shown(self.sheet, HEADER_LIMIT):
            raise Invalid.of("sheet", "Give the name of one of the workbook's sheets.")


AS_IT_LOOKS = ReadAs()


@dataclass(frozen=True, slots=True)
class Table:
    """How a file is to be read. total counts the rows of data: neither the names nor blank ones."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    has_names: bool
    size: int
    total: int = 0
    samples: tuple[tuple[str, ...], ...] = ()
    #: Of a workbook: the sheets that can be chosen, the chosen one, and where it stands in the text.
    sheets: tuple[str, ...] = ()
    sheet: str = ""
    part: tuple[int, int] | None = None

    @property
    def encoding_name(self) -> str:
        return ENCODINGS.get(self.encoding, "UTF-16")

    @property
    def delimiter_name(self) -> str:
        return DELIMITERS[self.delimiter]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of data. number is the spreadsheet's (the names stand in row 1); problem says why it cannot be read."""

    number: int
    cells: Sequence[str]
    problem: str | None = None


def opened(file: BinaryIO) -> BinaryIO:
    """The file as it can be read: itself, or the text of a workbook's sheets. Raises Invalid (field `file`)."""
    if file.seek(0, io.SEEK_END) > FILE_LIMIT:
        raise Invalid.of("file", f"The file is larger than {FILE_LIMIT // MIB} MiB. Split it and import the parts.")
    return as_text(file)


def recognise(file: BinaryIO, asked: ReadAs = AS_IT_LOOKS) -> Table:
    """Read an opened file once: encoding, separator, names, rows. Raises Invalid (field `file`) in words."""
    table, asked = _workbook(file, asked) or (_plain(file, asked), asked)
    delimiter, first = delimiter_and_first_row(_text_of(file, table), table.encoding, asked.delimiter)
    if len(first) > COLUMN_LIMIT:
        raise Invalid.of("file", f"The file has {len(first):,} columns; at most {COLUMN_LIMIT} can be read.")
    looks_named = not any(_LOOKS_LIKE_DATA.fullmatch(cell.strip()) for cell in first)
    has_names = looks_named if asked.has_names is None else asked.has_names
    header = _names(first if has_names else [""] * len(first))
    table = replace(table, delimiter=delimiter, header=header, has_names=has_names)
    total = 0
    samples: list[tuple[str, ...]] = []
    for row in rows(file, table):
        total += 1
        if total > ROW_LIMIT:
            raise Invalid.of("file", f"The file has more than {ROW_LIMIT:,} rows. Split it and import the parts.")
        if len(samples) < SAMPLES and row.problem is None:
            samples.append(tuple(shown(cell, HEADER_LIMIT) for cell in row.cells))
    if not total:
        raise Invalid.of("file", "The file has names but no rows below them. Choose one with data.")
    return replace(table, total=total, samples=tuple(samples))


def rows(file: BinaryIO, table: Table) -> Iterator[Row]:
    """The rows of data in order, blank ones left out. Each has as many cells as the table has names."""
    width, names_to_come = len(table.header), table.has_names
    for number, cells in records(_text_of(file, table), table.encoding, table.delimiter):
        if cells is None:
            yield Row(number, (), f"A cell has more than {CELL_LIMIT:,} characters. Is a quotation mark missing?")
        elif not any(cell.strip() for cell in cells):
            continue
        elif names_to_come:
            names_to_come = False
        elif len(cells) == width:
            yield Row(number, cells)
        elif any(cell.strip() for cell in cells[width:]):
            counted = f"{len(cells):,} cells, but there are {width:,} columns"
            yield Row(number, cells[:width], f"This row has {counted}. Put cells that hold a separator in quotes.")
        else:
            yield Row(number, [*cells[:width], *[""] * (width - len(cells))])


def shown(text: str, limit: int) -> str:
    """Text that can be stored and shown: without control, direction and half characters, and not too long."""
    clean = _NEVER_SHOWN.sub("\ufffd", _LINE_ENDS.sub(" ", text[: limit + 1]))
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def _workbook(file: BinaryIO, asked: ReadAs) -> tuple[Table, ReadAs] | None:
    """The sheet that was asked for, else the first; None for what is no workbook's text."""
    sheets = {name: (start, size) for name, start, size in sheets_of(file)}
    if not sheets:
        return None
    sheet = asked.sheet or next(iter(sheets))
    if sheet not in sheets:
        raise Invalid.of("sheet", f"The workbook has no such sheet. It has: {', '.join(sheets)[:500]}.")
    table = Table("utf-8-sig", ",", (), False, sheets[sheet][1], sheets=tuple(sheets), sheet=sheet, part=sheets[sheet])
    return table, replace(asked, delimiter=",")


def _plain(file: BinaryIO, asked: ReadAs) -> Table:
    head = _head(file)
    found = encoding_of(file, head)
    stray = len(head) - len(head.translate(None, _NO_TEXT))
    if not found.startswith("utf-16") and stray > _MOST_OF_THEM * len(head):
        raise Invalid.of("file", "This is no text. Choose a CSV, TSV or Excel file.")
    encoding = asked.encoding or found
    if encoding == "utf-16":
        encoding = found if found.startswith("utf-16") else "utf-16-le"
    return Table(encoding, ",", (), False, file.seek(0, io.SEEK_END))


def _text_of(file: BinaryIO, table: Table) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(Part(file, *table.part), MIB)) if table.part else file


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    head = file.read(HEAD)
    for magic, sentence in _MAGIC.items():
        if head.startswith(magic):
            raise Invalid.of("file", sentence)
    return head


def _names(cells: Sequence[str]) -> tuple[str, ...]:
    """Names that can be shown and told apart: a blank one is called by its place, a second one by its number."""
    names: list[str] = []
    for place, cell in enumerate(cells, 1):
        name = shown(" ".join(cell.split()), HEADER_LIMIT) or f"Column {place}"
        again = name
        count = 1
        while again in names:
            count += 1
            again = f"{name} ({count})"
        names.append(again)
    return tuple(names)
