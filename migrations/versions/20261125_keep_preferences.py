"""Keep what each person chose of how the console looks: columns, density, the view that opens, single keys.

The table is new, so nothing waits for it. A preference is of its user and goes with them.
"""

from __future__ import annotations

from alembic import op

revision = "user_preferences"
down_revision = "saved_views"
branch_labels = None
depends_on = None

CREATE = """
    CREATE TABLE user_preferences (
        user_id uuid NOT NULL,
        name text COLLATE "C" NOT NULL,
        value jsonb NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT user_preferences_pkey PRIMARY KEY (user_id, name),
        CONSTRAINT user_preferences_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """


def upgrade() -> None:
    op.execute(CREATE)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON user_preferences TO leads_app")


def downgrade() -> None:
    op.execute("DROP TABLE user_preferences")
