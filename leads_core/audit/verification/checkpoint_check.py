"""Checkpoints from every place, in order of size: whether a trusted key signed each, and what it claims."""

from __future__ import annotations

import heapq
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from leads_core.audit.log.checkpoint_file import CheckpointFile, FiledCheckpoint
from leads_core.audit.record.signed_note import BadNote, Checkpoint, VerifierKey, checkpoint_in, open_checkpoint
from leads_core.audit.verification.evidence import CheckpointRow
from leads_core.audit.verification.findings import FindingKind, Findings
from leads_core.errors import Misconfigured

TABLE, FILE, GIVEN = "checkpoint", "line", "given"
_UNREAD = 10_000


@dataclass(frozen=True, slots=True)
class Claim:
    """A checkpoint that a trusted key signed. place says where it stands, in words; origin which of the three."""

    size: int
    root: bytes
    log_name: str
    origin: str
    place: str
    is_newest_line: bool = False


@dataclass(frozen=True, slots=True)
class Reopening:
    """What a REOPEN entry gives up: the checkpoints of this name above what was kept, up to the abandoned head."""

    log_name: str
    kept_size: int
    abandoned_size: int
    new_name: str
    reason: str

    @classmethod
    def of(cls, intact: Iterable[Any]) -> list[Reopening]:
        """From intact REOPEN entries (an EntryRow's values) that are in the log."""
        found = []
        for row in intact:
            if row[1] == "log" and row[4] == "REOPEN" and row[15] is not None:
                try:
                    said = {name: change[1] for name, change in orjson.loads(row[12])["data"][1].items()}
                    found.append(
                        cls(
                            said["abandoned_log_name"],
                            said["kept_size"],
                            said["abandoned_size"],
                            said["log_name"],
                            said["reason"],
                        )
                    )
                except (ValueError, KeyError, TypeError, IndexError):
                    continue
        return found

    def gives_up(self, claim: Claim) -> bool:
        """Whether this checkpoint is one of those that were abandoned."""
        return claim.log_name == self.log_name and self.kept_size < claim.size <= self.abandoned_size


@dataclass(slots=True)
class Notes:
    """Reads notes, says which are not signed, and counts."""

    verifier_keys: Sequence[VerifierKey]
    log_names: frozenset[str] | None
    findings: Findings
    reopenings: Sequence[Reopening] = ()
    count: int = 0
    given_up: dict[int, int] = field(default_factory=dict)
    bad: dict[str, list[str]] = field(default_factory=dict)
    _last: tuple[str, Checkpoint | None] = ("", None)

    def claim(self, note: str, origin: str, place: str, **more: Any) -> Claim | None:
        """What the note claims, if a trusted key signed it and no REOPEN entry gives it up."""
        checkpoint = self._opened(note, place)
        if checkpoint is None:
            return None
        claim = Claim(checkpoint.size, checkpoint.root, checkpoint.log_name, origin, place, **more)
        for index, reopening in enumerate(self.reopenings):
            if reopening.gives_up(claim):
                self.given_up[index] = self.given_up.get(index, 0) + 1
                return None
        return claim

    def warnings(self) -> Iterator[str]:
        """What was given up, and why."""
        for index in self.given_up:
            given = self.reopenings[index]
            yield (
                f"The log {given.log_name} was abandoned above {given.kept_size} of its {given.abandoned_size} entries "
                f'and goes on as {given.new_name}, because: "{given.reason}".'
            )

    def _opened(self, note: str, place: str) -> Checkpoint | None:
        if note == self._last[0]:
            return self._last[1]
        checkpoint = None
        try:
            checkpoint, _ = open_checkpoint(note, self.verifier_keys)
        except BadNote as error:
            self.bad.setdefault(str(error), []).append(place)
        else:
            if self.log_names is not None and checkpoint.log_name not in self.log_names:
                self.bad.setdefault("it is of another log", []).append(place)
                checkpoint = None
        self._last = (note, checkpoint)
        return checkpoint

    def report(self) -> None:
        """One finding for all that are bad for one reason."""
        for reason, places in self.bad.items():
            more = f" The same holds for {len(places) - 1} more: {_few(places[1:])}." if len(places) > 1 else ""
            self.findings.add(FindingKind.SIGNATURE, f"{reason[:1].upper()}{reason[1:]}.{more}", subject=places[0])


class FileLines:
    """The lines of this machine's checkpoint file as they were when verification began, and no later ones."""

    def __init__(self, path: Path | None) -> None:
        self._file = None if path is None else CheckpointFile(path)
        self.count = 0
        #: Lines that were signed after an export was made.
        self.later = 0
        if path is not None and path.exists():
            try:
                with path.open("rb") as file:
                    self.count = sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))
            except OSError as error:
                raise Misconfigured(f"AUDIT_CHECKPOINT_FILE: {path} cannot be read: {error.strerror}.") from error

    def __iter__(self) -> Iterator[tuple[int, FiledCheckpoint]]:
        return enumerate(islice(self._file or (), self.count), 1)

    def end_at(self, moment: datetime) -> None:
        """Leave out what was signed later: an export that was made then cannot hold it."""
        kept = 0
        for number, line in self:
            if line.at is not None and line.at > moment:
                break
            kept = number
        self.later, self.count = self.count - kept, kept

    def claims(self, notes: Notes) -> Iterator[Claim]:
        """In the order of the file, which is that of size. A line that is none, or out of order, is a finding."""
        size = -1
        for number, line in self:
            place = f"{FILE} {number} of the checkpoint file"
            notes.count += 1
            if line.problem is not None:
                notes.findings.add(FindingKind.MALFORMED, f"It is no checkpoint: {line.problem}.", subject=place)
                continue
            claim = notes.claim(line.note, FILE, place, is_newest_line=number == self.count)
            if claim is None:
                continue
            if claim.size < size:
                notes.findings.add(
                    FindingKind.EDITED, "The lines of the file are not in the order in which they were written.",
                    subject=place, fields="order",
                )  # fmt: skip
                continue
            size = claim.size
            yield claim


def given_notes(paths: Sequence[Path], notes: Notes) -> list[Claim]:
    """The checkpoints that were kept elsewhere. Raises Misconfigured for a file that cannot be read, or holds none."""
    claims = []
    for path in paths:
        try:
            note = path.read_text(encoding="utf-8")
            checkpoint_in(note)
        except (OSError, ValueError) as error:
            raise Misconfigured(f"--checkpoint {path}: this is no checkpoint that can be read: {error}.") from error
        notes.count += 1
        if claim := notes.claim(note, GIVEN, f"checkpoint in {path.name}"):
            claims.append(claim)
    return sorted(claims, key=lambda claim: claim.size)


async def table_claims(
    batches: AsyncGenerator[Sequence[Any]], notes: Notes, numbers: NumberCheck
) -> AsyncGenerator[Claim]:
    """The database's checkpoints, in order of size."""
    async for batch in batches:
        for row in map(CheckpointRow._make, batch):
            place = f"{TABLE} {row.number}"
            notes.count += 1
            given_up = sum(notes.given_up.values())
            claim = notes.claim(row.note, TABLE, place)
            if sum(notes.given_up.values()) > given_up:
                numbers.note_given_up(row)
                continue
            numbers.note(row)
            if claim is None:
                numbers.note_unread(row)
                continue
            columns = {"size": row.size, "root": row.root, "log_name": row.log_name}
            if wrong := [name for name, value in columns.items() if getattr(claim, name) != value]:
                notes.findings.add(
                    FindingKind.EDITED, "A column does not say what the signed note says.",
                    subject=place, fields=wrong,
                )  # fmt: skip
            yield claim


class NumberCheck:
    """Rows of audit_checkpoints in order of size: their numbers must rise with it, one by one."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._last = 0
        self._reordered = False
        self.missing: list[tuple[int, int]] = []
        self.unread_sizes: set[int] = set()
        self._given_up: set[int] = set()

    def note(self, row: CheckpointRow) -> None:
        if row.number < self._last:
            if not self._reordered:
                self._reordered = True
                self._findings.add(
                    FindingKind.EDITED, "The checkpoints' numbers do not rise with their sizes.",
                    subject=f"{TABLE} {row.number}", fields="number",
                )  # fmt: skip
            return
        if row.number > self._last + 1:
            self.missing.append((self._last + 1, row.number - 1))
        self._last = row.number

    def note_given_up(self, row: CheckpointRow) -> None:
        """A row that a REOPEN entry gives up: of a larger log, though its number is smaller than what came after."""
        if len(self._given_up) < _UNREAD:
            self._given_up.add(row.number)

    def note_unread(self, row: CheckpointRow) -> None:
        """A row whose note claims nothing: a finding by itself, and no checkpoint that is gone."""
        if len(self.unread_sizes) < _UNREAD:
            self.unread_sizes.add(row.size)

    @property
    def gaps(self) -> list[tuple[int, int]]:
        """Numbers that no row has; unknown once the rows are out of order."""
        if self._reordered:
            return []
        return [
            gap for gap in self.missing if not all(number in self._given_up for number in range(gap[0], gap[1] + 1))
        ]


async def in_order(table: AsyncGenerator[Claim], others: Sequence[Iterator[Claim]]) -> AsyncGenerator[Claim]:
    """All claims by size. The file's and the given ones are merged in as the table's come."""
    rest: Iterator[Claim] = heapq.merge(*others, key=_size)
    waiting = next(rest, None)
    async for claim in table:
        while waiting is not None and waiting.size < claim.size:
            yield waiting
            waiting = next(rest, None)
        yield claim
    while waiting is not None:
        yield waiting
        waiting = next(rest, None)


_size: Callable[[Claim], int] = lambda claim: claim.size  # noqa: E731 - a key, not a step


def _few(places: Sequence[str]) -> str:
    return ", ".join(places[:5]) + (", ..." if len(places) > 5 else "")
