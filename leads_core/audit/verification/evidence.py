"""The rows that a verification reads, in the spelling of the record: ids and times as text, hashes as bytes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from leads_core.audit.record.entry import PART_OF

#: What the lead's own columns say beside the audited fields: the entries themselves give these.
LEAD_FACTS = (
    *("version", "created_at", "created_by", "updated_at", "updated_by"),
    *("deleted_at", "deleted_by", "erased_at", "erased_by"),
)
LEAD_COLUMNS = (*PART_OF, "provenance", *LEAD_FACTS)


class EntryRow(NamedTuple):
    """An entry with its leaf. parts is JSON text. waiting: it is in the queue for the log."""

    id: str
    subject_kind: str
    subject_id: str | None
    seq: int | None
    action: str
    actor_kind: str
    actor_id: str | None
    channel: str
    request_id: str | None
    task_id: str | None
    occurred_at: str
    v: int
    parts: str
    checksum: bytes
    mac: bytes
    leaf_index: int | None
    leaf_checksum: bytes | None
    waiting: bool | None


class LeafRow(NamedTuple):
    """A leaf of the log."""

    leaf_index: int
    entry_id: str
    checksum: bytes


class CheckpointRow(NamedTuple):
    """A checkpoint as the database has it."""

    number: int
    log_name: str
    size: int
    root: bytes
    note: str


class Evidence(Protocol):
    """One consistent view of what there is. Batches are lists of rows; each stream is read once, from its beginning."""

    #: Whether everything is in it; else only entries can be checked, each by itself.
    complete: bool
    #: When it was taken, as a recorded time.
    taken_at: str
    #: What was signed later than this cannot be in it. None where everything is that was signed before it was opened.
    made_at: datetime | None

    def checkpoints(self) -> AsyncGenerator[Sequence[CheckpointRow]]:
        """In order of size, then number."""

    def leaves(self) -> AsyncGenerator[Sequence[tuple[int, bytes]]]:
        """Index and checksum of each leaf, in order of index."""

    async def blocks(self) -> dict[tuple[int, int], bytes] | None:
        """(level, block_index) -> hash. None where there are none to be checked."""

    def entries(self) -> AsyncGenerator[Sequence[Any]]:
        """Each an EntryRow's values, in order of subject (null last), seq (null last) and id."""

    def leads(self) -> AsyncGenerator[Sequence[tuple[str, str]]]:
        """Id, and the columns as a JSON object (LEAD_COLUMNS), in order of id."""

    async def accounts(self) -> dict[str, tuple[str, dict[str, Any]]] | None:
        """Id -> kind (user, token) and its audited columns. None where the evidence holds none."""

    async def special(self) -> Sequence[Any]:
        """Entries that reach beyond their subject: ERASE of a user, CREATE of a token, REOPEN."""

    async def leaves_without_entry(self, limit: int) -> Sequence[LeafRow]:
        """At most limit leaves whose entry is not there, in order of index."""

    async def rejected(self) -> dict[str, tuple[str, bool]]:
        """Entry id -> why the sequencer did not take it, and whether the entry is there."""

    async def waiting_without_entry(self) -> Sequence[str]:
        """Ids in the queue for the log whose entry is not there."""

    async def relatives(self, request_ids: Sequence[str], actor_ids: Sequence[str]) -> Sequence[Any]:
        """Some entries of these requests, or by these actors: what they share shows which of them was edited."""

    async def missing_guards(self) -> Sequence[tuple[str, str]] | None:
        """(what, sentence) for each guard that is not in place. None where there is no database."""

    async def notices(self) -> Sequence[str]:
        """What is odd about the database, but no finding."""
