"""Leads as CSV, Excel workbook or JSON Lines, of any number: page by page, so that nothing is held meanwhile.

The CSV begins with a byte order mark (spreadsheets take it for another encoding without one), is safe from formulas,
and can be imported again: its names are the fields', and armed cells are disarmed on their way in.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from leads_core.audit.record.entry import timestamp
from leads_core.database import Database
from leads_core.leads.filters import PAGING_PARAMETERS, LeadFilter
from leads_core.leads.ordering import Sort
from leads_core.leads.queries import page_of_leads
from leads_core.leads.rows import LeadRow, leads_with_ids
from leads_core.paging import Cursors
from leads_core.transfer.export_columns import COLUMNS, picked
from leads_core.transfer.formulas import armed
from leads_core.transfer.workbook_writing import Cell, workbook

PAGE = 1000
MARK = "\ufeff"
_JSON = msgspec.json.Encoder()

Pages: TypeAlias = AsyncGenerator[list[LeadRow], None]
Pieces: TypeAlias = AsyncGenerator[bytes, None]


class Format(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"


MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.JSONL: "application/jsonl; charset=utf-8",
}


@dataclass(slots=True)
class Counted:
    """How many leads were written so far."""

    leads: int = 0


async def export(
    database: Database,
    wanted: LeadFilter,
    sort: Sort,
    cursors: Cursors,
    as_format: Format,
    counted: Counted,
    columns: Sequence[str] | None = None,
) -> AsyncIterator[bytes]:
    """The leads of a filter in pieces. Errors come before the first piece, or end the stream.

    columns are named_columns; None for all, which of JSON Lines is every field of the API.

    CSV and JSON Lines come a page of 1,000 at a time, a workbook when all leads are in it. A search too broad to be
    sorted comes newest first. Whoever sends the pieces away records it (RecordedExport).
    """
    async with aclosing(_pieces(_pages(database, wanted, sort, cursors), as_format, counted, columns)) as pieces:
        async for piece in pieces:
            yield piece


async def export_these(
    database: Database, ids: Sequence[UUID], as_format: Format, counted: Counted
) -> AsyncIterator[bytes]:
    """Exactly these leads, those in the bin too, in pieces as export gives them."""
    async with aclosing(_pieces(_pages_of(database, ids), as_format, counted)) as pieces:
        async for piece in pieces:
            yield piece


def canonical_query(parameters: Mapping[str, Sequence[str]], *, me: UUID | None = None) -> str:
    """The filter as the trail keeps it: one spelling, whoever typed it in which order. Empty for all leads.

    owner=me becomes the id of whoever that was.
    """
    of_me = {"me": str(me), "!me": f"!{me}"} if me else {}
    pairs = [
        (name, of_me.get(value, value) if name == "owner" else value)
        for name, values in parameters.items()
        if name == "sort" or name not in PAGING_PARAMETERS
        for value in values
    ]
    return urlencode(sorted(set(pairs)))


def csv_lines(rows: Iterable[Sequence[str]]) -> str:
    """Lines as RFC 4180 has them, each cell safe from being run as a formula."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([armed(cell) for cell in row] for row in rows)
    return text.getvalue()


async def _pieces(pages: Pages, as_format: Format, counted: Counted, columns: Sequence[str] | None = None) -> Pieces:
    write = _WRITERS[as_format]
    async with aclosing(pages), aclosing(write(_counting(pages, counted), columns)) as pieces:
        async for piece in pieces:
            yield piece


async def _pages_of(database: Database, ids: Sequence[UUID]) -> Pages:
    for start in range(0, len(ids), PAGE):
        async with database.reader() as reader:
            page = await leads_with_ids(reader, ids[start : start + PAGE])
        yield page


async def _pages(database: Database, wanted: LeadFilter, sort: Sort, cursors: Cursors) -> Pages:
    cursor: str | None = None
    while True:
        async with database.reader() as reader:
            page = await page_of_leads(
                reader, wanted, sort, cursor, PAGE, cursors=cursors, total=False, when_too_broad="newest"
            )
        yield page.items
        cursor = page.next_cursor
        if cursor is None:
            return


async def _counting(pages: Pages, counted: Counted) -> Pages:
    async for leads in pages:
        counted.leads += len(leads)
        yield leads


async def _as_csv(pages: Pages, columns: Sequence[str] | None) -> Pieces:
    names = columns or COLUMNS
    head = MARK + csv_lines([names])
    async for leads in pages:
        yield (head + csv_lines([_cell(getattr(lead, name)) for name in names] for lead in leads)).encode()
        head = ""


async def _as_json_lines(pages: Pages, columns: Sequence[str] | None) -> Pieces:
    async for leads in pages:
        yield _JSON.encode_lines([picked(lead, columns) for lead in leads] if columns else leads)


async def _as_workbook(pages: Pages, columns: Sequence[str] | None) -> Pieces:
    names = columns or COLUMNS

    async def rows() -> AsyncIterator[list[list[Cell]]]:
        async for leads in pages:
            yield [[_sheet_cell(getattr(lead, name)) for name in names] for lead in leads]

    async with aclosing(workbook(names, rows())) as pieces:
        async for piece in pieces:
            yield piece


def _sheet_cell(value: Any) -> Cell:
    return value if isinstance(value, int) and not isinstance(value, bool) else _cell(value)


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return ",".join(value)
        case datetime():
            return timestamp(value)
        case _:
            return str(value)


_WRITERS: dict[Format, Callable[[Pages, Sequence[str] | None], Pieces]] = {
    Format.CSV: _as_csv,
    Format.XLSX: _as_workbook,
    Format.JSONL: _as_json_lines,
}
