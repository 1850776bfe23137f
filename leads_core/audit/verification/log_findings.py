"""From what the pass over the log noted to findings: what broken entries and leaves explain is not reported twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from leads_core.audit.verification import log_check
from leads_core.audit.verification.anomalies import Unlogged
from leads_core.audit.verification.checkpoint_check import TABLE, NumberCheck
from leads_core.audit.verification.evidence import Evidence
from leads_core.audit.verification.explaining import Explained
from leads_core.audit.verification.findings import FindingKind, Findings
from leads_core.audit.verification.log_check import LogSeen
from leads_core.audit.verification.seen import Seen
from leads_core.audit.verification.tree_check import places_of


async def report_log(
    evidence: Evidence, log: LogSeen, seen: Seen, explained: Explained, numbers: NumberCheck, findings: Findings
) -> None:
    """Leaves that are missing, roots that are wrong, checkpoints that are gone, blocks, entries without a leaf."""
    unlogged = sorted(seen.unlogged, key=lambda entry: entry.id)
    if log.twice:
        findings.add(FindingKind.DUPLICATE, f"{log.twice} leaves share their index with another.", subject="log")
    if log.bad:
        _report_unlogged(unlogged, findings)
        if not unlogged and not explained.lost:
            await _report_roots(evidence, log, seen, explained, findings)
    else:
        _report_unlogged(await _report_missing_leaves(evidence, log, unlogged, explained, findings), findings)
    _report_checkpoints(log, numbers, findings)
    _report_blocks(log, seen, explained, findings)


def _report_unlogged(unlogged: Sequence[Unlogged], findings: Findings) -> None:
    for entry in unlogged:
        findings.add(
            FindingKind.UNLOGGED,
            "The log does not hold it, and it is not waiting to be taken in.",
            entry=entry.id,
            subject=entry.subject,
        )


async def _report_missing_leaves(
    evidence: Evidence, log: LogSeen, unlogged: list[Unlogged], explained: Explained, findings: Findings
) -> list[Unlogged]:
    """Gives the entries without a leaf that no missing leaf explains."""
    explains = 0 < len(unlogged) <= log.missing - explained.lost
    if log.beyond:
        _report_rollback(log, unlogged if explains else [], findings)
    indexes = [index for first, last in log.holes for index in _some(first, last)]
    if len(indexes) > explained.lost:
        await _report_holes(evidence, log, indexes, unlogged if explains else [], findings)
    return [] if explains else unlogged


async def _report_holes(
    evidence: Evidence, log: LogSeen, indexes: list[int], unlogged: list[Unlogged], findings: Findings
) -> None:
    """Leaves that are missing between others; which entries they were of, where that comes out right."""
    mended = dict(zip(indexes, unlogged, strict=False))
    checksums = {index: entry.checksum for index, entry in mended.items()}
    is_known = len(mended) == len(indexes)
    proved = is_known and await log_check.roots_with(evidence, log.unchecked, checksums)
    for first, last in log.holes:
        entry = mended.get(first) if is_known else None
        which = f"Leaf {first} is" if first == last else f"Leaves {first} to {last} are"
        whose = " With the checksums of the entries that have none, the signed root comes out." if proved else ""
        findings.add(
            FindingKind.GAP,
            f"{which} missing from the log.{whose}",
            entry=entry.id if entry else None,
            subject=entry.subject if entry else "log",
            fields="leaf_index",
        )


def _report_rollback(log: LogSeen, unlogged: list[Unlogged], findings: Findings) -> None:
    largest = max(log.beyond, key=lambda claim: claim.size)
    still = ""
    if unlogged:
        still = f" {len(unlogged)} entries without a leaf are still there, {unlogged[0].id} the first of them."
    findings.add(
        FindingKind.ROLLBACK,
        f"It signs {largest.size} leaves, and the log has {log.leaves}: what came after was cut off, or an older state "
        f"was put back.{still}",
        subject=largest.place,
    )


async def _report_roots(evidence: Evidence, log: LogSeen, seen: Seen, explained: Explained, findings: Findings) -> None:
    """The tree is another one than that which was signed, unless entries or leaves that are reported explain it."""
    first = log.bad[0]
    mended = {other.leaf_index: other.checksum for other in seen.other_leaves}
    if mended and await log_check.roots_with(evidence, log.bad, mended):
        return
    if any(log.good_until <= index < first.size for index in explained.broken_leaves):
        return
    restored = all(claim.origin != TABLE for claim in log.bad)
    kind = FindingKind.ROLLBACK if restored else FindingKind.FORK
    others = f" The same holds for {log.bad_count - 1} more." if log.bad_count > 1 else ""
    short = f" The log has {log.leaves} leaves, and up to {log.missing_at_end + log.leaves} were signed." * bool(
        log.beyond
    )
    findings.add(
        kind,
        f"The first {first.size} leaves of the log are not those that it signs; the first {log.good_until} are as "
        f"signed before.{others}{short}",
        subject=first.place,
    )


def _report_checkpoints(log: LogSeen, numbers: NumberCheck, findings: Findings) -> None:
    """Checkpoints that were in the table, and are not."""
    missing = [f"{first}" if first == last else f"{first} to {last}" for first, last in numbers.gaps]
    gone = [claim.place for claim in log.filed_only if claim.size not in numbers.unread_sizes]
    if not missing and not gone:
        return
    subject = f"{TABLE} {missing[0]}" if missing else gone[0]
    filed = f" The file has {len(gone)} that the table has not." if gone else ""
    findings.add(FindingKind.REMOVED, f"Checkpoints are gone from the database.{filed}", subject=subject)


def _report_blocks(log: LogSeen, seen: Seen, explained: Explained, findings: Findings) -> None:
    """Kept hashes of blocks that are not those of their leaves, where the leaves themselves are right."""
    if log.bad or log.beyond or log.holes:
        return
    suspect = [other.leaf_index for other in seen.other_leaves] + explained.broken_leaves
    wrong = [(level, index) for level, index in log.wrong_blocks if not any(_holds(level, index, suspect))]
    if wrong:
        findings.add(
            FindingKind.EDITED, f"The kept hash is not that of its leaves. So it is with {len(wrong) - 1} others.",
            subject=places_of(wrong)[0], fields="hash",
        )  # fmt: skip
    if log.missing_blocks:
        findings.add(
            FindingKind.REMOVED, f"The kept hash is gone, and {len(log.missing_blocks) - 1} others.",
            subject=places_of(log.missing_blocks)[0], fields="hash",
        )  # fmt: skip


def _holds(level: int, index: int, leaves: list[int]) -> Iterator[bool]:
    return (leaf >> 8 * level == index for leaf in leaves)


def _some(first: int, last: int) -> range:
    return range(first, min(last, first + 10_000) + 1)
