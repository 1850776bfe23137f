"""The tables of accounts. Secrets are stored hashed only: a password as argon2id, links and tokens as SHA-256."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from leads_core.accounts.permissions import Role
from leads_core.database import C_TEXT, Base, one_of

TIME = DateTime(timezone=True)
NOW = text("now()")


class User(Base):
    """A person who may sign in. email is in lower case; null until the person gives one."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("email", name="users_email_key"),
        CheckConstraint(one_of("role", Role), name="users_role_check"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str | None] = mapped_column(C_TEXT)
    password_hash: Mapped[str | None] = mapped_column(C_TEXT)
    role: Mapped[str] = mapped_column(C_TEXT)
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(TIME)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(TIME)
    disabled_at: Mapped[datetime | None] = mapped_column(TIME)


class SignInLink(Base):
    """A way in that works once."""

    __tablename__ = "sign_in_links"
    __table_args__ = (Index("ix_sign_in_links_user_id", "user_id"),)

    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", name="sign_in_links_user_id_fkey"))
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=NOW)
    expires_at: Mapped[datetime] = mapped_column(TIME)
    used_at: Mapped[datetime | None] = mapped_column(TIME)


class Session(Base):
    """A browser in which somebody is signed in. Its times are the database's."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_user_id", "user_id"), Index("ix_sessions_expires_at", "expires_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", name="sessions_user_id_fkey"))
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=NOW)
    last_seen_at: Mapped[datetime] = mapped_column(TIME, server_default=NOW)
    expires_at: Mapped[datetime] = mapped_column(TIME)
    ended_at: Mapped[datetime | None] = mapped_column(TIME)
    ip_address: Mapped[str | None] = mapped_column(C_TEXT)
    user_agent: Mapped[str | None] = mapped_column(Text)


class ApiToken(Base):
    """A key for scripts. prefix is the part that lists show, so that its owner knows which it is."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        UniqueConstraint("secret_hash", name="api_tokens_secret_hash_key"),
        Index("ix_api_tokens_user_id", "user_id"),
        CheckConstraint("scopes <@ ARRAY['leads:read', 'leads:write', 'audit:read']", name="api_tokens_scopes_check"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", name="api_tokens_user_id_fkey"))
    name: Mapped[str] = mapped_column(Text)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    prefix: Mapped[str] = mapped_column(C_TEXT)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(C_TEXT))
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(TIME)
    last_used_at: Mapped[datetime | None] = mapped_column(TIME)
    expires_at: Mapped[datetime | None] = mapped_column(TIME)
    revoked_at: Mapped[datetime | None] = mapped_column(TIME)
