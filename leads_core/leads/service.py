"""The one way in: every change of a lead is a method here, and each writes its entry in its own transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core import context
from leads_core.audit import trail
from leads_core.audit.models import Action
from leads_core.audit.operations import Operation
from leads_core.database import Database, new_id
from leads_core.errors import (
    Erased,
    IdentityTaken,
    Invalid,
    LeadExplorerError,
    NotFound,
    StaleVersion,
    Unavailable,
)
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.leads import changing, history, identity, looking_back
from leads_core.leads.acting_on_many import act_on_many
from leads_core.leads.bulk_actions import Asked
from leads_core.leads.bulk_items import Became, Item
from leads_core.leads.cancelling_many import Cancelled, cancel_many
from leads_core.leads.enriching_many import Begun, enrich_many
from leads_core.leads.foreseeing import Difference, Foreseen, check_many, differences
from leads_core.leads.forgetting import Erasure, erase_locked
from leads_core.leads.merge_writing import merge_locked
from leads_core.leads.merging import Merge
from leads_core.leads.models import Lead
from leads_core.leads.owners import refuse_unless_working
from leads_core.leads.quick_add import QuickAddLine, parse_quick_add
from leads_core.leads.quick_duplicates import fields_about, read_existing, what_is_new
from leads_core.leads.row_matching import Existing, Upserted, UpsertRow
from leads_core.leads.schemas import EnrichmentStatus, LeadCreate, LeadRead, LeadUpdate, Source, parsed
from leads_core.leads.undoing_many import Undone, undo_many
from leads_core.leads.upserting import upsert_many
from leads_core.leads.writing import locked, write

Decide = Callable[[LeadRead, datetime], Mapping[str, Any]]
Beside = Callable[[AsyncSession, LeadRead], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class QuickAdded:
    """What became of one line: the lead, or the error with the text as it was typed.

    existing: the lead that is there already, live or in the bin; news: what the line says and that lead leaves empty.
    """

    index: int
    text: str
    lead: LeadRead | None = None
    error: LeadExplorerError | None = None
    existing: LeadRead | None = None
    news: Mapping[str, str] = field(default_factory=dict)


class LeadService:
    """Create, read and change leads, in the name of the current context."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, lead_id: UUID, *, deleted: bool | None = False) -> LeadRead:
        """The lead; with deleted=True one from the bin, with None either. Raises NotFound."""
        async with self._database.transaction() as session:
            lead = await session.get(Lead, lead_id)
            if lead is None or (deleted is not None and lead.is_deleted != deleted):
                raise NotFound("lead", lead_id)
            return LeadRead.of(lead)

    async def read_many(self, ids: Sequence[UUID]) -> dict[UUID, LeadRead]:
        """These leads, those in the bin too; an id that no lead has is left out."""
        wanted = select(Lead).where(Lead.id.in_(ids)).execution_options(populate_existing=True)
        async with self._database.transaction() as session:
            return {lead.id: LeadRead.of(lead) for lead in await session.scalars(wanted)}

    async def create(
        self,
        wanted: LeadCreate,
        *,
        source: Source,
        enrich: bool = False,
        despite_bin: bool = True,
        beside: Beside | None = None,
    ) -> LeadRead:
        """Add a lead; with enrich its job too, all or none. beside writes more into the same transaction.

        Raises IdentityTaken when a live lead has its email (or domain, without an email), and with
        despite_bin=False also when one in the bin has.
        """
        values = changing.values_of_new(wanted, source)
        try:
            async with self._database.transaction() as session:
                if not despite_bin:
                    await identity.refuse_if_binned(session, values)
                await refuse_unless_working(session, wanted.owner_id)
                lead = await self._insert(session, values, enrich=enrich)
                read = LeadRead.of(lead)
                if beside:
                    await beside(session, read)
            return read
        except IntegrityError as error:
            raise await identity.conflict_of(self._database, error, values) from error

    async def quick_add(self, text: str, *, despite_bin: bool = False) -> list[QuickAdded]:
        """Each line a lead with its enrichment begun, or the reason why not. Raises Invalid when nothing was typed."""
        lines = parse_quick_add(text)
        if not lines:
            raise Invalid.of("text", "Type an email, a domain, a URL or Name <email>.")
        return [await self._quick_add_line(line, despite_bin=despite_bin) for line in lines]

    async def check_quick_add(self, text: str) -> list[QuickAdded]:
        """What quick_add would say of each line just now: neither lead nor error where it would add. Writes nothing."""
        return [await self._checked(line) for line in parse_quick_add(text)]

    async def add_what_is_new(self, lead_id: UUID, line: str, *, beside: Beside | None = None) -> LeadRead:
        """Fill what the lead leaves empty with what a Quick-Add line about it says, as the word of whoever acts.

        Nothing is written when nothing is new. Raises NotFound (also for one in the bin), Invalid for another's line.
        """

        def news(lead: Lead, _at: datetime) -> Mapping[str, Any]:
            new = what_is_new(fields_about(line, lead), lead)
            return changing.with_persons_values(lead, parsed(LeadUpdate, new).changes())

        return await self._change(lead_id, Action.UPDATE, news, beside=beside)

    async def update(
        self, lead_id: UUID, wanted: LeadUpdate, *, if_version: int | None = None, beside: Beside | None = None
    ) -> LeadRead:
        """Change the named fields; the others stay. Nothing is written when nothing differs.

        Raises NotFound, StaleVersion (with the lead as it stands), IdentityTaken, Invalid.
        """
        changes = wanted.changes()
        return await self._change(
            lead_id,
            Action.UPDATE,
            lambda lead, _at: changing.with_persons_values(lead, changes),
            first=lambda session, lead: refuse_unless_working(session, changes.get("owner_id"), now=lead.owner_id),
            if_version=if_version,
            beside=beside,
        )

    async def delete(self, lead_id: UUID, *, if_version: int | None = None, beside: Beside | None = None) -> LeadRead:
        """Put the lead into the bin. Raises NotFound (also for one that lies there already), StaleVersion."""
        return await self._change(
            lead_id,
            Action.DELETE,
            lambda _lead, at: {"deleted_at": at, "deleted_by": context.current().actor_id},
            if_version=if_version,
            beside=beside,
        )

    async def restore(self, lead_id: UUID, *, if_version: int | None = None, beside: Beside | None = None) -> LeadRead:
        """Bring the lead back from the bin; a live one stays as it is. Raises NotFound, StaleVersion, IdentityTaken."""
        return await self._change(
            lead_id,
            Action.RESTORE,
            lambda lead, _at: dict(changing.RESTORED) if lead.is_deleted else {},
            if_version=if_version,
            deleted=None,
            beside=beside,
        )

    async def merge(
        self, lead_id: UUID, other_id: UUID, wanted: Merge, *, beside: Beside | None = None
    ) -> tuple[LeadRead, LeadRead]:
        """Merge the other lead into this one: what was chosen goes over, the other into the bin. Both, as they are now.

        Raises NotFound (also for one in the bin), AlreadyMerged, StaleVersion (of either), Erased, Invalid,
        IdentityTaken when a third lead has what this one would be.
        """
        tried: dict[str, Any] = {"id": lead_id}
        try:
            async with self._database.transaction() as session:
                keep, other = await merge_locked(session, lead_id, other_id, wanted, tried)
                read = LeadRead.of(keep), LeadRead.of(other)
                if beside:
                    await beside(session, read[0])
            return read
        except IntegrityError as error:
            raise await identity.conflict_of(self._database, error, tried) from error

    async def as_it_stood(self, lead_id: UUID, seq: int) -> history.Standing:
        """The lead, from the bin too, after its entry seq. Raises NotFound; Invalid when it has no such entry."""
        async with self._database.transaction() as session:
            lead = await session.get(Lead, lead_id)
            if lead is None:
                raise NotFound("lead", lead_id)
            return await looking_back.standing_at(session, lead, seq)

    async def revert(
        self,
        lead_id: UUID,
        seq: int,
        *,
        fields: Sequence[str] | None = None,
        if_version: int | None = None,
        beside: Beside | None = None,
    ) -> LeadRead:
        """Put these fields (None: all of history.REVERTIBLE) back to how they stood after the entry seq.

        Nothing is written when they stand so already. Raises NotFound (also for a lead in the bin), StaleVersion,
        Erased, IdentityTaken, and Invalid where a value was erased, its owner is gone, or today's rules refuse it.
        """
        past = history.Standing(0, {})

        async def look_back(session: AsyncSession, lead: Lead) -> None:
            nonlocal past
            past = await looking_back.standing_at(session, lead, seq)
            await looking_back.refuse_if_gone(session, lead, past, fields)

        return await self._change(
            lead_id,
            Action.REVERT,
            lambda lead, _at: history.putting_back(lead, past, fields),
            if_version=if_version,
            first=look_back,
            beside=beside,
        )

    async def enrich(self, lead_id: UUID, *, beside: Beside | None = None) -> LeadRead:
        """Begin an enrichment that somebody asked for; one that already runs is enough. Raises NotFound, Erased."""
        task_id, before = new_id(), changing.Values()

        def begin(lead: Lead, _at: datetime) -> Mapping[str, Any]:
            nonlocal before
            if lead.is_erased:
                raise Erased("This person was erased. The lead is not enriched again.")
            if lead.enrichment_status == EnrichmentStatus.IN_PROGRESS:
                return {}
            before = changing.before_enrichment(lead)
            return changing.enrichment_begun(task_id)

        async def start_job(session: AsyncSession, lead: LeadRead) -> None:
            if lead.enrichment_task_id == task_id:
                await _start_enrichment(session, lead.id, task_id, before, queue.PRIORITY_ASKED)
            if beside:
                await beside(session, lead)

        return await self._change(lead_id, Action.ENRICH, begin, beside=start_job)

    async def enrich_many(self, ids: Sequence[UUID]) -> dict[UUID, Begun]:
        """Begin the enrichment of each of these leads, in one transaction; what became of each."""
        async with self._database.transaction() as session:
            return await enrich_many(session, ids)

    async def cancel_enrichments(self, ids: Sequence[UUID], asked_by: UUID | None) -> dict[UUID, Cancelled]:
        """End what waits of these leads (asked_by: only what this bulk job began), in one transaction."""
        async with self._database.transaction() as session:
            return await cancel_many(session, ids, asked_by)

    async def act_on_many(self, asked: Asked, items: Sequence[Item]) -> dict[UUID, Became]:
        """Set a value of many leads, or move them into the bin or out of it, in one transaction."""
        async with self._database.one_transaction():
            return await act_on_many(self._database.transaction, asked, items)

    async def cancel_enrichment(self, lead_id: UUID, task_id: UUID) -> LeadRead:
        """End an enrichment that still waits, as if nobody had asked: the status before it comes back.

        Raises NotFound, and JobRunning when a worker has it already.
        """
        before: Mapping[str, Any] = {}

        async def cancel(session: AsyncSession, _lead: Lead) -> None:
            nonlocal before
            before = (await queue.cancel(session, task_id)).wanted

        return await self._change(
            lead_id,
            Action.ENRICH,
            lambda lead, _at: changing.enrichment_cancelled(before) if lead.enrichment_task_id == task_id else {},
            deleted=None,
            first=cancel,
        )

    async def record_enrichment(self, lead_id: UUID, task_id: UUID, decide: Decide, beside: Beside) -> LeadRead | None:
        """Write what a machine found, as decided under the row lock. None when this job is not the lead's any more.

        decide gives the columns to set, provenance among them; beside writes facts and ends the job.
        """

        is_its_job = False

        def changes(lead: Lead, at: datetime) -> Mapping[str, Any]:
            nonlocal is_its_job
            is_its_job = lead.enrichment_task_id == task_id and not lead.is_erased
            return decide(LeadRead.of(lead), at) if is_its_job else {}

        async def unless_superseded(session: AsyncSession, lead: LeadRead) -> None:
            if is_its_job:
                await beside(session, lead)

        try:
            lead = await self._change(lead_id, Action.ENRICH, changes, deleted=None, beside=unless_superseded)
        except NotFound:
            return None
        return lead if is_its_job else None

    async def dismiss(self, lead_id: UUID, values: Mapping[str, Any], *, beside: Beside | None = None) -> LeadRead:
        """Write that these suggestions were waved away, field -> value. The lead stays as it is, in its version.

        beside marks them. Raises NotFound, Erased.
        """
        async with self._database.transaction() as session:
            lead = await locked(session, lead_id, deleted=False)
            if lead.is_erased:
                raise Erased("This person was erased. Nothing is suggested any more.")
            if values:
                at = trail.now()
                await trail.append(session, Action.DISMISS, lead.id, seq=None, before=values, after=None, at=at)
            read = LeadRead.of(lead)
            if beside:
                await beside(session, read)
        return read

    async def ids_at(self, registrable_domain: str, *, limit: int) -> list[UUID]:
        """Live leads at a registered domain, in order of id; by ix_leads_live_registrable_domain."""
        here = (Lead.registrable_domain == registrable_domain, Lead.deleted_at.is_(None), Lead.erased_at.is_(None))
        async with self._database.transaction() as session:
            return list(await session.scalars(select(Lead.id).where(*here).order_by(Lead.id).limit(limit)))

    async def record_refresh(self, lead_id: UUID, decide: Decide, beside: Beside) -> LeadRead | None:
        """Write what a scheduled look-up found new. The lead's status is left alone; nothing new is no entry.

        None when the lead is gone, erased, or being looked up for somebody just now.
        """
        is_free = False

        def changes(lead: Lead, at: datetime) -> Mapping[str, Any]:
            nonlocal is_free
            is_free = not lead.is_erased and lead.enrichment_status != EnrichmentStatus.IN_PROGRESS
            return decide(LeadRead.of(lead), at) if is_free else {}

        async def if_free(session: AsyncSession, lead: LeadRead) -> None:
            if is_free:
                await beside(session, lead)

        try:
            lead = await self._change(lead_id, Action.ENRICH, changes, beside=if_free)
        except NotFound:
            return None
        return lead if is_free else None

    async def erase(
        self, lead_id: UUID, wanted: Erasure, *, if_version: int | None = None, beside: Beside | None = None
    ) -> LeadRead:
        """Forget these parts of a lead, live or in the bin, here and in its trail. For leads_core.erasing alone.

        Nothing is written when nothing is left to forget. Raises NotFound, StaleVersion, Invalid.
        """
        async with self._database.transaction() as session:
            lead = await locked(session, lead_id, deleted=None)
            if if_version is not None and lead.version != if_version:
                raise StaleVersion(LeadRead.of(lead))
            await erase_locked(session, lead, wanted)
            read = LeadRead.of(lead)
            if beside:
                await beside(session, read)
        return read

    async def release_owner(self, user_id: UUID) -> int:
        """Take a user's live leads from them, each with its entry; by ix_leads_live_owner. Gives their number."""
        released = 0
        theirs = select(Lead.id).where(Lead.owner_id == user_id, Lead.deleted_at.is_(None)).order_by(Lead.id).limit(500)
        while True:
            async with self._database.transaction() as session:
                ids = (await session.scalars(theirs)).all()
            for lead_id in ids:
                with suppress(NotFound):  # somebody put it into the bin meanwhile
                    await self._change(lead_id, Action.UPDATE, lambda _lead, _at: {"owner_id": None})
                    released += 1
            if not ids:
                return released

    async def import_rows(
        self,
        rows: Sequence[UpsertRow],
        existing: Existing,
        *,
        enrich: bool = False,
        beside: Callable[[AsyncSession, Sequence[Upserted]], Awaitable[None]] | None = None,
    ) -> list[Upserted]:
        """Rows of a file in one transaction, by identity; what became of each. Writes nothing for what is the same."""
        async with self._database.one_transaction() as session:
            outcomes = await upsert_many(self._database.transaction, rows, existing, enrich=enrich)
            if beside:
                await beside(session, outcomes)
        return outcomes

    async def undo(
        self,
        operation: Operation,
        touched: Sequence[tuple[UUID, int]],
        *,
        beside: Callable[[AsyncSession, Sequence[Undone]], Awaitable[None]] | None = None,
    ) -> list[Undone]:
        """Take back what an operation changed of these leads (with its first entry of each), in one transaction."""
        async with self._database.one_transaction() as session:
            undone = await undo_many(self._database.transaction, operation, touched)
            if beside:
                await beside(session, undone)
        return undone

    async def check_rows(self, rows: Sequence[UpsertRow], existing: Existing, foreseen: Foreseen) -> list[Upserted]:
        """What import_rows would make of them after the rows that went into foreseen. Writes nothing."""
        async with self._database.transaction() as session:
            return await check_many(session, rows, existing, foreseen)

    async def differences(self, rows: Sequence[UpsertRow], existing: Existing) -> list[Difference]:
        """What each of the rows would change, field by field, as the leads are now. Writes nothing."""
        async with self._database.transaction() as session:
            return await differences(session, rows, existing)

    async def _change(
        self,
        lead_id: UUID,
        action: Action,
        decide: Callable[[Lead, datetime], Mapping[str, Any]],
        *,
        if_version: int | None = None,
        deleted: bool | None = False,
        first: Callable[[AsyncSession, Lead], Awaitable[None]] | None = None,
        beside: Beside | None = None,
    ) -> LeadRead:
        """Lock the lead, read, decide, write the entry, then the lead: the one shape of every change."""
        values: Mapping[str, Any] = {}
        try:
            async with self._database.transaction() as session:
                lead = await locked(session, lead_id, deleted=deleted)
                if if_version is not None and lead.version != if_version:
                    raise StaleVersion(LeadRead.of(lead))
                if first:
                    await first(session, lead)
                at = trail.now()
                values = decide(lead, at)
                await write(session, lead, action, values, at)
                read = LeadRead.of(lead)
                if beside:
                    await beside(session, read)
            return read
        except IntegrityError as error:
            raise await identity.conflict_of(self._database, error, {"id": lead_id, **values}) from error

    async def _insert(self, session: AsyncSession, values: Mapping[str, Any], *, enrich: bool) -> Lead:
        at, who = trail.now(), context.current()
        lead = Lead(id=new_id(), version=1, created_at=at, created_by=who.actor_id, updated_at=at, **values)
        lead.updated_by = who.actor_id
        task_id = new_id()
        changing.set_columns(lead, changing.enrichment_begun(task_id) if enrich else {})
        await trail.append(session, Action.CREATE, lead.id, seq=1, before=None, after=lead.audited_values(), at=at)
        session.add(lead)
        await session.flush()
        if enrich:
            before = {"status_before": EnrichmentStatus.PENDING.value}
            await _start_enrichment(session, lead.id, task_id, before, queue.PRIORITY_QUICK_ADD)
        return lead

    async def _quick_add_line(self, line: QuickAddLine, *, despite_bin: bool) -> QuickAdded:
        try:
            if line.fields is None:
                raise _unreadable(line)
            wanted = parsed(LeadCreate, {**line.fields, "source_detail": line.text[:1000], "is_manual": True})
            lead = await self.create(wanted, source=Source.QUICK_ADD, enrich=True, despite_bin=despite_bin)
        except IdentityTaken as taken:
            return await self._duplicate(line, taken)
        except LeadExplorerError as error:
            return QuickAdded(line.index, line.text, error=error)
        return QuickAdded(line.index, line.text, lead=lead)

    async def _checked(self, line: QuickAddLine) -> QuickAdded:
        if line.fields is None:
            return QuickAdded(line.index, line.text, error=_unreadable(line))
        async with self._database.transaction() as session:
            taken = await identity.taken_by(session, line.fields)
        return await self._duplicate(line, taken) if taken else QuickAdded(line.index, line.text)

    async def _duplicate(self, line: QuickAddLine, taken: IdentityTaken) -> QuickAdded:
        try:
            async with self._database.transaction() as session:
                existing = await read_existing(session, taken.existing_id)
        except Unavailable:  # the line was refused all the same
            existing = None
        news = what_is_new(line.fields or {}, existing) if existing else {}
        return QuickAdded(line.index, line.text, error=taken, existing=existing, news=news)


def _unreadable(line: QuickAddLine) -> Invalid:
    return Invalid.of(line.field or "text", line.reason or "This could not be read.")


async def _start_enrichment(
    session: AsyncSession, lead_id: UUID, task_id: UUID, before: Mapping[str, Any], priority: int
) -> None:
    await queue.start(
        session,
        JobKind.ENRICHMENT,
        priority=priority,
        lead_id=lead_id,
        job_id=task_id,
        wanted=before,
    )
