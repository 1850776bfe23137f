"""Count live leads by the day they came and by their code, and ended enrichments by day: what the dashboard draws.

lead_days is kept by the same statement-level trigger as lead_counts: a signed row for each day and code whose number
changes; of the code, stage and source alone. fresh rows are folded by the worker, day by day; what has rested stays.
"""

from __future__ import annotations

from alembic import op

revision = "count_days"
down_revision = "user_preferences"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE lead_days (day date NOT NULL, facet smallint NOT NULL, n bigint NOT NULL,
                            fresh boolean NOT NULL DEFAULT true)
    """,
    "CREATE INDEX ix_lead_days_day ON lead_days (day, facet)",
    "CREATE INDEX ix_lead_days_fresh ON lead_days (day) WHERE fresh",
    # took: the place among the durations that are told apart, from 0.
    """
    CREATE TABLE enrichment_days (day date NOT NULL, outcome text COLLATE "C" NOT NULL, took smallint NOT NULL,
                                  n bigint NOT NULL, fresh boolean NOT NULL DEFAULT true)
    """,
    "CREATE INDEX ix_enrichment_days_day ON enrichment_days (day, outcome, took)",
    "CREATE INDEX ix_enrichment_days_fresh ON enrichment_days (day) WHERE fresh",
    "GRANT SELECT ON lead_days TO leads_app",
    "GRANT SELECT, INSERT ON enrichment_days TO leads_app",
)
DAY = "(created_at AT TIME ZONE 'UTC')::date"
#: The bits of the code that say stage and source; a change of any other writes no day.
KIND = "(facet & 910)::smallint"
#: What has changed, of `change`, on its day.
ON_DAYS = f"""
            days AS (
                INSERT INTO lead_days (day, facet, n)
                SELECT day, {KIND}, sum(n) FROM change GROUP BY 1, 2 HAVING sum(n) <> 0)"""  # noqa: S608 - constants
COUNT = f"""
    CREATE OR REPLACE FUNCTION leads_count() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        CASE TG_OP
        WHEN 'INSERT' THEN
            WITH change AS (
                SELECT {DAY} AS day, facet, count(*) AS n FROM added WHERE deleted_at IS NULL GROUP BY 1, 2),
{ON_DAYS.strip(chr(10))}
            INSERT INTO lead_counts SELECT facet, sum(n) FROM change GROUP BY facet;
        WHEN 'DELETE' THEN
            WITH change AS (
                SELECT {DAY} AS day, facet, -count(*) AS n FROM removed WHERE deleted_at IS NULL GROUP BY 1, 2),
{ON_DAYS.strip(chr(10))}
            INSERT INTO lead_counts SELECT facet, sum(n) FROM change GROUP BY facet;
        WHEN 'UPDATE' THEN
            WITH change AS (
                SELECT day, facet, sum(n) AS n FROM (
                    SELECT {DAY} AS day, facet, 1 AS n FROM added WHERE deleted_at IS NULL
                    UNION ALL SELECT {DAY}, facet, -1 FROM removed WHERE deleted_at IS NULL) AS both_sides
                GROUP BY day, facet HAVING sum(n) <> 0),
{ON_DAYS.strip(chr(10))}
            INSERT INTO lead_counts SELECT facet, sum(n) FROM change GROUP BY facet HAVING sum(n) <> 0;
        ELSE
            DELETE FROM lead_counts;
            DELETE FROM lead_days;
        END CASE;
        RETURN NULL;
    END $$
"""  # noqa: S608 - a constant
#: Days in which nothing is fresh are not touched. A reader sees the same sums before and after.
FOLD = """
    CREATE FUNCTION fold_days() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE folded integer := 0;
    DECLARE more integer := 0;
    BEGIN
        IF pg_try_advisory_xact_lock(hashtext('lead_days')) THEN
            WITH gone AS (
                DELETE FROM lead_days WHERE day IN (SELECT day FROM lead_days WHERE fresh) RETURNING day, facet, n),
            kept AS (
                INSERT INTO lead_days SELECT day, facet, sum(n), false FROM gone
                GROUP BY day, facet HAVING sum(n) <> 0)
            SELECT count(*) INTO folded FROM gone;
            WITH gone AS (
                DELETE FROM enrichment_days WHERE day IN (SELECT day FROM enrichment_days WHERE fresh)
                RETURNING day, outcome, took, n),
            kept AS (
                INSERT INTO enrichment_days SELECT day, outcome, took, sum(n), false FROM gone
                GROUP BY day, outcome, took)
            SELECT count(*) INTO more FROM gone;
        END IF;
        RETURN folded + more;
    END $$
"""
# One statement, one snapshot: what is added is right whatever is committed meanwhile.
MEND = f"""
    CREATE FUNCTION mend_lead_days() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE mended integer;
    BEGIN
        WITH truth AS (SELECT {DAY} AS day, {KIND} AS facet, count(*) AS n FROM leads
                       WHERE deleted_at IS NULL GROUP BY 1, 2),
             stored AS (SELECT day, facet, sum(n) AS n FROM lead_days GROUP BY 1, 2),
             added AS (
                INSERT INTO lead_days (day, facet, n)
                SELECT day, facet, coalesce(truth.n, 0) - coalesce(stored.n, 0)
                FROM truth FULL JOIN stored USING (day, facet)
                WHERE coalesce(truth.n, 0) <> coalesce(stored.n, 0) RETURNING day)
        SELECT count(*) INTO mended FROM added;
        RETURN mended;
    END $$
"""  # noqa: S608 - constants
RIGHTS = (
    "REVOKE ALL ON FUNCTION fold_days(), mend_lead_days() FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION fold_days(), mend_lead_days() TO leads_app",
)
# Leads that were there before. Enrichments are counted from now on: what jobs of old are left says nothing of a day.
BACKFILL = f"""
    INSERT INTO lead_days SELECT {DAY}, {KIND}, count(*), false FROM leads WHERE deleted_at IS NULL GROUP BY 1, 2
"""  # noqa: S608 - a constant
COUNT_BEFORE = """
    CREATE OR REPLACE FUNCTION leads_count() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        CASE TG_OP
        WHEN 'INSERT' THEN
            INSERT INTO lead_counts SELECT facet, count(*) FROM added WHERE deleted_at IS NULL GROUP BY facet;
        WHEN 'DELETE' THEN
            INSERT INTO lead_counts SELECT facet, -count(*) FROM removed WHERE deleted_at IS NULL GROUP BY facet;
        WHEN 'UPDATE' THEN
            INSERT INTO lead_counts SELECT facet, sum(n) FROM (
                SELECT facet, 1 AS n FROM added WHERE deleted_at IS NULL
                UNION ALL SELECT facet, -1 FROM removed WHERE deleted_at IS NULL) AS change
            GROUP BY facet HAVING sum(n) <> 0;
        ELSE
            DELETE FROM lead_counts;
        END CASE;
        RETURN NULL;
    END $$
"""


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    # Nobody writes a lead between the count and the trigger that goes on with it.
    op.execute("LOCK TABLE leads IN SHARE ROW EXCLUSIVE MODE")
    for statement in (BACKFILL, COUNT, FOLD, MEND, *RIGHTS):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP FUNCTION fold_days(), mend_lead_days()")
    op.execute(COUNT_BEFORE)
    op.execute("DROP TABLE enrichment_days")
    op.execute("DROP TABLE lead_days")
