"""The numbers behind exact totals: folded together now and then, and recounted when somebody doubts them.

Triggers add a signed row for each change (lead_counts, lead_days); whatever folds or mends them does so in one
statement, so that a reader sees the same sum before and after.
"""

from __future__ import annotations

from sqlalchemy import text

from leads_core.database import Database


async def fold_counts(database: Database) -> int:
    """Put the rows of each code together. Gives how many there were; 0 also while another process folds."""
    async with database.transaction() as session:
        return int(await session.scalar(text("SELECT fold_lead_counts()")) or 0)


async def mend_counts(database: Database) -> int:
    """Count all live leads and put right every code, and every day's, whose number differs. Gives how many did."""
    async with database.transaction() as session:
        return int(await session.scalar(text("SELECT mend_lead_counts() + mend_lead_days()")) or 0)
