"""Text with separators: which encoding, which separator, and its records. Never a whole text in memory."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from leads_core.errors import Invalid

MIB = 1 << 20
COLUMN_LIMIT = 200
#: Characters of one cell. More is a quotation mark that was never closed, or an attack.
CELL_LIMIT = MIB
SAMPLES = 100
#: Bytes that are looked at to find the separator.
HEAD = 64 * 1024

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
#: What a person may choose: Python's name -> what people call it.
ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252",
    "cp1250": "Windows-1250",
    "latin-1": "Latin-1",
}
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)
#: Stands for bytes that are no text in the file's encoding. A half character: every field refuses it.
BROKEN = "\udfff"
_BROKEN_RUN = re.compile(f"{BROKEN}+")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")

# The module's limit is the whole process's; nothing else here reads CSV.
csv.field_size_limit(CELL_LIMIT)
codecs.register_error("broken-cell", lambda error: (BROKEN, getattr(error, "end", 0)))


def encoding_of(file: BinaryIO, head: bytes) -> str:
    """What a file is written in.

    A mark at the beginning says it, else the NULs of UTF-16; else it is UTF-8 unless its mistakes outweigh it.
    """
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


def delimiter_and_first_row(file: BinaryIO, encoding: str, asked: str | None) -> tuple[str, list[str]]:
    """The separator, as asked or as the first lines suggest, and the first row that is not blank. Raises Invalid."""
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
    found = named[1] if named and named[1] in DELIMITERS else max(DELIMITERS, key=lambda sign: _score(head, sign))
    delimiter = asked or found
    for _, cells in records(file, encoding, delimiter):
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


def records(file: BinaryIO, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
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
