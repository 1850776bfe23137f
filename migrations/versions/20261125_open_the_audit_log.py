"""Open the signed log of the trail: leaves, blocks, checkpoints, what was rejected, and what verifications found.

Goes back without losing a leaf or a checkpoint: as the trail, so its log stays.
"""

from __future__ import annotations

from alembic import op

revision = "audit_open_log"
down_revision = "enrichment_create"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS audit_leaves (
        leaf_index bigint CONSTRAINT audit_leaves_pkey PRIMARY KEY,
        entry_id uuid NOT NULL CONSTRAINT audit_leaves_entry_id_key UNIQUE,
        checksum bytea NOT NULL,
        CONSTRAINT audit_leaves_leaf_index_check CHECK (leaf_index >= 0),
        CONSTRAINT audit_leaves_checksum_check CHECK (octet_length(checksum) = 32)
    )
    """,
    # level k, block i: the root of the leaves from i * 256^k on, 256^k of them.
    """
    CREATE TABLE IF NOT EXISTS audit_blocks (
        level smallint NOT NULL,
        block_index bigint NOT NULL,
        hash bytea NOT NULL,
        CONSTRAINT audit_blocks_pkey PRIMARY KEY (level, block_index),
        CONSTRAINT audit_blocks_level_check CHECK (level >= 1),
        CONSTRAINT audit_blocks_hash_check CHECK (octet_length(hash) = 32)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS audit_checkpoints (
        number bigint CONSTRAINT audit_checkpoints_pkey PRIMARY KEY,
        log_name text COLLATE "C" NOT NULL,
        size bigint NOT NULL,
        root bytea NOT NULL,
        note text COLLATE "C" NOT NULL,
        signed_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS audit_rejected (
        entry_id uuid CONSTRAINT audit_rejected_pkey PRIMARY KEY,
        reason text COLLATE "C" NOT NULL,
        rejected_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS audit_verifications (
        id uuid CONSTRAINT audit_verifications_pkey PRIMARY KEY,
        started_at timestamptz NOT NULL,
        finished_at timestamptz NOT NULL,
        ok boolean NOT NULL,
        result jsonb NOT NULL
    )
    """,
    # How signing goes, for whoever watches: a worker's word, no evidence. One row.
    """
    CREATE TABLE IF NOT EXISTS audit_signing (
        one boolean CONSTRAINT audit_signing_pkey PRIMARY KEY DEFAULT true,
        alarm text,
        alarmed_by text,
        alarmed_at timestamptz,
        confirmed_at timestamptz,
        looked_at timestamptz,
        CONSTRAINT audit_signing_one_check CHECK (one)
    )
    """,
    "CREATE INDEX IF NOT EXISTS ix_audit_checkpoints_size ON audit_checkpoints (size)",
)

ONLY_GROW = ("audit_leaves", "audit_blocks", "audit_checkpoints", "audit_rejected", "audit_verifications")

KINDS = "'lead', 'user', 'token', 'export', 'log'"
ACTIONS = (
    "'CREATE', 'UPDATE', 'DELETE', 'RESTORE', 'ENRICH', 'REVERT', 'MERGE', 'DISMISS', 'ERASE', 'SIGN_IN', "
    "'SIGN_IN_FAILED', 'SIGN_OUT', 'EXPORT', 'CHECKPOINT_KEPT', 'REOPEN'"
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    for table in ONLY_GROW:
        op.execute(f"""
            CREATE OR REPLACE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION audit_refuse_change()""")
        op.execute(f"""
            CREATE OR REPLACE TRIGGER {table}_is_not_truncated BEFORE TRUNCATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()""")
        op.execute(f"GRANT SELECT, INSERT ON {table} TO leads_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON audit_signing TO leads_app")
    # NOT VALID: every entry there is was checked by the narrower rule, so the table is not read under the lock.
    for column, values in (("subject_kind", KINDS), ("action", ACTIONS)):
        op.execute(f"ALTER TABLE audit_log DROP CONSTRAINT IF EXISTS audit_log_{column}_check")
        op.execute(
            f"ALTER TABLE audit_log ADD CONSTRAINT audit_log_{column}_check CHECK ({column} IN ({values})) NOT VALID"
        )


def downgrade() -> None:
    """Nothing goes: what was signed was signed."""
