"""What the page of a lead says of others that are likely the same, and of those that were merged with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from console.likeness_wording import LIKELIHOODS, reasons_in_words
from console.trail_wording import taken_in_words
from leads_core.accounts.service import Accounts
from leads_core.accounts.visitor import Visitor
from leads_core.audit.merges import partners_of
from leads_core.audit.models import Action
from leads_core.audit.queries import EntryRead
from leads_core.database import Database
from leads_core.leads.likely_duplicates import undecided_of
from leads_core.leads.names import names_of
from leads_core.leads.rows import LeadRow
from leads_core.leads.schemas import LeadRead

#: Of one lead at once; the others come when these are decided.
SHOWN = 5
ERASED = "an erased lead"


@dataclass(frozen=True, slots=True)
class Likely:
    """Another lead that is likely the same, and why."""

    lead: LeadRow
    likelihood: str
    reasons: str


@dataclass(frozen=True, slots=True)
class MergedInto:
    """Where a merged lead went, and who did it; empty where nobody knows."""

    url: str
    name: str
    by: str


@dataclass(frozen=True, slots=True)
class MergeInWords:
    """An entry of a merge around the link to the other lead."""

    before: str
    name: str
    url: str
    after: str


@dataclass(frozen=True, slots=True)
class Copy:
    """Another lead that a merge gave values of this one, or took them from."""

    url: str
    name: str
    has_mine: bool


async def duplicates_of_panel(lead: LeadRead, database: Database, who: Visitor) -> dict[str, Any]:
    """Others that are likely this lead, and, of one that was merged, where it went."""
    if lead.is_deleted:
        return {"likely": [], "merged": await _merged_into(lead, database, who) if lead.merged_into else None}
    async with database.reader() as reader:
        found = [] if lead.erased_at else await undecided_of(reader, lead.id)
    likely = [
        Likely(
            each.lead, LIKELIHOODS[each.likeness.likelihood], reasons_in_words(each.likeness.reasons, lead, each.lead)
        )
        for each in found[:SHOWN]
    ]
    return {"likely": likely, "merged": None}


async def merges_beside(lead: LeadRead, entries: Sequence[EntryRead], database: Database) -> Mapping[int, MergeInWords]:
    """The seq of each merge among these entries -> its words, with the other lead by its name."""
    merges = {entry.seq: entry for entry in entries if entry.action == Action.MERGE and entry.seq is not None}
    if not merges:
        return {}
    async with database.reader() as reader:
        partners = {seq: one for seq, one in (await partners_of(reader, lead.id)).items() if seq in merges}
        names = await names_of(reader, [one.lead_id for one in partners.values()])
    said = {}
    for seq, partner in partners.items():
        known = names.get(partner.lead_id)
        entry = merges[seq]
        stays = partner.is_gone or not (entry.erased or "merged_into" in entry.new_values)
        words = ("merged", f"into it, {taken_in_words(entry)}") if stays else ("merged it into", "")
        name = (known and known.name) or ERASED
        said[seq] = MergeInWords(words[0], name, f"/leads/{partner.lead_id}", words[1])
    return said


async def copies_of(lead_id: UUID, database: Database) -> list[Copy]:
    """The other leads of every merge of this one: what was copied between them, erasing this one does not reach."""
    async with database.reader() as reader:
        partners = {one.lead_id: one for one in (await partners_of(reader, lead_id)).values()}
        names = await names_of(reader, list(partners))
    return [
        Copy(f"/leads/{other}", name.name or ERASED, has_mine=not partners[other].is_gone)
        for other, name in names.items()
        if not name.is_erased
    ]


async def _merged_into(lead: LeadRead, database: Database, who: Visitor) -> MergedInto:
    assert lead.merged_into is not None  # noqa: S101 - the caller looked
    async with database.reader() as reader:
        names = await names_of(reader, [lead.merged_into])
    people = {user.id: user.name for user in await Accounts(database).list()}
    by = "you" if lead.deleted_by == who.user_id else people.get(lead.deleted_by, "") if lead.deleted_by else ""
    known = names.get(lead.merged_into)
    return MergedInto(f"/leads/{lead.merged_into}", (known and known.name) or ERASED, by)
