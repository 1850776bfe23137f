"""Keep what providers said of a domain for a while, and which of them are paused. New tables, nothing is locked."""

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


def upgrade() -> None:
    for statement in (ANSWERS, INDEX, PAUSES):
        op.execute(statement)
    for table in ("provider_answers", "provider_pauses"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO leads_app")


def downgrade() -> None:
    op.execute("DROP TABLE provider_pauses")
    op.execute("DROP TABLE provider_answers")
