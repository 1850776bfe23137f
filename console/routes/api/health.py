"""Whether it works: for probes (/livez, /readyz) and for people and scripts (/api/v1/leads/health)."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.dependencies import AnyVisitor, GuardedRoute, Pool, requires
from console.routes.api.answers import json_answer
from leads_core.accounts.permissions import Permission
from leads_core.audit.completeness import COVERS, Completeness, completeness
from leads_core.audit.log.state import LogState, log_state
from leads_core.database import Database
from leads_core.errors import Unavailable
from leads_core.jobs import queue

probes = APIRouter(route_class=GuardedRoute, include_in_schema=False)
router = APIRouter(route_class=GuardedRoute, tags=["health"])


@probes.get("/livez")
@requires(None)
async def livez(request: Request) -> Response:
    """The process answers."""
    return _json({"ok": True, "enabled": request.app.state.settings.enable_lead_explorer})


@probes.get("/readyz")
@requires(None)
async def readyz(request: Request) -> Response:
    """The process can do its work: the database answers."""
    enabled = request.app.state.settings.enable_lead_explorer
    ok = not enabled or await _answers(request.app.state.database)
    return _json({"ok": ok, "enabled": enabled}, 200 if ok else 503)


@router.get("/api/v1/leads/health")
@requires(None)
async def health(pool: Pool, who: AnyVisitor) -> Response:
    """Yes or no; for those who may read leads, in detail."""
    started = time.monotonic()
    if not await _answers(pool):
        return _json({"ok": False}, 503)
    if who is None or not who.may(Permission.READ_LEADS):
        return _json({"ok": True})
    answered_in = time.monotonic() - started
    async with pool.transaction() as session:
        jobs = await queue.queue_state(session)
    async with pool.reader() as reader:
        trail = await completeness(reader)
        log = await log_state(reader)
    found_whole = log.verification is None or log.verification.ok
    return _json(
        {
            "ok": trail.is_complete and found_whole and log.alarm is None,
            "database": {"answered_in_ms": round(answered_in * 1000, 1), "pool": pool.usage()},
            "queue": {"waiting": jobs.waiting, "running": jobs.running, "oldest_seconds": round(jobs.oldest, 1)},
            "audit": _audit(trail, log),
        }
    )


def _audit(trail: Completeness, log: LogState) -> dict[str, Any]:
    """The trail's figures, each named as a metric would be; doors are the metric's label."""
    return {
        "entries_expected": trail.total.entries_expected,
        "entries_found": trail.total.entries_found,
        "doors": {name: asdict(door) for name, door in trail.doors.items()},
        "of": COVERS,
        "last_write": trail.last_write,
        "pending": log.unlogged,
        "pending_since": log.unlogged_since,
        "rejected": log.rejected,
        "log_size": log.leaves,
        "signed_size": log.checkpoint.size if log.checkpoint else 0,
        "signed_at": log.checkpoint.signed_at if log.checkpoint else None,
        "alarm": log.alarm,
        "last_verification": asdict(log.verification) if log.verification else None,
    }


async def _answers(database: Database) -> bool:
    try:
        async with database.reader() as reader:
            return bool(await reader.fetchval("SELECT true"))
    except Unavailable:
        return False


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return json_answer(body, status, {"Cache-Control": "no-store"})
