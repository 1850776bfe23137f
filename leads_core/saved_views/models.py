"""A named state of the list: its filters, its search and its order, as an address says them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from leads_core.accounts.models import User
from leads_core.database import C_TEXT, Base

TIME = DateTime(timezone=True)
OWN_NAME, SHARED_NAME = "ix_saved_views_own_name", "ix_saved_views_shared_name"


class SavedView(Base):
    """A row. The owner is null once they were erased: a shared view stays with the others."""

    __tablename__ = "saved_views"
    __table_args__ = (
        CheckConstraint("is_shared OR owner_id IS NOT NULL", name="saved_views_owned"),
        Index(OWN_NAME, "owner_id", "name_key", unique=True, postgresql_where=text("NOT is_shared")),
        Index(SHARED_NAME, "name_key", unique=True, postgresql_where=text("is_shared")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey(User.id, name="saved_views_owner_id_fkey"))
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(C_TEXT)
    query: Mapped[str] = mapped_column(Text)
    is_shared: Mapped[bool]
    place: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(TIME)
    updated_at: Mapped[datetime] = mapped_column(TIME)
