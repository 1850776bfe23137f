"""What the page of the enrichment queue shows: figures, what is at hand, what failed and why, how providers did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from console import wording
from leads_core.database import Database
from leads_core.enrichment import pauses
from leads_core.enrichment.pauses import Pause
from leads_core.enrichment.provider_records import OfField, ProviderRecord, Records, provider_records
from leads_core.enrichment.queue_watch import (
    COUNTED,
    GROUPED,
    AtHand,
    FailedReason,
    Queue,
    at_hand,
    failed_by_reason,
    many_at_once,
    queue_now,
)
from leads_core.jobs.alive import workers_alive
from leads_core.jobs.backoff import ATTEMPTS
from leads_core.leads.names import LeadName, names_of
from leads_core.settings import Settings

NAMELESS = "An erased lead"
#: The states of a job with the word and the dot of a lead's enrichment.
STATES = {
    "running": ("in_progress", "In progress"),
    "retrying": ("retrying", "Tries again"),
    "queued": ("pending", "Waiting"),
}
#: What the built-in providers look for; another one's fields speak for themselves.
FINDS = {
    "dns": "whether the domain resolves, mail host, SPF, DMARC",
    "website": "name, phone, place, language, profiles",
    "email": "role, personal or free-mail address",
    "remote": "whatever your own service knows",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number over the table and what it counts."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One enrichment that has not ended, in words."""

    lead_id: UUID | None
    name: str
    key: str
    state: str
    asked: Sequence[str]
    tries: str
    since: datetime
    happened: str
    can_cancel: bool


@dataclass(frozen=True, slots=True)
class FailedRow:
    """One reason: how many leads, when the last, and the first of them by name."""

    reason: str
    leads: int
    newest: datetime
    some: Sequence[tuple[UUID, str]]

    @property
    def more(self) -> int:
        return self.leads - len(self.some)


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """One provider's record in words, with its fields, those that were used most first."""

    name: str
    finds: str
    record: ProviderRecord
    pause: Pause | None
    fields: Sequence[tuple[str, OfField]]

    @property
    def share(self) -> int:
        """Of a hundred look-ups, for how many it found something."""
        return round(100 * self.record.found / self.record.lookups) if self.record.lookups else 0

    @property
    def median(self) -> str:
        return wording.milliseconds(self.record.median)

    @property
    def slowest(self) -> str:
        return wording.milliseconds(self.record.slowest)


async def queue_context(database: Database, now: datetime) -> dict[str, Any]:
    """The queue as it is now."""
    async with database.reader() as reader:
        queue, workers = await queue_now(reader), await workers_alive(reader)
        rows, failed, many = await at_hand(reader), await failed_by_reason(reader), await many_at_once(reader)
        ids = [row.lead_id for row in rows if row.lead_id] + [one for group in failed for one in group.some]
        names = await names_of(reader, ids)
    return {
        "queue": queue,
        "workers": workers,
        "figures": _figures(queue, workers, now),
        "rows": [_row(row, names, now) for row in rows],
        "hidden": max(0, queue.waiting + queue.running + queue.retrying - len(rows)),
        "failed": [_failed_row(group, names) for group in failed],
        "failed_in_all": sum(group.leads for group in failed),
        "is_cut": sum(group.leads for group in failed) >= GROUPED,
        "many": many,
    }


async def providers_context(database: Database, settings: Settings) -> dict[str, Any]:
    """How providers did, which are paused, and what becomes of knowledge that grows old."""
    standing = await pauses.standing(database)
    async with database.reader() as reader:
        records: Records = await provider_records(reader)
    asked = {record.provider for record in records.providers}
    never = [ProviderRecord(name) for name in sorted(standing.keys() - asked)]
    rows = [_provider_row(record, standing) for record in (*records.providers, *never)]
    days, budget = settings.enrichment_refresh_days, settings.enrichment_refresh_budget
    return {"providers": rows, "records": records, "refresh_days": days, "refresh_budget": budget}


def at_most(value: int) -> str:
    """A count that goes no further than COUNTED."""
    return wording.number(value) if value < COUNTED else f"{wording.number(COUNTED)} or more"


def _figures(queue: Queue, workers: int, now: datetime) -> list[Figure]:
    figures = [
        Figure("waiting", at_most(queue.waiting)),
        Figure(f"running, {wording.plural(workers, 'worker')}", at_most(queue.running)),
        Figure("trying again", at_most(queue.retrying)),
        Figure("completed in 24 h", at_most(queue.completed)),
        Figure("failed in 24 h", at_most(queue.failed)),
    ]
    if queue.median is not None:
        figures.append(Figure("half are done within", wording.duration(queue.median)))
    if queue.oldest_at:
        figures.append(Figure("oldest waits", wording.duration((now - queue.oldest_at).total_seconds())))
    return figures


def _row(row: AtHand, names: Mapping[UUID, LeadName], now: datetime) -> QueueRow:
    key, state = STATES[row.state]
    return QueueRow(
        lead_id=row.lead_id,
        name=_name(row.lead_id, names),
        key=key,
        state=state,
        asked=row.asked,
        tries=f"{row.attempt} of {ATTEMPTS}",
        since=(row.started_at if row.state == "running" else None) or row.created_at,
        happened=_happened(row, now),
        can_cancel=row.state != "running",
    )


def _happened(row: AtHand, now: datetime) -> str:
    if row.state == "running":
        return f"{wording.duration((now - (row.started_at or now)).total_seconds())} so far"
    if row.state == "retrying":
        return wording.retrying(row.error, row.next_attempt_at, now)
    return "Its turn has not come yet" if row.attempt == 0 else "Waits for another worker"


def _failed_row(group: FailedReason, names: Mapping[UUID, LeadName]) -> FailedRow:
    return FailedRow(group.reason, group.leads, group.newest, [(one, _name(one, names)) for one in group.some])


def _name(lead_id: UUID | None, names: Mapping[UUID, LeadName]) -> str:
    lead = names.get(lead_id) if lead_id else None
    return (lead.name if lead else None) or NAMELESS


def _provider_row(record: ProviderRecord, standing: Mapping[str, Pause]) -> ProviderRow:
    pause = standing.get(record.provider)
    by_use = sorted(record.fields.items(), key=lambda one: (-one[1].filled, one[0]))
    finds = FINDS.get(record.provider) or ", ".join(wording.field_in_sentence(name) for name, _ in by_use[:5])
    return ProviderRow(record.provider, finds, record, pause if pause and pause.stands else None, by_use)
