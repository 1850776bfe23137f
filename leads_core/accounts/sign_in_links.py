"""Links that sign somebody in once. Only the SHA-256 of their secret is stored; their times are the database's."""

from __future__ import annotations

import hashlib
import secrets
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.accounts.schemas import SignInLink
from leads_core.database import Database

LIFETIME_HOURS = 24

MAKE = text(f"""
    INSERT INTO sign_in_links (secret_hash, user_id, expires_at)
    VALUES (:secret_hash, :user_id, now() + interval '{LIFETIME_HOURS} hours') RETURNING expires_at
""")  # noqa: S608 - a constant of ours
IS_OPEN = "secret_hash = :secret_hash AND used_at IS NULL AND expires_at > now()"
USE = text(f"UPDATE sign_in_links SET used_at = now() WHERE {IS_OPEN} RETURNING user_id")  # noqa: S608
LOOK_AT = text(f"SELECT user_id FROM sign_in_links WHERE {IS_OPEN}")  # noqa: S608
VOID = text("UPDATE sign_in_links SET used_at = now() WHERE user_id = :user_id AND used_at IS NULL")
FORGET = text("DELETE FROM sign_in_links WHERE expires_at < now() - interval '30 days'")


async def make(session: AsyncSession, user_id: UUID) -> SignInLink:
    """A new link for this user. Its secret is 32 random bytes, known to nobody else."""
    secret = secrets.token_urlsafe(32)
    expires_at = (await session.execute(MAKE, {"secret_hash": _hash(secret), "user_id": user_id})).scalar_one()
    return SignInLink(user_id, secret, expires_at)


async def is_open(session: AsyncSession, secret: str) -> bool:
    """Whether the link would still sign somebody in."""
    return (await session.execute(LOOK_AT, {"secret_hash": _hash(secret)})).scalar() is not None


async def use(session: AsyncSession, secret: str) -> UUID | None:
    """Spend the link. Gives its user, or None when it was spent or lapsed; two at once get one user."""
    user_id: UUID | None = (await session.execute(USE, {"secret_hash": _hash(secret)})).scalar()
    return user_id


async def void(session: AsyncSession, user_id: UUID) -> None:
    """Every open link of this user works no more."""
    await session.execute(VOID, {"user_id": user_id})


async def forget_lapsed(database: Database) -> int:
    """Remove links that lapsed a month ago. Gives their number. For a scheduled task."""
    async with database.transaction() as session:
        return int(getattr(await session.execute(FORGET), "rowcount", 0))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
