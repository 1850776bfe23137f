"""The audit tables. Nobody but the trail writes them, and nobody changes what is written (triggers, grants)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
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
    CHECKPOINT_KEPT = "CHECKPOINT_KEPT"
    REOPEN = "REOPEN"


class SubjectKind(StrEnum):
    """What an entry is about."""

    LEAD = "lead"
    USER = "user"
    TOKEN = "token"  # noqa: S105 - a kind, not a secret
    EXPORT = "export"
    LOG = "log"


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
        Index("ix_audit_log_actor_id", "actor_id", "id"),
        Index(
            "ix_audit_log_action",
            "action",
            "id",
            postgresql_where="action NOT IN ('CREATE', 'UPDATE', 'ENRICH')",
        ),
        Index("ix_audit_log_channel", "channel", "id", postgresql_where="channel IN ('web', 'api', 'cli')"),
        Index("ix_audit_log_subject_kind", "subject_kind", "id", postgresql_where="subject_kind <> 'lead'"),
        Index(
            "ix_audit_log_request_id",
            "request_id",
            postgresql_using="brin",
            postgresql_ops={"request_id": "text_bloom_ops (n_distinct_per_range = 700, false_positive_rate = 0.001)"},
            postgresql_with={"pages_per_range": 64, "autosummarize": "on"},
        ),
        Index(
            "ix_audit_log_request_of_leads",
            "request_id",
            "id",
            postgresql_where="task_id IS NULL AND subject_kind = 'lead'",
        ),
        Index(
            "ix_audit_log_export_sha256", text("(parts #>> '{data,1,sha256,1}')"), postgresql_where="action = 'EXPORT'"
        ),
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


class Leaf(Base):
    """An entry's place in the log: leaf 0, 1, 2, ... without a gap."""

    __tablename__ = "audit_leaves"
    __table_args__ = (
        UniqueConstraint("entry_id", name="audit_leaves_entry_id_key"),
        CheckConstraint("leaf_index >= 0", name="audit_leaves_leaf_index_check"),
        CheckConstraint("octet_length(checksum) = 32", name="audit_leaves_checksum_check"),
    )

    leaf_index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[UUID]
    checksum: Mapped[bytes] = mapped_column(LargeBinary)


class Block(Base):
    """The root of 256^level leaves from block_index * 256^level on: a cache that only grows."""

    __tablename__ = "audit_blocks"
    __table_args__ = (
        CheckConstraint("level >= 1", name="audit_blocks_level_check"),
        CheckConstraint("octet_length(hash) = 32", name="audit_blocks_hash_check"),
    )

    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    block_index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class SignedCheckpoint(Base):
    """A signed root of the first `size` leaves. The file outside the database holds the same notes."""

    __tablename__ = "audit_checkpoints"
    __table_args__ = (Index("ix_audit_checkpoints_size", "size"),)

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    log_name: Mapped[str] = mapped_column(C_TEXT)
    size: Mapped[int] = mapped_column(BigInteger)
    root: Mapped[bytes] = mapped_column(LargeBinary)
    note: Mapped[str] = mapped_column(C_TEXT)
    signed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class RejectedEntry(Base):
    """An entry that is not as it was written, or was written by nobody of ours: it never enters the log."""

    __tablename__ = "audit_rejected"

    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(C_TEXT)
    rejected_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Verification(Base):
    """What a verification of the whole trail found. result holds no person's values."""

    __tablename__ = "audit_verifications"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ok: Mapped[bool]
    result: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Signing(Base):
    """How signing goes, one row: the alarm that stands, whose, since when, and when a sequencer last looked."""

    __tablename__ = "audit_signing"
    __table_args__ = (CheckConstraint("one", name="audit_signing_one_check"),)

    one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    alarm: Mapped[str | None] = mapped_column(Text)
    alarmed_by: Mapped[str | None] = mapped_column(Text)
    alarmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    looked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
