"""Why two leads are likely one, and how likely: by what they say of themselves. Pure; nothing is merged by itself.

The reasons are codes; whoever shows them has both leads and says them in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, cast

from leads_core.leads.lookalikes import lookalikes_of, mailbox_of, may_look_alike
from leads_core.leads.similar_names import DEPARTMENTS, similarity, words_of

Reason = Literal[
    "mailbox", "phone", "shared_phone", "same_name", "similar_name", "part_of_name", "nobody_named",
    "lookalike_address", "lookalike_domain", "domain_addition", "domain_ending",
]  # fmt: skip
Likelihood = Literal["very likely", "likely", "possible"]

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


class Compared(Protocol):
    """What a likeness is told from."""

    @property
    def email(self) -> str | None: ...
    @property
    def registrable_domain(self) -> str | None: ...
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


def likelihood_of(score: int) -> Likelihood:
    """A score in words."""
    return "very likely" if score >= 80 else "likely" if score >= 60 else "possible"


def likeness_of(
    mine: Compared, theirs: Compared, *, same_company: bool, is_switchboard: bool = False, is_crowded: bool = False
) -> Likeness | None:
    """Why two leads are likely the same one. None where nothing speaks for it.

    same_company: their folded company names are equal. is_switchboard: their number is one of many leads'.
    is_crowded: many leads of the company name nobody.
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
    says_nothing = is_crowded or both_addressed
    if (same_domain or same_company) and not (says_nothing or names_somebody(mine) or names_somebody(theirs)):
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
        return names_somebody(mine) and names_somebody(theirs) and not _same_local_part(mine, theirs)
    return True


def _same_local_part(mine: Compared, theirs: Compared) -> bool:
    one, other = ((lead.email or "").rpartition("@")[0] for lead in (mine, theirs))
    return bool(one) and one == other and one not in DEPARTMENTS


def names_somebody(lead: Compared) -> bool:
    """Whether the lead is about a person: by name, or by an address that no department reads."""
    local = (lead.email or "").rpartition("@")[0]
    return bool(lead.contact_name or (local and local.partition("+")[0] not in DEPARTMENTS))
