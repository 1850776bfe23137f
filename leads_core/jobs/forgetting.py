"""Take out of jobs what they say of a person: of a lead that is erased, or of a user who began them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

SAID = "What this was about was erased."

# State, times and numbers stay; a job that has not ended is cancelled, so that it writes nothing afterwards.
OF_LEAD = text("""
    UPDATE jobs SET result = NULL, error = CASE WHEN error IS NOT NULL OR finished_at IS NULL THEN :said END,
        state = CASE WHEN finished_at IS NULL THEN 'cancelled' ELSE state END, provider = NULL,
        next_attempt_at = NULL, finished_at = coalesce(finished_at, now())
    WHERE lead_id = :lead_id
""")
# The queue library keeps the text of exceptions for a day.
QUEUE_LOG = text("""
    UPDATE pgqueuer_log SET traceback = NULL
    WHERE traceback IS NOT NULL
      AND EXISTS (SELECT FROM unnest(:needles) needle WHERE position(lower(needle) IN lower(traceback::text)) > 0)
""").bindparams(bindparam("needles", type_=ARRAY(Text)))
RUNNING = text("""
    SELECT EXISTS (SELECT FROM jobs WHERE finished_at IS NULL AND state = 'running' AND actor_id = ANY(:actors))
""").bindparams(bindparam("actors", type_=ARRAY(Uuid)))
ORIGINS = text("""
    UPDATE jobs SET origin = '{"actor_name": null, "ip_address": null, "user_agent": null}'
    WHERE actor_id = ANY(:actors)
""").bindparams(bindparam("actors", type_=ARRAY(Uuid)))


async def forget_lead(session: AsyncSession, lead_id: UUID, needles: Iterable[str]) -> None:
    """Empty the words of a lead's jobs and cancel those that have not ended; by ix_jobs_lead_id.

    needles are texts that betray the person, for the queue's own log.
    """
    await session.execute(OF_LEAD, {"lead_id": lead_id, "said": SAID})
    await session.execute(QUEUE_LOG, {"needles": [str(lead_id), *needles]})


async def is_running_for(session: AsyncSession, actors: Sequence[UUID]) -> bool:
    """Whether a worker does something at this moment that one of these began."""
    return bool(await session.scalar(RUNNING, {"actors": list(actors)}))


async def forget_origins(session: AsyncSession, actors: Sequence[UUID]) -> None:
    """From where, and under which name, these began their jobs."""
    await session.execute(ORIGINS, {"actors": list(actors)})
