"""By hand: what somebody with every right in the database can do to the trail, and what a verification says of it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import asyncpg

from leads_core.audit.log import keys
from leads_core.audit.record import entry as record
from leads_core.audit.record.merkle import EMPTY_ROOT, leaf_hash, root_of
from leads_core.audit.record.signed_note import Checkpoint, SigningKey, sign
from leads_core.context import acting_as
from leads_core.leads.schemas import LeadUpdate
from leads_core.leads.service import LeadService
from tests.builders import an_actor
from tests.integration.audit.verification.history import Backup, History, guards_asleep

if TYPE_CHECKING:
    from tests.integration.audit.verification.conftest import Verification

_SAID = tuple(name for name in record.EntryRecord.__dataclass_fields__ if name != "parts")


class Found(NamedTuple):
    """A finding without its words: what is wrong, in which entry, of which subject, in which field."""

    kind: str
    entry: str | None = None
    subject: str | None = None
    field: str | None = None


@dataclass
class Scene:
    """The history, the hand that breaks it, and the verification that looks at it afterwards."""

    history: History
    owner: asyncpg.Connection
    verification: Verification
    #: The database and the file as they were when the log had half of its entries.
    earlier: Backup

    @property
    def file(self) -> Path:
        """This machine's checkpoint file."""
        return self.verification.settings.checkpoint_file

    async def found(self, **more: Any) -> list[Found]:
        """What a verification finds."""
        report = await self.verification.report(**more)
        assert report.ok == (not report.findings)
        return [Found(each.kind.value, each.entry, each.subject, each.field) for each in report.findings]

    async def change(self, lead: str, **values: Any) -> None:
        """An honest change, by Ana; no sequencer takes it yet."""
        with acting_as(an_actor(actor_id=UUID(self.history.user), request_id="req-honest")):
            await LeadService(self.verification.database).update(UUID(lead), LeadUpdate.model_validate(values))

    # --- anything

    async def sql(self, statement: str, *values: Any) -> None:
        """A statement past every guard."""
        async with guards_asleep(self.owner):
            await self.owner.execute(statement, *values)

    async def rows(self, statement: str, *values: Any) -> list[Any]:
        return list(await self.owner.fetch(statement, *values))

    # --- entries

    async def entry(self, entry_id: str) -> dict[str, Any]:
        """An entry as it stands; its parts read."""
        row = await self.owner.fetchrow("SELECT * FROM audit_log WHERE id = $1", UUID(entry_id))
        assert row is not None
        return {**row, "parts": json.loads(row["parts"])}

    async def edit(self, entry_id: str, **columns: Any) -> None:
        """Columns of an entry; its checksum stays."""
        stored = {name: json.dumps(value) if name == "parts" else value for name, value in columns.items()}
        sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(stored, 2))
        await self.sql(f"UPDATE audit_log SET {sets} WHERE id = $1", UUID(entry_id), *stored.values())

    async def edit_part(self, entry_id: str, part: str, field: str, value: Any) -> None:
        """One field of one part: the new value, or for the origin the value."""
        parts = (await self.entry(entry_id))["parts"]
        content = parts[part][1]
        content[field] = value if part == "origin" else [content.get(field, [None])[0], value]
        await self.edit(entry_id, parts=parts)

    async def recompute(self, entry_id: str) -> None:
        """The checksum, of what the entry says now. The MAC needs a key, which is not in the database."""
        await self.edit(entry_id, checksum=checksum_of(await self.entry(entry_id)))

    async def remove(self, *entries: str) -> None:
        await self.sql("DELETE FROM audit_log WHERE id = ANY($1)", [UUID(each) for each in entries])

    async def insert(self, entry: dict[str, Any]) -> str:
        """An entry of one's own making. Gives its id."""
        row = {**entry, "parts": json.dumps(entry["parts"])}
        places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
        await self.sql(f"INSERT INTO audit_log ({', '.join(row)}) VALUES ({places})", *row.values())
        return str(row["id"])

    async def change_lead(self, lead: str, **columns: Any) -> None:
        """Columns of a lead, its version too."""
        sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, 2))
        await self.sql(f"UPDATE leads SET {sets} WHERE id = $1", UUID(lead), *columns.values())

    # --- the log

    async def remove_leaves(self, *entries: str) -> None:
        await self.sql("DELETE FROM audit_leaves WHERE entry_id = ANY($1)", [UUID(each) for each in entries])

    async def rebuild_log(self) -> None:
        """Leaves as the entries are now, without a gap, and blocks to match: all that needs no key."""
        async with guards_asleep(self.owner):
            await self.owner.execute(
                """UPDATE audit_leaves SET checksum = e.checksum FROM audit_log e WHERE e.id = entry_id;
                   UPDATE audit_leaves SET leaf_index = leaf_index + 1000000;
                   UPDATE audit_leaves l SET leaf_index = o.place FROM (
                       SELECT entry_id, row_number() OVER (ORDER BY leaf_index) - 1 AS place FROM audit_leaves) o
                   WHERE o.entry_id = l.entry_id;
                   DELETE FROM audit_blocks"""
            )
            hashes = await self._leaf_hashes()
            for index in range(len(hashes) // 256):
                block = root_of(hashes[256 * index : 256 * index + 256])
                await self.owner.execute("INSERT INTO audit_blocks VALUES (1, $1, $2)", index, block)

    async def sign(self, key: SigningKey) -> str:
        """A checkpoint of the log as it is now, by some key and under its name."""
        hashes = await self._leaf_hashes()
        return sign(Checkpoint(key.name, len(hashes), root_of(hashes) if hashes else EMPTY_ROOT), [key])

    def signing_key(self) -> SigningKey:
        """The true one: only root of the signing machine has it."""
        return keys.signing_keys(self.verification.settings)[0]

    def log_name(self) -> str:
        return keys.log_name(self.verification.settings)

    async def leaf_of(self, entry_id: str) -> int:
        (row,) = await self.rows("SELECT leaf_index FROM audit_leaves WHERE entry_id = $1", UUID(entry_id))
        return int(row["leaf_index"])

    async def cut_log(self, size: int, *, checkpoints: bool = False) -> None:
        """Leaves and blocks beyond this size, and the checkpoints of them."""
        await self.sql("DELETE FROM audit_leaves WHERE leaf_index >= $1", size)
        await self.sql("DELETE FROM audit_blocks WHERE (block_index + 1) * 256 > $1", size)
        if checkpoints:
            await self.sql("DELETE FROM audit_checkpoints WHERE size > $1", size)

    async def sizes(self) -> list[int]:
        """Of all checkpoints."""
        return [row["size"] for row in await self.rows("SELECT size FROM audit_checkpoints ORDER BY number")]

    async def notes(self) -> list[str]:
        """All checkpoints, as one would keep them elsewhere."""
        return [row["note"] for row in await self.rows("SELECT note FROM audit_checkpoints ORDER BY number")]

    # --- the file

    def lines(self) -> list[bytes]:
        return self.file.read_bytes().splitlines(keepends=True)

    def write_lines(self, lines: Sequence[bytes]) -> None:
        self.file.write_bytes(b"".join(lines))

    async def _leaf_hashes(self) -> list[bytes]:
        rows = await self.owner.fetch("SELECT checksum FROM audit_leaves ORDER BY leaf_index")
        return [leaf_hash(row["checksum"]) for row in rows]


def checksum_of(entry: dict[str, Any]) -> bytes:
    """The checksum of what a row of audit_log says."""
    said = {name: entry[name] for name in _SAID}
    return record.checksum(record.EntryRecord(**said, parts=entry["parts"]))


def a_random_mac() -> bytes:
    return secrets.token_bytes(36)


def a_mac_of_another_key(checksum: bytes) -> bytes:
    return record.mac(secrets.token_bytes(32), checksum)


def moment(text: str) -> datetime:
    return record.parse_timestamp(text)
