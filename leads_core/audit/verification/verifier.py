"""Verify the trail: the checkpoint file first, then one snapshot; the log, every entry, every lead, the guards.

Bounded memory whatever the size: rows stream by, and of what is right nothing is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leads_core.audit.verification import checkpoint_check
from leads_core.audit.verification import receipts as receipt_check
from leads_core.audit.verification.checkpoint_check import Claim, FileLines, Notes, NumberCheck, Reopening
from leads_core.audit.verification.entry_check import Macs, is_intact
from leads_core.audit.verification.erasures import ErasedActors
from leads_core.audit.verification.evidence import Evidence
from leads_core.audit.verification.explaining import Explained, explain
from leads_core.audit.verification.findings import LISTED, FindingKind, Findings, Report
from leads_core.audit.verification.lead_check import verify_lead
from leads_core.audit.verification.log_check import LogSeen, Progress, check_log
from leads_core.audit.verification.log_findings import report_log
from leads_core.audit.verification.moments import epoch
from leads_core.audit.verification.receipts import Receipts
from leads_core.audit.verification.seen import Seen
from leads_core.audit.verification.sources import Source
from leads_core.audit.verification.subject_check import SubjectCheck
from leads_core.audit.verification.trusted import Trusted
from leads_core.errors import Misconfigured

__all__ = ["Progress", "Trusted", "verify", "verify_lead"]

#: An entry that waits longer than this for its place in the log is worth a word.
WAITS_LONG_MS = 60_000
NO_MAC_KEYS = (
    "MACs: no key is known here (AUDIT_MAC_KEYS). A forged entry that the log holds would show by nothing else."
)


@dataclass(slots=True)
class _Run:
    """One verification: what it trusts, and what it has found so far."""

    evidence: Evidence
    trusted: Trusted
    macs: Macs
    findings: Findings
    notes: Notes
    numbers: NumberCheck
    progress: Progress
    special: list[Any]


async def verify(
    source: Source,
    trusted: Trusted,
    *,
    checkpoints: Sequence[Path] = (),
    receipts: Path | None = None,
    progress: Progress | None = None,
) -> Report:
    """Check everything there is. Raises Misconfigured when it cannot be checked, Unavailable when nobody answers.

    checkpoints are notes that were kept elsewhere; receipts is a log with the app's request lines.
    """
    lines = FileLines(trusted.checkpoint_file)  # before the snapshot: what it signs is committed by then
    noted = None if receipts is None else Receipts(receipts)
    async with source.open() as evidence:
        if evidence.made_at is not None:
            lines.end_at(evidence.made_at)
        findings = Findings()
        macs = Macs(trusted.mac_keys)
        special = [row for row in await evidence.special() if is_intact(row, macs)]
        reopenings = Reopening.of(special)
        names = None if trusted.log_name is None else frozenset(
            (trusted.log_name, *(given.log_name for given in reopenings))
        )  # fmt: skip
        notes = Notes(trusted.verifier_keys, names, findings, reopenings)
        run = _Run(
            evidence, trusted, macs, findings, notes, NumberCheck(findings), progress or (lambda *_: None), special
        )
        return await _checked(run, lines, checkpoints, noted)


async def _checked(run: _Run, lines: FileLines, checkpoints: Sequence[Path], receipts: Receipts | None) -> Report:
    given = checkpoint_check.given_notes(checkpoints, run.notes)
    log = None
    if run.evidence.complete:
        log = await check_log(run.evidence, _claims(run, lines, given), run.findings, run.progress)
        _refuse_without_anything_signed(run, lines, log)
    seen = await _entries(run)
    explained = await explain(run.evidence, seen, run.macs, run.findings, log=log)
    if log is not None:
        await report_log(run.evidence, log, seen, explained, run.numbers, run.findings)
    run.notes.report()
    for what, sentence in await run.evidence.missing_guards() or ():
        run.findings.add(FindingKind.GUARD, sentence, subject=what)
    if receipts is not None:
        await receipt_check.check(run.evidence, receipts, explained.reported, run.findings)
    return await _report(run, lines, log, seen, explained)


async def _claims(run: _Run, lines: FileLines, given: Sequence[Claim]) -> AsyncGenerator[Claim]:
    table = checkpoint_check.table_claims(run.evidence.checkpoints(), run.notes, run.numbers)
    async with aclosing(table), aclosing(
        checkpoint_check.in_order(table, [lines.claims(run.notes), iter(given)])
    ) as claims:  # fmt: skip
        async for claim in claims:
            yield claim


async def _entries(run: _Run) -> Seen:
    """The pass over all entries and leads. The next rows are on their way while these are worked on."""
    evidence = run.evidence
    erased, accounts = ErasedActors.of(run.special), await evidence.accounts()
    check = SubjectCheck(run.macs, erased, accounts, run.findings, complete=evidence.complete)
    async with aclosing(evidence.entries()) as entries, aclosing(evidence.leads()) as leads:
        leads_left = True
        rows = await anext(entries, None)
        while rows is not None:
            wanted = max((row[2] for row in (rows[0], rows[-1]) if row[2] is not None), default="g")
            if rows[-1][2] is None:
                wanted = "g"  # above every id: subjects that are null come last
            while leads_left and (not check.leads or check.leads[-1][0] < wanted):
                more = await anext(leads, None)
                leads_left = more is not None
                check.leads.extend(more or ())
            following = asyncio.ensure_future(anext(entries, None))
            await asyncio.sleep(0)
            check.feed(rows)
            run.progress("entries", check.seen.entries)
            rows = await following
        while leads_left and (more := await anext(leads, None)) is not None:
            check.leads.extend(more)
    check.finish()
    return check.seen


def _refuse_without_anything_signed(run: _Run, lines: FileLines, log: LogSeen) -> None:
    """Never a quiet pass: what was signed once must be there to be held against."""
    trusted = run.trusted
    if run.notes.count and not trusted.verifier_keys:
        raise Misconfigured(
            "AUDIT_PUBLIC_KEYS: there are checkpoints, but no public key to check them with, neither in the settings "
            "nor in DATA_DIR/keys/audit_public_keys."
        )
    if trusted.checkpoint_file is not None and run.notes.count and not lines.count + lines.later:
        raise Misconfigured(
            f"AUDIT_CHECKPOINT_FILE: {trusted.checkpoint_file} is missing or empty, though checkpoints were signed. "
            "Put it back; without it a rollback of the whole database would go unseen."
        )
    if log.leaves and not run.notes.count and trusted.verifier_keys:
        raise Misconfigured(
            f"The log has {log.leaves} entries and there is not one checkpoint, neither in the database nor in "
            f"{trusted.checkpoint_file}: there is nothing to hold the log against."
        )


async def _report(run: _Run, lines: FileLines, log: LogSeen | None, seen: Seen, explained: Explained) -> Report:
    findings = run.findings
    warnings = [*run.notes.warnings(), *await run.evidence.notices(), *_oddities(run, log, seen)]
    unlisted = findings.unlisted + seen.unkept
    if unlisted:
        warnings.append(f"{unlisted} more findings are not listed: the first {LISTED} are.")
    return Report(
        ok=not findings.listed and not unlisted,
        entries=seen.entries,
        leads=seen.leads,
        leaves=log.leaves if log else 0,
        checkpoints=run.notes.count,
        findings=tuple(findings.listed),
        warnings=tuple(warnings),
        not_checked=tuple(_not_checked(run, lines, log)),
    )


def _oddities(run: _Run, log: LogSeen | None, seen: Seen) -> list[str]:
    found = []
    waits = epoch(run.evidence.taken_at) - epoch(seen.waiting_since) if seen.waiting_since else 0
    if waits > WAITS_LONG_MS:
        found.append(
            f"{seen.waiting} entries wait to be taken into the log, the first for {waits // 1000} seconds: is a worker "
            "running?"
        )
    if seen.odd_clocks:
        found.append(
            f"In {seen.odd_clocks} entries the id and the time of the entry are more than ten minutes apart "
            "(as in leads of `leads seed`)."
        )
    if log is not None and not run.notes.count:
        found.append("Nothing is signed yet: a removal of everything would go unseen.")
    if log is not None and log.table_only:
        found.append(
            f"{log.table_only} checkpoints of the database are not in this machine's file: another machine signed "
            "them, or lines were taken out of the file."
        )
    return found


def _not_checked(run: _Run, lines: FileLines, log: LogSeen | None) -> list[str]:
    found = []
    if not run.macs:
        found.append(NO_MAC_KEYS)
    if log is None:
        found.append(
            "Whether all entries are there: the export holds only some. Sequence, replay, leads, log and checkpoints."
        )
    elif lines.later:
        found.append(
            f"What came after {run.evidence.taken_at}, when the export was made: {lines.later} of the checkpoints in "
            "the file were signed since."
        )
    elif run.trusted.checkpoint_file is None:
        found.append("The checkpoint file: none was given, so checkpoints that were removed would go unseen.")
    return found
