"""Freeze the leads that a bulk change is about, and keep what became of each. A new table, nothing is locked."""

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


def upgrade() -> None:
    op.execute(ITEMS)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON bulk_items TO leads_app")


def downgrade() -> None:
    op.execute("DROP TABLE bulk_items")
