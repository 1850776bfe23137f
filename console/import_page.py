"""What the pages of an import show: the file, its columns, what will happen, what has happened. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from console import job_wording, wording
from leads_core.jobs.queue import JobRead
from leads_core.leads.foreseeing import Difference
from leads_core.leads.row_matching import Existing, Outcome
from leads_core.transfer import column_matching
from leads_core.transfer.checking import SHOWN
from leads_core.transfer.delimited import ENCODINGS, MIB
from leads_core.transfer.import_options import ImportOptions, ImportResult
from leads_core.transfer.readers import FILE_LIMIT

#: What a file may have, and what is said of a larger one, before it is sent and after.
LARGEST = FILE_LIMIT
LARGEST_IN_WORDS = f"{LARGEST // MIB} MB"
TOO_LARGE = f"The file is larger than {LARGEST_IN_WORDS}. Split it and import the parts."
#: Refused rows that a page lists; the others are in the download.
LISTED = 50
STEPS = ("File", "Columns", "Check", "Import")
KEYS = {
    "created": ("Created", "new leads"),
    "updated": ("Changed", "leads you have"),
    "unchanged": ("Left alone", "same as what you have"),
    "rejected": ("Rejected", "kept for download, with reasons"),
}
CHANGED = {
    Existing.FILL: "empty fields filled in leads you have",
    Existing.OVERWRITE: "fields overwritten in leads you have",
    Existing.LEAVE: "leads you have",
}
#: The rows that a check shows in full: outcome -> the word above them.
SHOWN_ROWS = {"updated": "Changed", "created": "Created", "unchanged": "Left alone"}
ENCODING_CHOICES = tuple(ENCODINGS.items())
DELIMITER_CHOICES = ((",", "commas"), (";", "semicolons"), ("tab", "tabs"), ("|", "bars"))
CALLED = {"running": "Importing", "completed": "Imported"}
EXISTING_WORDS = {
    Existing.FILL: "Fill only its empty fields",
    Existing.OVERWRITE: "Overwrite with the file",
    Existing.LEAVE: "Leave it alone",
}
FIELD_CHOICES = tuple((name, wording.field_label(name)) for name in wording.FIELDS if name in column_matching.FIELDS)


@dataclass(frozen=True, slots=True)
class Share:
    """One part of the bar, in 480ths of its width, and its line in the table below."""

    key: str
    label: str
    number: int
    meaning: str
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """One row that cannot come in."""

    row: int
    field: str
    value: str
    message: str


def shares(result: ImportResult, existing: Existing) -> list[Share]:
    """The four outcomes as parts of one bar; none that counts is thinner than can be seen."""
    total = max(1, result.done)
    found: list[Share] = []
    start = 0.0
    for key, (label, meaning) in KEYS.items():
        number: int = getattr(result, key)
        width = max(2.0, 480 * number / total) if number else 0.0
        words = CHANGED[existing] if key == "updated" else meaning
        found.append(Share(key, label, number, words, round(min(start, 480 - width), 1), round(width, 1)))
        start += width
    return found


def refused_lines(result: ImportResult) -> list[RefusedLine]:
    """The first refused rows, with the fields' own names."""
    return [
        RefusedLine(row["row"], wording.field_label(row["field"]), row["value"] or "(empty)", row["message"])
        for row in result.rows[:LISTED]
    ]


def result_of(job: JobRead) -> ImportResult:
    """How far the job has come."""
    return ImportResult.of(job.result)


def options_of(job: JobRead) -> ImportOptions:
    return ImportOptions.of(job.wanted)


def size_in_words(size: int) -> str:
    """Bytes as people read them."""
    if size < 1000:
        return wording.plural(size, "byte")
    return f"{size / 1000:,.0f} KB" if size < 1_000_000 else f"{size / 1_000_000:,.1f} MB"


def outcome_in_words(job: JobRead) -> str:
    """One line of the list of earlier imports."""
    result = result_of(job)
    if not job.is_finished:
        return f"{wording.number(job.done)} of {wording.plural(job.total or 0, 'row')}"
    parts = [(result.created, "created"), (result.updated, "changed"), (result.rejected, "rejected")]
    said = [f"{wording.number(number)} {word}" for number, word in parts if number]
    if job.error:
        said.append(job.error)
    return " · ".join(said) or "Nothing new"


def state_of(job: JobRead) -> tuple[str, str]:
    """The dot's state, and the word beside it."""
    return job_wording.state_of(job, CALLED)


def left_in_words(job: JobRead, now: datetime) -> str:
    """About how long it will take, from how long it took so far; empty while nobody can say."""
    if not job.started_at or not job.done or not job.total or job.attempt > 1:
        return ""
    seconds = (now - job.started_at).total_seconds() * (job.total - job.done) / job.done
    return f"about {wording.duration(seconds if seconds < 10 else round(seconds))} left" if seconds >= 1 else ""


def not_begun(job: JobRead) -> int:
    """Rows that a stopped import left out."""
    return max(0, (job.total or 0) - job.done) if job.state in {"cancelled", "failed"} else 0


def can_be_undone(job: JobRead) -> bool:
    """Whether it changed any lead."""
    result = result_of(job)
    return job.is_finished and bool(result.created + result.updated)


@dataclass(frozen=True, slots=True)
class ShownRows:
    """Some rows of a check: which outcome, which page of how many."""

    outcome: Outcome
    number: int
    pages: int
    rows: Sequence[Difference]

    @classmethod
    def pages_of(cls, plan: ImportResult, outcome: Outcome) -> int:
        """How many pages the rows of this outcome fill."""
        return -(-int(getattr(plan, outcome)) // SHOWN)

    @property
    def title(self) -> str:
        return SHOWN_ROWS[self.outcome]


def in_words(name: str, value: object, owners: dict[str, str]) -> str:
    """A field's value; an owner by name."""
    if isinstance(value, UUID):
        return owners.get(str(value), "somebody")
    return wording.value_in_words(name, value)


def rejected_name(job: JobRead) -> str:
    """What the download of refused rows is called: plain signs alone."""
    stem = options_of(job).file_name.rpartition(".")[0] or "import"
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "-" for sign in stem)
    return f"{plain[:80]}-rejected.csv"


def reading_of(file: Mapping[str, Any]) -> dict[str, str]:
    """How the file was read, as the fields of a form have it."""
    if not file:
        return {"encoding": "", "delimiter": "", "has_names": "", "sheet": ""}
    encoding = file["encoding"] if file["encoding"] in ENCODINGS else "utf-16"
    delimiter = "tab" if file["delimiter"] == "\t" else file["delimiter"]
    names = "true" if file["has_names"] else "false"
    return {"encoding": encoding, "delimiter": delimiter, "has_names": names, "sheet": file["sheet"]}


def columns_of(names: Sequence[str], chosen: Sequence[str]) -> dict[str, str | None]:
    """Each column with the field that its select says."""
    return {name: field or None for name, field in zip(names, chosen, strict=False)}
