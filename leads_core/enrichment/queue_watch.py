"""What the enrichment queue looks like now: how much waits, what is at hand, and what failed and why.

Every query reads a bounded number of rows by an index, whatever the backlog and the history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from leads_core.enrichment.reasons import reason_of

#: Counts go no further; the page says "at least".
COUNTED = 10_000
#: Rows of the queue that are shown: all that run, then what is tried again, then the oldest that wait.
SHOWN = 20
FAILED_FOR = "7 days"
#: Failures that are grouped by reason for the page, the newest; a retry looks at more.
GROUPED = 10_000

# By ix_jobs_enrichments_waiting and ix_jobs_enrichments_ended.
COUNTS = f"""
    SELECT {
    ", ".join(
        f"(SELECT count(*) FROM (SELECT FROM jobs WHERE kind = 'enrichment' AND finished_at IS NULL"
        f" AND state = '{state}' LIMIT {COUNTED}) AS one) AS {state}"
        for state in ("queued", "running", "retrying")
    )
},
    {
    ", ".join(
        f"(SELECT count(*) FROM (SELECT FROM jobs WHERE kind = 'enrichment' AND finished_at > now() - interval '1 day'"
        f" AND state = '{state}' LIMIT {COUNTED}) AS one) AS {state}"
        for state in ("completed", "failed")
    )
},
    (SELECT min(created_at) FROM jobs WHERE kind = 'enrichment' AND finished_at IS NULL AND state = 'queued') AS oldest,
    (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - created_at))
     FROM (SELECT created_at, finished_at FROM jobs
           WHERE kind = 'enrichment' AND finished_at > now() - interval '1 day' AND state = 'completed'
           ORDER BY finished_at DESC LIMIT 1000) AS ended)::float8 AS median
"""  # noqa: S608
# By ix_jobs_unfinished.
MANY = """
    SELECT id, done, total, created_at, origin ->> 'actor_name' AS asked_by FROM jobs
    WHERE kind = 'bulk' AND finished_at IS NULL AND wanted ->> 'action' = 'enrich' ORDER BY created_at LIMIT 5
"""
# Who asks just now holds the claim on the answer that the lead's domain waits for.
AT_HAND = f"""
    SELECT j.id, j.lead_id, j.state, j.attempt, j.created_at, j.started_at, j.next_attempt_at, j.error,
           ARRAY(SELECT a.provider FROM provider_answers a
                 WHERE j.state = 'running' AND a.domain = l.domain AND a.claimed_until > clock_timestamp()
                 ORDER BY a.provider) AS asked
    FROM ({
    " UNION ALL ".join(
        f"(SELECT {place} AS place, * FROM jobs WHERE kind = 'enrichment' AND finished_at IS NULL"
        f" AND state = '{state}' ORDER BY created_at LIMIT {SHOWN})"
        for place, state in enumerate(("running", "retrying", "queued"))
    )
}) AS j LEFT JOIN leads l ON l.id = j.lead_id
    ORDER BY j.place, j.created_at LIMIT {SHOWN}
"""  # noqa: S608
# The lead's newest job failed; one that was tried again since, or is in the bin, does not count.
FAILED = f"""
    FROM (SELECT id, lead_id, error, finished_at FROM jobs
          WHERE kind = 'enrichment' AND state = 'failed' AND finished_at > now() - interval '{FAILED_FOR}'
          ORDER BY finished_at DESC LIMIT $1) AS j
    JOIN leads l ON l.id = j.lead_id AND l.enrichment_task_id = j.id
    WHERE l.enrichment_status = 'failed' AND l.deleted_at IS NULL AND l.erased_at IS NULL
"""  # noqa: S608
FAILED_BY_ERROR = f"""
    SELECT j.error, count(*) AS leads, max(j.finished_at) AS newest, (array_agg(j.lead_id))[1:3] AS some {FAILED}
    GROUP BY j.error
"""
FAILED_LEADS = f"SELECT j.lead_id, j.error {FAILED}"
JOBS = """
    SELECT id, state, attempt, created_at, next_attempt_at, error FROM jobs
    WHERE id = ANY($1) AND finished_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class JobNow:
    """How one enrichment stands that has not ended: why it did not work the last time, and when it is tried again."""

    state: str
    attempt: int
    created_at: datetime
    next_attempt_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Queue:
    """How many enrichments are in each state, each count at most COUNTED; of ended ones those of 24 hours.

    median: seconds from the asking to the end, of those that ended last; None where none did.
    """

    waiting: int
    running: int
    retrying: int
    completed: int
    failed: int
    oldest_at: datetime | None
    median: float | None

    @property
    def is_busy(self) -> bool:
        return bool(self.waiting or self.running or self.retrying)


@dataclass(frozen=True, slots=True)
class AtHand:
    """One enrichment that has not ended. asked: the providers that are at work on its domain just now."""

    job_id: UUID
    lead_id: UUID | None
    state: str
    attempt: int
    created_at: datetime
    started_at: datetime | None
    next_attempt_at: datetime | None
    error: str | None
    asked: Sequence[str]


@dataclass(frozen=True, slots=True)
class ManyAtOnce:
    """A job that puts many leads into the queue: how far it is, and who asked."""

    id: UUID
    done: int
    total: int | None
    created_at: datetime
    asked_by: str | None


@dataclass(frozen=True, slots=True)
class FailedReason:
    """Leads whose newest enrichment failed for one reason: how many, when the last, and some of them."""

    reason: str
    leads: int
    newest: datetime
    some: Sequence[UUID]


async def queue_now(reader: asyncpg.Connection) -> Queue:
    """The counts."""
    row = await reader.fetchrow(COUNTS)
    return Queue(
        row["queued"], row["running"], row["retrying"], row["completed"], row["failed"], row["oldest"], row["median"]
    )


async def at_hand(reader: asyncpg.Connection) -> list[AtHand]:
    """SHOWN enrichments that have not ended: those that run, are tried again, wait, each the oldest first."""
    names = {"job_id": "id"}
    rows = await reader.fetch(AT_HAND)
    return [AtHand(**{name: row[names.get(name, name)] for name in AtHand.__slots__}) for row in rows]


async def many_at_once(reader: asyncpg.Connection) -> list[ManyAtOnce]:
    """The jobs that are still putting leads into the queue, the oldest first."""
    return [ManyAtOnce(**dict(row)) for row in await reader.fetch(MANY)]


async def failed_by_reason(reader: asyncpg.Connection, limit: int = GROUPED) -> list[FailedReason]:
    """What failed within FAILED_FOR, the most frequent reason first; of at most `limit` failures, the newest."""
    groups: dict[str, FailedReason] = {}
    for row in await reader.fetch(FAILED_BY_ERROR, limit):
        reason = reason_of(row["error"])
        held = groups.get(reason)
        if held is None:
            groups[reason] = FailedReason(reason, row["leads"], row["newest"], row["some"])
        else:
            newest = max(held.newest, row["newest"])
            groups[reason] = FailedReason(reason, held.leads + row["leads"], newest, (*held.some, *row["some"])[:3])
    return sorted(groups.values(), key=lambda group: (-group.leads, group.reason))


async def failed_leads(reader: asyncpg.Connection, reason: str | None, limit: int) -> list[UUID]:
    """The leads that failed for this reason (None: any), of at most `limit` failures, the newest."""
    rows = await reader.fetch(FAILED_LEADS, limit)
    return [row["lead_id"] for row in rows if reason is None or reason_of(row["error"]) == reason]


async def jobs_of(reader: asyncpg.Connection, job_ids: Sequence[UUID]) -> dict[UUID, JobNow]:
    """How these enrichments stand, those that have not ended; a page of them at once, by jobs_pkey."""
    rows = await reader.fetch(JOBS, job_ids) if job_ids else []
    return {row["id"]: JobNow(**{name: row[name] for name in JobNow.__slots__}) for row in rows}
