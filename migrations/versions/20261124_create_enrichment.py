"""Create what enrichment finds (lead_facts) and when each lead was last looked up (enrichment_checks)."""

from __future__ import annotations

from alembic import op

revision = "enrichment_create"
down_revision = "jobs_create"
branch_labels = None
depends_on = None

FACTS = """
CREATE TABLE lead_facts (
    id uuid CONSTRAINT lead_facts_pkey PRIMARY KEY,
    lead_id uuid NOT NULL,
    field text COLLATE "C" NOT NULL,
    value jsonb NOT NULL,
    source text COLLATE "C" NOT NULL,
    confidence smallint NOT NULL,
    suggestion_only boolean NOT NULL DEFAULT false,
    fetched_at timestamptz NOT NULL,
    url text,
    task_id uuid NOT NULL,
    dismissed_at timestamptz,
    dismissed_by uuid,
    CONSTRAINT lead_facts_lead_id_fkey FOREIGN KEY (lead_id) REFERENCES leads (id),
    CONSTRAINT lead_facts_confidence_check CHECK (confidence BETWEEN 0 AND 100)
)
"""

CHECKS = """
CREATE TABLE enrichment_checks (
    lead_id uuid CONSTRAINT enrichment_checks_pkey PRIMARY KEY,
    checked_at timestamptz NOT NULL,
    CONSTRAINT enrichment_checks_lead_id_fkey FOREIGN KEY (lead_id) REFERENCES leads (id)
)
"""

INDEX = "CREATE INDEX ix_lead_facts_lead_id ON lead_facts (lead_id, field)"

RIGHTS = (
    "GRANT SELECT, INSERT, UPDATE, DELETE ON lead_facts TO leads_app",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON enrichment_checks TO leads_app",
)


def upgrade() -> None:
    for statement in (FACTS, INDEX, CHECKS, *RIGHTS):
        op.execute(statement)


def downgrade() -> None:
    for table in ("enrichment_checks", "lead_facts"):
        op.execute(f"DROP TABLE {table}")
