"""A person forgotten: lead, facts, jobs, uploads, kept answers and trail, or a user and all they left behind.

The one module that reaches everywhere a person may stand. What it takes away nobody brings back; that it did so, who
asked for it and when, stands in the trail, and `leads audit verify` finds a backup that brings the person back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context, idempotency
from leads_core.accounts import erasing as accounts
from leads_core.accounts.schemas import UserRead
from leads_core.accounts.service import Accounts
from leads_core.audit import erasure, trail
from leads_core.audit.record.entry import fields_of
from leads_core.database import Database
from leads_core.enrichment import kept_answers, outgoing_requests
from leads_core.enrichment import queries as enrichment
from leads_core.errors import Invalid, StillRunning
from leads_core.jobs import forgetting as jobs
from leads_core.leads.forgetting import PARTS, Erasure, columns_after
from leads_core.leads.schemas import LeadRead
from leads_core.leads.service import LeadService
from leads_core.saved_views.service import forget_views
from leads_core.transfer.forgetting import Needles, files_holding, forget_files

__all__ = ["PARTS", "Erasing", "Erasure", "Foreseen"]

#: Fields whose values betray a person wherever else they stand; of names only those of several words do.
TELLING = ("email", "phone", "linkedin_url")

#: A change lasts milliseconds. Other work on the server, in another database even, may last longer than this.
PATIENCE = 2.0
#: After the first there is seldom anything left.
ROUNDS = 3

WORKS = "Something that this user began is running at this moment. Wait until it has ended, then erase."
ONESELF = "Ask another administrator: the entry that says who erased you would carry your name."


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What an erasure would take and leave. Only fields that have a value; entries and facts are counted."""

    lead: LeadRead
    wanted: Erasure
    goes: Mapping[str, Any]
    stays: Mapping[str, Any]
    entries: int
    facts: int


class Erasing:
    """Erase leads' persons and users, in the name of the current context. For administrators."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._leads = LeadService(database)

    async def foresee(self, lead_id: UUID, wanted: Erasure) -> Foreseen:
        """What erase_lead would do now. Writes nothing. Raises NotFound, Invalid."""
        lead = await self._leads.get(lead_id, deleted=None)
        after = columns_after(lead, wanted)
        async with self._database.transaction() as session:
            entries = await erasure.holding(session, lead_id, wanted.names)
            facts = len(await enrichment.facts_of(session, lead_id))
        parts = [field for part in PARTS for field in fields_of(part)]
        held = {field: getattr(lead, field) for field in parts if getattr(lead, field) not in (None, [])}
        return Foreseen(
            lead=lead,
            wanted=wanted,
            goes={field: value for field, value in held.items() if field in after},
            stays={field: value for field, value in held.items() if field not in after},
            entries=entries,
            facts=facts,
        )

    async def erase_lead(self, lead_id: UUID, wanted: Erasure, *, if_version: int | None = None) -> LeadRead:
        """Forget these parts of a lead, live or in the bin, everywhere, in one transaction.

        Its enrichment is stopped. With the person the lead counts as erased from then on. Done twice, it changes
        nothing the second time. Raises NotFound, StaleVersion, Invalid, and StillRunning while an import runs whose
        file holds the person.
        """
        needles, domains, files = await self._search(lead_id, wanted)

        async def everywhere_else(session: AsyncSession, lead: LeadRead) -> None:
            await enrichment.forget_facts(session, lead.id)
            await outgoing_requests.forget_of(session, lead.id)
            for domain in sorted(domains):
                await kept_answers.forget_about(session, domain)
            await jobs.forget_lead(session, lead.id, needles.texts)
            await forget_files(session, files, needles)
            await idempotency.empty_answers_about(session, lead.id)

        return await self._leads.erase(lead_id, wanted, if_version=if_version, beside=everywhere_else)

    async def erase_user(self, user_id: UUID, *, release_leads: bool = False) -> UserRead:
        """Forget a user: shut out first, then name and email, and name and place in every entry they wrote.

        Their leads keep the owner's id unless release_leads is asked for. Once more, it covers what came since.
        Raises NotFound, Invalid (the only administrator; oneself), StillRunning while a job of theirs runs.
        """
        if context.current().actor_id == user_id:
            raise Invalid.of("user", ONESELF)
        await self._refuse_while_working(user_id)
        # First and by itself: whoever is still signed in would go on writing entries under the name.
        await Accounts(self._database).disable(user_id)
        if release_leads:
            await self._leads.release_owner(user_id)
        for _ in range(ROUNDS):
            await self._writers_ended()
            user, was_named = await self._erase_user(user_id)
            if not was_named:
                break
        return user

    async def _erase_user(self, user_id: UUID) -> tuple[UserRead, bool]:
        """One transaction that forgets what can be read by now; whether there was anything."""
        async with self._database.transaction() as session:
            user = await accounts.locked_user(session, user_id)
            tokens = await accounts.tokens_of(session, user_id)
            await accounts.revoke(session, tokens, trail.now())
            actors = [user.id, *(token.id for token in tokens)]
            if await jobs.is_running_for(session, actors):
                raise StillRunning(WORKS)
            is_named = not UserRead.of(user).is_erased or await erasure.is_named(session, actors)
            if is_named:
                await accounts.erase_locked(session, user, tokens)
            await jobs.forget_origins(session, actors)
            for actor in actors:  # an undo's answer names who changed what it kept
                await idempotency.empty_answers_about(session, actor)
            await forget_views(session, user_id)
            return UserRead.of(user), is_named

    async def _writers_ended(self) -> None:
        """Wait for whoever is in the middle of a change, a request of the user's among them; not for ever."""
        async with self._database.transaction() as session:
            mark = await erasure.writing_now(session)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            async with self._database.transaction() as session:
                if await erasure.have_written(session, mark):
                    return
            await asyncio.sleep(0.02)

    async def _refuse_while_working(self, user_id: UUID) -> None:
        async with self._database.transaction() as session:
            await accounts.locked_user(session, user_id)
            tokens = await accounts.tokens_of(session, user_id)
            if await jobs.is_running_for(session, [user_id, *(token.id for token in tokens)]):
                raise StillRunning(WORKS)

    async def _search(self, lead_id: UUID, wanted: Erasure) -> tuple[Needles, set[str], set[UUID]]:
        """What betrays the person, the domains they stood at, and the kept files that hold them.

        Before the lead is locked: files are large.
        """
        async with self._database.transaction() as session:
            values: set[str] = set()
            if wanted.of_person:
                values = await erasure.known_values(session, lead_id, "person", TELLING)
                names = await erasure.known_values(session, lead_id, "person", ["contact_name"])
                values |= {name for name in names if " " in name.strip()}
            domains = await erasure.known_values(session, lead_id, "data", ["domain"])
            needles = Needles(values)
            files = {*await erasure.imports_of(session, lead_id), *await files_holding(session, needles)}
        return needles, domains | {value.rpartition("@")[2] for value in values if "@" in value}, files
