"""The columns that an undo sets in a lead, under today's rules; what they do not allow is added to what is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.audit import trail
from leads_core.errors import Invalid
from leads_core.leads import changing
from leads_core.leads.owners import working
from leads_core.leads.schemas import LeadUpdate, parsed
from leads_core.leads.taking_back import MERGED_INTO, Kept, Reason, TakingBack


async def working_owners(session: AsyncSession, wanted: Sequence[TakingBack]) -> set[str]:
    """Of the owners to put back, those who work here."""
    ids = {UUID(back.values["owner_id"]) for back in wanted if back.values.get("owner_id")}
    return {str(each) for each in await working(session, ids)}


def columns_of(row: Row[Any], back: TakingBack, owners: set[str]) -> dict[str, Any]:
    """The columns to set; what may not be put back is added to what is kept."""
    wanted = dict(back.values)
    if (owner := wanted.get("owner_id")) and owner not in owners:
        _keep(back, wanted, "owner", ["owner_id"])
    merged = {MERGED_INTO: wanted.pop(MERGED_INTO)} if MERGED_INTO in wanted else {}
    values = {**_parsed(back, wanted), **{name: value and UUID(value) for name, value in merged.items()}}
    if values.keys() & {"email", "domain"}:
        email, domain = (values.get(name, getattr(row, name)) for name in ("email", "domain"))
        derived = changing.domain_columns(email, domain)
        if email is None and derived.get("domain", domain) is None:
            _keep(back, values, "no_identity", [name for name in ("email", "domain") if name in values])
        else:
            values |= derived
    provenance = dict(row.provenance)
    for name, source in back.sources.items():
        if name not in back.values or name in values:
            provenance.pop(name, None)
            if source is not None:
                provenance[name] = source
    if provenance != row.provenance:
        values["provenance"] = provenance
    if back.in_bin is not None:
        at, who = trail.now(), context.current().actor_id
        values |= {"deleted_at": at if back.in_bin else None, "deleted_by": who if back.in_bin else None}
    return values


def _parsed(back: TakingBack, wanted: dict[str, Any]) -> dict[str, Any]:
    """Under today's rules: what they refuse is kept."""
    try:
        return parsed(LeadUpdate, wanted).changes() if wanted else {}
    except Invalid as error:
        _keep(back, wanted, "refused", {each.field.partition(".")[0] for each in error.errors} & wanted.keys())
        return parsed(LeadUpdate, wanted).changes() if wanted else {}


def _keep(back: TakingBack, values: dict[str, Any], reason: Reason, names: Iterable[str]) -> None:
    for name in sorted(names):
        back.kept.append(Kept(reason, name))
        del values[name]
