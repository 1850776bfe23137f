"""Rows of a file as leads: each cell to its field, or the reason why the row cannot come in. Pure but for the file."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

from pydantic import ValidationError

from leads_core.errors import FieldError
from leads_core.leads.row_matching import UpsertRow
from leads_core.leads.schemas import LeadCreate, field_error
from leads_core.transfer import readers
from leads_core.transfer.column_matching import JOINED
from leads_core.transfer.days import iso_day
from leads_core.transfer.delimited import BROKEN
from leads_core.transfer.formulas import disarmed
from leads_core.transfer.readers import Row, Table, shown

#: Characters of a refused value that are shown, and of a refused cell that are kept for download.
VALUE_LIMIT = 200
CELL_KEPT = 20_000

_GROUPED = re.compile(r"\d{1,3}(?:[., '\u00a0\u202f]\d{3})+")
_LIST_SIGNS = re.compile(r"[,;\n]")
_NOT_TEXT = "These bytes are no text in the file's encoding. Save the file as CSV UTF-8 and import it again."


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that cannot come in, and what the person can do. cells are the row's, for download."""

    number: int
    field: str
    value: str
    message: str
    cells: Sequence[str]


@dataclass(slots=True)
class RowReader:
    """Reads a file's rows; knows which identities stood in earlier ones."""

    file: BinaryIO
    table: Table
    columns: Mapping[str, str]
    is_manual: bool = False
    source: str = ""
    #: Field -> what a row says that says nothing itself.
    for_all: Mapping[str, str] = field(default_factory=dict)
    #: Added to what each lead has.
    tags: tuple[str, ...] = ()
    checked_at: str | None = None
    _checked: datetime | None = field(init=False, default=None)
    _places: list[tuple[int, str]] = field(init=False)
    _first_row_of: dict[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._places = [(at, self.columns[name]) for at, name in enumerate(self.table.header) if name in self.columns]
        self._checked = datetime.fromisoformat(self.checked_at) if self.checked_at else None

    def rows(self) -> Generator[tuple[Row, UpsertRow | Refused]]:
        """Each row of data in order: a lead, or the reason why not."""
        for row in readers.rows(self.file, self.table):
            yield row, self.read(row)

    def refusal(self, row: Row, error: FieldError) -> Refused:
        """The row with the field that is wrong, and the value as it stands in the file."""
        value = " ".join(row.cells[at] for at, name in self._places if name == error.field and at < len(row.cells))
        message = _NOT_TEXT if BROKEN in value else error.message
        kept = [shown_lines(cell) for cell in row.cells]
        return Refused(row.number, error.field, shown(value.strip(), VALUE_LIMIT), message, kept)

    def read(self, row: Row) -> UpsertRow | Refused:
        """One row: a lead, or the reason why not."""
        if row.problem is not None:
            return self.refusal(row, FieldError("row", row.problem))
        values = {**self.for_all, **self._values(row.cells)}
        given = frozenset(values)
        if self.tags:
            values["tags"] = [*values.get("tags", []), *self.tags]
        values.setdefault("is_manual", self.is_manual)
        values.setdefault("source_detail", f"{self.source}, row {row.number}"[:1000])
        try:
            lead = LeadCreate.model_validate(values)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False, include_context=False)
            return self.refusal(row, field_error(found[0]))
        return self._unless_twice(row, lead, given)

    def _values(self, cells: Sequence[str]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for at, name in self._places:
            cell = cells[at]
            if not cell or cell.isspace():
                continue
            cell = disarmed(cell)
            values[name] = f"{values[name]}{JOINED[name]}{cell}" if name in values else cell
        if "tags" in values:
            values["tags"] = _LIST_SIGNS.split(values["tags"])
        if "employee_count" in values and _GROUPED.fullmatch(values["employee_count"].strip()):
            values["employee_count"] = re.sub(r"\D", "", values["employee_count"])
        if "follow_up_on" in values:
            values["follow_up_on"] = iso_day(values["follow_up_on"])
        for name in ("stage", "is_manual"):
            if name in values:
                values[name] = values[name].strip().lower()
        return values

    def _unless_twice(self, row: Row, lead: LeadCreate, given: frozenset[str]) -> UpsertRow | Refused:
        name, identity = ("email", lead.email) if lead.email else ("domain", lead.domain)
        first = self._first_row_of.setdefault(identity or "", row.number)
        if first != row.number:
            return self.refusal(row, FieldError(name, f"Twice in this file: first in row {first:,}."))
        given = _really_given(lead, given)
        return UpsertRow(row.number, lead, given, added_tags=self.tags, checked_at=self._checked)


def _really_given(lead: LeadCreate, given: frozenset[str]) -> frozenset[str]:
    """Without the cells in which nothing was left after cleaning."""
    return frozenset(name for name in given if getattr(lead, name) not in (None, []))


def shown_lines(cell: str) -> str:
    """A cell as it can be kept: its lines stay, signs that no text has do not."""
    return "\n".join(shown(line, CELL_KEPT) for line in cell[:CELL_KEPT].splitlines()) if cell else ""
