"""The leads table. Only leads_core.leads imports this: everybody else sees LeadRead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from leads_core.accounts.models import User
from leads_core.audit.record.entry import PART_OF, timestamp
from leads_core.database import C_TEXT, Base, one_of
from leads_core.leads.facets import facet_sql
from leads_core.leads.list_tables import LIST_INDEXES
from leads_core.leads.schemas import EnrichmentOutcome, EnrichmentStatus, Source, Stage

TIME = DateTime(timezone=True)

LIVE = "deleted_at IS NULL"


class Lead(Base):
    """A lead as it stands; its history is the trail."""

    __tablename__ = "leads"
    __table_args__ = (
        ForeignKeyConstraint(
            ["id", "version"], ["audit_log.subject_id", "audit_log.seq"], name="leads_version_has_an_entry"
        ),
        CheckConstraint(one_of("stage", Stage), name="leads_stage_check"),
        CheckConstraint(one_of("source", Source), name="leads_source_check"),
        CheckConstraint(one_of("enrichment_status", EnrichmentStatus), name="leads_enrichment_status_check"),
        CheckConstraint(one_of("enrichment_outcome", EnrichmentOutcome), name="leads_enrichment_outcome_check"),
        CheckConstraint(
            "(enrichment_outcome IS NOT NULL) = (enrichment_status = 'completed')", name="leads_outcome_when_completed"
        ),
        CheckConstraint(
            "email IS NOT NULL OR domain IS NOT NULL OR erased_at IS NOT NULL", name="leads_email_or_domain"
        ),
        CheckConstraint("employee_count >= 0", name="leads_employee_count_check"),
        Index("leads_live_email_key", "email", unique=True, postgresql_where=text(LIVE)),
        Index(
            "leads_live_domain_key",
            "domain",
            unique=True,
            postgresql_where=text(f"{LIVE} AND email IS NULL AND erased_at IS NULL"),
        ),
        Index(
            "ix_leads_bin_identity",
            text("coalesce(email, domain)"),
            postgresql_where=text("deleted_at IS NOT NULL AND erased_at IS NULL"),
        ),
        *LIST_INDEXES,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(C_TEXT)
    domain: Mapped[str | None] = mapped_column(C_TEXT)
    registrable_domain: Mapped[str | None] = mapped_column(C_TEXT)
    company_name: Mapped[str | None] = mapped_column(Text)
    contact_name: Mapped[str | None] = mapped_column(Text)
    job_title: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(C_TEXT)
    website: Mapped[str | None] = mapped_column(Text)
    linkedin_url: Mapped[str | None] = mapped_column(Text)
    industry: Mapped[str | None] = mapped_column(Text)
    employee_count: Mapped[int | None]
    city: Mapped[str | None] = mapped_column(Text)
    country: Mapped[str | None] = mapped_column(C_TEXT)
    language: Mapped[str | None] = mapped_column(C_TEXT)
    description: Mapped[str | None] = mapped_column(Text)
    notes: Mapped[str | None] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(ARRAY(C_TEXT), server_default=text("'{}'"))
    stage: Mapped[str] = mapped_column(C_TEXT)
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey(User.id, name="leads_owner_id_fkey"))
    follow_up_on: Mapped[date | None]
    source: Mapped[str] = mapped_column(C_TEXT)
    source_detail: Mapped[str | None] = mapped_column(Text)
    is_manual: Mapped[bool]
    enrichment_status: Mapped[str] = mapped_column(C_TEXT)
    enrichment_outcome: Mapped[str | None] = mapped_column(C_TEXT)
    enrichment_task_id: Mapped[UUID | None]
    enrichment_error: Mapped[str | None] = mapped_column(Text)
    enriched_at: Mapped[datetime | None] = mapped_column(TIME)
    provenance: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(TIME)
    created_by: Mapped[UUID | None]
    updated_at: Mapped[datetime] = mapped_column(TIME)
    updated_by: Mapped[UUID | None]
    deleted_at: Mapped[datetime | None] = mapped_column(TIME)
    deleted_by: Mapped[UUID | None]
    erased_at: Mapped[datetime | None] = mapped_column(TIME)
    erased_by: Mapped[UUID | None]
    merged_into: Mapped[UUID | None]

    # Only for lists: never in the API, the ETag or an entry.
    arrival: Mapped[int] = mapped_column(BigInteger, Identity(always=False))
    bucket: Mapped[int] = mapped_column(Computed("(arrival >> 16)::integer", persisted=True))
    facet: Mapped[int] = mapped_column(SmallInteger, Computed(facet_sql(), persisted=True))
    search_text: Mapped[str] = mapped_column(C_TEXT, server_default=text("''"))
    company_sort: Mapped[str | None] = mapped_column(C_TEXT)
    contact_sort: Mapped[str | None] = mapped_column(C_TEXT)

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    @property
    def is_erased(self) -> bool:
        return self.erased_at is not None

    def audited_values(self) -> dict[str, Any]:
        """Field -> value as an entry writes it: ids and times as text, dates as 2026-11-24. Provenance beside them."""
        values = {field: audited(getattr(self, field)) for field in PART_OF}
        return {**values, "provenance": self.provenance}


LEADS = cast(Table, Lead.__table__)


def audited_row(lead: Mapping[Any, Any]) -> dict[str, Any]:
    """A lead's columns by name as an entry has them, without those that are null."""
    values = {
        name: value if type(value) is str else audited(value) for name in PART_OF if (value := lead[name]) is not None
    }
    return {**values, "provenance": lead["provenance"]}


def audited(value: Any) -> Any:
    """A column's value in the form in which entries hold it."""
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, UUID | date):
        return str(value)
    return list(value) if isinstance(value, list) else value
