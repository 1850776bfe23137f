"""Where likely duplicates are kept: ids and codes alone, so nothing that is erased from a lead stands here."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    SmallInteger,
    Table,
    Uuid,
    text,
)

from leads_core.database import C_TEXT, Base

likely_duplicates = Table(
    "likely_duplicates",
    Base.metadata,
    Column("lead_id", Uuid, primary_key=True),
    Column("other_id", Uuid, primary_key=True),
    Column("found_by", ARRAY(C_TEXT), nullable=False),
    Column("score", SmallInteger, nullable=False),
    Column("found_at", DateTime(timezone=True), nullable=False),
    Column("dismissed_at", DateTime(timezone=True)),
    Column("dismissed_by", Uuid),
    CheckConstraint("lead_id < other_id", name="likely_duplicates_once"),
    Index("ix_likely_duplicates_other", "other_id"),
    Index(
        "ix_likely_duplicates_open",
        "score",
        "found_at",
        "lead_id",
        "other_id",
        postgresql_where=text("dismissed_at IS NULL"),
    ),
    Index(
        "ix_likely_duplicates_dismissed",
        "dismissed_at",
        "lead_id",
        "other_id",
        postgresql_where=text("dismissed_at IS NOT NULL"),
    ),
)
duplicates_read = Table(
    "duplicates_read",
    Base.metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("entries", BigInteger, nullable=False),
    CheckConstraint("one", name="duplicates_read_one"),
)
