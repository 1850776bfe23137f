"""The file of signed checkpoints outside the database: one line of canonical JSON for each, in order, only appended."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from leads_core.audit.record.canonical import canon
from leads_core.audit.record.entry import parse_timestamp, timestamp
from leads_core.audit.record.signed_note import Checkpoint, checkpoint_in

_CHUNK = 4096


@dataclass(frozen=True, slots=True)
class FiledCheckpoint:
    """One line. problem says why it is no checkpoint; then at is null and note is the line as it stands."""

    at: datetime | None
    note: str
    problem: str | None = None

    @property
    def checkpoint(self) -> Checkpoint:
        """What the note says, whoever signed it. Raises BadNote."""
        return checkpoint_in(self.note)


class CheckpointFile:
    """A signing machine's own file. One process appends at a time (whoever holds the log's lock); anyone reads.

    A last line without its newline is one that is being written, or was cut off when the machine went down: readers
    pass it over and the next append removes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[FiledCheckpoint]:
        """Every line, oldest first; none when there is no file. Raises OSError when it cannot be read."""
        return list(self)

    def __iter__(self) -> Iterator[FiledCheckpoint]:
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            for line in file:
                if line.endswith(b"\n"):
                    yield _parsed(line)

    def newest(self) -> FiledCheckpoint | None:
        """The last whole line, found from the end. Raises OSError when the file is there but cannot be read."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return None
        with file:
            position = file.seek(0, os.SEEK_END)
            tail = b""
            while position and tail.count(b"\n") < 2:
                start = max(0, position - _CHUNK)
                file.seek(start)
                tail = file.read(position - start) + tail
                position = start
        *lines, _unfinished = tail.split(b"\n")
        return _parsed(lines[-1] + b"\n") if lines else None

    def append(self, at: datetime, note: str) -> None:
        """Add a line and see it onto the disk. Raises OSError; then the file is as it was before."""
        line = canon({"at": timestamp(at), "note": note}) + b"\n"
        is_new = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if is_new:
                _see_onto_disk(self.path.parent)
            _write_at(descriptor, _end_of_last_line(descriptor), line)
        finally:
            os.close(descriptor)


def _parsed(line: bytes) -> FiledCheckpoint:
    text = line.decode("utf-8", errors="replace").rstrip("\n")
    try:
        found = json.loads(line)
        if canon(found) + b"\n" != line or set(found) != {"at", "note"}:
            return FiledCheckpoint(None, text, 'it is not canon({"at", "note"})')
        filed = FiledCheckpoint(parse_timestamp(found["at"]), found["note"])
        filed.checkpoint  # noqa: B018 - raises BadNote, a ValueError, when it is none
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        return FiledCheckpoint(None, text, f"it holds no checkpoint: {error}")
    return filed


def _end_of_last_line(descriptor: int) -> int:
    """Where to write: behind the last newline."""
    position = os.fstat(descriptor).st_size
    while position:
        start = max(0, position - _CHUNK)
        newline = os.pread(descriptor, position - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        position = start
    return 0


def _write_at(descriptor: int, position: int, line: bytes) -> None:
    try:
        os.ftruncate(descriptor, position)
        written = 0
        while written < len(line):
            written += os.pwrite(descriptor, line[written:], position + written)
        os.fsync(descriptor)
    except OSError:
        with suppress(OSError):
            os.ftruncate(descriptor, position)
        raise


def _see_onto_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
