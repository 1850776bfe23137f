"""Index the trail for the page over everything. Built concurrently, so that writers do not wait.

As few as will do, because every entry pays for each: an ordinary entry of a lead is in one of these (by actor), in
two if it came by hand, and BRIN's summary of requests costs next to nothing. leads_core/audit/walking.py says what
each is for.
"""

from __future__ import annotations

from alembic import op

revision = "audit_index_trail"
down_revision = "audit_erasure"
branch_labels = None
depends_on = None

#: 700 requests in 64 blocks of entries, told apart but for one in a thousand: 1.3 KiB for each 64 blocks.
BLOOM = "request_id text_bloom_ops (n_distinct_per_range = 700, false_positive_rate = 0.001)"
INDEXES = {
    "ix_audit_log_actor_id": "(actor_id, id)",
    "ix_audit_log_action": "(action, id) WHERE action NOT IN ('CREATE', 'UPDATE', 'ENRICH')",
    "ix_audit_log_subject_kind": "(subject_kind, id) WHERE subject_kind <> 'lead'",
    "ix_audit_log_channel": "(channel, id) WHERE channel IN ('web', 'api', 'cli')",
    "ix_audit_log_request_id": f"USING brin ({BLOOM}) WITH (pages_per_range = 64, autosummarize = on)",
    # Who exported this file? Few entries are exports.
    "ix_audit_log_export_sha256": "((parts #>> '{data,1,sha256,1}')) WHERE action = 'EXPORT'",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, on in INDEXES.items():
            # One that an interrupted build left behind is not valid, and would count as there.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON audit_log {on}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
