"""GET /api/v1/leads: filters, search, sort and cursors. Rows go from the wire to JSON without a model between."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.dependencies import Config, CurrentVisitor, GuardedRoute, Pool, requires
from console.routes.api.answers import json_answer
from console.routes.api.examples import ANSWERS
from leads_core.accounts.permissions import Permission
from leads_core.errors import Invalid
from leads_core.leads.filters import LeadFilter
from leads_core.leads.ordering import Sort
from leads_core.leads.queries import page_of_leads
from leads_core.leads.rows import LeadRow
from leads_core.paging import Cursors, Page, page_size

router = APIRouter(prefix="/api/v1/leads", route_class=GuardedRoute, tags=["leads"])

PARAMETERS = (
    *("is_manual", "stage", "enrichment_status", "enrichment_outcome", "source", "owner", "tag", "domain"),
    *("registrable_domain", "country", "created_from", "created_to", "updated_from", "updated_to", "follow_up_from"),
    *("enriched_from", "enriched_to", "checked_from", "checked_to", "updated_by"),
    *("follow_up", "follow_up_to", "has_email", "deleted", "q", "sort", "limit", "cursor", "total"),
)
DOCUMENTED: dict[str, Any] = {
    "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}} for name in PARAMETERS]
}


@router.get("", responses=ANSWERS, openapi_extra=DOCUMENTED)
@requires(Permission.READ_LEADS)
async def page(request: Request, pool: Pool, config: Config, who: CurrentVisitor) -> Response:
    """A page of leads. A filter given twice means any of, a leading `!` means not; total=none leaves the count out."""
    query = request.query_params
    wanted = LeadFilter.from_query(_as_lists(query), me=who.user_id)
    sort = Sort.parse(query.get("sort"), in_bin=wanted.deleted)
    size, total = page_size(query.get("limit")), _wants_total(query.get("total"))
    cursors = Cursors(config.signing_secret)
    async with pool.reader() as reader:
        found = await page_of_leads(reader, wanted, sort, query.get("cursor"), size, cursors=cursors, total=total)
    return json_answer(_document(found), headers=_links(request, found))


def _document(found: Page[LeadRow]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "items": found.items,
        "next_cursor": found.next_cursor,
        "previous_cursor": found.previous_cursor,
    }
    if found.total is not None:
        document["total"] = {"value": found.total.value, "relation": found.total.relation}
    if found.note is not None:
        document["note"] = found.note
    return document


def _links(request: Request, found: Page[LeadRow]) -> dict[str, str]:
    """RFC 8288: the neighbouring pages, the first and the last."""
    cursors = {"next": found.next_cursor, "prev": found.previous_cursor, "last": found.last_cursor}
    links = [
        f'<{request.url.path}?{request.url.include_query_params(cursor=cursor).query}>; rel="{name}"'
        for name, cursor in cursors.items()
        if cursor is not None
    ]
    first = request.url.remove_query_params("cursor")
    links.append(f'<{first.path}{"?" if first.query else ""}{first.query}>; rel="first"')
    return {"Link": ", ".join(links)}


def _as_lists(query: Any) -> dict[str, list[str]]:
    return {name: query.getlist(name) for name in query}


def _wants_total(text: str | None) -> bool:
    if text not in {None, "count", "none"}:
        raise Invalid.of("query.total", "Give none to leave the count out, or leave this out.")
    return text != "none"
