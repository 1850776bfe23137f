"""Index the whole trail."""

from __future__ import annotations

from alembic import op

revision = "audit_index_trail"
down_revision = "audit_erasure"
branch_labels = None
depends_on = None

# Who exported this file? Partial, because few entries are exports.
EXPORTS_BY_SHA256 = """
    CREATE INDEX IF NOT EXISTS ix_audit_log_export_sha256 ON audit_log ((parts #>> '{data,1,sha256,1}'))
    WHERE action = 'EXPORT'
"""


def upgrade() -> None:
    op.execute(EXPORTS_BY_SHA256)


def downgrade() -> None:
    op.execute("DROP INDEX IF EXISTS ix_audit_log_export_sha256")
