"""Create accounts: users, their sessions, sign-in links and tokens; and what limits and repeats of requests need.

Only new tables, so nothing waits. The app may delete what merely lapses (links, sessions, limits, kept answers),
but neither users nor tokens: entries of the trail speak of them.
"""

from __future__ import annotations

from alembic import op

revision = "accounts_create"
down_revision = "audit_create"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE users (
        id uuid CONSTRAINT users_pkey PRIMARY KEY,
        name text NOT NULL,
        email text COLLATE "C",
        password_hash text COLLATE "C",
        role text COLLATE "C" NOT NULL,
        version integer NOT NULL,
        created_at timestamptz NOT NULL,
        last_sign_in_at timestamptz,
        disabled_at timestamptz,
        CONSTRAINT users_email_key UNIQUE (email),
        CONSTRAINT users_role_check CHECK (role IN ('viewer', 'editor', 'admin'))
    )
    """,
    """
    CREATE TABLE sign_in_links (
        secret_hash bytea CONSTRAINT sign_in_links_pkey PRIMARY KEY,
        user_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        CONSTRAINT sign_in_links_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)
    )
    """,
    "CREATE INDEX ix_sign_in_links_user_id ON sign_in_links (user_id)",
    """
    CREATE TABLE sessions (
        id uuid CONSTRAINT sessions_pkey PRIMARY KEY,
        user_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        last_seen_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        ended_at timestamptz,
        ip_address text COLLATE "C",
        user_agent text,
        CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)
    )
    """,
    "CREATE INDEX ix_sessions_user_id ON sessions (user_id)",
    "CREATE INDEX ix_sessions_expires_at ON sessions (expires_at)",
    """
    CREATE TABLE api_tokens (
        id uuid CONSTRAINT api_tokens_pkey PRIMARY KEY,
        user_id uuid NOT NULL,
        name text NOT NULL,
        secret_hash bytea NOT NULL,
        prefix text COLLATE "C" NOT NULL,
        scopes text[] COLLATE "C" NOT NULL,
        version integer NOT NULL,
        created_at timestamptz NOT NULL,
        last_used_at timestamptz,
        expires_at timestamptz,
        revoked_at timestamptz,
        CONSTRAINT api_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id),
        CONSTRAINT api_tokens_secret_hash_key UNIQUE (secret_hash),
        CONSTRAINT api_tokens_scopes_check CHECK (scopes <@ ARRAY['leads:read', 'leads:write', 'audit:read'])
    )
    """,
    "CREATE INDEX ix_api_tokens_user_id ON api_tokens (user_id)",
    # Lost when the server crashes, and that does no harm: everybody may change things again at once.
    """
    CREATE UNLOGGED TABLE rate_limits (
        key text COLLATE "C" CONSTRAINT rate_limits_pkey PRIMARY KEY,
        tat timestamptz NOT NULL
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE idempotency_keys (
        actor_id uuid NOT NULL,
        method text COLLATE "C" NOT NULL,
        path text COLLATE "C" NOT NULL,
        key text COLLATE "C" NOT NULL,
        request_hash bytea NOT NULL,
        status smallint,
        headers jsonb NOT NULL DEFAULT '{}',
        body bytea,
        lead_ids uuid[] NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CONSTRAINT idempotency_keys_pkey PRIMARY KEY (actor_id, method, path, key)
    )
    """,
    "CREATE INDEX ix_idempotency_keys_lead_ids ON idempotency_keys USING gin (lead_ids)",
    "CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at)",
)

# The generic cell rate algorithm. tat is the "theoretical arrival time": when the bucket will be full again. One
# statement decides and takes: its conditions are evaluated after the row is locked, so no two callers get the last
# place. clock_timestamp() moves on while waiting for that lock; now() would not.
RATE_TAKE = """
CREATE FUNCTION rate_take(wanted text, step interval, burst integer,
                          OUT allowed boolean, OUT retry_after double precision, OUT remaining integer)
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    slack CONSTANT interval := step * (burst - 1);
    full_at timestamptz;
BEGIN
    INSERT INTO rate_limits AS held (key, tat) VALUES (wanted, clock_timestamp() + step)
    ON CONFLICT (key) DO UPDATE SET tat = greatest(held.tat, clock_timestamp()) + step
        WHERE held.tat <= clock_timestamp() + slack
    RETURNING tat INTO full_at;
    allowed := FOUND;
    IF NOT allowed THEN
        SELECT tat INTO full_at FROM rate_limits WHERE key = wanted;
    END IF;
    retry_after := greatest(0, extract(epoch FROM full_at - slack - clock_timestamp()));
    remaining := greatest(0, floor(extract(epoch FROM clock_timestamp() + slack + step - full_at)
                                   / extract(epoch FROM step)))::integer;
END $$
"""

RIGHTS = (
    "GRANT SELECT, INSERT, UPDATE ON users, api_tokens TO leads_app",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_links, sessions, rate_limits, idempotency_keys TO leads_app",
    "REVOKE ALL ON FUNCTION rate_take(text, interval, integer) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION rate_take(text, interval, integer) TO leads_app",
)


def upgrade() -> None:
    for statement in (*TABLES, RATE_TAKE, *RIGHTS):
        op.execute(statement)


def downgrade() -> None:
    """Users and tokens go; what the trail says of them stays."""
    op.execute("DROP FUNCTION rate_take(text, interval, integer)")
    op.execute("DROP TABLE idempotency_keys, rate_limits, api_tokens, sessions, sign_in_links, users")
