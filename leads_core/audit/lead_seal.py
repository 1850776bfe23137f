"""One lead's seal: its entries recomputed now, and how far the log that holds them is signed and kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from leads_core.audit.log.state import LogState, log_state
from leads_core.audit.verification.findings import LeadReport
from leads_core.audit.verification.trusted import Trusted
from leads_core.audit.verification.verifier import verify_lead
from leads_core.database import Database, asyncpg_url, connect, faults_in_words

#: The readers' settings are made for lists; a check joins a handful of rows and sorts them.
AS_PLANNED = "SET LOCAL enable_sort = on; SET LOCAL enable_hashjoin = on; SET LOCAL enable_seqscan = on"
#: By audit_log_subject_id_seq_key and audit_leaves_entry_id_key.
NEWEST_LEAF = """
    SELECT max(l.leaf_index) FROM audit_log e JOIN audit_leaves l ON l.entry_id = e.id WHERE e.subject_id = $1
"""
#: The number of a lead's entry, by its id.
NUMBERS = "SELECT id, seq FROM audit_log WHERE id = ANY($1::uuid[])"


@dataclass(frozen=True, slots=True)
class LeadSeal:
    """What was recomputed, the state of the log, and the lead's newest leaf (None before the log took one).

    numbers: id of an entry that a finding names -> its number in the lead's trail.
    """

    report: LeadReport
    state: LogState
    newest_leaf: int | None
    numbers: dict[UUID, int | None]

    @property
    def is_kept_elsewhere(self) -> bool:
        """Whether a checkpoint that somebody keeps elsewhere covers every entry of the lead."""
        kept, leaf = self.state.kept, self.newest_leaf
        return kept is not None and leaf is not None and leaf < kept.size and not self.report.unsealed


async def seal_of(database: Database, trusted: Trusted, lead_id: UUID) -> LeadSeal:
    """Recompute the lead's entries, all of one moment. Raises NotFound, Misconfigured, Unavailable."""
    async with database.reader() as reader:
        return await _seal(reader, trusted, lead_id)


async def seal_of_many_entries(database: Database, trusted: Trusted, lead_id: UUID) -> LeadSeal:
    """As seal_of, in a thread and on a connection of its own: thousands of entries hold up nobody else."""

    async def alone() -> LeadSeal:
        with faults_in_words():
            connection = await connect(asyncpg_url(database.url), server_settings={"application_name": "leads-seal"})
            try:
                return await _seal(connection, trusted, lead_id)
            finally:
                await connection.close(timeout=5)

    return await asyncio.to_thread(asyncio.run, alone())


async def _seal(reader: asyncpg.Connection, trusted: Trusted, lead_id: UUID) -> LeadSeal:
    async with reader.transaction(isolation="repeatable_read", readonly=True):
        await reader.execute(AS_PLANNED)
        report = await verify_lead(reader, trusted, lead_id)
        named = [UUID(finding.entry) for finding in report.findings if finding.entry]
        return LeadSeal(
            report=report,
            state=await log_state(reader),
            newest_leaf=await reader.fetchval(NEWEST_LEAF, lead_id),
            numbers=await _numbers(reader, named),
        )


async def _numbers(reader: asyncpg.Connection, entry_ids: list[UUID]) -> dict[UUID, int | None]:
    if not entry_ids:
        return {}
    return {row["id"]: row["seq"] for row in await reader.fetch(NUMBERS, entry_ids)}
