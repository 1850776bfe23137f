"""A job's life: the truth that pages and the API read. The queue only carries its id."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from leads_core.database import C_TEXT, Base, one_of

TIME = DateTime(timezone=True)


class JobKind(StrEnum):
    """What a job does."""

    ENRICHMENT = "enrichment"
    IMPORT = "import"
    BULK = "bulk"
    UNDO = "undo"
    VERIFICATION = "verification"


class JobState(StrEnum):
    """Where a job stands. The last three are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(Base):
    """One piece of work. origin is whose request began it: its entries carry them. wanted is what was asked."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(one_of("kind", JobKind), name="jobs_kind_check"),
        CheckConstraint(one_of("state", JobState), name="jobs_state_check"),
        Index("ix_jobs_lead_id", "lead_id", "id", postgresql_where=text("lead_id IS NOT NULL")),
        Index("ix_jobs_unfinished", "kind", "created_at", postgresql_where=text("finished_at IS NULL")),
        Index("ix_jobs_refresh", "created_at", postgresql_where=text("wanted ? 'refresh'")),
        Index("ix_jobs_kind_id", "kind", "id", postgresql_where=text("kind <> 'enrichment'")),
        Index("ix_jobs_undo_of", text("(wanted ->> 'task_id')"), "id", postgresql_where=text("kind = 'undo'")),
        Index("ix_jobs_undo_request_id", "request_id", postgresql_where=text("kind = 'undo'")),
        Index(
            "ix_jobs_enrichments_waiting",
            "state",
            "created_at",
            postgresql_where=text("finished_at IS NULL AND kind = 'enrichment'"),
        ),
        Index(
            "ix_jobs_enrichments_ended",
            "state",
            "finished_at",
            postgresql_where=text("finished_at IS NOT NULL AND kind = 'enrichment'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(C_TEXT)
    lead_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(C_TEXT)
    actor_kind: Mapped[str] = mapped_column(C_TEXT)
    actor_id: Mapped[UUID | None]
    origin: Mapped[dict[str, Any]] = mapped_column(JSONB)
    request_id: Mapped[str] = mapped_column(C_TEXT)
    wanted: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    provider: Mapped[str | None] = mapped_column(C_TEXT)
    attempt: Mapped[int] = mapped_column(server_default=text("0"))
    done: Mapped[int] = mapped_column(server_default=text("0"))
    total: Mapped[int | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=text("now()"))
    started_at: Mapped[datetime | None] = mapped_column(TIME)
    next_attempt_at: Mapped[datetime | None] = mapped_column(TIME)
    finished_at: Mapped[datetime | None] = mapped_column(TIME)


class JobFile(Base):
    """A piece of an uploaded file, at most 256 KiB."""

    __tablename__ = "job_files"

    job_id: Mapped[UUID] = mapped_column(
        ForeignKey("jobs.id", name="job_files_job_id_fkey", ondelete="CASCADE"), primary_key=True
    )
    piece: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=text("now()"))
