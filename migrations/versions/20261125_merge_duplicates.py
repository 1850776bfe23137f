"""Merge two leads into one: where the other went, likely pairs as a worker finds them, and how far it has read.

The new column is null in every lead, so adding it rewrites nothing. The indexes are built concurrently: writers do
not wait. found_by names rules, never a value: what is erased from a lead stands nowhere here.
"""

from __future__ import annotations

from alembic import op

revision = "merge_duplicates"
down_revision = "undo_anything"
branch_labels = None
depends_on = None

COLUMN = "ALTER TABLE leads ADD COLUMN merged_into uuid"
TABLES = (
    """
    CREATE TABLE likely_duplicates (
        lead_id uuid NOT NULL,
        other_id uuid NOT NULL,
        found_by text[] COLLATE "C" NOT NULL,
        score smallint NOT NULL,
        found_at timestamptz NOT NULL,
        dismissed_at timestamptz,
        dismissed_by uuid,
        CONSTRAINT likely_duplicates_pkey PRIMARY KEY (lead_id, other_id),
        CONSTRAINT likely_duplicates_once CHECK (lead_id < other_id)
    )
    """,
    "CREATE INDEX ix_likely_duplicates_other ON likely_duplicates (other_id)",
    """CREATE INDEX ix_likely_duplicates_open ON likely_duplicates (score, found_at, lead_id, other_id)
       WHERE dismissed_at IS NULL""",
    # How many entries of the log the search for duplicates has read. One row.
    """
    CREATE TABLE duplicates_read (
        one boolean CONSTRAINT duplicates_read_pkey PRIMARY KEY DEFAULT true,
        entries bigint NOT NULL,
        CONSTRAINT duplicates_read_one CHECK (one)
    )
    """,
    "GRANT SELECT, INSERT, UPDATE, DELETE ON likely_duplicates TO leads_app",
    "GRANT SELECT, INSERT, UPDATE ON duplicates_read TO leads_app",
)
INDEXES = {
    "ix_leads_live_phone": "leads (phone, id) WHERE deleted_at IS NULL AND phone IS NOT NULL",
    "ix_leads_merged_into": "leads (merged_into, id) WHERE merged_into IS NOT NULL",
}


def upgrade() -> None:
    for statement in (COLUMN, *TABLES):
        op.execute(statement)
    with op.get_context().autocommit_block():
        for name, on in INDEXES.items():
            # One that an interrupted build left behind is not valid, and would count as there.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {on}")


def downgrade() -> None:
    """A merged lead stays in the bin; which one it went into, its entries still say."""
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    op.execute("DROP TABLE duplicates_read")
    op.execute("DROP TABLE likely_duplicates")
    op.execute("ALTER TABLE leads DROP COLUMN merged_into")
