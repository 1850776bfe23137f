"""From what the passes noted to findings: one cause, one finding, each named as closely as the evidence allows.

Order matters: what explains most comes first and uses up what it explains. An entry that was renumbered leaves a hole
and fills another; one that was removed leaves a leaf; a leaf that was removed leaves an entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from leads_core.audit.verification import naming
from leads_core.audit.verification.anomalies import Broken, BrokenSubject, Hole, Untracked
from leads_core.audit.verification.entry_check import Macs
from leads_core.audit.verification.evidence import Evidence, LeafRow
from leads_core.audit.verification.findings import FindingKind, Findings
from leads_core.audit.verification.moments import epoch, millisecond_of
from leads_core.audit.verification.naming import Named, Surroundings
from leads_core.audit.verification.subject_check import Seen

#: More leaves without entries than anybody asks about one by one.
ORPHANS = 10_000
#: So many broken entries are asked about their neighbours; the others are found and named by id alone.
ASKED = 200
#: An entry's id is made within this many milliseconds after the time that the lead's columns hold.
_SOON = 60_000
_CHANGED = {"lead": FindingKind.LEAD_CHANGED}
_UNTRACKED = {"lead": FindingKind.LEAD_UNTRACKED}


@dataclass(slots=True)
class Explained:
    """What the log's own findings need to know: where broken entries stand, and which entries have no leaf."""

    broken_leaves: list[int] = field(default_factory=list)
    reported: set[str] = field(default_factory=set)


async def explain(evidence: Evidence, seen: Seen, macs: Macs, findings: Findings, *, alone: bool = False) -> Explained:
    """Report broken entries, holes, leads ahead of their trail or without one, and leaves without entries.

    alone: only one subject was looked at, so a leaf that nothing of it explains is another's.
    """
    orphans = _Orphans(await evidence.leaves_without_entry(ORPHANS) if evidence.complete else ())
    explained = Explained()
    names = await _names(evidence, seen, macs, orphans)
    _moved_leaves(seen, orphans, findings, explained)
    missing = _missing(seen.broken, names)
    for subject in seen.broken:
        _report_subject(subject, names, missing.pop(subject.subject, []), orphans, macs, findings, explained)
    for hole in _still_ahead(seen, names):
        _report_ahead(hole, orphans, findings)
    for untracked in seen.untracked:
        _report_untracked(untracked, orphans, findings)
    await _report_rejected(evidence, explained, findings)
    explained.reported |= {finding.entry for finding in findings.listed if finding.entry}
    explained.reported |= {leaf.entry_id for leaf in orphans.rest()}
    if not alone:
        _report_rest(orphans, findings)
    return explained


class _Orphans:
    """Leaves whose entry is gone, until each is accounted for."""

    def __init__(self, leaves: Sequence[LeafRow]) -> None:
        self.is_cut_off = len(leaves) >= ORPHANS
        self._left = {leaf.entry_id: leaf for leaf in sorted(leaves, key=lambda leaf: leaf.entry_id)}

    def ids(self) -> list[str]:
        return list(self._left)

    def take(self, entry_id: str) -> None:
        self._left.pop(entry_id, None)

    def with_checksum(self, checksum: bytes) -> str | None:
        return next((entry_id for entry_id, leaf in self._left.items() if leaf.checksum == checksum), None)

    def between(self, after: str, before: str, count: int) -> list[str]:
        """Take up to count whose ids lie between these two; an empty text is an open end."""
        found = [entry_id for entry_id in self._left if entry_id > after and (not before or entry_id < before)][:count]
        for entry_id in found:
            self.take(entry_id)
        return found

    def made_within(self, first: int, last: int, count: int) -> list[str]:
        """Take up to count that were made in this span of milliseconds."""
        found = [entry_id for entry_id in self._left if first <= millisecond_of(entry_id) <= last][:count]
        for entry_id in found:
            self.take(entry_id)
        return found

    def rest(self) -> list[LeafRow]:
        return list(self._left.values())


async def _names(evidence: Evidence, seen: Seen, macs: Macs, orphans: _Orphans) -> dict[int, Named]:
    """Broken (by its identity) -> what was changed in it."""
    asked = [(subject, broken) for subject in seen.broken for broken in subject.broken][:ASKED]
    if not asked:
        return {}
    requests = sorted({b.row[8] for _, b in asked if b.row[8] is not None})
    actors = sorted({b.row[6] for _, b in asked if b.row[6] is not None})
    relatives = await evidence.relatives(requests, actors)
    broken_ids = {broken.id for _, broken in asked}
    relatives = [row for row in relatives if row[0] not in broken_ids]
    places = [
        (hole.subject, seq) for subject in seen.broken for hole in subject.holes for seq in _few_seqs(hole)
    ] + [(hole.subject, seq) for hole in seen.ahead for seq in _few_seqs(hole)]  # fmt: skip
    # Two that changed places leave no hole: each is tried in the place of each other one.
    places += [(broken.row[2], broken.row[3]) for _, broken in asked if broken.row[2] and broken.row[3] is not None]
    named = {}
    for subject, broken in asked:
        top = max(subject.last_seq, subject.version or 0, len(subject.broken)) + 1
        around = Surroundings(
            seqs=range(1, min(top, 3000) + 1),
            ids=() if broken.is_logged else orphans.ids()[:1000],
            places=[place for place in places if place[0] != subject.subject][:1000],
            relatives=relatives,
        )
        named[id(broken)] = naming.name(broken, macs, around)
    return named


def _moved_leaves(seen: Seen, orphans: _Orphans, findings: Findings, explained: Explained) -> None:
    """A leaf that names another entry than the one whose checksum it holds: one finding, not two."""
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


def _missing(subjects: Iterable[BrokenSubject], names: dict[int, Named]) -> dict[str, list[Hole]]:
    """Subject -> the versions that are really missing, once every entry that was moved stands where it belongs."""
    holes: dict[str, list[Hole]] = {subject.subject: list(subject.holes) for subject in subjects}
    for subject in subjects:
        for broken in subject.broken:
            named = names.get(id(broken))
            if named is None or not named.proved or not {"seq", "subject_id"} & named.original.keys():
                continue
            claimed, whose = broken.row[3], named.column("subject_id", broken.row)
            _fill(holes.get(whose or "", []), named.column("seq", broken.row))
            if claimed is not None and claimed <= _top(subject, names):
                holes[subject.subject].append(Hole(subject.subject, subject.kind, claimed, claimed))
    for subject in subjects:
        for broken in subject.broken:
            named = names.get(id(broken))
            if named is not None and named.proved and named.original.keys() & {"seq", "subject_id"}:
                _fill(holes.get(named.column("subject_id", broken.row) or "", []), named.column("seq", broken.row))
        _end_at_top(holes[subject.subject], subject, names)
    return {subject: [hole for hole in there if hole.first <= hole.last] for subject, there in holes.items()}


def _end_at_top(holes: list[Hole], subject: BrokenSubject, names: dict[int, Named]) -> None:
    """Above the highest version there is nothing missing, though an entry was given a number far beyond."""
    claimed = [b.row[3] for b in subject.broken if (n := names.get(id(b))) and n.proved and "seq" in n.original]
    top = _top(subject, names)
    for hole in holes:
        if any(seq is not None and seq > hole.last for seq in claimed):
            hole.last = min(hole.last, top)


def _still_ahead(seen: Seen, names: dict[int, Named]) -> list[Hole]:
    """Leads in a version that no entry is there for, but those whose last entries were moved to other leads."""
    for hole in seen.ahead:
        for subject in seen.broken:
            for broken in subject.broken:
                named = names.get(id(broken))
                if named and named.proved and named.original.get("subject_id") == hole.subject:
                    seq = named.column("seq", broken.row)
                    hole.last -= seq == hole.last
    return [hole for hole in seen.ahead if hole.first <= hole.last]


def _fill(holes: list[Hole], seq: int | None) -> None:
    """A version that is not missing after all."""
    for hole in list(holes):
        if seq is not None and hole.first <= seq <= hole.last:
            rest = Hole(hole.subject, hole.kind, seq + 1, hole.last, hole.after, hole.before)
            hole.last = seq - 1
            if rest.first <= rest.last:
                holes.append(rest)


def _top(subject: BrokenSubject, names: dict[int, Named]) -> int:
    """The highest version that there must be: the lead's own, else the highest that an entry truly has."""
    if subject.version is not None:
        return subject.version
    moved = {b.row[3] for b in subject.broken if (n := names.get(id(b))) and n.original.keys() & {"seq", "subject_id"}}
    true = [n.column("seq", b.row) or 0 for b in subject.broken if (n := names.get(id(b))) and n.proved]
    return max([0, *true, subject.last_seq if subject.last_seq not in moved else 0])


def _report_subject(
    subject: BrokenSubject,
    names: dict[int, Named],
    missing: list[Hole],
    orphans: _Orphans,
    macs: Macs,
    findings: Findings,
    explained: Explained,
) -> None:
    renumbered: list[Broken] = []
    for broken in subject.broken:
        explained.reported.add(broken.id)
        if broken.is_logged:
            explained.broken_leaves.append(broken.row[15])
        named = names.get(id(broken), Named([]))
        if "id" in named.original:
            orphans.take(named.original["id"])
        if named.proved and set(named.fields) == {"seq"}:
            renumbered.append(broken)
            continue
        _report_broken(subject, broken, named, macs, findings)
    removed = [_report_hole(hole, orphans, findings) for hole in _joined(missing)]
    if renumbered and not any(removed):
        first = min(renumbered, key=lambda broken: broken.id)
        others = f" Others of its subject were renumbered too: {len(renumbered) - 1}." if len(renumbered) > 1 else ""
        findings.add(
            FindingKind.EDITED,
            f"It was written as number {names[id(first)].original['seq']} and is {first.row[3]} now.{others}",
            entry=first.id, subject=subject.subject or None, fields="seq",
        )  # fmt: skip


def _report_broken(subject: BrokenSubject, broken: Broken, named: Named, macs: Macs, findings: Findings) -> None:
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


def _report_hole(hole: Hole, orphans: _Orphans, findings: Findings) -> bool:
    """Whether the log still knows of what is missing."""
    count = hole.last - hole.first + 1
    versions = f"version {hole.first}" if count == 1 else f"versions {hole.first} to {hole.last}"
    gone = orphans.between(hole.after, hole.before, count)
    if not gone:
        findings.add(
            FindingKind.GAP, f"There is no entry for {versions}, and the log knows of none.",
            subject=hole.subject, fields="seq",
        )  # fmt: skip
        return False
    findings.add(
        FindingKind.REMOVED, f"The entry of {versions} is gone; its leaf in the log is there.",
        entry=gone[0], subject=hole.subject,
    )  # fmt: skip
    return True


def _report_ahead(hole: Hole, orphans: _Orphans, findings: Findings) -> None:
    """A lead in a version that no entry is there for: its entry was removed, or it was changed past the app."""
    at = epoch(hole.at)
    gone = orphans.made_within(at - 1000, at + _SOON, 1) if at else orphans.between(hole.after, "", 1)
    if not gone:
        findings.add(
            _CHANGED.get(hole.kind, FindingKind.ACCOUNT_CHANGED),
            f"It stands in version {hole.last}; its entries lead to version {hole.first - 1}.",
            subject=hole.subject, fields=hole.differing,
        )  # fmt: skip
        return
    if hole.last > hole.first:
        gone = [*orphans.between(hole.after, gone[0], hole.last - hole.first), *gone]
    findings.add(
        FindingKind.REMOVED,
        f"The entry of version {hole.first} is gone; its leaf in the log and the {hole.kind} in version {hole.last} "
        "are there.",
        entry=gone[0], subject=hole.subject,
    )  # fmt: skip


def _report_untracked(untracked: Untracked, orphans: _Orphans, findings: Findings) -> None:
    first, last = epoch(untracked.created_at), epoch(untracked.updated_at or untracked.created_at)
    gone = orphans.made_within(first - 1000, max(first, last) + _SOON, untracked.version)
    if gone:
        findings.add(
            FindingKind.REMOVED,
            f"All entries of this {untracked.kind} are gone; the log still holds {len(gone)} of their leaves.",
            entry=gone[0], subject=untracked.subject,
        )  # fmt: skip
        return
    findings.add(
        _UNTRACKED.get(untracked.kind, FindingKind.ACCOUNT_UNTRACKED),
        f"There is no entry of this {untracked.kind}, nor of its creation: the app did not write it.",
        subject=untracked.subject,
    )  # fmt: skip


async def _report_rejected(evidence: Evidence, explained: Explained, findings: Findings) -> None:
    for entry_id, (reason, is_there) in (await evidence.rejected()).items():
        if not is_there:
            findings.add(
                FindingKind.REMOVED, f"The sequencer refused it ({reason}), and since then it was removed.",
                entry=entry_id,
            )  # fmt: skip
    for entry_id in await evidence.waiting_without_entry():
        findings.add(FindingKind.REMOVED, "It was removed while it waited for its place in the log.", entry=entry_id)


def _report_rest(orphans: _Orphans, findings: Findings) -> None:
    """Leaves of which nothing is left that says whose entries they were: whole subjects, or last entries."""
    rest = orphans.rest()
    if not rest:
        return
    more = ""
    if len(rest) > 1:
        ids = ", ".join(leaf.entry_id for leaf in rest[1:20])
        more = f" So are {len(rest) - 1}{' or more' if orphans.is_cut_off else ''} others: {ids}."
    findings.add(
        FindingKind.REMOVED,
        f"Leaf {rest[0].leaf_index} is there, its entry is gone, and so is whatever told whose it was.{more}",
        entry=rest[0].entry_id,
    )  # fmt: skip


def _joined(holes: list[Hole]) -> list[Hole]:
    """Neighbouring holes as one."""
    joined: list[Hole] = []
    for hole in sorted(holes, key=lambda hole: hole.first):
        if joined and joined[-1].last + 1 >= hole.first:
            joined[-1].last = max(joined[-1].last, hole.last)
            joined[-1].before = hole.before
        else:
            joined.append(hole)
    return joined


def _few_seqs(hole: Hole) -> range:
    return range(hole.first, min(hole.last, hole.first + 20) + 1)
