"""Look leads up again whose last look-up is old: on a schedule, within a budget a day, and never beside somebody's own.

Such a job leaves the lead's status alone. It is the schedule's word, not a person's: its entries name "Scheduled
refresh" as the actor.
"""

from __future__ import annotations

from sqlalchemy import text

from leads_core import context
from leads_core.context import SYSTEM_ACTOR_ID, RequestContext
from leads_core.database import Database, new_id
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.jobs.queue import JobRead
from leads_core.settings import Settings

REFRESH = "refresh"
#: So many at a time, so that a schedule that was behind does not fill the queue at once.
AT_ONCE = 200
#: Any number, but always the same: who plans holds this lock, so that two workers do not plan the same leads.
PLANNING = 4_226_217

PLANNED_TODAY = text("""
    SELECT count(*) FROM jobs WHERE wanted ? 'refresh' AND created_at > now() - interval '1 day'
""")
#: The longest unchecked first, by ix_enrichment_checks_checked_at. One that a job is at or waits for is passed over.
OLD = text("""
    SELECT c.lead_id FROM enrichment_checks c JOIN leads l ON l.id = c.lead_id
    WHERE c.checked_at < now() - make_interval(days => :days)
      AND l.deleted_at IS NULL AND l.erased_at IS NULL AND l.enrichment_status <> 'in_progress'
      AND NOT EXISTS (SELECT FROM jobs j WHERE j.lead_id = c.lead_id AND j.finished_at IS NULL)
    ORDER BY c.checked_at LIMIT :limit
""")
LOCK = text("SELECT pg_try_advisory_xact_lock(:key)")


async def plan(database: Database, settings: Settings) -> int:
    """Start the look-ups that are due, as far as today's budget reaches. Gives their number. For a scheduled task."""
    if settings.enrichment_refresh_days == 0:
        return 0
    with context.acting_as(_schedule()):
        async with database.transaction() as session:
            if not await session.scalar(LOCK, {"key": PLANNING}):
                return 0
            left = settings.enrichment_refresh_budget - (await session.scalar(PLANNED_TODAY) or 0)
            wanted = {"days": settings.enrichment_refresh_days, "limit": max(0, min(left, AT_ONCE))}
            leads = list(await session.scalars(OLD, wanted))
            if leads:
                jobs = [(new_id(), lead_id, {REFRESH: True}) for lead_id in leads]
                await queue.start_many(session, JobKind.ENRICHMENT, jobs, priority=queue.PRIORITY_BULK)
            return len(leads)


def is_refresh(job: JobRead) -> bool:
    """Whether nobody asked for this look-up but the schedule."""
    return bool(job.wanted.get(REFRESH))


def _schedule() -> RequestContext:
    return RequestContext(
        actor_kind="system",
        actor_id=SYSTEM_ACTOR_ID,
        actor_name="Scheduled refresh",
        channel="worker",
        ip_address="local",
        user_agent="leads worker",
        request_id=new_id().hex,
    )
