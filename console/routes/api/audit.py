"""The trail as scripts read it: one lead's, and the whole."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from console.dependencies import Config, CurrentVisitor, GuardedRoute, Pool, requires
from console.routes.api.answers import json_answer
from console.routes.api.examples import ANSWERS
from console.trail_export import MEDIA_TYPE, trail_download
from leads_core.accounts.permissions import Permission
from leads_core.audit import queries
from leads_core.audit.entry_filter import EntryFilter
from leads_core.audit.queries import EntryRead
from leads_core.audit.searching import page_of_entries
from leads_core.errors import NotFound
from leads_core.paging import Cursors, Position, page_size

router = APIRouter(prefix="/api/v1/leads", route_class=GuardedRoute, tags=["audit"])
everything = APIRouter(prefix="/api/v1/audit", route_class=GuardedRoute, tags=["audit"])

FILTERS = {
    "actor": "The id of a user or a token, `me`, or `system` (the command line).",
    "actor_kind": "user, token, system or anonymous.",
    "action": "CREATE, UPDATE, DELETE, RESTORE, ENRICH, REVERT, MERGE, DISMISS, ERASE, SIGN_IN, SIGN_IN_FAILED, "
    "SIGN_OUT, EXPORT, CHECKPOINT_KEPT, REOPEN. Given twice: any of.",
    "channel": "web, api, import, cli or worker. Given twice: any of.",
    "subject_kind": "lead, user, token, export or log. Given twice: any of.",
    "subject_id": "What the entry is about: the id of a lead, say.",
    "field": "Entries that change this field.",
    "occurred_from": "From this day (UTC) or instant on.",
    "occurred_to": "Up to this day or instant, which belongs to it.",
    "task_id": "Everything that one job did.",
    "request_id": "Everything that one request did, as X-Request-Id said it.",
}
FILTER_PARAMETERS = [
    {"name": name, "in": "query", "schema": {"type": "string"}, "description": says} for name, says in FILTERS.items()
]
PAGING_PARAMETERS = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in ("limit", "cursor")]
EXAMPLE: dict[str, Any] = {
    "items": [
        {
            "id": "01a20f7d-b10d-7697-bae4-96f31c224f3e",
            "lead_id": None,
            "subject_kind": "user",
            "subject_id": "0193f5a0-0000-7000-8000-0000000000bb",
            "seq": None,
            "action": "SIGN_IN",
            "user_id": "0193f5a0-0000-7000-8000-0000000000bb",
            "actor": {"kind": "user", "id": "0193f5a0-0000-7000-8000-0000000000bb", "name": "Ana Díaz"},
            "channel": "web",
            "ip_address": "203.0.113.7",
            "user_agent": "Mozilla/5.0",
            "request_id": "01a20f7d-b0ff-7a41-9d60-0242ac120002",
            "task_id": None,
            "occurred_at": "2026-11-24T18:35:04.123456Z",
            "old_values": {"method": None},
            "new_values": {"method": "password"},
            "erased": [],
            "checksum": "4996eef5c6a8a7b5c7d7f1a6c1b0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2",
            "log_index": 8412990,
        }
    ],
    "next_cursor": None,
}
PAGE_ANSWERS: dict[int | str, dict[str, Any]] = {
    **ANSWERS,
    200: {"description": "A page of entries", "content": {"application/json": {"example": EXAMPLE}}},
}
FILE_ANSWERS: dict[int | str, dict[str, Any]] = {
    **ANSWERS,
    200: {"description": "JSON Lines", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
}


@router.get("/{lead_id}/audit", responses=ANSWERS)
@requires(Permission.READ_LEADS)
async def trail(
    lead_id: UUID,
    pool: Pool,
    who: CurrentVisitor,
    config: Config,
    order: Annotated[Literal["asc", "desc"], Query()] = "asc",
    limit: Annotated[str | None, Query()] = None,
    cursor: Annotated[str | None, Query()] = None,
) -> Response:
    """Every entry of a lead, the oldest first; of a lead in the bin too."""
    cursors, size = Cursors(config.signing_secret), page_size(limit)
    this_list = f"audit\n{lead_id}\n{order}"
    position = cursors.read(cursor, this_list)
    after = position.key[0] if position.key else None
    async with pool.reader() as reader:
        entries = await queries.entries_of(
            reader,
            lead_id,
            newest_first=order == "desc",
            after=after,
            limit=size + 1,
            with_origin=who.may(Permission.READ_ORIGINS),
        )
    if not entries and after is None:
        raise NotFound("lead", lead_id)
    page, more = entries[:size], len(entries) > size
    next_cursor = cursors.write(Position(key=(page[-1].id,)), this_list) if more else None
    body = {"items": [entry_document(entry) for entry in page], "next_cursor": next_cursor}
    return json_answer(body)


@everything.get("", responses=PAGE_ANSWERS, openapi_extra={"parameters": [*FILTER_PARAMETERS, *PAGING_PARAMETERS]})
@requires(Permission.READ_TRAIL)
async def whole_trail(request: Request, pool: Pool, config: Config, who: CurrentVisitor) -> Response:
    """Every entry of a filter, the newest first. A page may be short, even empty, and have a next_cursor: go on."""
    query, cursors = request.query_params, Cursors(config.signing_secret)
    wanted, size = _filter_of(request, who), page_size(query.get("limit"))
    with_origin = who.may(Permission.READ_ORIGINS)
    async with pool.reader() as reader:
        page = await page_of_entries(
            reader, wanted, query.get("cursor"), size, cursors=cursors, with_origin=with_origin, total=False
        )
    return json_answer({"items": [entry_document(entry) for entry in page.items], "next_cursor": page.next_cursor})


@everything.get("/export", responses=FILE_ANSWERS, openapi_extra={"parameters": FILTER_PARAMETERS})
@requires(Permission.READ_ORIGINS)
async def export(request: Request, pool: Pool, config: Config, who: CurrentVisitor) -> Response:
    """The entries of a filter, or everything with its log, as JSON Lines for `leads audit verify --from-export`."""
    return await trail_download(pool, config, _filter_of(request, who, paging=False))


def _filter_of(request: Request, who: CurrentVisitor, *, paging: bool = True) -> EntryFilter:
    query = request.query_params
    return EntryFilter.from_query({name: query.getlist(name) for name in query}, me=who.user_id, paging=paging)


def entry_document(entry: EntryRead) -> dict[str, Any]:
    """An entry in the API's shape."""
    return {
        "id": entry.id,
        "lead_id": entry.subject_id if entry.subject_kind == "lead" else None,
        "subject_kind": entry.subject_kind,
        "subject_id": entry.subject_id,
        "seq": entry.seq,
        "action": entry.action,
        "user_id": entry.user_id,
        "actor": {"kind": entry.actor_kind, "id": entry.actor_id, "name": entry.actor_name},
        "channel": entry.channel,
        "ip_address": entry.ip_address,
        "user_agent": entry.user_agent,
        "request_id": entry.request_id,
        "task_id": entry.task_id,
        "occurred_at": entry.occurred_at,
        "old_values": entry.old_values,
        "new_values": entry.new_values,
        "erased": entry.erased,
        "checksum": entry.checksum,
        "log_index": entry.log_index,
    }
