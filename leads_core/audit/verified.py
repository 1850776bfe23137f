"""What verifications of the whole trail found, and the one that runs now: for whoever looks at the state of the log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.jobs.models import Job, JobKind
from leads_core.jobs.queue import JobRead

#: The newest verification, and the newest checkpoint that its leaves cover, by ix_audit_checkpoints_size.
NEWEST = """
    SELECT v.id, v.started_at, v.finished_at, v.ok, v.result,
           (SELECT number FROM audit_checkpoints WHERE size <= (v.result ->> 'leaves')::bigint
            ORDER BY size DESC, number DESC LIMIT 1) AS up_to
    FROM audit_verifications v ORDER BY v.id DESC LIMIT 1
"""
REFUSED = "SELECT entry_id FROM audit_rejected WHERE entry_id = ANY($1)"


@dataclass(frozen=True, slots=True)
class VerificationRead:
    """A verification that ended. report is its Report as JSON; up_to the number of the newest checkpoint it covers.

    problem says why the trail could not be verified, if it could not.
    """

    id: UUID
    started_at: datetime
    finished_at: datetime
    ok: bool
    report: Mapping[str, Any]
    up_to: int | None

    @property
    def problem(self) -> str | None:
        return self.report.get("error")

    @property
    def findings(self) -> Sequence[Mapping[str, Any]]:
        """What it found, as far as it is listed."""
        return self.report.get("findings") or ()


async def newest_verification(reader: asyncpg.Connection) -> VerificationRead | None:
    """The last one that ended; None before the first."""
    row = await reader.fetchrow(NEWEST)
    if row is None:
        return None
    report = json.loads(row["result"])
    return VerificationRead(row["id"], row["started_at"], row["finished_at"], row["ok"], report, row["up_to"])


async def newest_job(session: AsyncSession) -> JobRead | None:
    """The verification that was asked for last, by ix_jobs_kind_id."""
    wanted = select(Job).where(Job.kind == JobKind.VERIFICATION.value, Job.kind != JobKind.ENRICHMENT.value)
    job = await session.scalar(wanted.order_by(Job.id.desc()).limit(1))
    return None if job is None else JobRead.of(job)


async def refused_among(reader: asyncpg.Connection, entry_ids: list[UUID]) -> frozenset[UUID]:
    """Those of these entries that the log did not take, because they are not as they were written."""
    return frozenset(row["entry_id"] for row in await reader.fetch(REFUSED, entry_ids)) if entry_ids else frozenset()
