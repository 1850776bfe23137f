"""From what the passes noted to findings: one cause, one finding, each named as closely as the evidence allows.

Order matters: what explains most comes first and uses up what it explains. An entry that was renumbered leaves a hole
and fills another; one that was removed leaves a leaf; a leaf that was removed leaves an entry.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from leads_core.audit.verification.anomalies import Broken, BrokenSubject, Hole, Untracked
from leads_core.audit.verification.entry_check import Macs
from leads_core.audit.verification.erasure_check import report_uncovered
from leads_core.audit.verification.evidence import Evidence
from leads_core.audit.verification.findings import FindingKind, Findings
from leads_core.audit.verification.log_check import LogSeen
from leads_core.audit.verification.moments import epoch
from leads_core.audit.verification.naming import Named
from leads_core.audit.verification.orphans import LIMIT, NO_LEAF, Orphans
from leads_core.audit.verification.seen import Seen
from leads_core.audit.verification.versions import joined, names_of, really_missing, still_ahead

#: An entry's id is made within this many milliseconds after the time that the lead's columns hold.
_SOON = 60_000
_CHANGED = {"lead": FindingKind.LEAD_CHANGED}
_UNTRACKED = {"lead": FindingKind.LEAD_UNTRACKED}


@dataclass(slots=True)
class Explained:
    """What the log's own findings need to know.

    broken_leaves are where broken entries stand in the log, reported the entries that have a finding. lost counts
    entries that are known to be missing together with their leaves; may_be_lost is how many more there may be.
    """

    broken_leaves: list[int] = field(default_factory=list)
    reported: set[str] = field(default_factory=set)
    lost: int = 0
    may_be_lost: int = 0

    def lose(self, count: int) -> bool:
        """Count entries as lost with their leaves, if so many leaves are missing."""
        if self.may_be_lost < count:
            return False
        self.may_be_lost -= count
        self.lost += count
        return True


@dataclass(slots=True)
class _Case:
    """What there is to explain with."""

    seen: Seen
    orphans: Orphans
    macs: Macs
    findings: Findings
    explained: Explained
    #: The log ends before the last checkpoint, and what is left of it is right.
    is_cut: bool = False


async def explain(
    evidence: Evidence, seen: Seen, macs: Macs, findings: Findings, *, log: LogSeen | None = None, alone: bool = False
) -> Explained:
    """Report broken entries, holes, leads ahead of their trail or without one, and leaves without entries.

    alone: only one subject was looked at, so a leaf that nothing of it explains is another's.
    """
    waiting = [] if alone else await evidence.waiting_without_entry()
    orphans = Orphans(await evidence.leaves_without_entry(LIMIT) if evidence.complete else (), waiting)
    explained = Explained()
    case = _Case(seen, orphans, macs, findings, explained)
    if log is not None:
        # After a log was built anew nobody can count what it lost.
        explained.may_be_lost = LIMIT if log.bad else log.missing - log.missing_at_end
        case.is_cut = bool(log.beyond) and not log.bad
    names = await names_of(evidence, seen, macs, orphans)
    _moved_leaves(case)
    missing = really_missing(seen.broken, names)
    for subject in seen.broken:
        _report_subject(case, subject, names, missing.pop(subject.subject, []))
    for hole in still_ahead(seen, names):
        _report_ahead(case, hole)
    for untracked in seen.untracked:
        _report_untracked(case, untracked)
    await _report_rejected(evidence, findings)
    explained.reported |= {finding.entry for finding in findings.listed if finding.entry}
    explained.reported |= set(orphans.ids())
    if not alone:
        _report_rest(case)
    return explained


def _moved_leaves(case: _Case) -> None:
    """A leaf that names another entry than the one whose checksum it holds: one finding, not two."""
    seen, orphans, findings = case.seen, case.orphans, case.findings
    others = {other.leaf_checksum: other for other in seen.other_leaves}
    done: set[str] = set()
    for other in seen.other_leaves:
        twin = others.get(other.checksum)
        if other.id in done:
            continue
        if twin is not None:
            done |= {other.id, twin.id}
            detail = f"The leaves of this entry and of {twin.id} have changed places."
        else:
            detail = f"Leaf {other.leaf_index} does not hold the checksum that the entry has, and had."
        findings.add(FindingKind.EDITED, detail, entry=other.id, subject=other.subject, fields="leaf")
    for unlogged in list(seen.unlogged):
        if (entry_id := orphans.with_checksum(unlogged.checksum)) is not None:
            orphans.take(entry_id)
            seen.unlogged.remove(unlogged)
            findings.add(
                FindingKind.EDITED, f"The leaf that holds its checksum names another entry, {entry_id}.",
                entry=unlogged.id, subject=unlogged.subject, fields="leaf",
            )  # fmt: skip


def _report_subject(case: _Case, subject: BrokenSubject, names: dict[int, Named], missing: list[Hole]) -> None:
    explained, findings = case.explained, case.findings
    renumbered: list[Broken] = []
    for broken in subject.broken:
        explained.reported.add(broken.id)
        if broken.is_logged:
            explained.broken_leaves.append(broken.row[15])
        named = names.get(id(broken), Named([]))
        if "id" in named.original:
            case.orphans.take(named.original["id"])
        if named.proved and set(named.fields) == {"seq"}:
            renumbered.append(broken)
            continue
        _report_broken(broken, named, case.macs, findings)
    holes = joined(missing)
    removed = [_report_hole(case, hole) for hole in holes]
    if not holes and not any(_was_erase(broken, names.get(id(broken))) for broken in subject.broken):
        report_uncovered(subject.subject or None, subject.uncovered, findings)
    if renumbered and not any(removed):
        first = min(renumbered, key=lambda broken: broken.id)
        others = f" Others of its subject were renumbered too: {len(renumbered) - 1}." if len(renumbered) > 1 else ""
        findings.add(
            FindingKind.EDITED,
            f"It was written as number {names[id(first)].original['seq']} and is {first.row[3]} now.{others}",
            entry=first.id, subject=subject.subject or None, fields="seq",
        )  # fmt: skip


def _was_erase(broken: Broken, named: Named | None) -> bool:
    """Whether this may have been the ERASE that accounts for parts that are digests."""
    if named is None or not named.proved:
        return True
    return bool(named.column("action", broken.row) == "ERASE")


def _report_broken(broken: Broken, named: Named, macs: Macs, findings: Findings) -> None:
    whose = named.column("subject_id", broken.row)
    entry_id = named.column("id", broken.row)
    kind, detail = _what(broken, named, macs)
    if whose != broken.row[2]:
        detail = f"It was written for another subject, and stands at {broken.row[2]} now."
    elif named.proved and named.fields:
        detail = f"{detail} With {' and '.join(named.fields)} as before, its checksum is right."
    findings.add(kind, detail, entry=entry_id, subject=whose, fields=named.fields or None)


def _what(broken: Broken, named: Named, macs: Macs) -> tuple[FindingKind, str]:
    """Edited, if it was once as the app wrote it; forged, if the app never wrote it."""
    row = broken.row
    if broken.computed is None:
        if broken.is_logged or broken.mac_of_stored:
            return FindingKind.MALFORMED, "Its parts are not what can be recorded, so nothing can be recomputed."
        return FindingKind.FORGED, "Its parts are not what can be recorded, and its MAC is none of the app's."
    if named.proved and not {"mac", "checksum"} & set(named.fields):
        return FindingKind.EDITED, "What it says is not what was written."
    if broken.computed == row[13] and row[16] in {None, row[13]}:
        return FindingKind.FORGED, "The app's keys did not make its MAC."
    if broken.is_logged or broken.mac_of_stored or broken.mac_of_computed or not macs:
        return FindingKind.EDITED, "What it says is not what its checksum was taken over."
    return FindingKind.FORGED, "Neither its checksum nor its MAC is right: the app did not write it."


def _report_hole(case: _Case, hole: Hole) -> bool:
    """Whether the log still knows of what is missing."""
    count = hole.last - hole.first + 1
    versions = f"version {hole.first}" if count == 1 else f"versions {hole.first} to {hole.last}"
    gone = case.orphans.between(hole.after, hole.before, count)
    if gone:
        case.findings.add(
            FindingKind.REMOVED,
            f"The entry of {versions} is gone; its leaf in the log is there.",
            entry=gone[0],
            subject=hole.subject,
        )
    elif case.explained.lose(count):
        case.findings.add(
            FindingKind.REMOVED, f"The entry of {versions} is gone, and its leaf in the log too.", subject=hole.subject
        )
    else:
        case.findings.add(
            FindingKind.GAP,
            f"There is no entry for {versions}, and the log knows of none.",
            subject=hole.subject,
            fields="seq",
        )
    return bool(gone)


def _report_ahead(case: _Case, hole: Hole) -> None:
    """A lead in a version that no entry is there for: its entry was removed, or it was changed past the app."""
    at, count = epoch(hole.at), hole.last - hole.first + 1
    gone = case.orphans.made_within(at - 1000, at + _SOON, 1) if at else case.orphans.between(hole.after, "", 1)
    if gone and count > 1:
        gone = [*case.orphans.between(hole.after, gone[0], count - 1), *gone]
    if not gone and case.is_cut:
        return  # the log was cut off, entries and all: the rollback says so
    if gone or case.explained.lose(count):
        leaf = "its leaf in the log is there" if gone else "so is its leaf in the log"
        case.findings.add(
            FindingKind.REMOVED,
            f"The {hole.kind} stands in version {hole.last}; the entry of version {hole.first} is gone, and {leaf}.",
            entry=gone[0] if gone else None,
            subject=hole.subject,
        )
        return
    case.findings.add(
        _CHANGED.get(hole.kind, FindingKind.ACCOUNT_CHANGED),
        f"It stands in version {hole.last}; its entries lead to version {hole.first - 1}.",
        subject=hole.subject,
        fields=hole.differing,
    )
    report_uncovered(hole.subject, hole.uncovered, case.findings)


def _report_untracked(case: _Case, untracked: Untracked) -> None:
    first, last = epoch(untracked.created_at), epoch(untracked.updated_at or untracked.created_at)
    gone = case.orphans.made_within(first - 1000, max(first, last) + _SOON, untracked.version)
    if not gone and case.is_cut:
        return  # the log was cut off, entries and all: the rollback says so
    if gone or case.explained.lose(untracked.version):
        leaves = f"the log still knows of {len(gone)} of them" if gone else "so are their leaves in the log"
        case.findings.add(
            FindingKind.REMOVED,
            f"All entries of this {untracked.kind} are gone; {leaves}.",
            entry=gone[0] if gone else None,
            subject=untracked.subject,
        )
        return
    case.findings.add(
        _UNTRACKED.get(untracked.kind, FindingKind.ACCOUNT_UNTRACKED),
        f"There is no entry of this {untracked.kind}, nor of its creation: the app did not write it.",
        subject=untracked.subject,
    )


async def _report_rejected(evidence: Evidence, findings: Findings) -> None:
    for entry_id, (reason, is_there) in (await evidence.rejected()).items():
        if not is_there:
            findings.add(
                FindingKind.REMOVED,
                f"The sequencer refused it ({reason}), and since then it was removed.",
                entry=entry_id,
            )


def _report_rest(case: _Case) -> None:
    """Leaves of which nothing is left that says whose entries they were: whole subjects, or last entries."""
    waited = [leaf for leaf in case.orphans.rest() if leaf.leaf_index == NO_LEAF]
    for leaf in waited:
        case.findings.add(
            FindingKind.REMOVED, "It was removed while it waited for its place in the log.", entry=leaf.entry_id
        )
    rest = [leaf for leaf in case.orphans.rest() if leaf.leaf_index != NO_LEAF]
    if not rest:
        return
    more = ""
    if len(rest) > 1:
        ids = ", ".join(leaf.entry_id for leaf in rest[1:20])
        more = f" So are {len(rest) - 1}{' or more' if case.orphans.is_cut_off else ''} others: {ids}."
    case.findings.add(
        FindingKind.REMOVED,
        f"Leaf {rest[0].leaf_index} is there, its entry is gone, and so is whatever told whose it was.{more}",
        entry=rest[0].entry_id,
    )
