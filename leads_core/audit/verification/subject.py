"""One subject (a lead, a user, a token) while its entries go by: its place, its state, what is broken in it."""

from __future__ import annotations

from typing import Any

from leads_core.audit.verification import replay
from leads_core.audit.verification.anomalies import Broken, Hole
from leads_core.audit.verification.erasures import PartsOfSubject
from leads_core.audit.verification.findings import FindingKind, Findings

#: Kinds of subjects that have a state.
REPLAYED = frozenset(("lead", "user", "token"))


class Subject:
    """The subject whose entries are going by."""

    __slots__ = (
        "broken", "erased_parts", "halted", "holes", "id", "kind", "last_id", "parts", "seq", "state",
    )  # fmt: skip

    def __init__(self, subject_id: str | None, kind: str) -> None:
        self.id = subject_id
        self.kind = kind
        self.seq = 0
        self.last_id = ""
        self.state: dict[str, Any] | None = None
        self.halted = False
        self.broken: list[Broken] = []
        self.holes: list[Hole] = []
        self.parts = PartsOfSubject()
        self.erased_parts: dict[str, str] = {}

    def known(self) -> dict[str, Any]:
        """The state as it is now, known in full."""
        if self.state is not None:
            return dict(self.state)
        return replay.unborn(self.kind) if self.kind in REPLAYED else {}

    def hole(self, seq: int, before: str) -> None:
        """Entries are missing before this one."""
        self.holes.append(Hole(self.id or "", self.kind, self.seq + 1, seq - 1, self.last_id, before))
        self.halted = True

    def duplicate(self, row: Any, findings: Findings) -> None:
        """A second entry with this seq: intact, so one that took the broken one's place is no duplicate."""
        if any(broken.row[3] == row[3] for broken in self.broken):
            self.last_id = row[0]
            return
        findings.add(
            FindingKind.DUPLICATE, f"Two entries of one subject have the seq {row[3]}.", entry=row[0], subject=self.id
        )

    def follow(self, row: Any, parts: dict[str, Any]) -> None:
        """Past a break nothing is replayed; but an old value still says how the broken entry left a field."""
        for name, part in parts.items():
            if name == "origin" or part.__class__ is str or row[4] == "ERASE":
                continue
            for field_name, change in part[1].items():
                for broken in self.broken:
                    broken.following.setdefault(replay.field_key(name, field_name), change[0])
