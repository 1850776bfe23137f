"""A file as text, whatever it was: an Excel workbook becomes the text of its sheets, any other file stays as it is.

The text is what is kept of a workbook: it is read as often as needed, and whoever must forget a person can search it.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from leads_core.errors import Invalid
from leads_core.transfer import sheets_to_text
from leads_core.transfer.delimited import COLUMN_LIMIT, MIB

UNPACKED_LIMIT = 512 * MIB
MEMBER_LIMIT = 2_000
#: Seconds by the clock, beside the child's own limit of processor time.
PATIENCE = 120

_ZIP, _OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_MARK = sheets_to_text.MARK.encode()
_IN_OLD_FILES = "EncryptedPackage".encode("utf-16-le")
_ELSE = "Open it, save the sheet as CSV (UTF-8) and choose that file."
PROTECTED = "This workbook is protected with a password. Save it without one, or save the sheet as CSV (UTF-8)."
BROKEN_BOOK = f"This Excel workbook is broken or cannot be read. {_ELSE}"
TOO_LARGE = f"This workbook is too large once unpacked. {_ELSE}"
EMPTY = "The workbook is empty. Choose one with names in its first row and data below."
#: By exit status; 1 is any error of the program. Whatever ends it from outside, or a lack of memory, is a limit.
_REASONS = {1: BROKEN_BOOK, sheets_to_text.PROTECTED: PROTECTED, sheets_to_text.EMPTY: EMPTY}


def as_text(file: BinaryIO) -> BinaryIO:
    """The same file, or the text of its sheets (to be closed by the caller). Raises Invalid (field `file`) in words."""
    file.seek(0)
    head = file.read(4)
    if head == _OLD and _IN_OLD_FILES in _all_of(file):
        raise Invalid.of("file", PROTECTED)
    if head != _ZIP:
        return file
    _look_inside(file)
    return _converted(file)


def sheets_of(file: BinaryIO) -> list[tuple[str, int, int]]:
    """The sheets in such a text: name, where it begins, how many bytes it has. None at all in any other file."""
    file.seek(0)
    line = file.readline(MIB)
    if not line.startswith(_MARK):
        return []
    found: list[tuple[str, int, int]] = []
    start = len(line)
    with suppress(ValueError, TypeError):  # a text that somebody made like one
        for name, size in json.loads(line.removeprefix(_MARK)):
            found.append((str(name), start, int(size)))
            start += int(size)
    return found


class Part(io.RawIOBase):
    """Some bytes of a file, as a file."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        self._file.seek(self._start + self._at)
        piece = self._file.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def _look_inside(file: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Invalid.of("file", BROKEN_BOOK) from error
    if not any(member.filename.lower() == "xl/workbook.xml" for member in members):
        raise Invalid.of("file", "This is an archive. Unpack it and choose the CSV or Excel file inside.")
    if len(members) > MEMBER_LIMIT or sum(member.file_size for member in members) > UNPACKED_LIMIT:
        raise Invalid.of("file", TOO_LARGE)


def _converted(file: BinaryIO) -> BinaryIO:
    with TemporaryDirectory(prefix="leads-workbook-") as folder:
        book, text = Path(folder) / "book.xlsx", Path(folder) / "book.txt"
        file.seek(0)
        with book.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        file.seek(0)
        program = [sys.executable, "-I", sheets_to_text.__file__, str(book), str(text), str(COLUMN_LIMIT)]
        try:
            ended = subprocess.run(program, check=False, capture_output=True, timeout=PATIENCE, env={})  # noqa: S603
        except subprocess.TimeoutExpired as error:
            raise Invalid.of("file", TOO_LARGE) from error
        if ended.returncode:
            raise Invalid.of("file", _REASONS.get(ended.returncode, TOO_LARGE))
        return text.open("rb")  # which outlives its name


def _all_of(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(64 * MIB)
