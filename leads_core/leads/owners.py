"""Whom a lead can be given to: users who are not disabled."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.errors import Invalid

WORKING = text("SELECT id FROM users WHERE id = ANY(:ids) AND disabled_at IS NULL").bindparams(
    bindparam("ids", type_=ARRAY(Uuid))
)


NOT_HERE = "There is no such user. Choose one from the list of users."


async def refuse_unless_working(
    session: AsyncSession, owner_id: UUID | None, *, now: UUID | None = None, field: str = "owner_id"
) -> None:
    """Raises Invalid, for this field, where a lead is to be given to somebody who does not work here.

    now: who has it already, and may keep it.
    """
    if owner_id is not None and owner_id != now and not await working(session, [owner_id]):
        raise Invalid.of(field, NOT_HERE)


async def working(session: AsyncSession, ids: Iterable[UUID]) -> set[UUID]:
    """Those of these users who work here."""
    wanted = list(ids)
    return set(await session.scalars(WORKING, {"ids": wanted})) if wanted else set()
