"""What providers found, whether it was used or not."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from leads_core.database import C_TEXT, Base

TIME = DateTime(timezone=True)


class LeadFact(Base):
    """One thing one provider found. One that differs from a person's word is a suggestion until it is dismissed."""

    __tablename__ = "lead_facts"
    __table_args__ = (
        CheckConstraint("confidence BETWEEN 0 AND 100", name="lead_facts_confidence_check"),
        Index("ix_lead_facts_lead_id", "lead_id", "field"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[UUID] = mapped_column(ForeignKey("leads.id", name="lead_facts_lead_id_fkey"))
    field: Mapped[str] = mapped_column(C_TEXT)
    value: Mapped[Any] = mapped_column(JSONB)
    source: Mapped[str] = mapped_column(C_TEXT)
    confidence: Mapped[int] = mapped_column(SmallInteger)
    suggestion_only: Mapped[bool] = mapped_column(server_default=text("false"))
    fetched_at: Mapped[datetime] = mapped_column(TIME)
    url: Mapped[str | None] = mapped_column(Text)
    task_id: Mapped[UUID]
    dismissed_at: Mapped[datetime | None] = mapped_column(TIME)
    dismissed_by: Mapped[UUID | None]


class OutgoingRequest(Base):
    """One request to another machine that was made for a lead, or refused: what left the house. In order of id."""

    __tablename__ = "outgoing_requests"
    __table_args__ = (Index("ix_outgoing_requests_lead_id", "lead_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[UUID] = mapped_column(ForeignKey("leads.id", name="outgoing_requests_lead_id_fkey"))
    task_id: Mapped[UUID]
    requested_at: Mapped[datetime] = mapped_column(TIME)
    provider: Mapped[str] = mapped_column(C_TEXT)
    url: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(C_TEXT)
    address: Mapped[str | None] = mapped_column(C_TEXT)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    bytes: Mapped[int]
    error: Mapped[str | None] = mapped_column(Text)


class EnrichmentCheck(Base):
    """When a lead was last looked up; apart from the lead, because looking changes nothing."""

    __tablename__ = "enrichment_checks"
    __table_args__ = (Index("ix_enrichment_checks_checked_at", "checked_at"),)

    lead_id: Mapped[UUID] = mapped_column(
        ForeignKey("leads.id", name="enrichment_checks_lead_id_fkey"), primary_key=True
    )
    checked_at: Mapped[datetime] = mapped_column(TIME)
