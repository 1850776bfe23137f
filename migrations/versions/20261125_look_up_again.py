"""Find leads whose values are old, and those not looked up for long. Built concurrently: writers do not wait."""

from __future__ import annotations

from alembic import op

revision = "enrichment_age"
down_revision = "bulk_jobs"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_leads_live_enriched": "leads (enriched_at, id) WHERE deleted_at IS NULL AND enriched_at IS NOT NULL",
    "ix_enrichment_checks_checked_at": "enrichment_checks (checked_at)",
    # How many look-ups the schedule began today.
    "ix_jobs_refresh": "jobs (created_at) WHERE wanted ? 'refresh'",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, on in INDEXES.items():
            # One that an interrupted build left behind is not valid, and would count as there.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {on}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
