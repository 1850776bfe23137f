"""What the page of a lead shows beside the lead: trail, facts, suggestions, whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from console.lead_duplicates import duplicates_of_panel, merges_beside
from console.lead_seal import AT_ONCE, not_checked, seal_view
from console.time_machine import lead_then
from console.trail_page import SHOWN, TrailAddress, trail_view
from console.trail_wording import QUOTED, fields_in_words
from console.undo_page import offers_beside
from console.wording import field_label, value_in_words
from leads_core.accounts.permissions import Permission
from leads_core.accounts.service import Accounts
from leads_core.accounts.visitor import Visitor
from leads_core.audit import erasure, lead_seal
from leads_core.audit import queries as trail
from leads_core.audit.models import Action
from leads_core.audit.queries import EntryRead
from leads_core.audit.verification.trusted import Trusted
from leads_core.database import Database
from leads_core.enrichment import queries as enrichment
from leads_core.enrichment.queue_watch import jobs_of
from leads_core.enrichment.suggestions import suggestions_of
from leads_core.errors import Misconfigured, NotFound
from leads_core.leads.codes import COUNTRY_NAMES
from leads_core.leads.history import REVERTIBLE, Standing
from leads_core.leads.queries import others_at
from leads_core.leads.schemas import LeadRead
from leads_core.settings import Settings

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


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong with what was asked for, above the lead. kind is the notice's: bad, or none for a mere word."""

    title: str
    sentence: str
    link: str = ""
    kind: str = "bad"


@dataclass(frozen=True, slots=True)
class Reverted:
    """What a REVERT put back, and by which request, which undoes it."""

    seq: int
    fields: Sequence[str]
    request_id: str | None
    sentence: str


async def context_of(
    lead: LeadRead, database: Database, who: Visitor, settings: Settings, address: TrailAddress | None = None
) -> dict[str, Any]:
    """Everything the panel of a lead shows beside the lead; of the trail what the address asks for."""
    async with database.reader() as reader:
        others = await others_at(reader, lead.registrable_domain) if lead.registrable_domain else None
        jobs = await jobs_of(reader, [lead.enrichment_task_id]) if lead.enrichment_task_id else {}
    async with database.transaction() as session:
        found = await enrichment.facts_of(session, lead.id)
        looked_up_at = await enrichment.checked_at(session, lead.id)
    trail = await trail_of(lead, database, who, settings, address or TrailAddress(lead.id))
    return {
        **trail,
        **await duplicates_of_panel(lead, database, who),
        "enrichment_job": jobs.get(lead.enrichment_task_id) if lead.enrichment_task_id else None,
        "facts": [one.fact for one in found],
        "looked_up_at": looked_up_at,
        "suggestions": suggestions_of(lead, found),
        "detail_fields": DETAIL_FIELDS,
        "others": max(0, others.value - (not lead.is_deleted)) if others else 0,
        "erased_by": await _eraser(lead, database) if lead.erased_at else None,
    }


async def seal_of(lead: LeadRead, database: Database, who: Visitor, settings: Settings) -> dict[str, Any]:
    """The lead's seal, checked now."""
    check = lead_seal.seal_of if lead.version <= AT_ONCE else lead_seal.seal_of_many_entries
    try:
        seal = seal_view(await check(database, Trusted.of(settings), lead.id), datetime.now(UTC))
    except Misconfigured as error:
        seal = not_checked(str(error))
    return {"seal": seal, "may_read_trail": Permission.READ_TRAIL in who.permissions}


async def trail_of(
    lead: LeadRead, database: Database, who: Visitor, settings: Settings, address: TrailAddress
) -> dict[str, Any]:
    """The trail, newest first, as the address asks for it, with its seal, and what the reader may do.

    Nothing is put back from a trail that is broken. A long one's seal is left to be asked for: None.
    """
    sealed = await seal_of(lead, database, who, settings) if lead.version <= AT_ONCE else {"seal": None}
    is_broken = sealed["seal"] is not None and sealed["seal"].is_broken
    sees_origins = Permission.READ_ORIGINS in who.permissions
    can_edit = Permission.CHANGE_LEADS in who.permissions
    async with database.reader() as reader:
        entries = await trail.entries_of(
            reader,
            lead.id,
            newest_first=True,
            after=address.before,
            limit=SHOWN + 1,
            with_origin=sees_origins,
            only=address.only,
        )
        choices = await trail.choices_of(reader, lead.id)
    names = await _names(lead, database, who) if lead.owner_id or "owner_id" in choices.fields else {}
    view = trail_view(
        address,
        lead,
        entries,
        choices,
        viewer_id=who.user_id,
        sees_origins=sees_origins,
        can_put_back=can_edit and not is_broken,
        names=names,
    )
    owner = names.get(str(lead.owner_id), "Somebody who is not here any more") if lead.owner_id else None
    context = {"trail": view, "can_edit": can_edit, "owner_name": owner, "names": names}
    may_undo = can_edit and not is_broken and not address.only and address.before is None
    context["merges"] = await merges_beside(lead, entries, database)
    context["offers"] = offers_beside(view.entries, entries) if may_undo else {}
    return {**context, **sealed, "can_put_back": can_edit and not is_broken}


async def then_of(
    lead: LeadRead, past: Standing, database: Database, who: Visitor, settings: Settings, address: TrailAddress
) -> dict[str, Any]:
    """The lead as it stood, with its trail beside it."""
    sees_origins = Permission.READ_ORIGINS in who.permissions
    context = await trail_of(lead, database, who, settings, address)
    async with database.reader() as reader:
        entry = await trail.entry_at(reader, lead.id, past.seq, with_origin=sees_origins)
    if entry is None:
        raise NotFound("entry", past.seq)
    names = context["names"] if lead.owner_id or past.value("owner_id") is None else await _names(lead, database, who)
    then = lead_then(
        address,
        lead,
        past,
        entry,
        viewer_id=who.user_id,
        sees_origins=sees_origins,
        can_put_back=context["can_put_back"],
        names=names,
    )
    return {**context, "then": then}


async def reverted(lead: LeadRead, seq: int, database: Database) -> Reverted | None:
    """What the entry seq put back, if that is what it did."""
    async with database.reader() as reader:
        entry = await trail.entry_at(reader, lead.id, seq, with_origin=False)
    if entry is None or entry.action != Action.REVERT:
        return None
    fields = [field for field in REVERTIBLE if field in entry.new_values]
    return Reverted(seq, fields, entry.request_id, put_back_in_words(fields, lead))


async def entries_since(lead_id: UUID, version: int | None, database: Database) -> list[EntryRead]:
    """The entries after this version of a lead, newest first."""
    async with database.reader() as reader:
        entries = await trail.entries_of(reader, lead_id, newest_first=True, after=None, limit=100, with_origin=False)
    return [entry for entry in entries if entry.seq is not None and entry.seq > (version or 0)]


async def owners(database: Database, who: Visitor) -> list[tuple[str, str]]:
    """Who may own a lead: (id, name), the reader first."""
    users = [user for user in await Accounts(database).list() if not user.is_disabled]
    users.sort(key=lambda user: (user.id != who.user_id, user.name))
    return [(str(user.id), f"{user.name} (you)" if user.id == who.user_id else user.name) for user in users]


async def _names(lead: LeadRead, database: Database, who: Visitor) -> dict[str, str]:
    """The name of everybody who may own a lead, or did."""
    names = {str(user.id): user.name for user in await Accounts(database).list()}
    return {**names, str(who.user_id): "You"}


def put_back_in_words(fields: Sequence[str], lead: LeadRead) -> str:
    """One sentence: Stage is New again."""
    if len(fields) != 1:
        return f"Put back {fields_in_words(fields)}." if fields else "Put back where values came from."
    (field,) = fields
    value = value_in_words(field, lead.model_dump(mode="json")[field])
    if field == "owner_id" or len(value) > QUOTED:
        return f"Put back {fields_in_words(fields)}."
    return f"{field_label(field)} is {value or 'empty'} again."


async def _eraser(lead: LeadRead, database: Database) -> str:
    """Who erased the lead's person, by the name they had then."""
    async with database.transaction() as session:
        return await erasure.eraser_of(session, lead.id) or "somebody whose name was erased"
