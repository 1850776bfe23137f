"""What the pages of an import show: the file, its columns, what will happen, what has happened. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from console import wording
from leads_core.jobs.queue import JobRead
from leads_core.leads.row_matching import Existing
from leads_core.transfer import column_matching
from leads_core.transfer.importing import ImportOptions, ImportResult
from leads_core.transfer.readers import Table

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


def draft_document(table: Table, columns: Mapping[str, str | None], plan: ImportResult | None) -> dict[str, Any]:
    """What a draft remembers of its file, so that looking at the page again costs nothing."""
    matches = column_matching.match_columns(table.header, table.samples)
    shown = [
        {
            **asdict(match),
            "field": columns.get(match.name),
            "how": match.how if columns.get(match.name) == match.field else "chosen by you",
        }
        for match in matches
    ]
    file = {
        "total": table.total,
        "size": table.size,
        "encoding": table.encoding_name,
        "split": table.delimiter_name,
        "has_names": table.has_names,
    }
    return {"columns": shown, "file": file, "plan": asdict(plan) if plan else None}


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
    if job.state == "failed":
        return f"Stopped. {job.error or ''}".strip()
    if not job.is_finished:
        return "Importing"
    parts = [(result.created, "created"), (result.updated, "changed"), (result.rejected, "rejected")]
    said = [f"{wording.number(number)} {word}" for number, word in parts if number]
    return " · ".join(said) or "Nothing new"


def columns_of(names: Sequence[str], chosen: Sequence[str]) -> dict[str, str | None]:
    """Each column with the field that its select says."""
    return {name: field or None for name, field in zip(names, chosen, strict=False)}
