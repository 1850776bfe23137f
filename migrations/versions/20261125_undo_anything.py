"""Freeze the leads that an undo is about, with what became of each; find what one request changed.

A new table; seq is the first entry that the operation wrote of the lead. The index is built concurrently, so writers
do not wait. It leaves out what jobs wrote (an import's hundred thousand entries have their job's number, which is
indexed) and what is no lead's.
"""

from __future__ import annotations

from alembic import op

revision = "undo_anything"
down_revision = "enrichment_age"
branch_labels = None
depends_on = None

ITEMS = """
CREATE TABLE undo_items (
    job_id uuid NOT NULL,
    place integer NOT NULL,
    lead_id uuid NOT NULL,
    seq integer NOT NULL,
    outcome text COLLATE "C",
    kept jsonb,
    CONSTRAINT undo_items_pkey PRIMARY KEY (job_id, place),
    CONSTRAINT undo_items_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs (id) ON DELETE CASCADE
)
"""
INDEX = "ix_audit_log_request_of_leads"


def upgrade() -> None:
    op.execute(ITEMS)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON undo_items TO leads_app")
    with op.get_context().autocommit_block():
        # One that an interrupted build left behind is not valid, and would count as there.
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.execute(
            f"CREATE INDEX CONCURRENTLY {INDEX} ON audit_log (request_id, id)"
            " WHERE task_id IS NULL AND subject_kind = 'lead'"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
    op.execute("DROP TABLE undo_items")
