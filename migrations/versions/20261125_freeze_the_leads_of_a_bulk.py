"""Freeze the leads that a bulk change is about, and keep what became of each; index enrichments by their state.

A new table. The indexes are built concurrently, so whoever adds a lead does not wait; both are partial: of unfinished
jobs there are few, and one that ends moves to the other index once.
"""

from __future__ import annotations

from alembic import op

revision = "bulk_jobs"
down_revision = "enrichment_limits"
branch_labels = None
depends_on = None

ITEMS = """
CREATE TABLE bulk_items (
    job_id uuid NOT NULL,
    place integer NOT NULL,
    lead_id uuid NOT NULL,
    outcome text COLLATE "C",
    CONSTRAINT bulk_items_pkey PRIMARY KEY (job_id, place),
    CONSTRAINT bulk_items_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs (id) ON DELETE CASCADE
)
"""

INDEXES = {
    "ix_jobs_enrichments_waiting": "(state, created_at) WHERE finished_at IS NULL AND kind = 'enrichment'",
    "ix_jobs_enrichments_ended": "(state, finished_at) WHERE finished_at IS NOT NULL AND kind = 'enrichment'",
}


def upgrade() -> None:
    op.execute(ITEMS)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON bulk_items TO leads_app")
    with op.get_context().autocommit_block():
        for name, what in INDEXES.items():
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON jobs {what}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    op.execute("DROP TABLE bulk_items")
