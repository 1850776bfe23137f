"""Create the audit trail, the app's role and their guards. Goes back without losing an entry: the trail stays."""

from __future__ import annotations

from alembic import op

revision = "audit_create"
down_revision = None
branch_labels = None
depends_on = None

# The embedded server and careful administrators make the role beforehand, with a password. Two databases of one
# server may be migrated at once, and roles belong to the server: hence both exceptions.
ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'leads_app') THEN
        CREATE ROLE leads_app NOLOGIN;
    END IF;
    IF NOT pg_has_role(current_user, 'leads_app', 'MEMBER') THEN
        EXECUTE format('GRANT leads_app TO %I', current_user);
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS audit_log (
        id uuid CONSTRAINT audit_log_pkey PRIMARY KEY,
        subject_kind text COLLATE "C" NOT NULL,
        subject_id uuid,
        seq integer,
        action text COLLATE "C" NOT NULL,
        actor_kind text COLLATE "C" NOT NULL,
        actor_id uuid,
        channel text COLLATE "C" NOT NULL,
        request_id text COLLATE "C",
        task_id uuid,
        occurred_at timestamptz NOT NULL,
        v smallint NOT NULL,
        parts jsonb NOT NULL,
        checksum bytea NOT NULL,
        mac bytea NOT NULL,
        CONSTRAINT audit_log_subject_id_seq_key UNIQUE (subject_id, seq),
        CONSTRAINT audit_log_action_check CHECK (action IN ('CREATE', 'UPDATE', 'DELETE', 'RESTORE', 'ENRICH', 'REVERT',
            'MERGE', 'DISMISS', 'ERASE', 'SIGN_IN', 'SIGN_IN_FAILED', 'SIGN_OUT', 'EXPORT')),
        CONSTRAINT audit_log_subject_kind_check CHECK (subject_kind IN ('lead', 'user', 'token', 'export')),
        CONSTRAINT audit_log_actor_kind_check CHECK (actor_kind IN ('user', 'token', 'system', 'anonymous')),
        CONSTRAINT audit_log_channel_check CHECK (channel IN ('web', 'api', 'import', 'cli', 'worker'))
    )
    """,
    "CREATE INDEX IF NOT EXISTS ix_audit_log_task_id ON audit_log (task_id, id) WHERE task_id IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS audit_pending (entry_id uuid CONSTRAINT audit_pending_pkey PRIMARY KEY)",
)

GUARDS = (
    """
    CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
    BEGIN
        RAISE EXCEPTION '% of % is refused: the audit trail only grows', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE OR REPLACE TRIGGER audit_log_only_grows BEFORE UPDATE OR DELETE ON audit_log
        FOR EACH ROW EXECUTE FUNCTION audit_refuse_change()
    """,
    """
    CREATE OR REPLACE TRIGGER audit_log_is_not_truncated BEFORE TRUNCATE ON audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()
    """,
    """
    CREATE OR REPLACE TRIGGER audit_pending_is_not_changed BEFORE UPDATE ON audit_pending
        FOR EACH ROW EXECUTE FUNCTION audit_refuse_change()
    """,
    """
    CREATE OR REPLACE TRIGGER audit_pending_is_not_truncated BEFORE TRUNCATE ON audit_pending
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()
    """,
)

# For people with psql: an entry of a lead as one row, its values read from the parts.
VIEW = """
CREATE OR REPLACE VIEW audit_log_leads AS
SELECT e.id, e.subject_id AS lead_id, e.seq, e.action, e.actor_kind, e.actor_id,
       CASE e.actor_kind WHEN 'user' THEN e.actor_id END AS user_id,
       e.parts #>> '{origin,1,ip_address}' AS ip_address, e.parts #>> '{origin,1,user_agent}' AS user_agent,
       e.channel, e.request_id, e.task_id, e.occurred_at, v.old_values, v.new_values
FROM audit_log e CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_object_agg(f.key, f.value -> 0) FILTER (WHERE f.key IS NOT NULL), '{}') AS old_values,
           coalesce(jsonb_object_agg(f.key, f.value -> 1) FILTER (WHERE f.key IS NOT NULL), '{}') AS new_values
    FROM jsonb_each(e.parts) p
    LEFT JOIN LATERAL jsonb_each(CASE jsonb_typeof(p.value) WHEN 'array' THEN p.value -> 1 ELSE '{}' END) f ON true
    WHERE p.key <> 'origin') v
WHERE e.subject_kind = 'lead'
"""

RIGHTS = (
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    "GRANT USAGE ON SCHEMA public TO leads_app",
    "GRANT SELECT, INSERT ON audit_log TO leads_app",
    "GRANT SELECT, INSERT, DELETE ON audit_pending TO leads_app",
    "GRANT SELECT ON audit_log_leads TO leads_app",
)


def upgrade() -> None:
    for statement in (ROLE, *TABLES, *GUARDS, VIEW, *RIGHTS):
        op.execute(statement)


def downgrade() -> None:
    """Only the view goes. The tables, their guards and the role stay: what happened has happened."""
    op.execute("DROP VIEW IF EXISTS audit_log_leads")
