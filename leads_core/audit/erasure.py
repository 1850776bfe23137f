"""Forget in the trail: an ERASE entry says what stays, and in earlier entries a part gives way to its digest.

An ERASE covers its own parts in every earlier entry of its subject. One of a user also covers the origin of every
earlier entry that the user, or one of their tokens, wrote. Checksums and MACs hold as before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, TextClause, Uuid, bindparam, column, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.audit import trail
from leads_core.audit.models import Action, SubjectKind
from leads_core.audit.record import entry as record
from leads_core.database import C_TEXT, MAC_KEY

BATCH = 1000
#: In a UUIDv7, whose first 48 bits are milliseconds.
A_MINUTE = 60_000 << 80
#: Any number, but always the same.
ERASING = 4_226_217
ONE_AT_A_TIME = text(f"SELECT pg_advisory_xact_lock({ERASING})")
FIRST = UUID(int=0)

_UUIDS, _TEXTS = ARRAY(Uuid), ARRAY(C_TEXT)
# By audit_log_subject_id_seq_key. OFFSET 0: a subject has few entries, so they are sorted; the planner must not walk
# the whole trail in the order of ids instead.
OF_SUBJECT = text("""
    SELECT id, parts FROM (SELECT id, parts FROM audit_log WHERE subject_id = :whose OFFSET 0) e
    WHERE id > :after AND id <> :but AND parts ?| CAST(:names AS text[]) ORDER BY id LIMIT :limit
""")
#: By ix_audit_log_actor_id.
BY_ACTOR = text("""
    SELECT id, parts FROM audit_log
    WHERE actor_id = :whose AND id > :after AND id <> :but AND parts ?| CAST(:names AS text[]) ORDER BY id LIMIT :limit
""")
REPLACE = text("SELECT audit_erase_parts(:ids, :names, :digests)").bindparams(
    bindparam("ids", type_=_UUIDS), bindparam("names", type_=_TEXTS), bindparam("digests", type_=_TEXTS)
)
NEWEST_OF_SUBJECT = text("""
    SELECT id FROM (SELECT id FROM audit_log WHERE subject_id = :subject_id OFFSET 0) e ORDER BY id DESC LIMIT 1
""")
NEWEST_BY_ACTOR = text("SELECT id FROM audit_log WHERE actor_id = :actor ORDER BY id DESC LIMIT 1")
SPEAK = text("""
    SELECT EXISTS (SELECT FROM audit_log WHERE actor_id = ANY(:actors)
                   AND jsonb_path_exists(parts, '$.origin[1].* ? (@ != null)'))
""").bindparams(bindparam("actors", type_=_UUIDS))
ERASER = text("""
    SELECT parts #>> '{origin,1,actor_name}' FROM audit_log
    WHERE subject_id = :subject_id AND action = 'ERASE' AND parts ? 'person' ORDER BY seq DESC LIMIT 1
""")
WRITING_NOW = text("SELECT CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text)")
HAVE_WRITTEN = text("SELECT pg_snapshot_xmin(pg_current_snapshot()) >= CAST(CAST(:mark AS text) AS xid8)")
IMPORTS = text("""
    SELECT DISTINCT task_id FROM audit_log
    WHERE subject_id = :subject_id AND channel = 'import' AND task_id IS NOT NULL
""")
HOLD = text("""
    SELECT count(*) FROM audit_log WHERE subject_id = :subject_id AND EXISTS (
        SELECT FROM jsonb_each(parts) p WHERE p.key = ANY(:names) AND jsonb_typeof(p.value) = 'array'
            AND NOT (action = 'ERASE' AND jsonb_path_match(p.value, '!exists($[1].*[1] ? (@ != null))')))
""").bindparams(bindparam("names", type_=_TEXTS))


async def erase(
    session: AsyncSession,
    subject_id: UUID,
    after: Mapping[str, Any],
    parts: Sequence[str],
    *,
    seq: int,
    at: datetime,
    kind: SubjectKind = SubjectKind.LEAD,
    part_of: Mapping[str, str] = record.PART_OF,
    actors: Sequence[UUID] = (),
) -> UUID:
    """Write the ERASE entry, in the current context's name, and forget these parts in all earlier entries.

    after are the subject's fields as they stand from now on. The caller holds the subject's lock, so that no entry of
    it comes between. actors are those whose origin is forgotten too, wherever they acted. Gives the entry's id.
    """
    # One at a time: two that reach the same entries in different orders would wait for each other.
    await session.execute(ONE_AT_A_TIME)
    row = _entry(session, subject_id, after, parts, seq=seq, at=at, kind=kind, part_of=part_of)
    newest = [await session.scalar(NEWEST_OF_SUBJECT, {"subject_id": subject_id})]
    if actors:
        # What they are still writing gets a later id: it is not covered, and so nothing that verify could miss.
        row["id"] = UUID(int=row["id"].int - A_MINUTE)
    newest += [await session.scalar(NEWEST_BY_ACTOR, {"actor": actor}) for actor in actors]
    await trail.append_many(session, [_signed(session, _after(row, newest))])
    await _replace(session, OF_SUBJECT, subject_id, parts, but=row["id"])
    for actor in actors:
        await _replace(session, BY_ACTOR, actor, ["origin"], but=row["id"])
    return UUID(str(row["id"]))


def parts_of_erasure(
    after: Mapping[str, Any], parts: Sequence[str], origin: list[Any], part_of: Mapping[str, str] = record.PART_OF
) -> dict[str, Any]:
    """The parts of an ERASE entry: of each erased part every field, [null, what stays], provenance as well."""
    provenance: Mapping[str, Any] = after.get("provenance") or {}
    content: dict[str, Any] = {"origin": origin}
    for part in parts:
        fields: dict[str, Any] = {field: [None, value] for field, value in after.items() if part_of.get(field) == part}
        if "provenance" in after:
            kept = {field: source for field, source in provenance.items() if part_of.get(field) == part}
            fields["provenance"] = [None, kept or None]
        content[part] = [record.new_salt(), fields]
    return content


async def holding(session: AsyncSession, subject_id: UUID, parts: Sequence[str]) -> int:
    """How many entries of a subject hold one of these parts; an ERASE that says only that nothing stays does not."""
    found = await session.scalar(HOLD, {"subject_id": subject_id, "names": list(parts)})
    return int(found or 0)


async def eraser_of(session: AsyncSession, subject_id: UUID) -> str | None:
    """The name under which somebody erased the subject's person last; None where that was erased too."""
    name: str | None = await session.scalar(ERASER, {"subject_id": subject_id})
    return name


async def writing_now(session: AsyncSession) -> str:
    """A mark for have_written: whoever is writing at this moment, anywhere on the server."""
    return str(await session.scalar(WRITING_NOW))


async def have_written(session: AsyncSession, mark: str) -> bool:
    """Whether everybody who was writing at that mark has ended: what they wrote can be read."""
    return bool(await session.scalar(HAVE_WRITTEN, {"mark": mark}))


async def is_named(session: AsyncSession, actors: Sequence[UUID]) -> bool:
    """Whether any entry still says under which name, or from where, one of these acted."""
    return bool(await session.scalar(SPEAK, {"actors": list(actors)}))


async def known_values(session: AsyncSession, subject_id: UUID, part: str, fields: Sequence[str]) -> set[str]:
    """Every text that these fields of a part have ever had, as far as it is not erased yet."""
    found: set[str] = set()
    async for batch in _entries(session, OF_SUBJECT, subject_id, [part], but=FIRST):
        for _, parts in batch:
            if isinstance(content := parts[part], list):
                pairs = (content[1].get(field, ()) for field in fields)
                found.update(value for pair in pairs for value in pair if isinstance(value, str))
    return found


async def imports_of(session: AsyncSession, subject_id: UUID) -> list[UUID]:
    """The import jobs that wrote entries of this subject."""
    return list(await session.scalars(IMPORTS, {"subject_id": subject_id}))


async def _replace(
    session: AsyncSession, statement: TextClause, whose: UUID, names: Sequence[str], *, but: UUID
) -> None:
    async for batch in _entries(session, statement, whose, names, but=but):
        open_parts = [
            (entry_id, name, parts[name]) for entry_id, parts in batch for name in names if _is_open(parts.get(name))
        ]
        if open_parts:
            ids, parts_names, parts_open = zip(*open_parts, strict=True)
            digests = [record.digest(part) for part in parts_open]
            await session.execute(REPLACE, {"ids": list(ids), "names": list(parts_names), "digests": digests})


async def _entries(
    session: AsyncSession, statement: TextClause, whose: UUID, names: Sequence[str], *, but: UUID
) -> AsyncIterator[Sequence[tuple[UUID, dict[str, Any]]]]:
    """Entries with one of these parts, erased or not, in the order of their ids, batch by batch."""
    typed = statement.bindparams(bindparam("names", type_=_TEXTS), bindparam("after", type_=Uuid))
    typed = typed.bindparams(bindparam("whose", type_=Uuid), bindparam("but", type_=Uuid))
    after = FIRST
    while True:
        wanted = {"whose": whose, "names": list(names), "after": after, "but": but, "limit": BATCH}
        rows = (await session.execute(typed.columns(column("id", Uuid), column("parts", JSONB)), wanted)).all()
        if rows:
            yield [(row.id, row.parts) for row in rows]
        if len(rows) < BATCH:
            return
        after = rows[-1].id


def _is_open(part: Any) -> bool:
    return isinstance(part, list)


def _entry(
    session: AsyncSession,
    subject_id: UUID,
    after: Mapping[str, Any],
    parts: Sequence[str],
    *,
    seq: int,
    at: datetime,
    kind: SubjectKind,
    part_of: Mapping[str, str],
) -> dict[str, Any]:
    """The entry's row as any other's, but with the parts of an erasure."""
    row = trail.entry_row(
        Action.ERASE, subject_id, seq=seq, before=None, after=None, at=at, key=session.info[MAC_KEY], kind=kind
    )
    row["parts"] = parts_of_erasure(after, parts, row["parts"]["origin"], part_of)
    return row


def _after(row: dict[str, Any], earlier: Sequence[UUID | None]) -> dict[str, Any]:
    """Entries without a seq are covered by the order of ids: a clock that goes behind another must not undo it."""
    row["id"] = max(row["id"], *(UUID(int=entry_id.int + 1) for entry_id in earlier if entry_id is not None))
    return row


def _signed(session: AsyncSession, row: dict[str, Any]) -> dict[str, Any]:
    names = record.EntryRecord.__dataclass_fields__
    checksum = record.checksum(record.EntryRecord(**{name: row[name] for name in names}))
    return {**row, "checksum": checksum, "mac": record.mac(session.info[MAC_KEY], checksum)}
