"""What providers found that says something else than the lead: a person takes it over, or waves it away.

Both stand in the trail: taking over is an UPDATE by that person, waving away a DISMISS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.database import Database
from leads_core.enrichment import merging, queries
from leads_core.enrichment.queries import FactRead
from leads_core.errors import Invalid, NotFound
from leads_core.leads.schemas import LeadRead, LeadUpdate, parsed
from leads_core.leads.service import LeadService

#: Fields that are the company's, so that one answer may hold for every lead there.
OF_COMPANY = frozenset(
    {"company_name", "website", "industry", "employee_count", "city", "country", "language", "description"}
)
#: More leads at one domain are for an import or a bulk change.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A value for a field, as the lead would hold it. fact is the surest one that says so; ids are all that do."""

    field: str
    value: Any
    fact: merging.Fact
    ids: tuple[UUID, ...]

    @property
    def id(self) -> UUID:
        """The surest fact's id: names the suggestion in addresses."""
        return self.ids[0]

    @property
    def is_of_company(self) -> bool:
        return self.field in OF_COMPANY


def suggestions_of(lead: LeadRead, found: Sequence[FactRead]) -> list[Suggestion]:
    """For each field the surest value that is not the lead's and was not waved away. Pure."""
    best: dict[str, Suggestion] = {}
    for one in found:
        if one.dismissed_at is None and one.fact.field not in best and merging.is_suggestion(lead, one.fact):
            value = merging.normalised(one.fact.field, one.fact.value)
            best[one.fact.field] = Suggestion(one.fact.field, value, one.fact, tuple(_that_say(found, one, value)))
    return list(best.values())


class Suggestions:
    """Take over and wave away, in the name of the current context."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._leads = LeadService(database)

    async def of(self, lead: LeadRead) -> list[Suggestion]:
        """The lead's suggestions; none of an erased one."""
        async with self._database.transaction() as session:
            return suggestions_of(lead, await queries.facts_of(session, lead.id))

    async def accept(self, lead_id: UUID, ids: Sequence[UUID] | None = None) -> tuple[LeadRead, list[Suggestion]]:
        """Write the suggested values into the lead, as this person's word: those named, or all. Gives which.

        Raises NotFound (also for a suggestion that does not stand any more), IdentityTaken.
        """
        lead = await self._leads.get(lead_id)
        chosen = _chosen(await self.of(lead), ids)
        return await self._leads.update(lead_id, _update_of(chosen)), chosen

    async def accept_for_all(self, lead_id: UUID, suggestion_id: UUID) -> int:
        """Write the value into every live lead at the lead's registered domain, all or none. Gives how many changed.

        Raises NotFound, and Invalid for a field that is a person's, or where there are more than AT_ONCE leads.
        """
        lead = await self._leads.get(lead_id)
        (suggestion,) = _chosen(await self.of(lead), [suggestion_id])
        if not suggestion.is_of_company or lead.registrable_domain is None:
            raise Invalid.of(suggestion.field, "This is one person's, not the company's. Use it for this lead alone.")
        ids = await self._leads.ids_at(lead.registrable_domain, limit=AT_ONCE + 1)
        if len(ids) > AT_ONCE:
            raise Invalid.of(
                suggestion.field, f"There are more than {AT_ONCE} leads. Import a file to change them all."
            )
        wanted, changed = _update_of([suggestion]), 0
        async with self._database.one_transaction():
            for one in ids:
                try:
                    before = await self._leads.get(one)
                    changed += (await self._leads.update(one, wanted)).version != before.version
                except NotFound:  # somebody put it into the bin meanwhile
                    continue
        return changed

    async def dismiss(self, lead_id: UUID, ids: Sequence[UUID] | None = None) -> list[Suggestion]:
        """Wave suggestions away, for whoever looks after this person too: those named, or all. Gives which.

        They come back only with another value. Raises NotFound, Erased.
        """
        lead = await self._leads.get(lead_id)
        chosen = _chosen(await self.of(lead), ids)

        async def mark(session: AsyncSession, _lead: LeadRead) -> None:
            facts = [fact for suggestion in chosen for fact in suggestion.ids]
            await queries.mark_dismissed(session, facts, context.current().actor_id)

        await self._leads.dismiss(lead_id, _json_values(chosen), beside=mark)
        return chosen


def _that_say(found: Iterable[FactRead], first: FactRead, value: Any) -> Iterable[UUID]:
    yield first.id
    for other in found:
        is_same_field = other.fact.field == first.fact.field and other.dismissed_at is None
        if other.id != first.id and is_same_field and merging.normalised(other.fact.field, other.fact.value) == value:
            yield other.id


def _chosen(suggestions: Sequence[Suggestion], ids: Sequence[UUID] | None) -> list[Suggestion]:
    if ids is None:
        return list(suggestions)
    by_id = {fact: suggestion for suggestion in suggestions for fact in suggestion.ids}
    for wanted in ids:
        if wanted not in by_id:
            raise NotFound("suggestion", wanted)
    return list(dict.fromkeys(by_id[wanted] for wanted in ids))


def _update_of(chosen: Sequence[Suggestion]) -> LeadUpdate:
    return parsed(LeadUpdate, {suggestion.field: suggestion.value for suggestion in chosen})


def _json_values(chosen: Sequence[Suggestion]) -> Mapping[str, Any]:
    return {suggestion.field: suggestion.value for suggestion in chosen}
