"""What only lists need beside the lead: indexes, the tags' table and the counts. Triggers keep both tables."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Index, SmallInteger, Table, Uuid, text

from leads_core.database import C_TEXT, Base

LIVE = text("deleted_at IS NULL")


def _live(name: str, *columns: str) -> Index:
    return Index(f"ix_leads_live_{name}", *columns, postgresql_where=LIVE)


def _covering(name: str, *columns: str) -> Index:
    """With the facet in its leaves: a walk tests the coded filters without touching the table."""
    return Index(f"ix_leads_live_{name}", *columns, postgresql_where=LIVE, postgresql_include=["facet"])


def _by_creation(name: str, which: str) -> Index:
    """Those leads alone, newest and oldest first."""
    return Index(f"ix_leads_live_{name}", "created_at", "id", postgresql_where=text(f"deleted_at IS NULL AND {which}"))


LIST_INDEXES = (
    _covering("created", "created_at", "id"),
    _covering("updated", "updated_at", "id"),
    _live("facet", "facet", "created_at", "id"),
    _covering("company", "company_sort", "id"),
    _covering("contact", "contact_sort", "id"),
    _live("domain", "domain", "created_at", "id"),
    _live("registrable_domain", "registrable_domain", "created_at", "id"),
    _live("owner", "owner_id", "created_at", "id"),
    _live("country", "country", "created_at", "id"),
    _live("updated_by", "updated_by", "created_at", "id"),
    _by_creation("tagged", "tags <> '{}'"),
    _by_creation("untagged", "tags = '{}'"),
    _by_creation("with_follow_up", "follow_up_on IS NOT NULL"),
    _by_creation("without_follow_up", "follow_up_on IS NULL"),
    Index(
        "ix_leads_live_follow_up",
        "follow_up_on",
        "id",
        postgresql_where=text("deleted_at IS NULL AND follow_up_on IS NOT NULL"),
    ),
    # Half of them null, and of no interest to whoever asks for old values.
    Index(
        "ix_leads_live_enriched",
        "enriched_at",
        "id",
        postgresql_where=text("deleted_at IS NULL AND enriched_at IS NOT NULL"),
    ),
    _covering("bucket", "bucket", "created_at", "id"),
    Index(
        "ix_leads_live_search",
        text("lead_tags(bucket, facet)"),
        "search_text",
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
        postgresql_with={"gin_pending_list_limit": "1024"},
        postgresql_where=LIVE,
    ),
    Index("ix_leads_live_phone", "phone", "id", postgresql_where=text("deleted_at IS NULL AND phone IS NOT NULL")),
    Index("ix_leads_merged_into", "merged_into", "id", postgresql_where=text("merged_into IS NOT NULL")),
    Index("ix_leads_bin", "deleted_at", "id", postgresql_where=text("deleted_at IS NOT NULL")),
)

lead_tagging = Table(
    "lead_tagging",
    Base.metadata,
    Column("tag", C_TEXT, primary_key=True),
    Column("created_at", DateTime(timezone=True), primary_key=True),
    Column("lead_id", Uuid, primary_key=True),
)

#: Signed rows; for each code their sum is the number of live leads.
lead_counts = Table(
    "lead_counts",
    Base.metadata,
    Column("facet", SmallInteger, nullable=False),
    Column("n", BigInteger, nullable=False),
)
