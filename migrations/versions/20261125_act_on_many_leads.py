"""Keep with each lead of a bulk change the version that was seen, and what stood in the way.

Both columns come without a default, so the table is not rewritten. The index is partial: it finds the few leads with
which something else happened, not the many that went well; it is built concurrently, so running jobs do not wait.
"""

from __future__ import annotations

from alembic import op

revision = "bulk_actions"
down_revision = "merge_duplicates"
branch_labels = None
depends_on = None

INDEX = "ix_bulk_items_others"
OTHERS = "(job_id, outcome, place) WHERE outcome NOT IN ('done', 'started')"


def upgrade() -> None:
    op.execute("ALTER TABLE bulk_items ADD COLUMN version integer, ADD COLUMN about uuid")
    with op.get_context().autocommit_block():
        op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {INDEX} ON bulk_items {OTHERS}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
    op.execute("ALTER TABLE bulk_items DROP COLUMN about, DROP COLUMN version")
