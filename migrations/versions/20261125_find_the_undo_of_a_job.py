"""Find what undid a job, and the undo that one request was. Built concurrently, so that writers do not wait.

Both hold undos alone, which are few. leads_core/undoing/records.py reads them.
"""

from __future__ import annotations

from alembic import op

revision = "find_undo_of_a_job"
down_revision = "last_seen"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_jobs_undo_of": "((wanted ->> 'task_id'), id) WHERE kind = 'undo'",
    "ix_jobs_undo_request_id": "(request_id) WHERE kind = 'undo'",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, on in INDEXES.items():
            # One that an interrupted build left behind is not valid, and would count as there.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON jobs {on}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
