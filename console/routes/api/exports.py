"""GET /api/v1/leads/export: the leads of a filter as one stream, of any size."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.dependencies import Config, CurrentVisitor, GuardedRoute, Pool, requires
from console.downloading import RecordedDownload
from console.routes.api.examples import ANSWERS
from leads_core.accounts.permissions import Permission
from leads_core.audit.export_entries import RecordedExport
from leads_core.errors import Invalid
from leads_core.leads.filters import LeadFilter
from leads_core.leads.ordering import Sort
from leads_core.paging import Cursors
from leads_core.transfer import exporting
from leads_core.transfer.export_columns import CHOOSABLE, named_columns
from leads_core.transfer.exporting import Format

router = APIRouter(prefix="/api/v1/leads", route_class=GuardedRoute, tags=["import and export"])

DOCUMENTED: dict[str, Any] = {
    "parameters": [
        {"name": "format", "in": "query", "schema": {"enum": ["csv", "xlsx", "jsonl"], "default": "csv"}},
        {
            "name": "columns",
            "in": "query",
            "style": "form",
            "explode": False,
            "schema": {"type": "array", "items": {"enum": list(CHOOSABLE)}},
            "description": "The columns, in this order; all of them without.",
        },
        {"name": "sort", "in": "query", "schema": {"type": "string", "default": "-created_at"}},
        {"name": "q", "in": "query", "schema": {"type": "string"}, "description": "And every filter of the list."},
    ]
}


@router.get("/export", responses=ANSWERS, openapi_extra=DOCUMENTED)
@requires(Permission.READ_LEADS)
async def export(request: Request, pool: Pool, config: Config, who: CurrentVisitor) -> Response:
    """Every lead of a filter, as CSV (UTF-8 with a byte order mark), Excel workbook or JSON Lines.

    CSV and workbook are safe from formulas. A workbook's first byte comes when all leads are in it.

    The trail says who took it, when, with which filter and columns, how many rows, and the SHA-256 of the file.
    """
    query = request.query_params
    as_format = format_of(query.get("format", Format.CSV.value))
    parameters = {name: query.getlist(name) for name in query if name not in {"format", "columns"}}
    columns = named_columns(query.getlist("columns"))
    wanted = LeadFilter.from_query(parameters, me=who.user_id)
    sort = Sort.parse(query.get("sort"), in_bin=wanted.deleted)
    counted = exporting.Counted()
    pieces = exporting.export(pool, wanted, sort, Cursors(config.signing_secret), as_format, counted, columns)
    first = await anext(pieces)
    recorded = RecordedExport(
        pool,
        "leads",
        as_format=as_format.value,
        wanted=exporting.canonical_query(parameters, me=who.user_id),
        columns=columns,
    )
    await recorded.begin()
    return RecordedDownload(
        recorded,
        _after(first, pieces),
        lambda: counted.leads,
        name=f"leads-{datetime.now(UTC):%Y-%m-%d}.{as_format.value}",
        media_type=exporting.MEDIA_TYPES[as_format],
    )


async def _after(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The first piece was read before the answer began, so that what is wrong is a status, not a broken file."""
    yield first
    async for piece in others:
        yield piece


def format_of(text: str) -> Format:
    """Raises Invalid, which names those that there are."""
    try:
        return Format(text)
    except ValueError:
        raise Invalid.of("query.format", "Give csv, xlsx or jsonl.") from None
