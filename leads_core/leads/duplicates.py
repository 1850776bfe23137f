"""Which leads are likely the same as another, why, and how likely: by look-ups in indexes alone, at any size.

The reasons are codes; whoever shows them has both leads and says them in words. Nothing is merged by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, cast
from uuid import UUID

import asyncpg

from leads_core.leads.lookalikes import lookalikes_of, mailbox_of, may_look_alike, same_mailbox
from leads_core.leads.rows import COLUMNS, FIELDS, LeadRow, lead_row
from leads_core.leads.similar_names import DEPARTMENTS, similarity, words_of

Reason = Literal[
    "mailbox", "phone", "shared_phone", "same_name", "similar_name", "part_of_name", "nobody_named",
    "lookalike_address", "lookalike_domain", "domain_addition", "domain_ending",
]  # fmt: skip
Likelihood = Literal["very likely", "likely", "possible"]

#: Candidates that are read by each way: at a domain of 100,000 leads the newest of them.
CAP = 100
CAP_OF_A_DOMAIN = 10
#: How many pairs of one lead are kept, the likeliest.
MOST = 20
#: A number that more leads have is a switchboard: it says nothing of a person.
SWITCHBOARD = 4
_SCORES: dict[Reason, int] = {
    "mailbox": 95,
    "phone": 72,
    "shared_phone": 48,
    "same_name": 88,
    "similar_name": 74,
    "part_of_name": 55,
    "nobody_named": 58,
    "lookalike_address": 85,
    "lookalike_domain": 66,
    "domain_addition": 52,
    "domain_ending": 50,
}
_FOR_EACH_FURTHER = 6
_MOST_LIKELY = 99

_KEYS = ("company_sort", "contact_sort")
_SELECTED = ", ".join((COLUMNS, *(f"l.{key}" for key in _KEYS)))
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
LEADS = f"""
    SELECT {_SELECTED} FROM leads l WHERE l.id = ANY($1) AND l.deleted_at IS NULL AND l.erased_at IS NULL
"""  # noqa: S608


class Compared(Protocol):
    """What a likeness is told from."""

    @property
    def email(self) -> str | None: ...
    @property
    def registrable_domain(self) -> str | None: ...
    @property
    def company_name(self) -> str | None: ...
    @property
    def contact_name(self) -> str | None: ...
    @property
    def phone(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Likeness:
    """Why two leads are likely one, the strongest reason first. score is 0 to 100: an order, no probability."""

    reasons: tuple[Reason, ...]
    score: int

    @property
    def likelihood(self) -> Likelihood:
        return likelihood_of(self.score)


@dataclass(frozen=True, slots=True)
class Found:
    """A lead that is likely the same as the one asked about."""

    lead: LeadRow
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class _Keyed:
    """A lead with the keys that companies are compared by."""

    lead: LeadRow
    company: str | None
    contact: str | None


def likelihood_of(score: int) -> Likelihood:
    """A score in words."""
    return "very likely" if score >= 80 else "likely" if score >= 60 else "possible"


async def duplicates_of(reader: asyncpg.Connection, lead_id: UUID) -> list[Found]:
    """Live leads that are likely the same as this one, the likeliest first, at most MOST; none for one that is gone."""
    return (await duplicates_of_many(reader, [lead_id])).get(lead_id, [])


async def duplicates_of_many(reader: asyncpg.Connection, ids: Sequence[UUID]) -> dict[UUID, list[Found]]:
    """The same for several leads; those in the bin and of erased persons are left out."""
    found: dict[UUID, list[Found]] = {}
    for row in await reader.fetch(LEADS, ids):
        mine = _keyed(row)
        rows = await reader.fetch(CANDIDATES, mine.lead.id, *_wanted(mine))
        found[mine.lead.id] = _likeliest(mine, [_keyed(row) for row in rows])
    return found


def _wanted(mine: _Keyed) -> tuple[Any, ...]:
    lead = mine.lead
    alike = list(lookalikes_of(lead.registrable_domain)) if lead.registrable_domain else []
    emails: set[str] = set()
    tagged = None
    if lead.email:
        emails, tagged = same_mailbox(lead.email)
        local, _, host = lead.email.rpartition("@")
        if host == lead.registrable_domain:
            emails |= {f"{local}@{domain}" for domain in alike}
    # Every tagged spelling of an address begins with it and a plus; the comma is the character after the plus.
    end = f"{tagged[:-1]}," if tagged else None
    return (
        sorted(emails), tagged, end, lead.phone, lead.registrable_domain, mine.company, mine.contact, alike
    )  # fmt: skip


def _likeliest(mine: _Keyed, candidates: Sequence[_Keyed]) -> list[Found]:
    sharing = sum(other.lead.phone == mine.lead.phone for other in candidates) if mine.lead.phone else 0
    found = []
    for other in candidates:
        same_company = mine.company is not None and mine.company == other.company
        likeness = likeness_of(mine.lead, other.lead, same_company=same_company, is_switchboard=sharing > SWITCHBOARD)
        if likeness is not None:
            found.append(Found(other.lead, likeness))
    found.sort(key=lambda each: (-each.likeness.score, each.lead.id))
    return found[:MOST]


def likeness_of(
    mine: Compared, theirs: Compared, *, same_company: bool, is_switchboard: bool = False
) -> Likeness | None:
    """Why two leads are likely the same one. None where nothing speaks for it.

    same_company: their folded company names are equal. is_switchboard: their number is one of many leads'.
    """
    reasons: list[Reason] = []
    if mine.email and theirs.email and mailbox_of(mine.email) == mailbox_of(theirs.email):
        reasons.append("mailbox")
    names = words_of(mine.contact_name, mine.email), words_of(theirs.contact_name, theirs.email)
    name = similarity(*names)
    other_name = name is None and all(names)
    by_phone = mine.phone is not None and mine.phone == theirs.phone
    if by_phone and not (is_switchboard and name is None):
        reasons.append("shared_phone" if other_name else "phone")
    same_domain = mine.registrable_domain is not None and mine.registrable_domain == theirs.registrable_domain
    looks_alike = _by_domain(mine, theirs)
    if name is not None and (same_domain or same_company or looks_alike or by_phone):
        reasons.append({"same": "same_name", "similar": "similar_name", "part": "part_of_name"}[name])  # type: ignore[arg-type]
    # Two departments' addresses are two ways to a company, not one lead twice.
    both_addressed = mine.email is not None and theirs.email is not None
    if (same_domain or same_company) and not (both_addressed or _names_somebody(mine) or _names_somebody(theirs)):
        reasons.append("nobody_named")
    if looks_alike is not None and (name is not None or not _are_two_people(mine, theirs)):
        reasons.append(looks_alike)
    if not reasons:
        return None
    reasons.sort(key=lambda reason: -_SCORES[reason])
    score = _SCORES[reasons[0]] + _FOR_EACH_FURTHER * (len(reasons) - 1)
    return Likeness(tuple(reasons), min(score, _MOST_LIKELY))


def _by_domain(mine: Compared, theirs: Compared) -> Reason | None:
    """How one domain looks like the other's, from whichever of the two the rule is written for."""
    one, other = mine.registrable_domain, theirs.registrable_domain
    if one is None or other is None or one == other or not may_look_alike(one, other):
        return None
    rule = lookalikes_of(one).get(other) or lookalikes_of(other).get(one)
    if rule is None:
        return None
    if _same_local_part(mine, theirs):
        return "lookalike_address"
    return cast(Reason, {"typo": "lookalike_domain", "addition": "domain_addition", "ending": "domain_ending"}[rule])


def _are_two_people(mine: Compared, theirs: Compared) -> bool:
    """Whether each is about a person, and nothing says that it is the same one."""
    if mine.contact_name is None or theirs.contact_name is None:
        return _names_somebody(mine) and _names_somebody(theirs) and not _same_local_part(mine, theirs)
    return True


def _same_local_part(mine: Compared, theirs: Compared) -> bool:
    one, other = ((lead.email or "").rpartition("@")[0] for lead in (mine, theirs))
    return bool(one) and one == other and one not in DEPARTMENTS


def _names_somebody(lead: Compared) -> bool:
    """Whether the lead is about a person: by name, or by an address that no department reads."""
    local = (lead.email or "").rpartition("@")[0]
    return bool(lead.contact_name or (local and local.partition("+")[0] not in DEPARTMENTS))


def _keyed(row: asyncpg.Record) -> _Keyed:
    values = tuple(row)
    return _Keyed(lead_row(values[: len(FIELDS)]), *values[len(FIELDS) :])
