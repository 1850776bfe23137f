"""Let a verification of the trail be a job: each night, and when somebody asks. Reads no row: the rule only widens."""

from __future__ import annotations

from alembic import op

revision = "jobs_verification"
down_revision = "audit_index_trail"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _allow("'enrichment', 'import', 'bulk', 'undo', 'verification'")


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind = 'verification'")
    _allow("'enrichment', 'import', 'bulk', 'undo'")


def _allow(kinds: str) -> None:
    op.execute("ALTER TABLE jobs DROP CONSTRAINT jobs_kind_check")
    op.execute(f"ALTER TABLE jobs ADD CONSTRAINT jobs_kind_check CHECK (kind IN ({kinds})) NOT VALID")
