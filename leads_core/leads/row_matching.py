"""Which lead each row of a file means, and what it would change there. Reads are set-based; deciding is pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import ARRAY, Row, Uuid, any_, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.errors import FieldError, Invalid
from leads_core.leads import changing
from leads_core.leads.models import LEADS, Lead
from leads_core.leads.normalising import TAGS_LIMIT
from leads_core.leads.owners import NOT_HERE, working
from leads_core.leads.schemas import LeadCreate, Source

Values = dict[str, Any]
Outcome = Literal["created", "updated", "unchanged", "rejected"]

#: The database makes these by itself.
_MADE = {"arrival", "bucket", "facet"}
COLUMNS = tuple(each.name for each in LEADS.columns if each.name not in _MADE)
#: Leads with one of these emails, by leads_live_email_key; with one of these domains alone, by leads_live_domain_key;
#: else the oldest at the domain, by ix_leads_domain. An erased person is nobody's: nothing is filled in again.
FIND = text("""
    SELECT found.id FROM unnest(CAST(:emails AS text[])) wanted CROSS JOIN LATERAL (
        SELECT id FROM leads WHERE deleted_at IS NULL AND email = wanted COLLATE "C" LIMIT 1) found
    UNION ALL
    SELECT coalesce(
        (SELECT id FROM leads
         WHERE deleted_at IS NULL AND email IS NULL AND erased_at IS NULL AND domain = wanted COLLATE "C"),
        (SELECT id FROM leads
         WHERE deleted_at IS NULL AND erased_at IS NULL AND domain = wanted COLLATE "C"
         ORDER BY created_at, id LIMIT 1))
    FROM unnest(CAST(:domains AS text[])) wanted
""")


class Existing(StrEnum):
    """What becomes of a lead that a row finds: fill its empty fields, overwrite what differs, or leave it alone.

    A lead that a row finds by its domain, but that has an email, is filled at most: it may be about somebody else.
    """

    FILL = "fill"
    OVERWRITE = "overwrite"
    LEAVE = "leave"


@dataclass(slots=True)
class UpsertRow:
    """A row: its number in the file, the lead it describes, and which of the lead's fields the file really gives.

    source is the door that a new lead would come by. added_tags are added to what the lead has. A lead that was changed
    since checked_at is filled at most; where that holds something back, is_held_back says so.
    """

    number: int
    lead: LeadCreate
    given: frozenset[str]
    source: Source = Source.IMPORT
    added_tags: tuple[str, ...] = ()
    checked_at: datetime | None = None
    is_held_back: bool = field(default=False, init=False, compare=False)
    _as_new: Values | None = field(default=None, init=False, repr=False, compare=False)

    def as_new(self) -> Values:
        """The columns of the lead that the row would make, reckoned once. Raises Invalid."""
        if self._as_new is None:
            self._as_new = changing.values_of_new(self.lead, self.source)
        return self._as_new


@dataclass(frozen=True, slots=True)
class Upserted:
    """What became of a row; error for a rejected one."""

    number: int
    outcome: Outcome
    lead_id: UUID | None = None
    error: FieldError | None = None


@dataclass(slots=True)
class Found:
    """The leads that rows may mean."""

    by_email: dict[str, Row[Any]]
    by_domain: dict[str, Row[Any]]

    @classmethod
    def of(cls, leads: Sequence[Row[Any]]) -> Found:
        oldest_last = sorted(leads, key=lambda lead: (lead.email is not None, lead.created_at, lead.id), reverse=True)
        return cls(
            {lead.email: lead for lead in leads if lead.email},
            {lead.domain: lead for lead in oldest_last if lead.domain and lead.erased_at is None},
        )

    def match(self, lead: LeadCreate) -> Row[Any] | None:
        return self.by_email.get(lead.email) if lead.email else self.by_domain.get(lead.domain or "")


@dataclass(slots=True)
class Decided:
    """What is to be written for some rows, and which must wait until that is written."""

    new: list[tuple[UpsertRow, Values]] = field(default_factory=list)
    changes: list[tuple[UpsertRow, Row[Any], Values]] = field(default_factory=list)
    settled: list[Upserted] = field(default_factory=list)
    waiting: list[tuple[UpsertRow, Row[Any] | None]] = field(default_factory=list)


def decide(rows: Sequence[UpsertRow], found: Found, existing: Existing, owners: set[UUID]) -> Decided:
    decided = Decided()
    touched: set[UUID] = set()
    new_domains: set[str] = set()
    for row in rows:
        before = found.match(row.lead)
        try:
            if _gives_away(row, before) and row.lead.owner_id not in owners:
                raise Invalid.of("owner_id", NOT_HERE)
            if before is not None:
                if before.id in touched:
                    decided.waiting.append((row, before))
                elif changes := _careful_changes(row, before, existing):
                    decided.changes.append((row, before, changes))
                    touched.add(before.id)
                else:
                    decided.settled.append(Upserted(row.number, "unchanged", before.id))
            elif row.lead.email is None and row.lead.domain in new_domains:
                decided.waiting.append((row, None))
            else:
                decided.new.append((row, row.as_new()))
                new_domains.add(row.as_new()["domain"])
        except Invalid as error:
            decided.settled.append(rejected(row, error.errors[0].field, error.errors[0].message))
    return decided


def _gives_away(row: UpsertRow, before: Row[Any] | None) -> bool:
    """Whether the row names an owner whom the lead has not: a file that was exported names those who left, too."""
    return "owner_id" in row.given and (before is None or before.owner_id != row.lead.owner_id)


def _careful_changes(row: UpsertRow, before: Row[Any], existing: Existing) -> Values:
    """Without overwriting what somebody changed after the check of this file."""
    changes = changes_of(row, before, existing)
    row.is_held_back = False
    if row.checked_at is None or existing is not Existing.OVERWRITE or before.updated_at <= row.checked_at:
        return changes
    filled = changes_of(row, before, Existing.FILL)
    row.is_held_back = filled != changes
    return filled


def changes_of(row: UpsertRow, before: Row[Any], existing: Existing) -> Values:
    """The columns that the row would set in a lead that exists."""
    if existing is Existing.LEAVE:
        return {}
    fill_only = existing is Existing.FILL or (row.lead.email is None and before.email is not None)
    changes: Values = {}
    for name in row.given:
        if name != "source_detail":
            value, was = getattr(row.lead, name), getattr(before, name)
            if value != was and (not fill_only or was is None or was == []):
                changes[name] = value.value if isinstance(value, StrEnum) else value
    if row.added_tags:
        tags = changes.get("tags", before.tags)
        if missing := [tag for tag in row.added_tags if tag not in tags]:
            changes["tags"] = [*tags, *missing]
        if len(changes.get("tags", ())) > TAGS_LIMIT:
            raise Invalid.of("tags", f"The lead would have more than {TAGS_LIMIT} tags. Take some of its tags away.")
    # A row of every column answers the same questions as the mapped class.
    return changing.with_persons_values(cast(Lead, before), changes) if changes else {}


async def ids_of(session: AsyncSession, rows: Sequence[UpsertRow]) -> list[UUID]:
    emails = [row.lead.email for row in rows if row.lead.email]
    domains = [row.lead.domain for row in rows if not row.lead.email]
    found = await session.scalars(FIND, {"emails": emails, "domains": domains})
    return [lead_id for lead_id in found if lead_id is not None]


async def leads_with(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[Row[Any]]:
    if not ids:
        return []
    wanted = select(*(LEADS.c[name] for name in COLUMNS)).where(
        LEADS.c.id == any_(bindparam("ids", ids, ARRAY(Uuid))), LEADS.c.deleted_at.is_(None)
    )
    return (await session.execute(wanted)).all()


async def existing_owners(session: AsyncSession, rows: Sequence[UpsertRow]) -> set[UUID]:
    """Whom the rows may give their leads to."""
    return await working(session, {row.lead.owner_id for row in rows if row.lead.owner_id is not None})


def rejected(row: UpsertRow, field_name: str, message: str) -> Upserted:
    return Upserted(row.number, "rejected", error=FieldError(field_name, message))
