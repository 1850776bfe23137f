"""Create leads. No version of a lead can be committed without its entry: the key into the trail, and the trigger.

The columns, indexes and counts that lists need come with the next revision.
"""

from __future__ import annotations

from alembic import op

revision = "leads_create"
down_revision = "accounts_create"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE leads (
    id uuid CONSTRAINT leads_pkey PRIMARY KEY,
    email text COLLATE "C",
    domain text COLLATE "C",
    registrable_domain text COLLATE "C",
    company_name text,
    contact_name text,
    job_title text,
    phone text COLLATE "C",
    website text,
    linkedin_url text,
    industry text,
    employee_count integer,
    city text,
    country text COLLATE "C",
    language text COLLATE "C",
    description text,
    notes text,
    tags text[] COLLATE "C" NOT NULL DEFAULT '{}',
    stage text COLLATE "C" NOT NULL,
    owner_id uuid,
    follow_up_on date,
    source text COLLATE "C" NOT NULL,
    source_detail text,
    is_manual boolean NOT NULL,
    enrichment_status text COLLATE "C" NOT NULL,
    enrichment_outcome text COLLATE "C",
    enrichment_task_id uuid,
    enrichment_error text,
    enriched_at timestamptz,
    provenance jsonb NOT NULL DEFAULT '{}',
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    created_by uuid,
    updated_at timestamptz NOT NULL,
    updated_by uuid,
    deleted_at timestamptz,
    deleted_by uuid,
    erased_at timestamptz,
    erased_by uuid,
    CONSTRAINT leads_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users (id),
    CONSTRAINT leads_version_has_an_entry FOREIGN KEY (id, version) REFERENCES audit_log (subject_id, seq),
    CONSTRAINT leads_stage_check CHECK (stage IN ('new', 'contacted', 'qualified', 'won', 'lost')),
    CONSTRAINT leads_source_check CHECK (source IN ('quick_add', 'form', 'api', 'import')),
    CONSTRAINT leads_enrichment_status_check
        CHECK (enrichment_status IN ('pending', 'in_progress', 'completed', 'failed')),
    CONSTRAINT leads_enrichment_outcome_check CHECK (enrichment_outcome IN ('found', 'partial', 'nothing')),
    CONSTRAINT leads_outcome_when_completed
        CHECK ((enrichment_outcome IS NOT NULL) = (enrichment_status = 'completed')),
    CONSTRAINT leads_email_or_domain CHECK (email IS NOT NULL OR domain IS NOT NULL OR erased_at IS NOT NULL),
    CONSTRAINT leads_employee_count_check CHECK (employee_count >= 0)
) WITH (fillfactor = 85)
"""

# Two simultaneous requests cannot both win an identity.
IDENTITY = (
    "CREATE UNIQUE INDEX leads_live_email_key ON leads (email) WHERE deleted_at IS NULL",
    """CREATE UNIQUE INDEX leads_live_domain_key ON leads (domain)
       WHERE deleted_at IS NULL AND email IS NULL AND erased_at IS NULL""",
    # Whether a lead with this identity lies in the bin: asked once by Quick-Add and the form.
    """CREATE INDEX ix_leads_bin_identity ON leads (coalesce(email, domain))
       WHERE deleted_at IS NOT NULL AND erased_at IS NULL""",
)

GUARD = (
    """
    CREATE FUNCTION leads_version_rises() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
    BEGIN
        IF NEW.id <> OLD.id OR NEW.version <> OLD.version + 1 THEN
            RAISE EXCEPTION 'a lead changes by one version at a time, with its entry (lead %)', OLD.id
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """CREATE TRIGGER leads_version_rises BEFORE UPDATE ON leads
       FOR EACH ROW EXECUTE FUNCTION leads_version_rises()""",
)

RIGHTS = "GRANT SELECT, INSERT, UPDATE ON leads TO leads_app"


def upgrade() -> None:
    for statement in (TABLE, *IDENTITY, *GUARD, RIGHTS):
        op.execute(statement)


def downgrade() -> None:
    """The leads go; their entries stay, and verify names each lead as missing until a restore."""
    op.execute("DROP TABLE leads")
    op.execute("DROP FUNCTION leads_version_rises()")
