"""What honest people, scripts and machines do to a trail, at random: every operation there is, none behind the app."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.accounts.permissions import Role, Scope
from leads_core.accounts.service import Accounts
from leads_core.accounts.tokens import Tokens
from leads_core.audit.export_entries import RecordedExport
from leads_core.audit.log.keeping import keep_checkpoint
from leads_core.context import RequestContext, acting_as
from leads_core.database import Database, new_id
from leads_core.erasing import Erasing
from leads_core.errors import LeadExplorerError
from leads_core.leads.forgetting import Erasure
from leads_core.leads.merging import Merge, Side
from leads_core.leads.row_matching import Existing, UpsertRow
from leads_core.leads.schemas import EnrichmentStatus, LeadCreate, LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService

DOMAINS = ("acme.com", "linear.app", "carlsberg.com", "example.org", "bücher.de", "gov.uk.com")
#: Values of every field that people change, null among them.
VALUES: dict[str, tuple[Any, ...]] = {
    "company_name": ("Acme", "Büro & Söhne", "株式会社", None),
    "contact_name": ("Ana Díaz", "Bo", None),
    "job_title": ("CPO", "Head of 🚀", None),
    "phone": ("+49 30 123456", "030 123456", None),
    "website": ("https://acme.com/", None),
    "linkedin_url": ("https://www.linkedin.com/in/ana", None),
    "industry": ("Toolmaking", None),
    "employee_count": (0, 12, 2_147_483_647, None),
    "city": ("Bonn", "Zürich", "Roma", None),
    "country": ("DE", "CH", None),
    "language": ("de", None),
    "description": ("Two\nlines", "“quoted”", None),
    "notes": ("Call on Monday.", "\ttabbed", "a" * 300, None),
    "tags": (["pilot"], ["b", "a"], []),
    "stage": ("new", "contacted", "qualified", "won", "lost"),
    "follow_up_on": (date(2026, 12, 1), None),
    "is_manual": (True, False),
}
FOUND = ("city", "industry", "employee_count", "description", "phone")
CHANNELS = ("web", "api", "cli")

Operation = Callable[["HonestLife"], Awaitable[Any]]


@dataclass
class HonestLife:
    """One writer: does something at random again and again, in the name of a user of its own.

    One that is thorough does each thing there is once before it goes by chance.
    """

    database: Database
    chance: Random
    is_thorough: bool = False
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    user_id: UUID | None = None

    def __post_init__(self) -> None:
        self.leads = LeadService(self.database)
        self.known: list[UUID] = []

    async def step(self) -> bool:
        """Do one thing. False when it was refused, or when the database was away: that is honest life too."""
        name = self._next()
        with acting_as(self._actor()):
            try:
                if self.user_id is None:
                    self.user_id = (await Accounts(self.database).add("A writer", Role.ADMIN)).id
                await OPERATIONS[name](self)
            except LeadExplorerError as error:
                self.refused[f"{name}: {type(error).__name__}"] += 1
                return False
        self.done[name] += 1
        return True

    @property
    def has_done_everything(self) -> bool:
        """What it was asked for: by chance, or each thing once."""
        return not self.is_thorough or {*OPERATIONS} <= {*self.done}

    async def create(self) -> None:
        lead = await self.leads.create(self.new_lead(), source=Source.API, enrich=self.chance.random() < 0.3)
        self.known.append(lead.id)

    async def quick_add(self) -> None:
        lines = "\n".join(self._address() for _ in range(self.chance.randint(1, 3)))
        self.known += [added.lead.id for added in await self.leads.quick_add(lines) if added.lead]

    async def update(self) -> None:
        names = self.chance.sample(sorted(VALUES), self.chance.randint(1, 5))
        changes = {name: self.chance.choice(VALUES[name]) for name in names}
        if self.chance.random() < 0.1:
            changes["email"] = self._address()
        version = self.chance.choice([None, None, None, 1, 2])
        await self.leads.update(await self.some_lead(), LeadUpdate.model_validate(changes), if_version=version)

    async def delete(self) -> None:
        await self.leads.delete(await self.some_lead())

    async def restore(self) -> None:
        await self.leads.restore(await self.some_lead())

    async def enrich(self) -> None:
        await self.leads.enrich(await self.some_lead())

    async def record_enrichment(self) -> None:
        """The end of an enrichment, with what was found."""
        lead = await self.leads.get(await self.some_lead(), deleted=None)
        if lead.enrichment_status != EnrichmentStatus.IN_PROGRESS or lead.enrichment_task_id is None:
            lead = await self.leads.enrich(lead.id)
        assert lead.enrichment_task_id is not None
        with acting_as(self._actor().on_behalf("worker", lead.enrichment_task_id)):
            await self.leads.record_enrichment(lead.id, lead.enrichment_task_id, self._found, _nothing_beside)

    async def import_rows(self) -> None:
        rows = [self._row(number) for number in range(1, self.chance.randint(2, 25))]
        with acting_as(self._actor().on_behalf("import", new_id())):
            outcomes = await self.leads.import_rows(rows, self.chance.choice(list(Existing)))
        self.known += [outcome.lead_id for outcome in outcomes if outcome.lead_id]

    async def revert(self) -> None:
        lead = await self.leads.get(await self.some_lead())
        fields = self.chance.choice([None, None, self.chance.sample(["city", "notes", "stage", "tags"], 2)])
        await self.leads.revert(lead.id, self.chance.randint(1, lead.version), fields=fields)

    async def merge(self) -> None:
        """Two leads become one; email and domain of either."""
        sides: dict[str, Side] = {"email": "mine", "domain": "mine"}
        if self.chance.random() < 0.5:
            sides = {"email": "theirs", "domain": "theirs"}
        await self.leads.merge(await self.some_lead(), await self.some_lead(), Merge(sides=sides))

    async def erase(self) -> None:
        parts = self.chance.choice([{"person"}, {"person", "text"}, {"text"}, {"person", "text", "data"}])
        await Erasing(self.database).erase_lead(await self.some_lead(), Erasure(frozenset(parts)))

    async def erase_user(self) -> None:
        """The writer's own user is erased by another while it does one more thing, and a new one comes."""
        assert self.user_id is not None
        leaving, self.user_id = self.user_id, None
        erasing = Erasing(self.database).erase_user(leaving, release_leads=self.chance.random() < 0.5)
        last = self.leads.create(self.new_lead(), source=Source.FORM)
        ended = await asyncio.gather(_as(an_administrator(), erasing), last, return_exceptions=True)
        for error in ended:
            if isinstance(error, BaseException):
                raise error

    async def make_token(self) -> None:
        assert self.user_id is not None
        tokens = Tokens(self.database)
        made = await tokens.create(self.user_id, "a script", [Scope.LEADS_WRITE])
        if self.chance.random() < 0.5:
            await tokens.revoke(made.id)

    async def change_user(self) -> None:
        assert self.user_id is not None
        await Accounts(self.database).set_role(self.user_id, self.chance.choice([Role.EDITOR, Role.ADMIN]))

    async def export(self) -> None:
        breaks_off = self.chance.random() < 0.3

        async def pieces() -> AsyncIterator[bytes]:
            for number in range(3):
                yield b"%d\r\n" % number

        async with RecordedExport(self.database, "leads", as_format="csv", wanted="stage=won") as export:
            async for _ in export.recorded(pieces(), lambda: 3):
                if breaks_off:
                    break

    async def keep(self) -> None:
        await keep_checkpoint(self.database, "mail to the auditor")

    def _next(self) -> str:
        left = [name for name in OPERATIONS if self.is_thorough and name not in self.done]
        return self.chance.choice(left) if left else self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]

    def new_lead(self) -> LeadCreate:
        names = self.chance.sample(sorted(VALUES), self.chance.randint(0, 6))
        given = {name: self.chance.choice(VALUES[name]) for name in names}
        return LeadCreate.model_validate({**given, "email": self._address(), "source_detail": "a soak"})

    async def some_lead(self) -> UUID:
        """One of the newest, other writers' too, so that they meet."""
        if not self.known or self.chance.random() < 0.05:
            async with self.database.reader() as reader:
                rows = await reader.fetch("SELECT id FROM leads ORDER BY id DESC LIMIT 60")
            self.known = [row["id"] for row in rows]
        if not self.known:
            await self.create()
        return self.chance.choice(self.known[-60:])

    def _found(self, lead: LeadRead, at: datetime) -> dict[str, Any]:
        filled = {name: self.chance.choice(VALUES[name]) for name in self.chance.sample(FOUND, 2)}
        source = {"source": "website", "confidence": 80, "found_at": at.isoformat(), "url": "https://acme.com/"}
        known = {name: source for name, value in filled.items() if value is not None}
        kept = {name: given for name, given in lead.provenance.items() if name not in filled}
        done = {"enrichment_status": "completed", "enrichment_outcome": "found", "enriched_at": at.astimezone(UTC)}
        return {**filled, **done, "provenance": {**kept, **known}}

    def _row(self, number: int) -> UpsertRow:
        lead = self.new_lead()
        return UpsertRow(number, lead, frozenset(lead.model_fields_set - {"source_detail"}))

    def _address(self) -> str:
        """Of few enough that two writers now and then mean the same person."""
        return f"p{self.chance.randint(1, 2000)}@{self.chance.choice(DOMAINS)}"

    def _actor(self) -> RequestContext:
        if self.user_id is None:
            return an_administrator()
        return _context(self.user_id, self.chance.choice(CHANNELS))


OPERATIONS: dict[str, Operation] = {
    "create": HonestLife.create,
    "quick_add": HonestLife.quick_add,
    "update": HonestLife.update,
    "delete": HonestLife.delete,
    "restore": HonestLife.restore,
    "enrich": HonestLife.enrich,
    "record_enrichment": HonestLife.record_enrichment,
    "import_rows": HonestLife.import_rows,
    "revert": HonestLife.revert,
    "merge": HonestLife.merge,
    "erase": HonestLife.erase,
    "erase_user": HonestLife.erase_user,
    "make_token": HonestLife.make_token,
    "change_user": HonestLife.change_user,
    "export": HonestLife.export,
    "keep": HonestLife.keep,
}
WEIGHTS = {
    "create": 14,
    "quick_add": 8,
    "update": 34,
    "delete": 6,
    "restore": 6,
    "enrich": 5,
    "record_enrichment": 8,
    "import_rows": 3,
    "revert": 7,
    "merge": 3,
    "erase": 2,
    "erase_user": 0.5,
    "make_token": 2,
    "change_user": 2,
    "export": 2,
    "keep": 0.5,
}
_ADMINISTRATOR = UUID("0193f5a0-0000-7000-8000-0000000000ad")


def an_administrator() -> RequestContext:
    """Who adds and erases the writers' users."""
    return _context(_ADMINISTRATOR, "web")


def _context(user_id: UUID, channel: Any) -> RequestContext:
    return RequestContext(
        actor_kind="user",
        actor_id=user_id,
        actor_name="A writer",
        channel=channel,
        ip_address="203.0.113.7",
        user_agent="Mozilla/5.0",
        request_id=str(new_id()),
    )


async def _as(who: RequestContext, doing: Awaitable[Any]) -> Any:
    with acting_as(who):
        return await doing


async def _nothing_beside(_session: AsyncSession, _lead: LeadRead) -> None: ...
