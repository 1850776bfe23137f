"""Let a person be forgotten."""

from __future__ import annotations

revision = "audit_erasure"
down_revision = "audit_open_log"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
