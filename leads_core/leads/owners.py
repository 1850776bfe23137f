"""Whom a lead can be given to: users who are not disabled."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

WORKING = text("SELECT id FROM users WHERE id = ANY(:ids) AND disabled_at IS NULL").bindparams(
    bindparam("ids", type_=ARRAY(Uuid))
)


async def working(session: AsyncSession, ids: Iterable[UUID]) -> set[UUID]:
    """Those of these users who work here."""
    wanted = list(ids)
    return set(await session.scalars(WORKING, {"ids": wanted})) if wanted else set()
