"""The audit tables. Nobody but the trail writes them, and nobody changes what is written (triggers, grants)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, LargeBinary, SmallInteger, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from leads_core.database import C_TEXT, Base, one_of


class Action(StrEnum):
    """What an entry says was done: a closed list."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    RESTORE = "RESTORE"
    ENRICH = "ENRICH"
    REVERT = "REVERT"
    MERGE = "MERGE"
    DISMISS = "DISMISS"
    ERASE = "ERASE"
    SIGN_IN = "SIGN_IN"
    SIGN_IN_FAILED = "SIGN_IN_FAILED"
    SIGN_OUT = "SIGN_OUT"
    EXPORT = "EXPORT"


class SubjectKind(StrEnum):
    """What an entry is about."""

    LEAD = "lead"
    USER = "user"
    TOKEN = "token"  # noqa: S105 - a kind, not a secret
    EXPORT = "export"


ACTOR_KINDS = ("user", "token", "system", "anonymous")
CHANNELS = ("web", "api", "import", "cli", "worker")


class AuditEntry(Base):
    """One mutation, in the record's final form (docs/audit.md). For a lead, seq is its version after the change."""

    __tablename__ = "audit_log"
    __table_args__ = (
        UniqueConstraint("subject_id", "seq", name="audit_log_subject_id_seq_key"),
        CheckConstraint(one_of("action", Action), name="audit_log_action_check"),
        CheckConstraint(one_of("subject_kind", SubjectKind), name="audit_log_subject_kind_check"),
        CheckConstraint(one_of("actor_kind", ACTOR_KINDS), name="audit_log_actor_kind_check"),
        CheckConstraint(one_of("channel", CHANNELS), name="audit_log_channel_check"),
        Index("ix_audit_log_task_id", "task_id", "id", postgresql_where="task_id IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject_kind: Mapped[str] = mapped_column(C_TEXT)
    subject_id: Mapped[UUID | None]
    seq: Mapped[int | None]
    action: Mapped[str] = mapped_column(C_TEXT)
    actor_kind: Mapped[str] = mapped_column(C_TEXT)
    actor_id: Mapped[UUID | None]
    channel: Mapped[str] = mapped_column(C_TEXT)
    request_id: Mapped[str | None] = mapped_column(C_TEXT)
    task_id: Mapped[UUID | None]
    occurred_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    v: Mapped[int] = mapped_column(SmallInteger)
    parts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    checksum: Mapped[bytes] = mapped_column(LargeBinary)
    mac: Mapped[bytes] = mapped_column(LargeBinary)


class PendingEntry(Base):
    """An entry that the signed log has not taken up yet."""

    __tablename__ = "audit_pending"

    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
