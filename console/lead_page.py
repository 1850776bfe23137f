"""What the page of a lead shows beside the lead: trail, facts, suggestions, whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from console.trail_wording import trail_line
from leads_core.accounts.permissions import Permission
from leads_core.accounts.service import Accounts
from leads_core.accounts.visitor import Visitor
from leads_core.audit import queries as trail
from leads_core.audit.queries import EntryRead
from leads_core.database import Database
from leads_core.enrichment import merging
from leads_core.enrichment import queries as enrichment
from leads_core.leads.codes import COUNTRY_NAMES
from leads_core.leads.queries import others_at
from leads_core.leads.schemas import LeadRead

DETAIL_FIELDS = (
    "contact_name",
    "job_title",
    "email",
    "phone",
    "company_name",
    "domain",
    "website",
    "industry",
    "employee_count",
    "city",
    "country",
    "language",
    "linkedin_url",
    "follow_up_on",
    "tags",
    "description",
    "notes",
)
COUNTRIES = sorted(COUNTRY_NAMES.items(), key=lambda country: country[1])
#: Entries shown at once; older ones are a link away.
SHOWN = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong with what was asked for, above the lead."""

    title: str
    sentence: str
    link: str = ""


async def context_of(lead: LeadRead, database: Database, who: Visitor, *, before: UUID | None = None) -> dict[str, Any]:
    """Everything the panel of a lead shows beside the lead; the trail newest first, from before an entry on."""
    sees_origins = Permission.READ_ORIGINS in who.permissions
    async with database.reader() as reader:
        entries = await trail.entries_of(
            reader, lead.id, newest_first=True, after=before, limit=SHOWN + 1, with_origin=sees_origins
        )
        others = await others_at(reader, lead.registrable_domain) if lead.registrable_domain else None
    async with database.transaction() as session:
        found = await enrichment.facts_of(session, lead.id)
    shown = entries[:SHOWN]
    return {
        "trail": [trail_line(entry, who.user_id, shows_addresses=sees_origins) for entry in shown],
        "older_trail": f"/leads/{lead.id}?before={shown[-1].id}" if len(entries) > SHOWN else None,
        "facts": [one.fact for one in found],
        "suggestions": _suggestions(lead, found),
        "owner_name": await _owner_name(lead, database, who),
        "can_edit": Permission.CHANGE_LEADS in who.permissions,
        "detail_fields": DETAIL_FIELDS,
        "others": max(0, others.value - (not lead.is_deleted)) if others else 0,
    }


async def entries_since(lead_id: UUID, version: int | None, database: Database) -> list[EntryRead]:
    """The entries after this version of a lead, newest first."""
    async with database.reader() as reader:
        entries = await trail.entries_of(reader, lead_id, newest_first=True, after=None, limit=SHOWN, with_origin=False)
    return [entry for entry in entries if entry.seq is not None and entry.seq > (version or 0)]


def _suggestions(lead: LeadRead, found: Sequence[enrichment.FactRead]) -> list[merging.Fact]:
    """For each field the surest thing that says something else than a person's word."""
    best: dict[str, merging.Fact] = {}
    for one in found:
        if one.dismissed_at is None and merging.is_suggestion(lead, one.fact):
            best.setdefault(one.fact.field, one.fact)
    return list(best.values())


async def owners(database: Database, who: Visitor) -> list[tuple[str, str]]:
    """Who may own a lead: (id, name), the reader first."""
    users = [user for user in await Accounts(database).list() if not user.is_disabled]
    users.sort(key=lambda user: (user.id != who.user_id, user.name))
    return [(str(user.id), f"{user.name} (you)" if user.id == who.user_id else user.name) for user in users]


async def _owner_name(lead: LeadRead, database: Database, who: Visitor) -> str | None:
    if lead.owner_id is None:
        return None
    return "You" if lead.owner_id == who.user_id else (await Accounts(database).get(lead.owner_id)).name
