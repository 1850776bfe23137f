"""Pass over all entries, subject by subject: each recomputed, its place, the state it leads to, and the lead itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import orjson

from leads_core.audit.verification import replay
from leads_core.audit.verification.anomalies import KEPT, Broken, BrokenSubject, Hole, OtherLeaf, Unlogged
from leads_core.audit.verification.entry_check import Macs, recomputed
from leads_core.audit.verification.erasure_check import (
    check_erase,
    check_event,
    origin_must_be_gone,
    report_origin_gone,
    report_uncovered,
)
from leads_core.audit.verification.erasures import ErasedActors
from leads_core.audit.verification.findings import FindingKind, Findings
from leads_core.audit.verification.moments import epoch, millisecond_of
from leads_core.audit.verification.seen import Seen
from leads_core.audit.verification.standing import Standing, Tracked
from leads_core.audit.verification.subject import REPLAYED, Subject

#: How far an entry's id (its time is in it) and occurred_at may lie apart: a long import notes one time for a batch.
CLOCKS_AGREE_MS = 600_000
_CHANGED = {"lead": FindingKind.LEAD_CHANGED}


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
        self.seen = Seen()
        self._complete = complete
        self._macs = macs
        self._erased = erased
        self.leads: deque[tuple[str, str]] = deque()
        self._standing = Standing(self.leads, accounts, self.seen, findings)
        self._findings = findings
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
                origin_must_be_gone(row, parts, self._findings)
            if parts.get("origin").__class__ is str and not erased.covers(row):
                report_origin_gone(row, self._findings)
            if row[3] is None:
                check_event(subject, row, parts, self._findings)
            else:
                self._state(subject, row, parts)

    def finish(self) -> None:
        """After the last entry and the last lead."""
        if self._subject is not None:
            self._end(self._subject)
            self._subject = None
        self._standing.finish()

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
            check_erase(subject, row, parts, self._findings)
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

    def _without_its_leaf(self, row: Any) -> None:
        if row[16] is not None:
            self.seen.keep(self.seen.other_leaves, OtherLeaf(row[0], row[2], row[13], row[15], row[16]))
        elif row[17]:
            self.seen.waiting += 1
            self.seen.waiting_since = min(self.seen.waiting_since or row[10], row[10])
        elif row[17] is not None:
            self.seen.keep(self.seen.unlogged, Unlogged(row[0], row[2], row[13]))

    def _broken(self, subject: Subject, row: Any, parts: Any, computed: bytes | None) -> None:
        macs = self._macs
        broken = Broken(
            row=row,
            parts=parts if isinstance(parts, dict) else None,
            computed=computed,
            mac_of_stored=bool(macs) and macs.valid(row[13], row[14]),
            mac_of_computed=bool(macs) and computed is not None and macs.valid(computed, row[14]),
            before=None if subject.halted or row[3] is None else subject.known(),
        )
        if self.seen.kept < KEPT:
            self.seen.kept += 1
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
        stands = self._standing.of(subject)
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
        known_of = BrokenSubject(subject.id or "", subject.kind, subject.broken, subject.holes)
        known_of.uncovered, known_of.version, known_of.last_seq = subject.parts.uncovered, version, subject.seq
        if subject.broken or subject.holes:
            self.seen.keep(self.seen.broken, known_of)

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
            self.seen.keep(self.seen.ahead, hole)
            return True
        self._findings.add(
            _CHANGED.get(subject.kind, FindingKind.ACCOUNT_CHANGED),
            f"What stands in the {subject.kind} is not what its entries lead to.",
            subject=subject.id, fields=different,
        )  # fmt: skip
        return False
