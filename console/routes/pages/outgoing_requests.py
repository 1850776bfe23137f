"""What left the house for a lead: beside it when it is opened, as a page without a script, and as a file."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from console.dependencies import GuardedRoute, requires
from console.downloading import RecordedDownload
from console.requests_page import request_line
from console.routes.pages.lead import Desk
from leads_core.accounts.permissions import Permission
from leads_core.audit.export_entries import RecordedExport
from leads_core.enrichment.outgoing_requests import requests_of
from leads_core.transfer.exporting import MEDIA_TYPES, Format
from leads_core.transfer.exporting_requests import RequestsExport

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

SHOWN = 200


@router.get("/leads/{lead_id}/requests")
@requires(Permission.READ_LEADS)
async def show(lead_id: UUID, desk: Desk) -> Response:
    """The newest requests; the file has all."""
    lead = await desk.leads.get(lead_id, deleted=None)
    async with desk.pool.transaction() as session:
        found = await requests_of(session, lead_id, limit=SHOWN + 1)
    lines = [request_line(one) for one in found[:SHOWN]]
    more = len(found) > SHOWN
    return desk.render.page("lead/requests.html", "requests", lead=lead, lines=lines, more=more)


@router.get("/leads/{lead_id}/requests.csv")
@requires(Permission.READ_LEADS)
async def export(lead_id: UUID, desk: Desk) -> Response:
    """All of them. The trail says who took the file, how many rows it has, and its SHA-256."""
    await desk.leads.get(lead_id, deleted=None)
    leaving = RequestsExport(desk.pool, lead_id)
    recorded = RecordedExport(desk.pool, "requests", as_format=Format.CSV.value, wanted=f"lead_id={lead_id}")
    await recorded.begin()
    return RecordedDownload(
        recorded,
        leaving.pieces(),
        lambda: leaving.rows,
        name=f"requests-{datetime.now(UTC):%Y-%m-%d}.csv",
        media_type=MEDIA_TYPES[Format.CSV],
    )
