"""Whose email or domain it is: which lead stands in the way of another, live or in the bin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.database import Database
from leads_core.errors import IdentityTaken, Invalid, Unavailable
from leads_core.leads.models import Lead
from leads_core.leads.owners import NOT_HERE

# Whoever writes the identities of many leads in one transaction keeps each until its end: two who come to the same ones
# in different orders would wait for each other in a circle.
_SIDE_BY_SIDE = text("SELECT pg_advisory_xact_lock_shared(4226219)")
_ALONE = text("SELECT pg_advisory_xact_lock(4226219)")

UNIQUE = {"leads_live_email_key": "email", "leads_live_domain_key": "domain"}


async def many_in_order(session: AsyncSession) -> None:
    """Before the first lock of whoever writes many identities in their own order: beside others who do."""
    await session.execute(_SIDE_BY_SIDE)


async def many_in_any_order(session: AsyncSession) -> None:
    """Before the first lock of whoever brings many leads back, in whatever order the table has them: alone."""
    await session.execute(_ALONE)


async def refuse_if_binned(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Raises IdentityTaken (in_bin) when only a lead in the bin has this email or, without an email, this domain."""
    taken = await taken_by(session, values)
    if taken is not None and taken.in_bin:
        raise taken


async def taken_by(session: AsyncSession, values: Mapping[str, Any]) -> IdentityTaken | None:
    """What stands in the way of a new lead with this email or, without an email, this domain; live before the bin."""
    field: Literal["email", "domain"] = "email" if values["email"] else "domain"
    if (live := await live_with(session, values)) is not None:
        return IdentityTaken(field, live)
    binned = await _binned(session, values)
    return IdentityTaken(field, binned, in_bin=True) if binned is not None else None


async def conflict_of(database: Database, error: IntegrityError, values: Mapping[str, Any]) -> Exception:
    """The error behind a broken key, in the domain's words; the error itself where it is a mistake of ours.

    values are the columns that were to be written, with `id` where the lead existed before.
    """
    broken = getattr(getattr(error.orig, "__cause__", None), "constraint_name", None)
    if broken == "leads_owner_id_fkey":
        return Invalid.of("owner_id", NOT_HERE)
    if broken == "leads_email_or_domain":
        return Invalid.of("email", "A lead needs an email or a domain. Fill in one of them.")
    if broken not in UNIQUE:
        return error
    async with database.transaction() as session:
        if "id" in values:
            lead = await session.get_one(Lead, values["id"])
            values = {"email": lead.email, "domain": lead.domain, **values}
        existing = await live_with(session, values)
    if existing is None:
        # The other lead left again between the two statements: the caller may simply try once more.
        return Unavailable("The lead in the way left at the same moment. Nothing was changed; try again.")
    return IdentityTaken("email" if UNIQUE[broken] == "email" else "domain", existing)


async def live_with(session: AsyncSession, values: Mapping[str, Any]) -> UUID | None:
    """The live lead with this identity, by the unique identity indexes."""
    same = Lead.email == values["email"]
    if values["email"] is None:
        same = (Lead.domain == values["domain"]) & Lead.email.is_(None) & Lead.erased_at.is_(None)
    found: UUID | None = await session.scalar(select(Lead.id).where(same, Lead.deleted_at.is_(None)))
    return found


async def _binned(session: AsyncSession, values: Mapping[str, Any]) -> UUID | None:
    """The lead in the bin that was deleted last with this identity, by ix_leads_bin_identity."""
    wanted = values["email"] or values["domain"]
    same = func.coalesce(Lead.email, Lead.domain) == wanted
    binned = select(Lead.id).where(same, Lead.deleted_at.is_not(None), Lead.erased_at.is_(None))
    found: UUID | None = await session.scalar(binned.order_by(Lead.deleted_at.desc()).limit(1))
    return found
