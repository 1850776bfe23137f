"""What jobs leave behind, removed when its time is over: uploads after 7 days, the queue's own log after a day."""

from __future__ import annotations

from sqlalchemy import text

from leads_core.database import Database

FILES = text("DELETE FROM job_files WHERE created_at < now() - interval '7 days'")
QUEUE_LOG = text("DELETE FROM pgqueuer_log WHERE created < now() - interval '1 day'")


async def forget_old(database: Database) -> None:
    """Remove what nobody asks for any more. For a scheduled task; several at once do no harm."""
    async with database.transaction() as session:
        await session.execute(FILES)
        await session.execute(QUEUE_LOG)
