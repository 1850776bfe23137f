"""Which versions of subjects are really missing, once every entry that was moved or renumbered is back in its place."""

from __future__ import annotations

from collections.abc import Iterable

from leads_core.audit.verification import naming
from leads_core.audit.verification.anomalies import BrokenSubject, Hole
from leads_core.audit.verification.entry_check import Macs
from leads_core.audit.verification.evidence import Evidence
from leads_core.audit.verification.naming import Named, Surroundings
from leads_core.audit.verification.orphans import Orphans
from leads_core.audit.verification.seen import Seen

#: So many broken entries are asked about their neighbours; the others are found and named by id alone.
ASKED = 200


async def names_of(evidence: Evidence, seen: Seen, macs: Macs, orphans: Orphans) -> dict[int, Named]:
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


def really_missing(subjects: Iterable[BrokenSubject], names: dict[int, Named]) -> dict[str, list[Hole]]:
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


def still_ahead(seen: Seen, names: dict[int, Named]) -> list[Hole]:
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


def joined(holes: list[Hole]) -> list[Hole]:
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
