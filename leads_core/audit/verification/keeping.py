"""Keep what a verification found, for the pages that show it, and ask for one as a job."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.audit.verification.findings import Report
from leads_core.database import Database, new_id
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind

_KEEP = text("""
    INSERT INTO audit_verifications (id, started_at, finished_at, ok, result)
    VALUES (:id, :started_at, :finished_at, :ok, CAST(:result AS jsonb))
""")
_UNFINISHED = text("SELECT id FROM jobs WHERE kind = 'verification' AND finished_at IS NULL ORDER BY id LIMIT 1")
#: Any number, but always the same: whoever asks for a verification holds this lock until the end of the transaction.
_ASKING = text("SELECT pg_advisory_xact_lock(4226218)")


async def keep(database: Database, report: Report, began: datetime) -> UUID:
    """Keep the result of a verification of everything. Gives its id."""
    return await _keep(database, report.as_json(), began, ok=report.ok)


async def keep_failure(database: Database, reason: str, began: datetime) -> UUID:
    """Keep that the trail could not be verified, and why: nobody may take the last good result for today's."""
    return await _keep(database, {"ok": False, "error": reason, "findings": []}, began, ok=False)


async def request_verification(session: AsyncSession) -> UUID:
    """Enqueue a verification in the current context's name, in the caller's transaction. Gives the job's id.

    While one waits or runs, that one is enough.
    """
    await session.execute(_ASKING)
    unfinished = await session.scalar(_UNFINISHED)
    if unfinished is not None:
        return UUID(str(unfinished))
    return await queue.start(session, JobKind.VERIFICATION, priority=queue.PRIORITY_ASKED)


async def _keep(database: Database, result: dict[str, Any], began: datetime, *, ok: bool) -> UUID:
    verification_id = new_id()
    facts = {"id": verification_id, "started_at": began, "finished_at": datetime.now(UTC), "ok": ok}
    async with database.transaction() as session:
        await session.execute(_KEEP, {**facts, "result": json.dumps(result)})
    return verification_id
