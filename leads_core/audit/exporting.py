"""The trail as JSON Lines, for whoever verifies it elsewhere (docs/audit.md, "The export"). Streams in constant memory.

What the database holds goes out as it stands, whole or not: an export is evidence, so nothing is repaired on the way.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from leads_core.audit.entry_filter import EntryFilter
from leads_core.audit.record.entry import timestamp
from leads_core.audit.searching import pages_of_ids
from leads_core.audit.verification.evidence import LEAD_COLUMNS
from leads_core.audit.verification.statements import recorded_time
from leads_core.database import Database, asyncpg_url, connect, faults_in_words

FORMAT = "lead-explorer-audit/1"
PAGE = 1000
#: What the export's own connection is called in pg_stat_activity.
NAME = "leads-audit-export"

_TIMES = ("enriched_at", "created_at", "updated_at", "deleted_at", "erased_at")
#: What is text in JSON and something else in a column.
_AS_TEXT = (
    *("owner_id", "follow_up_on", "enrichment_task_id", "merged_into"),
    *("created_by", "updated_by", "deleted_by", "erased_by"),
)


def _lead_column(field: str) -> str:
    if field in _TIMES:
        return f"{recorded_time(field)} AS {field}"
    return f"{field}::text AS {field}" if field in _AS_TEXT else field


ENTRIES = f"""
    SELECT e.v, e.id::text AS id, e.subject_kind, e.subject_id::text AS subject_id, e.seq, e.action, e.actor_kind,
           e.actor_id::text AS actor_id, e.channel, e.request_id, e.task_id::text AS task_id,
           {recorded_time("e.occurred_at")} AS occurred_at, e.parts::text AS parts,
           encode(e.checksum, 'hex') AS checksum, encode(e.mac, 'hex') AS mac, l.leaf_index
    FROM audit_log e LEFT JOIN audit_leaves l ON l.entry_id = e.id
"""  # noqa: S608 - names of columns
#: By audit_log_subject_id_seq_key: subject by subject, each from its first version on.
ENTRIES_BY_SUBJECT = ENTRIES + "ORDER BY e.subject_id, e.seq, e.id"
ENTRIES_OF = ENTRIES + "WHERE e.id = ANY($1)"
LEADS = f"SELECT id::text AS id, {', '.join(map(_lead_column, LEAD_COLUMNS))} FROM leads ORDER BY leads.id"  # noqa: S608
LEAVES = """
    SELECT leaf_index, entry_id::text AS entry_id, encode(checksum, 'hex') AS checksum
    FROM audit_leaves ORDER BY leaf_index
"""
CHECKPOINTS = f"""
    SELECT number, log_name, size, encode(root, 'hex') AS root, note, {recorded_time("signed_at")} AS signed_at
    FROM audit_checkpoints ORDER BY number
"""  # noqa: S608
#: Streamed along its index, never sorted on the server's disk; nothing runs beside it.
ALONG_INDEXES = {"enable_sort": "off", "enable_hashjoin": "off", "enable_mergejoin": "off", "jit": "off"}
#: Our own tables, whatever somebody shadowed them with; an error rather than a part of the rows.
EVIDENCE = {"search_path": "pg_catalog, public, pg_temp", "row_security": "off", "DateStyle": "ISO"}
#: A reader who stands still for two minutes gives the snapshot and its connection back; the file then has no footer.
PATIENCE = {"idle_in_transaction_session_timeout": "120000"}
#: JSON in a column is written as PostgreSQL has it.
_RAW = {"parts", "provenance"}


@dataclass(slots=True)
class Exported:
    """How many of each kind went out so far: the footer."""

    entries: int = 0
    leads: int = 0
    leaves: int = 0
    checkpoints: int = 0


def export(database: Database, log_name: str, wanted: EntryFilter, exported: Exported) -> AsyncGenerator[bytes]:
    """The complete export, or that of a filter, in pieces. exported counts along."""
    if wanted.is_everything:
        return complete_export(database, log_name, exported)
    named: dict[str, list[str]] = {}
    for parameter, value in wanted.as_query():
        named.setdefault(parameter, []).append(value)
    return filtered_export(database, log_name, named, pages_of_ids(database, wanted), exported)


async def complete_export(database: Database, log_name: str, exported: Exported | None = None) -> AsyncGenerator[bytes]:
    """Everything that verification without a database needs: checkpoints, leaves, entries, leads, of one snapshot.

    Pieces of some thousand lines. exported counts along. The snapshot is held open for as long as somebody reads on.
    """
    counted = exported or Exported()
    yield _header(log_name, complete=True, wanted=None)
    async with _snapshot(database) as connection:
        for kind, statement in (("checkpoint", CHECKPOINTS), ("leaf", LEAVES)):
            async with aclosing(_pages(connection, statement)) as pages:
                async for page in pages:
                    yield _lines(kind, page, counted)
        async with aclosing(_subjects(connection, counted)) as pieces:
            async for piece in pieces:
                yield piece
    yield _line({"kind": "footer", **asdict(counted)})


async def filtered_export(
    database: Database,
    log_name: str,
    wanted: Mapping[str, Any],
    ids: AsyncIterator[Sequence[UUID]],
    exported: Exported | None = None,
) -> AsyncGenerator[bytes]:
    """The entries with these ids, in the order they come, a page at a time; no transaction is held between pages.

    Their checksums and MACs can be verified, their completeness cannot: the header says so, and repeats the filter.
    """
    counted = exported or Exported()
    yield _header(log_name, complete=False, wanted=wanted)
    async for page in ids:
        async with database.reader() as reader:
            found = {row["id"]: row for row in await reader.fetch(ENTRIES_OF, page)}
        yield _lines("entry", [found[str(entry_id)] for entry_id in page if str(entry_id) in found], counted)
    yield _line({"kind": "footer", **asdict(counted)})


@asynccontextmanager
async def _snapshot(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection of its own, in one read-only snapshot."""
    with faults_in_words():
        connection = await connect(
            asyncpg_url(database.url),
            server_settings={"application_name": NAME, **EVIDENCE, **ALONG_INDEXES, **PATIENCE},
        )
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                yield connection
        finally:
            await connection.close()


async def _pages(connection: asyncpg.Connection, statement: str) -> AsyncGenerator[list[asyncpg.Record]]:
    cursor = await connection.cursor(statement)
    while page := await cursor.fetch(PAGE):
        yield page


async def _subjects(connection: asyncpg.Connection, counted: Exported) -> AsyncGenerator[bytes]:
    """Entries in order of their subjects, and after each lead's entries the lead. One without entries goes out too."""
    leads = _rows(connection, LEADS)
    lead = await anext(leads, None)
    async with aclosing(leads), aclosing(_pages(connection, ENTRIES_BY_SUBJECT)) as pages:
        async for page in pages:
            lines: list[bytes] = []
            for row in page:
                # Ids as text sort as the database sorts them: lower-case hex. Null subjects come last, as here.
                while lead is not None and (row["subject_id"] is None or lead["id"] < row["subject_id"]):
                    lines.append(_row_line("lead", lead))
                    counted.leads += 1
                    lead = await anext(leads, None)
                lines.append(_row_line("entry", row))
                counted.entries += 1
            yield b"".join(lines)
        while lead is not None:
            yield _row_line("lead", lead)
            counted.leads += 1
            lead = await anext(leads, None)


async def _rows(connection: asyncpg.Connection, statement: str) -> AsyncGenerator[asyncpg.Record]:
    async with aclosing(_pages(connection, statement)) as pages:
        async for page in pages:
            for row in page:
                yield row


_COUNTED_AS = {"entry": "entries", "lead": "leads", "leaf": "leaves", "checkpoint": "checkpoints"}


def _lines(kind: str, rows: Sequence[asyncpg.Record], counted: Exported) -> bytes:
    name = _COUNTED_AS[kind]
    setattr(counted, name, getattr(counted, name) + len(rows))
    return b"".join(_row_line(kind, row) for row in rows)


def _row_line(kind: str, row: asyncpg.Record) -> bytes:
    facts = {name: orjson.Fragment(value) if name in _RAW and value else value for name, value in row.items()}
    return _line({"kind": kind, **facts})


def _header(log_name: str, *, complete: bool, wanted: Mapping[str, Any] | None) -> bytes:
    made_at = timestamp(datetime.now(UTC))
    facts = {"format": FORMAT, "made_at": made_at, "log_name": log_name, "complete": complete, "filter": wanted}
    return _line({"kind": "header", **facts})


def _line(facts: Mapping[str, Any]) -> bytes:
    return orjson.dumps(facts, option=orjson.OPT_APPEND_NEWLINE)
