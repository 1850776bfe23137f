"""Save views of the list; find leads by who changed them, and those without tags or without a follow-up date.

The table is new, so nothing waits for it. The indexes are built concurrently: writers do not wait. Those with a value
and those without one stand in an index each, so that either way a list is read from its first row on.
"""

from __future__ import annotations

from alembic import op

revision = "saved_views"
down_revision = "bulk_actions"
branch_labels = None
depends_on = None

TABLES = (
    # owner_id is null once the owner was erased: a shared view stays with the others.
    """
    CREATE TABLE saved_views (
        id uuid CONSTRAINT saved_views_pkey PRIMARY KEY,
        owner_id uuid,
        name text NOT NULL,
        name_key text COLLATE "C" NOT NULL,
        query text NOT NULL,
        is_shared boolean NOT NULL,
        place integer NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT saved_views_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users (id),
        CONSTRAINT saved_views_owned CHECK (is_shared OR owner_id IS NOT NULL)
    )
    """,
    "CREATE UNIQUE INDEX ix_saved_views_own_name ON saved_views (owner_id, name_key) WHERE NOT is_shared",
    "CREATE UNIQUE INDEX ix_saved_views_shared_name ON saved_views (name_key) WHERE is_shared",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON saved_views TO leads_app",
)
LIVE = "WHERE deleted_at IS NULL"
INDEXES = {
    "ix_leads_live_updated_by": f"leads (updated_by, created_at, id) {LIVE}",
    "ix_leads_live_tagged": f"leads (created_at, id) {LIVE} AND tags <> '{{}}'",
    "ix_leads_live_untagged": f"leads (created_at, id) {LIVE} AND tags = '{{}}'",
    "ix_leads_live_with_follow_up": f"leads (created_at, id) {LIVE} AND follow_up_on IS NOT NULL",
    "ix_leads_live_without_follow_up": f"leads (created_at, id) {LIVE} AND follow_up_on IS NULL",
}


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    with op.get_context().autocommit_block():
        for name, on in INDEXES.items():
            # One that an interrupted build left behind is not valid, and would count as there.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {on}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    op.execute("DROP TABLE saved_views")
