"""The leads that are likely the same as another, found by look-ups in indexes alone, at any size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from leads_core.leads.likeness import Likeness, likeness_of, names_somebody
from leads_core.leads.lookalikes import lookalikes_of, same_mailbox
from leads_core.leads.rows import COLUMNS, LeadRow, lead_row

#: Candidates that are read by each way: at a domain of 100,000 leads the newest of them.
CAP = 100
CAP_OF_A_DOMAIN = 10
#: How many pairs of one lead are kept, the likeliest.
MOST = 20
#: A number that more leads have is a switchboard: it says nothing of a person; nor does being one of more unnamed ones.
SWITCHBOARD = 4
_SELECTED = "l.id, l.email, l.registrable_domain, l.contact_name, l.phone, l.company_sort, l.contact_sort"
#: By leads_live_email_key, ix_leads_live_phone, _registrable_domain, _company and _contact, and the pairs known before.
CANDIDATES = f"""
    WITH found AS MATERIALIZED (
        SELECT e.id FROM unnest($2::text[]) AS wanted CROSS JOIN LATERAL (
            SELECT id FROM leads WHERE deleted_at IS NULL AND email = wanted COLLATE "C" LIMIT 1) e
        UNION ALL (SELECT id FROM leads WHERE deleted_at IS NULL AND email >= $3 COLLATE "C" AND email < $4 COLLATE "C"
            ORDER BY email LIMIT {CAP})
        UNION ALL (SELECT id FROM leads WHERE deleted_at IS NULL AND phone IS NOT NULL AND phone = $5 COLLATE "C"
            ORDER BY id DESC LIMIT {CAP})
        UNION ALL (SELECT id FROM leads WHERE deleted_at IS NULL AND registrable_domain = $6 COLLATE "C"
            ORDER BY created_at DESC, id DESC LIMIT {CAP})
        UNION ALL (SELECT id FROM leads WHERE deleted_at IS NULL AND company_sort = $7 COLLATE "C"
            ORDER BY id DESC LIMIT {CAP})
        UNION ALL (SELECT id FROM leads WHERE deleted_at IS NULL AND contact_sort = $8 COLLATE "C"
            ORDER BY id DESC LIMIT {CAP})
        UNION ALL SELECT d.id FROM unnest($9::text[]) AS wanted CROSS JOIN LATERAL (
            SELECT id FROM leads WHERE deleted_at IS NULL AND registrable_domain = wanted COLLATE "C"
            ORDER BY created_at DESC, id DESC LIMIT {CAP_OF_A_DOMAIN}) d
        UNION ALL SELECT other_id FROM likely_duplicates WHERE lead_id = $1
        UNION ALL SELECT lead_id FROM likely_duplicates WHERE other_id = $1
    )
    SELECT {_SELECTED} FROM (SELECT DISTINCT id FROM found WHERE id <> $1) f JOIN leads l ON l.id = f.id
    WHERE l.deleted_at IS NULL AND l.erased_at IS NULL
"""  # noqa: S608 - constants
CARDS = f"""
    SELECT {_SELECTED} FROM leads l WHERE l.id = ANY($1) AND l.deleted_at IS NULL AND l.erased_at IS NULL
"""  # noqa: S608
LEADS = f"SELECT {COLUMNS} FROM leads l WHERE l.id = ANY($1) AND l.deleted_at IS NULL AND l.erased_at IS NULL"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Found:
    """A lead that is likely the same as the one asked about."""

    lead: LeadRow
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class _Card:
    """What a lead is compared by, in the order of the statements."""

    id: UUID
    email: str | None
    registrable_domain: str | None
    contact_name: str | None
    phone: str | None
    company: str | None
    contact: str | None


async def duplicates_of(reader: asyncpg.Connection, lead_id: UUID) -> list[Found]:
    """Live leads that are likely the same as this one, the likeliest first, at most MOST; none for one that is gone."""
    alike = (await alike_of_many(reader, [lead_id])).get(lead_id, {})
    leads = await live_leads(reader, list(alike))
    return [Found(leads[other], likeness) for other, likeness in alike.items() if other in leads]


async def alike_of_many(reader: asyncpg.Connection, ids: Sequence[UUID]) -> dict[UUID, dict[UUID, Likeness]]:
    """Lead -> those that are likely the same, by their ids. Those in the bin and of erased persons are left out."""
    found: dict[UUID, dict[UUID, Likeness]] = {}
    for row in await reader.fetch(CARDS, ids):
        mine = _Card(*row)
        candidates = [_Card(*each) for each in await reader.fetch(CANDIDATES, mine.id, *_wanted(mine))]
        found[mine.id] = _likeliest(mine, candidates)
    return found


async def live_leads(reader: asyncpg.Connection, ids: Sequence[UUID]) -> dict[UUID, LeadRow]:
    """Of these leads those that are live, of nobody who was erased."""
    rows = await reader.fetch(LEADS, ids) if ids else []
    return {row["id"]: lead_row(tuple(row)) for row in rows}


def _wanted(mine: _Card) -> tuple[Any, ...]:
    alike = list(lookalikes_of(mine.registrable_domain)) if mine.registrable_domain else []
    emails: set[str] = set()
    tagged = None
    if mine.email:
        emails, tagged = same_mailbox(mine.email)
        local, _, host = mine.email.rpartition("@")
        if host == mine.registrable_domain:
            emails |= {f"{local}@{domain}" for domain in alike}
    # Every tagged spelling of an address begins with it and a plus; the comma is the character after the plus.
    end = f"{tagged[:-1]}," if tagged else None
    return sorted(emails), tagged, end, mine.phone, mine.registrable_domain, mine.company, mine.contact, alike


def _likeliest(mine: _Card, candidates: Sequence[_Card]) -> dict[UUID, Likeness]:
    sharing = sum(other.phone == mine.phone for other in candidates) if mine.phone else 0
    unnamed = 0 if names_somebody(mine) else sum(_at_one_company(mine, other) for other in candidates)
    found = []
    for other in candidates:
        likeness = likeness_of(
            mine,
            other,
            same_company=mine.company is not None and mine.company == other.company,
            is_switchboard=sharing > SWITCHBOARD,
            is_crowded=unnamed > SWITCHBOARD,
        )
        if likeness is not None:
            found.append((other.id, likeness))
    found.sort(key=lambda each: (-each[1].score, each[0]))
    return dict(found[:MOST])


def _at_one_company(mine: _Card, other: _Card) -> bool:
    """Whether the other stands unnamed at the same company."""
    same = mine.company is not None and mine.company == other.company
    same_domain = mine.registrable_domain is not None and mine.registrable_domain == other.registrable_domain
    return (same or same_domain) and not names_somebody(other)
