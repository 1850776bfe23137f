"""List the pairs that somebody kept apart, the newest first. Built concurrently, so that writers do not wait."""

from __future__ import annotations

from alembic import op

revision = "list_pairs_kept_apart"
down_revision = "find_undo_of_a_job"
branch_labels = None
depends_on = None

INDEX = "ix_likely_duplicates_dismissed"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # One that an interrupted build left behind is not valid, and would count as there.
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.execute(
            f"CREATE INDEX CONCURRENTLY {INDEX} ON likely_duplicates (dismissed_at, lead_id, other_id)"
            " WHERE dismissed_at IS NOT NULL"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
