"""One lead, recomputed now: for its seal, and for `leads audit verify --lead`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg

from leads_core.audit.record.signed_note import BadNote, open_checkpoint
from leads_core.audit.verification import statements
from leads_core.audit.verification.entry_check import Macs, is_intact
from leads_core.audit.verification.erasures import ErasedActors
from leads_core.audit.verification.evidence import LeafRow
from leads_core.audit.verification.explaining import explain
from leads_core.audit.verification.findings import FindingKind, Findings, LeadReport
from leads_core.audit.verification.seen import Seen
from leads_core.audit.verification.sources import DatabaseEvidence
from leads_core.audit.verification.subject_check import SubjectCheck
from leads_core.audit.verification.trusted import Trusted
from leads_core.errors import NotFound

_NOT_CHECKED = "The rest of the trail, the log's tree and the guards: this looked at one lead."


async def verify_lead(connection: asyncpg.Connection, trusted: Trusted, lead_id: UUID) -> LeadReport:
    """Recompute a lead's entries, replay them, and hold the result against the lead. A few milliseconds.

    Raises NotFound when there is neither such a lead nor an entry of it.
    """
    async with _snapshot(connection):
        evidence = _LeadEvidence(connection, str(lead_id))
        rows, lead = await evidence.of_subject(str(lead_id)), await evidence.lead(str(lead_id))
        if not rows and not lead:
            raise NotFound("lead", lead_id)
        findings, macs = Findings(), Macs(trusted.mac_keys)
        check = SubjectCheck(macs, await _erased_actors(evidence, rows, macs), None, findings)
        check.leads.extend(lead)
        check.feed(rows)
        check.finish()
        await _explain(evidence, check.seen, macs, findings)
        sealed, unsealed = await _seal(evidence, trusted, rows, findings)
    not_checked = (_NOT_CHECKED,) if macs else ("MACs: no key is known here (AUDIT_MAC_KEYS).", _NOT_CHECKED)
    return LeadReport(len(rows), tuple(findings.listed), sealed, unsealed, not_checked)


@asynccontextmanager
async def _snapshot(connection: asyncpg.Connection) -> AsyncGenerator[None]:
    """Entries and lead of one moment."""
    if connection.is_in_transaction():
        yield
        return
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        yield


class _LeadEvidence(DatabaseEvidence):
    """What concerns one lead."""

    def __init__(self, connection: asyncpg.Connection, lead_id: str) -> None:
        super().__init__(connection, "")
        self._lead_id = lead_id

    async def leaves_without_entry(self, limit: int) -> Sequence[LeafRow]:
        """Those that are younger than the lead: its id is older than its first entry's."""
        rows = await self._connection.fetch(statements.YOUNGER_LEAVES_WITHOUT_ENTRY, self._lead_id, limit)
        return [LeafRow(*row) for row in rows]

    async def rejected(self) -> dict[str, tuple[str, bool]]:
        return {}

    async def waiting_without_entry(self) -> Sequence[str]:
        return []


async def _erased_actors(evidence: DatabaseEvidence, rows: Sequence[Any], macs: Macs) -> ErasedActors:
    """Whose origins had to be erased: asked only of those who acted here."""
    actors = sorted({row[6] for row in rows if row[6] is not None})
    return ErasedActors.of(row for row in await evidence.special_of(actors) if is_intact(row, macs))


async def _explain(evidence: DatabaseEvidence, seen: Seen, macs: Macs, findings: Findings) -> None:
    """What is broken, without the rest of the trail: leaves that lack an entry may be another lead's."""
    for unlogged in seen.unlogged:
        findings.add(
            FindingKind.UNLOGGED,
            "The log does not hold it, and it is not waiting to be taken in.",
            entry=unlogged.id,
            subject=unlogged.subject,
        )
    seen.unlogged.clear()
    if seen.broken or seen.other_leaves or seen.ahead or seen.untracked:
        await explain(evidence, seen, macs, findings, alone=True)


async def _seal(
    evidence: DatabaseEvidence, trusted: Trusted, rows: Sequence[Any], findings: Findings
) -> tuple[int | None, int]:
    """The newest checkpoint's number, if it covers all of these entries; and how many it does not cover."""
    newest = await evidence.newest_checkpoint()
    if newest is None:
        return None, len(rows)
    number, _, _, _, note = newest
    try:
        checkpoint, _ = open_checkpoint(note, trusted.verifier_keys)
    except BadNote as error:
        findings.add(FindingKind.SIGNATURE, f"{error}.", subject=f"checkpoint {number}")
        return None, len(rows)
    unsealed = sum(row[15] is None or row[15] >= checkpoint.size for row in rows)
    return (None if unsealed or not rows else number), unsealed
