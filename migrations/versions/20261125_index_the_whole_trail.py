"""Index the whole trail."""

from __future__ import annotations

revision = "audit_index_trail"
down_revision = "audit_erasure"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
