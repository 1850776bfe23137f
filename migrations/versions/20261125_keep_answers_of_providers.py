"""Keep what providers said for a while, which of them are paused, and each request that left the house for a lead.

New tables, nothing is locked.
"""

from __future__ import annotations

from alembic import op

revision = "enrichment_limits"
down_revision = "jobs_verification"
branch_labels = None
depends_on = None

ANSWERS = """
CREATE TABLE provider_answers (
    provider text COLLATE "C" NOT NULL,
    about text COLLATE "C" NOT NULL,
    domain text COLLATE "C",
    facts jsonb,
    failure text,
    good_until timestamptz,
    claimed_until timestamptz,
    CONSTRAINT provider_answers_pkey PRIMARY KEY (provider, about)
)
"""
# By the domain a kept answer is forgotten, with a person who is.
INDEX = "CREATE INDEX ix_provider_answers_domain ON provider_answers (domain)"
PAUSES = """
CREATE TABLE provider_pauses (
    provider text COLLATE "C" CONSTRAINT provider_pauses_pkey PRIMARY KEY,
    strikes integer NOT NULL,
    reason text NOT NULL,
    struck_at timestamptz NOT NULL,
    paused_until timestamptz
)
"""

REQUESTS = """
CREATE TABLE outgoing_requests (
    id uuid CONSTRAINT outgoing_requests_pkey PRIMARY KEY,
    lead_id uuid NOT NULL,
    task_id uuid NOT NULL,
    requested_at timestamptz NOT NULL,
    provider text COLLATE "C" NOT NULL,
    url text NOT NULL,
    host text COLLATE "C" NOT NULL,
    address text COLLATE "C",
    status smallint,
    bytes integer NOT NULL,
    error text,
    CONSTRAINT outgoing_requests_lead_id_fkey FOREIGN KEY (lead_id) REFERENCES leads (id)
)
"""
REQUESTS_INDEX = "CREATE INDEX ix_outgoing_requests_lead_id ON outgoing_requests (lead_id, id)"


def upgrade() -> None:
    for statement in (ANSWERS, INDEX, PAUSES, REQUESTS, REQUESTS_INDEX):
        op.execute(statement)
    for table in ("provider_answers", "provider_pauses", "outgoing_requests"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO leads_app")


def downgrade() -> None:
    for table in ("outgoing_requests", "provider_pauses", "provider_answers"):
        op.execute(f"DROP TABLE {table}")
