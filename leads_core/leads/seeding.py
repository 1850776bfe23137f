"""Leads to try things with, by COPY: many at once, each with its CREATE entry as the service would write it.

Hashing is the work, so chunks go to a process for each core. A chunk is one transaction: all of its leads stand with
their entries, or none.
"""

from __future__ import annotations

import asyncio
import io
import multiprocessing
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from secrets import randbits
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from leads_core.audit.record import entry as record
from leads_core.context import RequestContext
from leads_core.database import asyncpg_url, connect, new_id
from leads_core.leads.schemas import EnrichmentStatus
from leads_core.leads.seed_facts import Inventor

CHUNK = 5_000
#: Leads seem to have come in over so long.
SPREAD = timedelta(days=730)

ENTRY_COLUMNS = (
    *("id", "subject_kind", "subject_id", "seq", "action", "actor_kind", "actor_id", "channel", "request_id"),
    *("task_id", "occurred_at", "v", "parts", "checksum", "mac"),
)
#: What an entry and the row have in common, in no particular order.
FIELDS = tuple(record.PART_OF)
LEAD_COLUMNS = [
    *("id", "version", "created_at", "created_by", "updated_at", "updated_by"),
    *FIELDS,
    *("search_text", "company_sort", "contact_sort"),
]
#: In the order in which they are filled.
TABLES: Mapping[str, Sequence[str]] = {
    "audit_log": ENTRY_COLUMNS,
    "audit_pending": ["entry_id"],
    "leads": LEAD_COLUMNS,
    "enrichment_checks": ["lead_id", "checked_at"],
}
LOOKED_UP = frozenset({EnrichmentStatus.COMPLETED, EnrichmentStatus.FAILED})


@dataclass(frozen=True, slots=True)
class Seeding:
    """What every chunk needs to know. first: the number of the first lead, above those of earlier seeds."""

    url: str
    key: bytes
    context: RequestContext
    count: int
    first: int
    until: datetime
    owners: tuple[UUID, ...]


async def seed(
    url: str, key: bytes, context: RequestContext, count: int, *, progress: Callable[[int], None] = lambda done: None
) -> int:
    """Make count leads in the context's name, with their entries; gives how many.

    key signs the entries. Raises asyncpg's UniqueViolationError when two seeds run at once on one database: the chunk
    that met the other's leads is not written.
    """
    connection = await connect(asyncpg_url(url))
    try:
        owners = await connection.fetch("SELECT id FROM users WHERE disabled_at IS NULL ORDER BY created_at LIMIT 20")
        newest = await connection.fetchval("SELECT coalesce(max(bucket), -1) FROM leads WHERE deleted_at IS NULL")
    finally:
        await connection.close()
    plain = RequestContext(**{name: getattr(context, name) for name in _CONTEXT})
    seeding = Seeding(url, key, plain, count, (newest + 1) << 16, datetime.now(UTC), tuple(row["id"] for row in owners))
    chunks = [(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
    done = 0
    async for written in _written(seeding, chunks):
        done += written
        progress(done)
    return done


_CONTEXT = ("actor_kind", "actor_id", "actor_name", "channel", "ip_address", "user_agent", "request_id", "task_id")


async def _written(seeding: Seeding, chunks: Sequence[tuple[int, int]]) -> Any:
    """The size of each chunk as it is committed; the chunks are begun in order."""
    if len(chunks) < 4:
        for chunk in chunks:
            yield await _write(seeding, chunk)
        return
    loop = asyncio.get_running_loop()
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=spawning) as processes:
        tasks = [loop.run_in_executor(processes, _write_in_process, seeding, chunk) for chunk in chunks]
        try:
            for task in asyncio.as_completed(tasks):
                yield await task
        finally:
            processes.shutdown(wait=False, cancel_futures=True)
            await asyncio.gather(*tasks, return_exceptions=True)


def _write_in_process(seeding: Seeding, chunk: tuple[int, int]) -> int:
    return asyncio.run(_write(seeding, chunk))


async def _write(seeding: Seeding, chunk: tuple[int, int]) -> int:
    lines = _chunk_as_text(seeding, chunk)
    connection = await connect(asyncpg_url(seeding.url), server_settings={"synchronous_commit": "off"})
    try:
        async with connection.transaction():
            for table, columns in TABLES.items():
                await _copy(connection, table, columns, lines[table])
    finally:
        await connection.close()
    return chunk[1] - chunk[0]


async def _copy(connection: asyncpg.Connection, table: str, columns: Sequence[str], lines: list[str]) -> None:
    text = io.BytesIO("".join(lines).encode())
    await connection.copy_to_table(table, source=text, columns=columns, format="text")


def _chunk_as_text(seeding: Seeding, chunk: tuple[int, int]) -> dict[str, list[str]]:
    """Each table's lines of COPY."""
    who = seeding.context
    origin = record.origin_part(who.actor_name, who.ip_address, who.user_agent)
    origin_digest = record.digest(origin)
    inventor = Inventor(seeding.first + chunk[0], seeding.owners)
    lines: dict[str, list[str]] = {table: [] for table in TABLES}
    for place in range(*chunk):
        created_at = seeding.until - SPREAD * (1 - (place + 1) / seeding.count)
        values = inventor.lead(seeding.first + place, created_at)
        lead_id, entry_id = new_id(), _id_at(created_at)
        parts = record.parts_of_change(None, _audited(values), origin)
        digests = {name: origin_digest if part is origin else record.digest(part) for name, part in parts.items()}
        # An erased part is its digest: the checksum is the same, and the shared origin is hashed once.
        written = record.EntryRecord(
            id=entry_id,
            subject_kind="lead",
            subject_id=lead_id,
            seq=1,
            action="CREATE",
            actor_kind=who.actor_kind,
            actor_id=who.actor_id,
            channel=who.channel,
            request_id=who.request_id,
            task_id=who.task_id,
            occurred_at=created_at,
            parts=digests,
        )
        checksum = record.checksum(written)
        stored = orjson.dumps(parts).decode()
        mac = record.mac(seeding.key, checksum)
        lines["audit_log"].append(
            _line([*(getattr(written, name) for name in ENTRY_COLUMNS[:-3]), stored, checksum, mac])
        )
        lines["audit_pending"].append(f"{entry_id}\n")
        values |= {"id": lead_id, "version": 1, "created_at": created_at, "updated_at": created_at}
        values |= {"created_by": who.actor_id, "updated_by": who.actor_id}
        lines["leads"].append(_line(values.get(name) for name in LEAD_COLUMNS))
        if values["enrichment_status"] in LOOKED_UP:
            lines["enrichment_checks"].append(_line([lead_id, created_at]))
    return lines


def _id_at(moment: datetime) -> UUID:
    """A UUIDv7 as of then: the trail is in order of its ids, and its times shall be in the same."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 7 << 76 | randbits(12) << 64 | 2 << 62 | randbits(62))


def _audited(values: dict[str, Any]) -> dict[str, Any]:
    """The values as an entry holds them."""
    found = {}
    for field in FIELDS:
        value = values.get(field)
        if isinstance(value, datetime):
            value = record.timestamp(value)
        elif isinstance(value, UUID | date):
            value = str(value)
        found[field] = value
    return found


def _line(values: Iterable[Any]) -> str:
    return "\t".join(map(_field, values)) + "\n"


def _field(value: Any) -> str:
    """One value in COPY's text format."""
    match value:
        case None:
            text = "\\N"
        case bool():
            text = "t" if value else "f"
        case str():
            text = value.translate(_ESCAPES) if "\\" in value or not value.isprintable() else value
        case bytes():
            text = "\\\\x" + value.hex()
        case list():
            text = "{" + ",".join(f'"{item}"' for item in value) + "}"
        case _:
            text = str(value)
    return text


_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"})
