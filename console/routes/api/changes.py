"""GET /api/v1/changes: every entry in the log's order, for followers that miss none and may stop and go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from console.dependencies import CurrentVisitor, GuardedRoute, Pool, requires
from console.routes.api.answers import encoded, json_answer
from console.routes.api.audit import entry_document
from console.routes.api.examples import ANSWERS
from leads_core.accounts.permissions import Permission
from leads_core.audit.changes_feed import Feed, LogSize, LogWatch, RemovedEntry, entries_from, log_size
from leads_core.audit.queries import EntryRead
from leads_core.database import Database
from leads_core.errors import FieldError, Invalid
from leads_core.parameters import unknown_among

router = APIRouter(prefix="/api/v1", route_class=GuardedRoute, tags=["audit"])

LINES = "application/x-ndjson"
LARGEST, USUAL = 1000, 200
LONGEST_WAIT = 25
MOST = 2**63 - 1
PARAMETERS = {
    "after": "How many entries you have: `next` of the answer before. 0, or nothing: from the first on.",
    "limit": f"At most so many entries, 1 to {LARGEST}; {USUAL} if you say nothing. As lines: all there are.",
    "wait": f"Where nothing is new, wait so many seconds for it, at most {LONGEST_WAIT}.",
}
DOCUMENTED: dict[str, Any] = {
    "parameters": [
        {"name": name, "in": "query", "schema": {"type": "integer"}, "description": says}
        for name, says in PARAMETERS.items()
    ]
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Where a follower stands, and what it wants."""

    after: int
    limit: int | None
    wait: int


@router.get("/changes", responses=ANSWERS, openapi_extra=DOCUMENTED)
@requires(Permission.READ_TRAIL)
async def changes(request: Request, pool: Pool, who: CurrentVisitor) -> Response:
    """Every entry, numbered by the log without a gap: items, next (send it as after), and how far the log is.

    With Accept: application/x-ndjson one entry a line, to the end of the log; a broken stream goes on after its last
    line, at log_index + 1. An entry that was removed behind the app's back keeps its number, with `removed`.
    """
    asked = _asked(request)
    with_origin = who.may(Permission.READ_ORIGINS)
    as_lines = LINES in request.headers.get("accept", "")
    size = asked.limit or (LARGEST if as_lines else USUAL)
    page, log = await _page(pool, asked.after, size, with_origin=with_origin)
    if not page and asked.wait:
        watch: LogWatch = request.app.state.log_watch
        await watch.wait_beyond(asked.after, asked.wait)
        page, log = await _page(pool, asked.after, size, with_origin=with_origin)
    headers = {"Cache-Control": "no-store"}
    if as_lines:
        goes_on = asked.limit is None
        lines = _lines(pool, page, asked.after, goes_on=goes_on, with_origin=with_origin)
        return StreamingResponse(lines, headers=headers, media_type=LINES)
    body = {"items": [_document(item) for item in page], "next": asked.after + len(page), "log": asdict(log)}
    return json_answer(body, headers=headers)


async def _page(pool: Database, after: int, limit: int, *, with_origin: bool) -> tuple[Feed, LogSize]:
    async with pool.reader() as reader:
        page = await entries_from(reader, after, limit, with_origin=with_origin)
        log = await log_size(reader)
    if log.size < after:
        message = (
            f"The log has {log.size:,} entries, fewer than you say you have. If you took the number from an answer, "
            "the log was set back: run `leads audit verify`."
        )
        raise Invalid.of("query.after", message)
    return page, log


async def _lines(pool: Database, page: Feed, after: int, *, goes_on: bool, with_origin: bool) -> AsyncIterator[bytes]:
    """A page at a time, each a statement of its own: nothing is held while the client reads."""
    while page:
        yield b"".join(encoded(_document(item)) + b"\n" for item in page)
        after += len(page)
        page = (await _page(pool, after, LARGEST, with_origin=with_origin))[0] if goes_on else []


def _document(item: EntryRead | RemovedEntry) -> dict[str, Any]:
    return entry_document(item) if isinstance(item, EntryRead) else {**asdict(item), "removed": True}


def _asked(request: Request) -> Asked:
    query = request.query_params
    unknown = unknown_among(query, PARAMETERS)
    twice = [FieldError(f"query.{name}", "Give this once.") for name in PARAMETERS if len(query.getlist(name)) > 1]
    if unknown or twice:
        raise Invalid([*unknown, *twice])
    limit = query.get("limit")
    return Asked(
        after=_number("after", query.get("after", "0"), 0, MOST),
        limit=None if limit is None else _number("limit", limit, 1, LARGEST),
        wait=min(_number("wait", query.get("wait", "0"), 0, MOST), LONGEST_WAIT),
    )


def _number(name: str, text: str, least: int, most: int) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
    if not least <= number <= most:
        span = f"from {least} to {most}" if most < MOST else f"from {least} on"
        raise Invalid.of(f"query.{name}", f"Give a whole number {span}.")
    return number
