"""Pass over all entries, subject by subject: each recomputed, its place, the state it leads to, and the lead itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from leads_core.audit.verification import replay
from leads_core.audit.verification.anomalies import KEPT, Broken, BrokenSubject, Hole, OtherLeaf, Unlogged, Untracked
from leads_core.audit.verification.entry_check import Macs, recomputed
from leads_core.audit.verification.erasures import ErasedActors
from leads_core.audit.verification.findings import FindingKind, Findings
from leads_core.audit.verification.moments import epoch, millisecond_of
from leads_core.audit.verification.subject import REPLAYED, Subject

#: How far an entry's id (its time is in it) and occurred_at may lie apart: a long import notes one time for a batch.
CLOCKS_AGREE_MS = 600_000
_CHANGED = {"lead": FindingKind.LEAD_CHANGED}
_MISSING = {"lead": FindingKind.LEAD_MISSING}
Tracked = dict[str, tuple[str, dict[str, Any]]]


@dataclass(slots=True)
class Seen:
    """What the pass noted beside findings."""

    entries: int = 0
    leads: int = 0
    waiting: int = 0
    waiting_since: str | None = None
    odd_clocks: int = 0
    unkept: int = 0
    broken: list[BrokenSubject] = field(default_factory=list)
    unlogged: list[Unlogged] = field(default_factory=list)
    other_leaves: list[OtherLeaf] = field(default_factory=list)
    untracked: list[Untracked] = field(default_factory=list)
    ahead: list[Hole] = field(default_factory=list)


class SubjectCheck:
    """Feed it entries in order of subject, seq and id, and the leads in order of id; then finish().

    complete=False: only some entries are there, so each is checked by itself, and nothing is said of the others.
    """

    def __init__(
        self,
        macs: Macs,
        erased: ErasedActors,
        accounts: Tracked | None,
        findings: Findings,
        *,
        complete: bool = True,
    ) -> None:
        self._complete = complete
        self._macs = macs
        self._erased = erased
        self._accounts = accounts
        self._findings = findings
        self.seen = Seen()
        self.leads: deque[tuple[str, str]] = deque()
        self._subject: Subject | None = None
        self._last_id = ""

    def feed(self, rows: Sequence[Any]) -> None:
        """Entries. The leads up to the last one's subject must be in `leads` by now."""
        macs, seen, erased = self._macs, self.seen, self._erased
        valid, has_keys, loads = macs.valid, bool(macs), orjson.loads
        subject = self._subject
        for row in rows:
            if subject is None or row[2] != subject.id:
                if subject is not None:
                    self._end(subject)
                self._subject = subject = Subject(row[2], row[1])
            seen.entries += 1
            entry_id = row[0]
            if entry_id == self._last_id:
                self._twice(row)
                continue
            self._last_id = entry_id
            parts: Any = None
            computed = None
            try:
                parts = loads(row[12])
                computed = recomputed(row, parts)
            except (ValueError, TypeError, AttributeError):
                pass
            checksum = row[13]
            if computed != checksum or (has_keys and not valid(checksum, row[14])):
                self._broken(subject, row, parts, computed)
                continue
            if not self._complete:
                continue
            if row[16] != checksum:
                self._without_its_leaf(row)
            if erased and erased.covers(row):
                self._origin_must_be_gone(row, parts)
            if parts.get("origin").__class__ is str and not erased.covers(row):
                self._origin_gone(row)
            if row[3] is None:
                self._event(subject, row, parts)
            else:
                self._state(subject, row, parts)

    def finish(self) -> None:
        """After the last entry and the last lead."""
        if self._subject is not None:
            self._end(self._subject)
            self._subject = None
        while self.leads:
            self._untracked("lead", *self.leads.popleft())
        for account_id, (kind, columns) in (self._accounts or {}).items():
            self._note_untracked(account_id, kind, columns)
        if self._accounts:
            self._accounts.clear()

    def lead_passed_by(self, before: str) -> None:
        """Leads with a smaller id than this have no entries."""
        while self.leads and self.leads[0][0] < before:
            self._untracked("lead", *self.leads.popleft())

    # --- one entry

    def _state(self, subject: Subject, row: Any, parts: dict[str, Any]) -> None:
        """An intact entry with a seq: its place, its old values, the state after it."""
        seq = row[3]
        if subject.kind != row[1] and not subject.seq:
            subject.kind = row[1]
        if seq != subject.seq + 1:
            if seq <= subject.seq:
                subject.duplicate(row, self._findings)
                return
            subject.hole(seq, row[0])
        subject.seq, subject.last_id = seq, row[0]
        if abs(millisecond_of(row[0]) - epoch(row[10])) > CLOCKS_AGREE_MS:
            self.seen.odd_clocks += 1
        if row[4] == "ERASE":
            self._erase(subject, row, parts)
        if len(parts) > 1:
            subject.parts.note(row[0], parts)
        if subject.kind not in REPLAYED:
            return
        if subject.halted:
            subject.follow(row, parts)
            return
        state = subject.state
        if state is None:
            state = subject.state = replay.unborn(subject.kind)
        try:
            wrong = replay.apply(state, row, parts)
        except (KeyError, TypeError, ValueError):
            subject.halted = True
            self._findings.add(
                FindingKind.MALFORMED, "A part of this entry holds what is no change of its subject.",
                entry=row[0], subject=subject.id,
            )  # fmt: skip
            return
        if wrong:
            self._findings.add(
                _CHANGED.get(subject.kind, FindingKind.ACCOUNT_CHANGED),
                f"Before this entry somebody changed the {subject.kind} past the app: the old value that the entry "
                "found is not the one that the entries before it led to.",
                entry=row[0], subject=subject.id, fields=sorted(wrong),
            )  # fmt: skip

    def _event(self, subject: Subject, row: Any, parts: dict[str, Any]) -> None:
        """An intact entry without a seq: a sign-in, an export, a dismissal."""
        for name, part in parts.items():
            if name == "origin":
                continue
            covered = row[0] < subject.erased_parts.get(name, "")
            if part.__class__ is str and not covered:
                self._findings.add(
                    FindingKind.ERASED, "This part was taken out, and no ERASE entry says so.",
                    entry=row[0], subject=row[2], fields=name,
                )  # fmt: skip
            elif covered and part.__class__ is not str:
                self._findings.add(
                    FindingKind.UNERASED, "An ERASE entry says that this part was erased, and it can be read.",
                    entry=row[0], subject=row[2], fields=name,
                )  # fmt: skip

    def _erase(self, subject: Subject, row: Any, parts: dict[str, Any]) -> None:
        for name in parts:
            if name != "origin":
                subject.erased_parts[name] = row[0]
        for name, entries in subject.parts.erase(parts).items():
            self._findings.add(
                FindingKind.UNERASED,
                f"The entry {row[0]} says that this part was erased, and it can be read in {_counted(entries)}.",
                entry=entries[0], subject=subject.id, fields=name,
            )  # fmt: skip

    def _origin_must_be_gone(self, row: Any, parts: dict[str, Any]) -> None:
        if parts.get("origin").__class__ is not str:
            self._findings.add(
                FindingKind.UNERASED, "The user who wrote this entry was erased, and its origin can be read.",
                entry=row[0], subject=row[2], fields="origin",
            )  # fmt: skip

    def _origin_gone(self, row: Any) -> None:
        self._findings.add(
            FindingKind.ERASED, "The origin was taken out, and no ERASE of the user who wrote it says so.",
            entry=row[0], subject=row[2], fields="origin",
        )  # fmt: skip

    def _without_its_leaf(self, row: Any) -> None:
        if row[16] is not None:
            self._keep(self.seen.other_leaves, OtherLeaf(row[0], row[2], row[13], row[15], row[16]))
        elif row[17]:
            self.seen.waiting += 1
            self.seen.waiting_since = min(self.seen.waiting_since or row[10], row[10])
        elif row[17] is not None:
            self._keep(self.seen.unlogged, Unlogged(row[0], row[2], row[13]))

    def _broken(self, subject: Subject, row: Any, parts: Any, computed: bytes | None) -> None:
        keep = self._room()
        macs = self._macs
        broken = Broken(
            row=row,
            parts=parts if isinstance(parts, dict) else None,
            computed=computed,
            mac_of_stored=bool(macs) and macs.valid(row[13], row[14]),
            mac_of_computed=bool(macs) and computed is not None and macs.valid(computed, row[14]),
            before=None if subject.halted or row[3] is None else subject.known(),
        )
        if keep:
            subject.broken.append(broken)
        else:
            self.seen.unkept += 1
        if row[3] is not None and self._complete:
            subject.halted = True
            if row[3] > subject.seq + 1:
                subject.hole(row[3], row[0])
            subject.seq, subject.last_id = max(subject.seq, row[3]), row[0]

    def _twice(self, row: Any) -> None:
        self._findings.add(
            FindingKind.DUPLICATE, "This entry, or its leaf, is there twice.", entry=row[0], subject=row[2]
        )

    # --- one subject

    def _end(self, subject: Subject) -> None:
        """All entries of a subject were seen: hold the state against what stands in its table."""
        stands = self._standing(subject)
        if subject.halted or subject.broken:
            self._end_broken(subject, stands)
        elif subject.state is None or stands is None or not self._is_ahead(subject, stands):
            report_uncovered(subject.id, subject.parts.uncovered, self._findings)

    def _end_broken(self, subject: Subject, stands: dict[str, Any] | None) -> None:
        if stands is not None:
            known = replay.provenance_of(stands) if subject.kind == "lead" else stands
            for broken in subject.broken:
                broken.of_lead = stands
                for name, value in known.items():
                    broken.following.setdefault(name, value)
        version = stands["version"] if stands else None
        self.seen.broken.append(
            BrokenSubject(
                subject.id or "",
                subject.kind,
                subject.broken,
                subject.holes,
                subject.parts.uncovered,
                version,
                subject.seq,
            )
        )

    def _is_ahead(self, subject: Subject, stands: dict[str, Any]) -> bool:
        """Hold what stands there against the state; whether it is in a version that its entries do not reach."""
        state = subject.state
        assert state is not None  # noqa: S101 - the caller looked
        version, updated_at = stands["version"], stands.get("updated_at")
        different = replay.differing(state, stands)
        if not different:
            return False
        if version > subject.seq:
            hole = Hole(subject.id or "", subject.kind, subject.seq + 1, version, subject.last_id, at=updated_at)
            hole.differing, hole.uncovered = different, subject.parts.uncovered
            self._keep(self.seen.ahead, hole)
            return True
        self._findings.add(
            _CHANGED.get(subject.kind, FindingKind.ACCOUNT_CHANGED),
            f"What stands in the {subject.kind} is not what its entries lead to.",
            subject=subject.id, fields=different,
        )  # fmt: skip
        return False

    def _standing(self, subject: Subject) -> dict[str, Any] | None:
        """The lead's or account's columns; a finding when there are none though its entries have a seq."""
        if subject.id is None:
            return None
        found = None
        self.lead_passed_by(subject.id)
        if self.leads and self.leads[0][0] == subject.id:
            self.seen.leads += 1
            found = orjson.loads(self.leads.popleft()[1])
            subject.kind = "lead"
        elif self._accounts is not None and subject.id in self._accounts:
            subject.kind, found = self._accounts.pop(subject.id)
            if "scopes" in found:
                found["scopes"] = sorted(found["scopes"])
        elif subject.state is not None and (subject.kind == "lead" or self._accounts is not None):
            self._findings.add(
                _MISSING.get(subject.kind, FindingKind.ACCOUNT_MISSING),
                f"Its entries lead up to version {subject.seq}, and there is no such {subject.kind}.",
                entry=subject.last_id, subject=subject.id,
            )  # fmt: skip
        if found is not None and not subject.seq and not subject.broken:
            self._note_untracked(subject.id, subject.kind, found)
            return None
        return found

    def _untracked(self, kind: str, subject_id: str, columns: str) -> None:
        self._note_untracked(subject_id, kind, orjson.loads(columns))

    def _note_untracked(self, subject_id: str, kind: str, columns: dict[str, Any]) -> None:
        if kind == "lead":
            self.seen.leads += 1
        untracked = Untracked(
            subject_id, kind, columns["version"], columns["created_at"], columns.get("updated_at")
        )  # fmt: skip
        self._keep(self.seen.untracked, untracked)

    def _keep(self, where: list[Any], what: Any) -> None:
        if len(where) < KEPT:
            where.append(what)
        else:
            self.seen.unkept += 1

    def _room(self) -> bool:
        return len(self.seen.broken) < KEPT


def report_uncovered(subject: str | None, uncovered: Mapping[str, Sequence[str]], findings: Findings) -> None:
    """Parts that are digests in some entries of a subject, with no ERASE to say why: a finding for each part."""
    for name, entries in uncovered.items():
        findings.add(
            FindingKind.ERASED,
            f"This part was taken out of {_counted(entries)}, and no ERASE entry says so.",
            entry=entries[0],
            subject=subject,
            fields=name,
        )


def _counted(entries: Sequence[str]) -> str:
    return "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
