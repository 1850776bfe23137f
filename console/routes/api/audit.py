"""A lead's trail, as scripts read it."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from console.dependencies import Config, CurrentVisitor, GuardedRoute, Pool, requires
from console.routes.api.answers import json_answer
from console.routes.api.examples import ANSWERS
from leads_core.accounts.permissions import Permission
from leads_core.audit import queries
from leads_core.audit.queries import EntryRead
from leads_core.errors import NotFound
from leads_core.paging import Cursors, Position, page_size

router = APIRouter(prefix="/api/v1/leads", route_class=GuardedRoute, tags=["audit"])


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


def entry_document(entry: EntryRead) -> dict[str, Any]:
    """An entry in the API's shape."""
    return {
        "id": entry.id,
        "lead_id": entry.subject_id if entry.subject_kind == "lead" else None,
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
