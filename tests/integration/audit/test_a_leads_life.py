"""Whatever becomes of leads, in whatever order: after each step they are whole and the trail replays to them.

Hypothesis looks for a life that raises a false alarm, and shortens the one that it finds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.audit.log.sequencer import Sequencer
from leads_core.audit.verification.sources import DatabaseSource
from leads_core.audit.verification.verifier import Trusted, verify, verify_lead
from leads_core.context import acting_as
from leads_core.database import Database, asyncpg_url, new_id
from leads_core.erasing import Erasing
from leads_core.errors import Conflict, Invalid, NotFound
from leads_core.leads.forgetting import Erasure
from leads_core.leads.row_matching import Existing, UpsertRow
from leads_core.leads.schemas import LeadCreate, LeadRead, LeadUpdate, Source, parsed
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import an_actor
from tests.integration.trail_state import differences

T = TypeVar("T")

EMAILS = st.sampled_from([f"{name}@{host}" for name in ("ana", "bo", "cy") for host in ("acme.com", "gmail.com")])
words = st.text(st.characters(exclude_categories=["C"]), max_size=20) | st.none()
values = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("company_name", "contact_name", "job_title", "city", "notes", "description"), words),
        "employee_count": st.integers(0, 2_147_483_647) | st.none(),
        "stage": st.sampled_from(["new", "contacted", "qualified", "won", "lost"]),
        "tags": st.lists(st.sampled_from(["pilot", "Ü", "c d"]), max_size=3, unique=True),
        "phone": st.sampled_from(["+49 30 123456", "030 123456", None]),
        "country": st.sampled_from(["DE", "CH", None]),
        "follow_up_on": st.dates() | st.none(),
    },
)
found = st.fixed_dictionaries({}, optional={"city": words, "industry": words, "employee_count": st.integers(0, 99)})
which = st.integers(0, 2)


class World:
    """A database, and a loop of its own to reach it from steps that cannot wait."""

    def __init__(self, own: Settings, emptying: str, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._settings, self._emptying, self._folder = own, emptying, folder
        self._lives = count(1)
        self.database = Database(own, pool_size=4)
        self.leads = LeadService(self.database)
        assert own.database_url is not None
        self.owner: asyncpg.Connection = self.run(asyncpg.connect(asyncpg_url(own.database_url)))

    def run(self, doing: Awaitable[T]) -> T:
        """Ana does it."""
        with acting_as(an_actor()):
            return self._loop.run_until_complete(doing)

    def begin_anew(self) -> None:
        """An empty database, and a checkpoint file of this life alone."""
        self.run(self.owner.execute(self._emptying))
        file = self._folder / f"{next(self._lives)}.jsonl"
        self.settings = self._settings.model_copy(update={"audit_checkpoint_file": file})
        self.sequencer = Sequencer(self.database, self.settings)

    @property
    def trusted(self) -> Trusted:
        """The keys as they are by now: the public one is made with the first signature."""
        return Trusted.of(self.settings)

    def end(self) -> None:
        self.run(self.owner.close())
        self.run(self.database.close())
        self._loop.close()


class LeadsLife(RuleBasedStateMachine):
    """A few leads of a few people, so that they get into each other's way."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.world.begin_anew()
        self.ids: list[UUID] = []

    @rule(email=EMAILS, given=values, enrich=st.booleans())
    def create(self, email: str, given: dict[str, Any], enrich: bool) -> None:
        self._try(lambda: self._created(parsed(LeadCreate, {**given, "email": email}), enrich))

    @rule(text=EMAILS | st.sampled_from(["acme.com", "https://www.linear.app/about", "Ana <ana@acme.com>", "nonsense"]))
    def quick_add(self, text: str) -> None:
        added = self.world.run(self.world.leads.quick_add(text))
        self.ids += [one.lead.id for one in added if one.lead]

    @precondition(lambda self: self.ids)
    @rule(which=which, given=values, version=st.none() | st.integers(1, 3))
    def update(self, which: int, given: dict[str, Any], version: int | None) -> None:
        lead_id = self._lead(which)
        self._try(lambda: self.world.leads.update(lead_id, parsed(LeadUpdate, given), if_version=version))

    @precondition(lambda self: self.ids)
    @rule(which=which, email=EMAILS | st.none(), domain=st.sampled_from(["acme.com", "linear.app", None]))
    def change_identity(self, which: int, email: str | None, domain: str | None) -> None:
        lead_id, wanted = self._lead(which), {"email": email, "domain": domain}
        self._try(lambda: self.world.leads.update(lead_id, parsed(LeadUpdate, wanted)))

    @precondition(lambda self: self.ids)
    @rule(which=which)
    def delete(self, which: int) -> None:
        self._try(lambda: self.world.leads.delete(self._lead(which)))

    @precondition(lambda self: self.ids)
    @rule(which=which)
    def restore(self, which: int) -> None:
        self._try(lambda: self.world.leads.restore(self._lead(which)))

    @precondition(lambda self: self.ids)
    @rule(which=which)
    def enrich(self, which: int) -> None:
        self._try(lambda: self.world.leads.enrich(self._lead(which)))

    @precondition(lambda self: self.ids)
    @rule(which=which, given=found)
    def record_enrichment(self, which: int, given: dict[str, Any]) -> None:
        lead = self.world.run(self.world.leads.get(self._lead(which), deleted=None))
        task_id = lead.enrichment_task_id or new_id()
        self._try(lambda: self.world.leads.record_enrichment(lead.id, task_id, _deciding(given), _nothing_beside))

    @rule(emails=st.lists(EMAILS, min_size=1, max_size=4), given=values, existing=st.sampled_from(Existing))
    def import_rows(self, emails: list[str], given: dict[str, Any], existing: Existing) -> None:
        async def run() -> None:
            leads = [parsed(LeadCreate, {**given, "email": email}) for email in emails]
            rows = [UpsertRow(n, lead, frozenset(lead.model_fields_set)) for n, lead in enumerate(leads, 1)]
            outcomes = await self.world.leads.import_rows(rows, existing)
            self.ids += [one.lead_id for one in outcomes if one.lead_id and one.lead_id not in self.ids]

        self._try(run)

    @precondition(lambda self: self.ids)
    @rule(which=which, seq=st.integers(1, 6), fields=st.none() | st.just(["city", "stage"]))
    def revert(self, which: int, seq: int, fields: list[str] | None) -> None:
        self._try(lambda: self.world.leads.revert(self._lead(which), seq, fields=fields))

    @precondition(lambda self: self.ids)
    @rule(which=which, parts=st.sets(st.sampled_from(["person", "text", "data"]), min_size=1))
    def erase(self, which: int, parts: set[str]) -> None:
        erasing = Erasing(self.world.database)
        self._try(lambda: erasing.erase_lead(self._lead(which), Erasure(frozenset(parts))))

    @rule()
    def sequence(self) -> None:
        """Between any two steps, or not."""
        self.world.run(self.world.sequencer.run_once())
        self.verify_finds_nothing()

    def verify_finds_nothing(self) -> None:
        report = self.world.run(verify(DatabaseSource(self.world.database.url), self.world.trusted))
        assert report.findings == ()

    @invariant()
    def a_lead_alone_is_whole(self) -> None:
        for lead_id in self.ids[-3:]:
            report = self.world.run(verify_lead(self.world.owner, self.world.trusted, lead_id))
            assert report.findings == ()

    @invariant()
    def another_replay_comes_to_the_same_leads(self) -> None:
        assert self.world.run(differences(self.world.owner, self.world.settings.mac_keys[0])) == []

    def teardown(self) -> None:
        """At the end of a life everything is in the log, and whole."""
        self.world.run(self.world.sequencer.run_once())
        self.verify_finds_nothing()
        assert self.world.run(self.world.owner.fetchval("SELECT count(*) FROM audit_pending")) == 0

    def _lead(self, which: int) -> UUID:
        return self.ids[-1 - which % len(self.ids)]

    async def _created(self, wanted: LeadCreate, enrich: bool) -> None:
        self.ids.append((await self.world.leads.create(wanted, source=Source.FORM, enrich=enrich)).id)

    def _try(self, doing: Callable[[], Awaitable[Any]]) -> None:
        """What is refused has changed nothing: the invariants look."""

        async def attempt() -> None:
            try:
                await doing()
            except (Conflict, Invalid, NotFound):
                return

        self.world.run(attempt())


def test_no_life_of_leads_raises_an_alarm(
    settings: Settings, emptying: str, tmp_path: Path, database: Database
) -> None:
    world = World(settings, emptying, tmp_path)
    life = type("ALeadsLife", (LeadsLife,), {"world": world})
    try:
        run_state_machine_as_test(life, settings=quickly)
    finally:
        world.end()


quickly = hypothesis_settings(
    max_examples=12, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)


def _deciding(given: dict[str, Any]) -> Callable[[LeadRead, datetime], dict[str, Any]]:
    def decide(lead: LeadRead, at: datetime) -> dict[str, Any]:
        filled = {name: value or None for name, value in given.items()}
        source = {"source": "website", "confidence": 80, "found_at": at.isoformat(), "url": "https://acme.com/"}
        known = {name: source for name, value in filled.items() if value is not None}
        kept = {name: said for name, said in lead.provenance.items() if name not in filled}
        done = {"enrichment_status": "completed", "enrichment_outcome": "found", "enriched_at": at}
        return {**filled, **done, "provenance": {**kept, **known}}

    return decide


async def _nothing_beside(_session: AsyncSession, _lead: LeadRead) -> None: ...
