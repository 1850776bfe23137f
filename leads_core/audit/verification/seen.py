"""What the pass over entries and leads notes beside findings, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from leads_core.audit.verification.anomalies import KEPT, BrokenSubject, Hole, OtherLeaf, Unlogged, Untracked


@dataclass(slots=True)
class Seen:
    """unkept counts what there was no room for; kept the broken entries of all subjects."""

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
    kept: int = 0

    def keep(self, where: list[Any], what: Any) -> None:
        """Note one more, as long as there is room; else only count it."""
        if len(where) < KEPT:
            where.append(what)
        else:
            self.unkept += 1
