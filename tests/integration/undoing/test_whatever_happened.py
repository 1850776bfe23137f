"""Whatever several people and a machine did, in whatever order: undo one operation, and only it is gone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as some

from leads_core.audit.operations import Operation
from leads_core.context import RequestContext, acting_as
from leads_core.database import Database, new_id
from leads_core.errors import LeadExplorerError
from leads_core.leads.history import REVERTIBLE
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from leads_core.undoing import Undoing
from tests.builders import a_lead, an_actor
from tests.integration.trail_state import differences

PEOPLE = [UUID(f"0193f5a0-0000-7000-8000-0000000000{n:02x}") for n in (1, 2, 3)]
VALUES = some.fixed_dictionaries(
    {},
    optional={
        "city": some.sampled_from([None, "Bonn", "Oslo"]),
        "stage": some.sampled_from(["new", "won"]),
        "tags": some.sampled_from([[], ["a"], ["a", "b"]]),
        "phone": some.sampled_from([None, "+4922812345"]),
        "notes": some.sampled_from([None, "Called"]),
    },
)
STEPS = some.tuples(
    some.sampled_from(PEOPLE),
    some.sampled_from(["add", "edit", "edit", "edit", "edit both", "machine", "delete", "restore", "undo"]),
    some.integers(0, 1),
    VALUES,
)
Standing = dict[UUID, LeadRead]


class World:
    """Two leads and what was done with them: before and after each operation."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.leads = LeadService(database)
        self.ids: list[UUID] = []
        self.done: list[tuple[RequestContext, Standing, Standing]] = []

    async def step(self, who: UUID, what: str, place: int, values: dict[str, Any]) -> None:
        """One operation in one request; what is refused has not happened."""
        context = an_actor(actor_id=who, actor_name=f"Person {who.hex[-1]}", request_id=str(new_id()))
        if what == "machine":
            context = an_actor(channel="worker", task_id=new_id(), request_id=str(new_id()))
        before = await self.standing()
        try:
            with acting_as(context):
                await self._do(what, place, values, context)
        except LeadExplorerError:
            return
        self.done.append((context, before, await self.standing()))

    async def standing(self) -> Standing:
        return {lead_id: await self.leads.get(lead_id, deleted=None) for lead_id in self.ids}

    async def _do(self, what: str, place: int, values: dict[str, Any], context: RequestContext) -> None:
        if what == "add" or not self.ids:
            lead = await self.leads.create(a_lead(email=f"p{len(self.ids)}@acme.com", **values), source=Source.FORM)
            self.ids.append(lead.id)
            return
        lead_id = self.ids[place % len(self.ids)]
        match what:
            case "edit":
                await self.leads.update(lead_id, LeadUpdate(**values))
            case "edit both":
                async with self._database.one_transaction():
                    for each in self.ids:
                        await self.leads.update(each, LeadUpdate(**values))
            case "machine":
                await self._find(lead_id, values, context)
            case "delete":
                await self.leads.delete(lead_id)
            case "restore":
                await self.leads.restore(lead_id)
            case "undo":
                await Undoing(self._database).undo(_operation(self.done[place % len(self.done)][0]))

    async def _find(self, lead_id: UUID, values: dict[str, Any], context: RequestContext) -> None:
        """What enrichment does when it refreshes: it fills what is no person's."""

        def decide(lead: LeadRead, _at: object) -> dict[str, Any]:
            found = {"city": "Rome", "phone": "+390612345"}
            free = {
                name: value
                for name, value in found.items()
                if getattr(lead, name) is None or lead.provenance.get(name, {}).get("source") == "dns"
            }
            source = {"source": "dns", "confidence": 90, "found_at": str(context.task_id), "url": None}
            return {**free, "provenance": {**lead.provenance, **dict.fromkeys(free, source)}} if free else {}

        async def nothing(*_: Any) -> None: ...

        await self.leads.record_refresh(lead_id, decide, nothing)


def _operation(context: RequestContext) -> Operation:
    return Operation(task_id=context.task_id) if context.task_id else Operation(request_id=context.request_id)


@examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=some.lists(STEPS, min_size=2, max_size=10), which=some.integers(0, 9))
async def test_only_what_the_operation_left_as_it_was_goes_back(
    steps: list[tuple[UUID, str, int, dict[str, Any]]],
    which: int,
    database: Database,
    owner: asyncpg.Connection,
    emptying: str,
    settings: Settings,
) -> None:
    await owner.execute(emptying)
    world = World(database)
    for step in steps:
        await world.step(*step)
    if not world.done:
        return
    context, before, after = world.done[which % len(world.done)]
    last = await world.standing()

    with acting_as(an_actor(request_id="undoing")):
        try:
            await Undoing(database).undo(_operation(context))
        except LeadExplorerError:
            assert before == after  # it had changed nothing
    then = await world.standing()

    for lead_id, stood in last.items():
        if lead_id not in after:
            assert then[lead_id] == stood
        elif lead_id not in before:
            _goes_to_the_bin_unless_edited(after[lead_id], stood, then[lead_id])
        else:
            _goes_back(before[lead_id], after[lead_id], stood, then[lead_id], by_machine=bool(context.task_id))
    assert await differences(owner, settings.mac_keys[0]) == []
    with acting_as(an_actor(request_id="again")):
        try:
            await Undoing(database).undo(_operation(context))
        except LeadExplorerError:
            assert before == after
    assert await world.standing() == then


def _goes_to_the_bin_unless_edited(added: LeadRead, stood: LeadRead, then: LeadRead) -> None:
    edited = [
        name
        for name in REVERTIBLE
        if getattr(stood, name) != getattr(added, name) and stood.provenance.get(name, {}).get("source") != "dns"
    ]
    assert then.is_deleted == (stood.is_deleted or not edited)
    assert {name: getattr(then, name) for name in REVERTIBLE} == {name: getattr(stood, name) for name in REVERTIBLE}


def _goes_back(before: LeadRead, after: LeadRead, stood: LeadRead, then: LeadRead, *, by_machine: bool) -> None:
    for name in REVERTIBLE:
        was, left, now = (getattr(lead, name) for lead in (before, after, stood))
        goes_back = was != left and now == left
        assert getattr(then, name) == (was if goes_back else now), name
        if goes_back and not (by_machine and was is None):
            assert then.provenance.get(name) == before.provenance.get(name), name
    goes_back = before.is_deleted != after.is_deleted and stood.is_deleted == after.is_deleted
    assert then.is_deleted == (before.is_deleted if goes_back else stood.is_deleted)
