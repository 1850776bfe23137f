"""CSV and TSV, whoever wrote them: recognise the encoding and the separator, then give the rows one by one.

Works on a binary file, never on a whole text in memory. Nothing here blocks for the network; callers that serve
others run recognise() in a thread.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO

from leads_core.errors import Invalid

MIB = 1 << 20
FILE_LIMIT = 64 * MIB
COLUMN_LIMIT = 200
ROW_LIMIT = 1_000_000
#: Characters of one cell. More is a quotation mark that was never closed, or an attack.
CELL_LIMIT = MIB
HEADER_LIMIT = 200
SAMPLES = 100
#: Bytes that are looked at to find the separator.
HEAD = 64 * 1024

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
ENCODING_NAMES = {"utf-8-sig": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "cp1252": "Windows-1252"}
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_MAGIC = {
    b"PK\x03\x04": "This is an Excel workbook or an archive. Save the sheet as CSV (UTF-8) and choose that file.",
    b"\xd0\xcf\x11\xe0": "This is an old Excel workbook. Save the sheet as CSV (UTF-8) and choose that file.",
    b"%PDF": "This is a PDF. Choose a CSV or TSV file.",
    b"\x89PNG": "This is a picture. Choose a CSV or TSV file.",
    b"\xff\xd8\xff": "This is a picture. Choose a CSV or TSV file.",
    b"\x1f\x8b": "This file is compressed. Unpack it and choose the CSV inside.",
}
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)
_NEVER_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
#: Stands for bytes that are no text in the file's encoding. A half character: every field refuses it.
BROKEN = "\udfff"
_BROKEN_RUN = re.compile(f"{BROKEN}+")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_LOOKS_LIKE_DATA = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+|(https?://)?([a-z0-9-]+\.)+[a-z]{2,}(/\S*)?", re.IGNORECASE)

# The module's limit is the whole process's; nothing else here reads CSV.
csv.field_size_limit(CELL_LIMIT)
codecs.register_error("broken-cell", lambda error: (BROKEN, getattr(error, "end", 0)))


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

    @property
    def encoding_name(self) -> str:
        return ENCODING_NAMES[self.encoding]

    @property
    def delimiter_name(self) -> str:
        return DELIMITERS[self.delimiter]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of data. number is the spreadsheet's (the names stand in row 1); problem says why it cannot be read."""

    number: int
    cells: Sequence[str]
    problem: str | None = None


def recognise(file: BinaryIO) -> Table:
    """Read the file once: encoding, separator, names, number of rows. Raises Invalid (field `file`) in words."""
    head = _head(file)
    encoding = _encoding(file, head)
    delimiter, first = _delimiter_and_first_row(file, encoding)
    if len(first) > COLUMN_LIMIT:
        raise Invalid.of("file", f"The file has {len(first):,} columns; at most {COLUMN_LIMIT} can be read.")
    has_names = not any(_LOOKS_LIKE_DATA.fullmatch(cell.strip()) for cell in first)
    header = _names(first if has_names else [""] * len(first))
    table = Table(encoding, delimiter, header, has_names, file.seek(0, io.SEEK_END))
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
    for number, cells in _records(file, table.encoding, table.delimiter):
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
    clean = _NEVER_SHOWN.sub("\ufffd", text[: limit + 1])
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def _head(file: BinaryIO) -> bytes:
    size = file.seek(0, io.SEEK_END)
    if size > FILE_LIMIT:
        raise Invalid.of("file", f"The file is larger than {FILE_LIMIT // MIB} MiB. Split it and import the parts.")
    file.seek(0)
    head = file.read(HEAD)
    for magic, sentence in _MAGIC.items():
        if head.startswith(magic):
            raise Invalid.of("file", sentence)
    return head


def _encoding(file: BinaryIO, head: bytes) -> str:
    """A mark at the beginning, else the NULs of UTF-16, else UTF-8 unless its mistakes outweigh it."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    zeros = (head[0:4096:2].count(0), head[1:4096:2].count(0))
    pairs = max(1, min(len(head), 4096) // 2)
    if len(head) > 3 and max(zeros) > 0.4 * pairs > min(zeros) * 4:
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    return _utf8_or_older(file)


def _utf8_or_older(file: BinaryIO) -> str:
    """UTF-8 with a few broken bytes stays UTF-8: their rows are refused, all others are right."""
    decoder = codecs.getincrementaldecoder("utf-8")("broken-cell")
    good = bad = 0
    file.seek(0)
    while piece := file.read(MIB):
        text = decoder.decode(piece)
        if not text.isascii():
            bad += len(_BROKEN_RUN.findall(text))
            good += len(_BEYOND_ASCII.findall(text)) - text.count(BROKEN)
    # In a text of another encoding, letters of UTF-8 are rare chances.
    return "utf-8-sig" if bad <= good else "cp1252"


def _delimiter_and_first_row(file: BinaryIO, encoding: str) -> tuple[str, list[str]]:
    with _lines(file, encoding) as lines:
        head: list[str] = []
        length = 0
        for line in lines:
            if line.strip():
                head.append(line[:HEAD])
                length += len(head[-1])
            if length > HEAD or len(head) > SAMPLES:
                break
    if not head:
        raise Invalid.of("file", "The file is empty. Choose one with names in its first row and data below.")
    named = _SEPARATOR_LINE.fullmatch(head[0].removeprefix("\ufeff"))
    delimiter = named[1] if named and named[1] in DELIMITERS else max(DELIMITERS, key=lambda sign: _score(head, sign))
    for _, cells in _records(file, encoding, delimiter):
        if cells is not None and any(cell.strip() for cell in cells):
            return delimiter, cells
    raise Invalid.of("file", "No row of this file can be read. Save it as CSV (UTF-8) and choose that file.")


def _score(lines: Sequence[str], delimiter: str) -> float:
    """How well a separator explains the lines: most rows equally wide, and wider than one cell."""
    try:
        widths = Counter(len(cells) for cells in csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return 0
    width, count = widths.most_common(1)[0]
    return 0 if width == 1 else (count / widths.total()) ** 2 * (1 + min(width, 20) / 20)


def _records(file: BinaryIO, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    """The spreadsheet's row number and the cells; None for a row that is too large to be read."""
    with _lines(file, encoding) as lines:
        first = next(lines, "")
        kept = [] if _SEPARATOR_LINE.fullmatch(first) else [first]
        reader = csv.reader(itertools.chain(kept, lines), delimiter=delimiter)
        number = 0
        while True:
            number += 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield number, None
            else:
                yield number, cells


@contextmanager
def _lines(file: BinaryIO, encoding: str) -> Iterator[Iterator[str]]:
    """Lines with their ends. What the encoding cannot read becomes BROKEN."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, errors="broken-cell", newline="")
    try:
        if encoding.startswith("utf-16") and text.read(1) != "\ufeff":
            text.seek(0)
        yield iter(text)
    finally:
        text.detach()


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
