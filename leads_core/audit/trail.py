"""Append to the trail, in the caller's transaction: the entry is written before the change it speaks of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter, itemgetter
from typing import Any, TypeAlias
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import bindparam

from leads_core import context
from leads_core.audit.models import Action, SubjectKind
from leads_core.audit.record import entry as record
from leads_core.database import MAC_KEY, bare, new_id, note_change

Values = Mapping[str, Any]
Written: TypeAlias = tuple[UUID, bytes, str, UUID | None]
"""An entry's id, checksum, kind of subject, and subject."""

APPEND = text("""
    WITH entry AS (
        INSERT INTO audit_log (id, subject_kind, subject_id, seq, action, actor_kind, actor_id, channel, request_id,
                               task_id, occurred_at, v, parts, checksum, mac)
        VALUES (:id, :subject_kind, :subject_id, :seq, :action, :actor_kind, :actor_id, :channel, :request_id,
                :task_id, :occurred_at, :v, :parts, :checksum, :mac)
        RETURNING id)
    INSERT INTO audit_pending (entry_id) SELECT id FROM entry
""").bindparams(bindparam("parts", type_=JSONB))


async def append(
    session: AsyncSession,
    action: Action,
    subject_id: UUID | None,
    *,
    seq: int | None,
    before: Values | None,
    after: Values | None,
    at: datetime,
    kind: SubjectKind = SubjectKind.LEAD,
    part_of: Mapping[str, str] = record.PART_OF,
) -> UUID:
    """Write one entry of what changed between before and after. Gives its id.

    The actor is the current context's; without one this raises NoContext and nothing is written.
    at is the change's own time (UTC), so that the row's updated_at and the entry's occurred_at are one.
    part_of says which part holds each field: a lead's, unless the subject is something else.
    """
    key = session.info[MAC_KEY]
    row = entry_row(action, subject_id, seq=seq, before=before, after=after, at=at, kind=kind, key=key, part_of=part_of)
    await session.execute(APPEND, row)
    _remember(session, [(row["id"], row["checksum"], row["subject_kind"], subject_id)])
    return UUID(str(row["id"]))


async def append_many(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Write entries that entry_row made, by COPY."""
    await _copy(session, [_copied({**row, "parts": orjson.dumps(row["parts"]).decode()}) for row in rows])
    _remember(session, [(row["id"], row["checksum"], row["subject_kind"], row["subject_id"]) for row in rows])


class EntryBatch:
    """Entries of leads, of one actor and one moment, made one by one and written together: a third of the time.

    They share their origin. Of each only what is stored is kept, so that thousands do not busy the garbage collector.
    """

    def __init__(self, session: AsyncSession, at: datetime) -> None:
        self._session = session
        self._key: bytes = session.info[MAC_KEY]
        self._origin = origin_part()
        # An entry's checksum is the same over a part and over its digest: this one is taken once for all of them.
        self._origin_digest = record.digest(self._origin)
        alike = _entry(Action.CREATE, None, seq=None, at=at, kind=SubjectKind.LEAD, parts={})
        self._alike = record.record_of(alike)
        self._alike_said = _said(alike)[_OWN:-1]
        self._records: list[tuple[Any, ...]] = []
        self._written: list[Written] = []

    def add(self, action: Action, lead_id: UUID, *, seq: int, before: Values | None, after: Values | None) -> None:
        """Make one more entry."""
        entry_id, parts = new_id(), record.parts_of_change(before, after, self._origin)
        own = {"id": str(entry_id), "subject_id": str(lead_id), "seq": seq, "action": action.value}
        digests = {name: record.digest(part) for name, part in parts.items() if part is not self._origin}
        checksum = record.checksum_of({**self._alike, **own, "parts": {**digests, "origin": self._origin_digest}})
        sealed = (orjson.dumps(parts).decode(), checksum, record.mac(self._key, checksum))
        self._records.append((entry_id, _LEAD, lead_id, seq, action.value, *self._alike_said, *sealed))
        self._written.append((entry_id, checksum, SubjectKind.LEAD, lead_id))

    async def write(self) -> None:
        """Write them, in the session's transaction."""
        if self._records:
            await _copy(self._session, self._records)
            _remember(self._session, self._written)


def entry_row(
    action: Action,
    subject_id: UUID | None,
    *,
    seq: int | None,
    before: Values | None,
    after: Values | None,
    at: datetime,
    key: bytes,
    kind: SubjectKind = SubjectKind.LEAD,
    part_of: Mapping[str, str] = record.PART_OF,
    origin: list[Any] | None = None,
) -> dict[str, Any]:
    """The row of audit_log: column -> value, with checksum and MAC. Entries of one request may share their origin."""
    parts = record.parts_of_change(before, after, origin or origin_part(), part_of)
    entry = _entry(action, subject_id, seq=seq, at=at, kind=kind, parts=parts)
    checksum = record.checksum(entry)
    return dict(zip(_ALL_COLUMNS, (*_said(entry), checksum, record.mac(key, checksum)), strict=True))


def origin_part() -> list[Any]:
    """Who acts now and whence, as a part under a fresh salt."""
    who = context.current()
    return record.origin_part(who.actor_name, who.ip_address, who.user_agent)


COLUMNS = (
    "id",
    "subject_kind",
    "subject_id",
    "seq",
    "action",
    "actor_kind",
    "actor_id",
    "channel",
    "request_id",
    "task_id",
    "occurred_at",
    "v",
    "parts",
)
_ALL_COLUMNS = (*COLUMNS, "checksum", "mac")
#: Columns that entries of one batch do not have in common: those before this one, and the parts at the end.
_OWN = COLUMNS.index("actor_kind")
_LEAD = SubjectKind.LEAD.value
_said = attrgetter(*COLUMNS)
_copied = itemgetter(*_ALL_COLUMNS)


def now() -> datetime:
    """The app's clock, UTC, in microseconds: the time of a change and of its entry."""
    return datetime.now(UTC)


def _entry(
    action: Action,
    subject_id: UUID | None,
    *,
    seq: int | None,
    at: datetime,
    kind: SubjectKind,
    parts: Mapping[str, record.Part],
) -> record.EntryRecord:
    who = context.current()
    return record.EntryRecord(
        id=new_id(),
        subject_kind=kind.value,
        subject_id=subject_id,
        seq=seq,
        action=action.value,
        actor_kind=who.actor_kind,
        actor_id=who.actor_id,
        channel=who.channel,
        request_id=who.request_id,
        task_id=who.task_id,
        occurred_at=at,
        parts=parts,
    )


async def _copy(session: AsyncSession, records: Sequence[tuple[Any, ...]]) -> None:
    connection = await bare(session)
    if not connection.is_in_transaction():
        await session.execute(text("SELECT 1"))
    await connection.copy_records_to_table("audit_log", records=records, columns=_ALL_COLUMNS)
    await connection.copy_records_to_table("audit_pending", records=[(each[0],) for each in records])


def _remember(session: AsyncSession, written: Sequence[Written]) -> None:
    """For the receipt in the access log, and for the NOTIFY at the transaction's end."""
    receipts = context.current().receipts
    for entry_id, checksum, kind, subject_id in written:
        receipts.append((entry_id, checksum.hex()))
        if kind == SubjectKind.LEAD and subject_id is not None:
            note_change(session, entry_id, subject_id)
