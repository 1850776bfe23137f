"""An export read as evidence: JSON Lines, several passes over the file, bounded memory.

Leaves are put into a scratch file of fixed records, so that an entry's leaf is one read away.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import orjson

from leads_core.audit.record.entry import parse_timestamp
from leads_core.audit.verification.evidence import LEAD_COLUMNS, CheckpointRow, LeafRow
from leads_core.audit.verification.moments import epoch, millisecond_of
from leads_core.errors import Misconfigured

FORMAT = "lead-explorer-audit/1"
_BATCH = 2000
_RECORD = 16 + 32
_FIELDS = (
    *("id", "subject_kind", "subject_id", "seq", "action", "actor_kind", "actor_id", "channel"),
    *("request_id", "task_id", "occurred_at", "v"),
)
#: What is not in the log yet is not missing from it for so long.
_MAY_WAIT_MS = 60_000
#: Indexes that jump further than this are some number that somebody wrote there.
_LARGEST_GAP = 1_000_000
_SPECIAL = ((b'"ERASE"', b'"user"'), (b'"CREATE"', b'"token"'), (b'"REOPEN"', b'"log"'))


class ExportedEvidence:
    """See Evidence. Use it as a context manager; raises Misconfigured for a file that is cut off or is no export."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = ExitStack()
        self.complete = False
        self.taken_at = ""
        self.made_at: datetime | None = None
        self._leaves = _LeafFile()

    def __enter__(self) -> Self:
        header, footer = self._first_and_last()
        self.complete = header.get("complete") is True
        self.taken_at = str(header.get("made_at"))
        try:
            self.made_at = parse_timestamp(self.taken_at)
        except ValueError as error:
            raise Misconfigured(f"{self._path}: its header does not say when it was made: {error}.") from error
        self._leaves = self._stack.enter_context(_LeafFile())
        counted = dict.fromkeys(("entries", "leads", "leaves", "checkpoints"), 0)
        names = {"entry": "entries", "lead": "leads", "leaf": "leaves", "checkpoint": "checkpoints"}
        for kind, line in self._lines():
            if kind in names:
                counted[names[kind]] += 1
            if kind == "leaf":
                self._leaves.add(orjson.loads(line))
        if any(footer.get(kind) != count for kind, count in counted.items()):
            raise Misconfigured(
                f"{self._path}: its last line does not count what is in it: lines were taken out or put in."
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    async def checkpoints(self) -> AsyncGenerator[Sequence[Any]]:
        found = [
            CheckpointRow(row["number"], row["log_name"], row["size"], _bytes(row["root"]), row["note"])
            for row in self._rows("checkpoint")
        ]
        found.sort(key=lambda row: (row.size, row.number))
        yield found

    async def leaves(self) -> AsyncGenerator[Sequence[tuple[int, bytes]]]:
        for batch in _batches(self._rows("leaf")):
            yield [(row["leaf_index"], _bytes(row["checksum"])) for row in batch]

    async def blocks(self) -> dict[tuple[int, int], bytes] | None:
        return None

    async def entries(self) -> AsyncGenerator[Sequence[Any]]:
        self._leaves.forget()
        for batch in _batches(self._rows("entry")):
            yield [self._entry(row) for row in batch]

    async def leads(self) -> AsyncGenerator[Sequence[tuple[str, str]]]:
        for batch in _batches(self._rows("lead")):
            yield [(row["id"], _lead(row)) for row in batch]

    async def accounts(self) -> dict[str, tuple[str, dict[str, Any]]] | None:
        return None

    async def special(self) -> Sequence[Any]:
        return [
            self._entry(orjson.loads(line))
            for kind, line in self._lines()
            if kind == "entry" and any(action in line and subject in line for action, subject in _SPECIAL)
        ]

    async def leaves_without_entry(self, limit: int) -> Sequence[LeafRow]:
        return self._leaves.unseen(limit)

    async def rejected(self) -> dict[str, tuple[str, bool]]:
        return {}

    async def waiting_without_entry(self) -> Sequence[str]:
        return []

    async def relatives(self, request_ids: Sequence[str], actor_ids: Sequence[str]) -> Sequence[Any]:
        wanted = {*request_ids, *actor_ids}
        found = []
        for row in self._rows("entry"):
            if row.get("request_id") in wanted or row.get("actor_id") in wanted:
                found.append(self._entry(row))
                if len(found) >= _BATCH:
                    break
        return found

    async def missing_guards(self) -> Sequence[tuple[str, str]] | None:
        return None

    async def notices(self) -> Sequence[str]:
        return []

    def _entry(self, row: dict[str, Any]) -> tuple[Any, ...]:
        checksum = _bytes(row["checksum"])
        index, leaf, waiting = row.get("leaf_index"), checksum, None
        if self.complete:
            found = self._leaves.of(index, row["id"])
            if found is None:
                index, waiting = None, self._may_be_waiting(row["id"])
            leaf = found  # type: ignore[assignment]
        parts = orjson.dumps(row["parts"]).decode()
        return (*(row[name] for name in _FIELDS), parts, checksum, _bytes(row["mac"]), index, leaf, waiting)

    def _may_be_waiting(self, entry_id: str) -> bool:
        """An export does not say what waits for the log: whatever is younger than all leaves, or than a minute, may."""
        if entry_id > self._leaves.youngest:
            return True
        return not self._leaves.has_holes and millisecond_of(entry_id) > epoch(self.taken_at) - _MAY_WAIT_MS

    def _rows(self, kind: str) -> Iterator[dict[str, Any]]:
        for found, line in self._lines():
            if found == kind:
                yield orjson.loads(line)

    def _lines(self) -> Iterator[tuple[str, bytes]]:
        """Kind and text of each line. The kind comes first in it."""
        with self._opened() as file:
            for number, line in enumerate(file, 1):
                start = line[:32].split(b'"', 4)
                if len(start) < 4 or start[1] != b"kind":
                    raise Misconfigured(f"{self._path}, line {number}: this is no line of an export.")
                yield start[3].decode("ascii", "replace"), line

    def _opened(self) -> BinaryIO:
        try:
            return self._path.open("rb")
        except OSError as error:
            raise Misconfigured(f"{self._path}: it cannot be read: {error.strerror}.") from error

    def _first_and_last(self) -> tuple[dict[str, Any], dict[str, Any]]:
        with self._opened() as file:
            first = file.readline()
            file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
            last = file.read().rstrip(b"\n").rpartition(b"\n")[2]
        try:
            header, footer = orjson.loads(first), orjson.loads(last)
        except ValueError:
            header = footer = {}
        if not isinstance(header, dict) or header.get("kind") != "header" or header.get("format") != FORMAT:
            raise Misconfigured(f"{self._path}: this is no export of the trail ({FORMAT}).")
        if not isinstance(footer, dict) or footer.get("kind") != "footer":
            raise Misconfigured(f"{self._path}: it is cut off: its last line is not the one that ends an export.")
        return header, footer


class _LeafFile:
    """Leaves by index in a scratch file, and which of them an entry was seen for."""

    def __init__(self) -> None:
        self._file: BinaryIO | None = None
        self._count = self._added = 0
        self._there = bytearray()
        self.youngest = ""
        self._seen = bytearray()

    def __enter__(self) -> Self:
        self._file = tempfile.TemporaryFile()
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, row: dict[str, Any]) -> None:
        """A leaf, at its place."""
        index, entry_id = int(row["leaf_index"]), str(row["entry_id"])
        if self._file is None or not 0 <= index <= self._count + _LARGEST_GAP:
            return
        os.pwrite(
            self._file.fileno(), bytes.fromhex(entry_id.replace("-", "")) + _bytes(row["checksum"]), index * _RECORD
        )
        self._added += 1
        self._count = max(self._count, index + 1)
        self.youngest = max(self.youngest, entry_id)
        self._there.extend(bytes(index // 8 + 1 - len(self._there)))
        self._there[index // 8] |= 1 << index % 8

    @property
    def has_holes(self) -> bool:
        """Whether an index below the last one is missing."""
        return self._added < self._count

    def of(self, index: int | None, entry_id: str) -> bytes | None:
        """The checksum of this entry's leaf, None when it has none there."""
        if self._file is None or index is None or not 0 <= index < self._count:
            return None
        record = os.pread(self._file.fileno(), _RECORD, index * _RECORD)
        if record[:16].hex() != entry_id.replace("-", ""):
            return None
        self._note(index)
        return record[16:]

    def forget(self) -> None:
        """No entry was seen yet."""
        self._seen = bytearray(self._count // 8 + 1)

    def unseen(self, limit: int) -> list[LeafRow]:
        """At most limit leaves that no entry was seen for."""
        assert self._file is not None  # noqa: S101 - inside the with block
        found: list[LeafRow] = []
        for index in range(self._count):
            if (self._there[index // 8] & ~self._seen[index // 8]) >> index % 8 & 1:
                record = os.pread(self._file.fileno(), _RECORD, index * _RECORD)
                found.append(LeafRow(index, _uuid(record[:16].hex()), record[16:]))
                if len(found) >= limit:
                    break
        return found

    def _note(self, index: int) -> None:
        if self._seen:
            self._seen[index // 8] |= 1 << index % 8


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _lead(row: dict[str, Any]) -> str:
    return orjson.dumps({name: row[name] for name in LEAD_COLUMNS}).decode()


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except (ValueError, TypeError):
        return b""


def _uuid(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
