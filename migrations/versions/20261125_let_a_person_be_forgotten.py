"""Let a person be forgotten: one function may put a part's digest in the place of the part, and nothing else.

The trigger on the trail learns that one exception; every other UPDATE, and every DELETE, stays refused, also for the
owner. A digest that is not the part's own breaks the entry's checksum, so verify finds it. No row is read or locked.
Goes back to the guard without the exception; what was erased stays erased.
"""

from __future__ import annotations

from alembic import op

revision = "audit_erasure"
down_revision = "audit_open_log"
branch_labels = None
depends_on = None

# Values are compared as text: jsonb calls 1 and 1.0 equal, their digests differ. *<> compares rows byte by byte.
GUARD = r"""
CREATE OR REPLACE FUNCTION audit_refuse_all_but_erasure() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE beside record;
BEGIN
    IF TG_OP = 'DELETE' OR (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) <> current_user THEN
        RAISE EXCEPTION '% of % is refused: the audit trail only grows', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    beside := NEW;
    beside.parts := OLD.parts;
    IF beside *<> OLD OR NEW.parts::text = OLD.parts::text OR EXISTS (
        SELECT FROM jsonb_each(CASE jsonb_typeof(OLD.parts) WHEN 'object' THEN OLD.parts END) was
        FULL JOIN jsonb_each(CASE jsonb_typeof(NEW.parts) WHEN 'object' THEN NEW.parts END) becomes USING (key)
        WHERE was.value::text IS DISTINCT FROM becomes.value::text
          AND (jsonb_typeof(was.value) = 'array' AND jsonb_typeof(becomes.value) = 'string'
               AND becomes.value #>> '{}' ~ '^[0-9a-f]{64}$') IS NOT TRUE)
    THEN
        RAISE EXCEPTION '% of % is refused: the audit trail only grows, and a part only becomes its digest',
            TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

WITH_EXCEPTION = """
CREATE OR REPLACE TRIGGER audit_log_only_grows BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_all_but_erasure()
"""
WITHOUT_EXCEPTION = """
CREATE OR REPLACE TRIGGER audit_log_only_grows BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change()
"""

# Three arrays side by side: an entry, the name of one of its parts, that part's digest. Gives the number of entries.
ERASE = """
CREATE OR REPLACE FUNCTION audit_erase_parts(entry_ids uuid[], part_names text[], digests text[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE changed integer;
BEGIN
    WITH wanted AS (
        SELECT entry_id, jsonb_object_agg(part, digest) AS parts
        FROM unnest(entry_ids, part_names, digests) AS each (entry_id, part, digest) GROUP BY entry_id)
    UPDATE public.audit_log entry SET parts = entry.parts || wanted.parts
    FROM wanted WHERE entry.id = wanted.entry_id AND NOT entry.parts @> wanted.parts;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $$
"""

RIGHTS = (
    "REVOKE ALL ON FUNCTION audit_erase_parts(uuid[], text[], text[]) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION audit_erase_parts(uuid[], text[], text[]) TO leads_app",
)


def upgrade() -> None:
    for statement in (GUARD, WITH_EXCEPTION, ERASE, *RIGHTS):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP FUNCTION IF EXISTS audit_erase_parts(uuid[], text[], text[])")
    op.execute(WITHOUT_EXCEPTION)
    op.execute("DROP FUNCTION IF EXISTS audit_refuse_all_but_erasure()")
