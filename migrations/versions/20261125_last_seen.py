"""Keep up to when each person has seen what others changed. The table is new, so nothing waits for it."""

from __future__ import annotations

from alembic import op

revision = "last_seen"
down_revision = "count_days"
branch_labels = None
depends_on = None

CREATE = """
    CREATE TABLE last_seen (
        user_id uuid NOT NULL,
        seen_at timestamptz NOT NULL,
        CONSTRAINT last_seen_pkey PRIMARY KEY (user_id),
        CONSTRAINT last_seen_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """


def upgrade() -> None:
    op.execute(CREATE)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON last_seen TO leads_app")


def downgrade() -> None:
    op.execute("DROP TABLE last_seen")
