"""Keep lead_counts small: every change adds a row, a worker folds them together."""

from __future__ import annotations

from sqlalchemy import text

from leads_core.database import Database

FOLD = text("SELECT fold_lead_counts()")


async def fold_counts(database: Database) -> None:
    """Fold the rows of each code into one. Whoever comes while another folds leaves at once."""
    async with database.transaction() as session:
        await session.execute(FOLD)
