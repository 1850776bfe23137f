"""The statements of a verification. Every table by its schema: nothing that somebody puts before it is read instead."""

# ruff: noqa: S608 - names of columns

from __future__ import annotations

from leads_core.audit.record.entry import PART_OF
from leads_core.audit.verification.evidence import LEAD_FACTS
from leads_core.audit.verification.replay import TOKEN_FIELDS, USER_FIELDS

_TIMES = frozenset(
    ("enriched_at", "created_at", "updated_at", "deleted_at", "erased_at", "disabled_at", "expires_at", "revoked_at")
)


def recorded_time(column: str) -> str:
    """A time as entries write it; infinity, which nobody of ours wrote, as some text."""
    written = f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    return f"CASE WHEN isfinite({column}) THEN {written} ELSE {column}::text END"


def _object(table: str, fields: tuple[str, ...], **renamed: str) -> str:
    columns = {field: f"{table}.{renamed.get(field, field)}" for field in fields}
    pairs = (f"'{field}', {recorded_time(column) if field in _TIMES else column}" for field, column in columns.items())
    return f"json_build_object({', '.join(pairs)})::text"


TAKEN_AT = f"SELECT {recorded_time('now()')}"

ENTRY = f"""
    SELECT e.id::text, e.subject_kind, e.subject_id::text, e.seq, e.action, e.actor_kind, e.actor_id::text, e.channel,
           e.request_id, e.task_id::text, {recorded_time("e.occurred_at")}, e.v, e.parts::text, e.checksum, e.mac,
           l.leaf_index, l.checksum,
           CASE WHEN l.leaf_index IS NULL
                THEN EXISTS (SELECT FROM public.audit_pending p WHERE p.entry_id = e.id) END
    FROM public.audit_log e LEFT JOIN public.audit_leaves l ON l.entry_id = e.id
"""
#: By audit_log_subject_id_seq_key, each entry's leaf by audit_leaves_entry_id_key.
ENTRIES_BY_SUBJECT = ENTRY + "ORDER BY e.subject_id, e.seq, e.id"
ENTRIES_OF = ENTRY + "WHERE e.subject_id = $1::text::uuid ORDER BY e.seq, e.id"
SPECIAL = (
    ENTRY
    + """
    WHERE e.subject_kind = 'user' AND e.action = 'ERASE' OR e.subject_kind = 'token' AND e.action = 'CREATE'
       OR e.subject_kind = 'log' AND e.action = 'REOPEN'
    ORDER BY e.id
"""
)
#: The same for a few actors only.
SPECIAL_OF = (
    ENTRY
    + """
    WHERE e.subject_kind = 'user' AND e.action = 'ERASE' AND e.subject_id IN (
        SELECT t.user_id FROM public.api_tokens t WHERE t.id = ANY($1::text[]::uuid[]) UNION ALL
        SELECT unnest($1::text[]::uuid[]))
       OR e.subject_kind = 'token' AND e.action = 'CREATE' AND e.subject_id = ANY($1::text[]::uuid[])
    ORDER BY e.id
"""
)
RELATIVES = (
    ENTRY
    + """
    WHERE e.request_id = ANY($1) OR e.actor_id = ANY($2::text[]::uuid[]) ORDER BY e.id DESC LIMIT 1000
"""
)
ALONG_INDEXES = "SET LOCAL enable_sort = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
AS_PLANNED = "SET LOCAL enable_sort = on; SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on"

_LEAD = f"SELECT l.id::text, {_object('l', (*PART_OF, 'provenance', *LEAD_FACTS))} FROM public.leads l "
LEADS = _LEAD + "ORDER BY l.id"
LEAD = _LEAD + "WHERE l.id = $1::text::uuid"
ACCOUNTS = f"""
    SELECT u.id::text, 'user', {_object("u", (*USER_FIELDS, "version", "created_at"))} FROM public.users u
    UNION ALL
    SELECT t.id::text, 'token', {_object("t", (*TOKEN_FIELDS, "version", "created_at"), owner_id="user_id")}
    FROM public.api_tokens t
"""

CHECKPOINTS = "SELECT number, log_name, size, root, note FROM public.audit_checkpoints ORDER BY size, number"
NEWEST_CHECKPOINT = (
    "SELECT number, log_name, size, root, note FROM public.audit_checkpoints ORDER BY number DESC LIMIT 1"
)
LEAVES = "SELECT leaf_index, checksum FROM public.audit_leaves ORDER BY leaf_index"
BLOCKS = "SELECT level, block_index, hash FROM public.audit_blocks"
LEAVES_WITHOUT_ENTRY = """
    SELECT l.leaf_index, l.entry_id::text, l.checksum FROM public.audit_leaves l
    WHERE NOT EXISTS (SELECT FROM public.audit_log e WHERE e.id = l.entry_id)
    ORDER BY l.leaf_index LIMIT $1
"""
YOUNGER_LEAVES_WITHOUT_ENTRY = """
    SELECT l.leaf_index, l.entry_id::text, l.checksum FROM public.audit_leaves l
    WHERE l.entry_id > $1::text::uuid AND NOT EXISTS (SELECT FROM public.audit_log e WHERE e.id = l.entry_id)
    ORDER BY l.leaf_index LIMIT $2
"""
REJECTED = """
    SELECT r.entry_id::text, r.reason, EXISTS (SELECT FROM public.audit_log e WHERE e.id = r.entry_id)
    FROM public.audit_rejected r ORDER BY r.entry_id LIMIT 10000
"""
WAITING_WITHOUT_ENTRY = """
    SELECT p.entry_id::text FROM public.audit_pending p
    WHERE NOT EXISTS (SELECT FROM public.audit_log e WHERE e.id = p.entry_id)
    ORDER BY p.entry_id LIMIT 10000
"""
CHECKSUMS = "SELECT id::text, checksum FROM public.audit_log WHERE id = ANY($1::text[]::uuid[])"
