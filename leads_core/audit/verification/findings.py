"""What a verification can find, and the report of one. Nothing here quotes a value: a kept report holds no person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

#: More findings than anybody reads are counted, not listed.
LISTED = 1000


class FindingKind(StrEnum):
    """What is wrong: a closed list."""

    EDITED = "edited"
    FORGED = "forged"
    REMOVED = "removed"
    GAP = "gap"
    DUPLICATE = "duplicate"
    UNLOGGED = "unlogged"
    ERASED = "erased"
    UNERASED = "unerased"
    ROLLBACK = "rollback"
    FORK = "fork"
    SIGNATURE = "signature"
    LEAD_CHANGED = "lead_changed"
    LEAD_MISSING = "lead_missing"
    LEAD_UNTRACKED = "lead_untracked"
    ACCOUNT_CHANGED = "account_changed"
    ACCOUNT_MISSING = "account_missing"
    ACCOUNT_UNTRACKED = "account_untracked"
    GUARD = "guard"
    MALFORMED = "malformed"


MEANING: Mapping[FindingKind, str] = {
    FindingKind.EDITED: "It does not say any more what was written.",
    FindingKind.FORGED: "The app did not write it: its MAC is none of the app's.",
    FindingKind.REMOVED: "It was there, and is gone.",
    FindingKind.GAP: "Something is missing between two neighbours.",
    FindingKind.DUPLICATE: "The same place is taken twice.",
    FindingKind.UNLOGGED: "The log does not hold it, and nothing waits to put it there.",
    FindingKind.ERASED: "Values were taken out without an erasure in the trail.",
    FindingKind.UNERASED: "The trail says these values were erased, and they are there.",
    FindingKind.ROLLBACK: "The log is shorter, or older, than one that was signed.",
    FindingKind.FORK: "The log is another one than that which was signed.",
    FindingKind.SIGNATURE: "No key that is trusted signed it.",
    FindingKind.LEAD_CHANGED: "The lead was changed past the app.",
    FindingKind.LEAD_MISSING: "The lead is gone; its entries are there.",
    FindingKind.LEAD_UNTRACKED: "The lead is there; its entries are not.",
    FindingKind.ACCOUNT_CHANGED: "The user or token was changed past the app.",
    FindingKind.ACCOUNT_MISSING: "The user or token is gone; its entries are there.",
    FindingKind.ACCOUNT_UNTRACKED: "The user or token is there; its entries are not.",
    FindingKind.GUARD: "The database does not refuse any more what it should.",
    FindingKind.MALFORMED: "It has not the form that the record asks for.",
}
"""Each kind in a sentence, for people."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, one cause.

    entry is an entry's id; subject the id of the lead, user or token, or a place such as `checkpoint 12`; field the
    field, column or part where it is known, several joined by ", ". detail says in a sentence what was seen.
    """

    kind: FindingKind
    entry: str | None = None
    subject: str | None = None
    field: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification saw: how much, what is wrong, what is odd, and what it did not look at."""

    ok: bool
    entries: int
    leads: int
    leaves: int
    checkpoints: int
    findings: tuple[Finding, ...] = ()
    warnings: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The report as one JSON object."""
        facts = {name: getattr(self, name) for name in ("ok", "entries", "leads", "leaves", "checkpoints")}
        findings = [{**asdict(finding), "kind": finding.kind.value} for finding in self.findings]
        return {
            **facts,
            "findings": findings,
            "warnings": list(self.warnings),
            "not_checked": list(self.not_checked),
        }


@dataclass(frozen=True, slots=True)
class LeadReport:
    """One lead, recomputed now.

    sealed is the number of the newest checkpoint, if it covers all of its entries, None when none does; unsealed says
    how many of its entries no checkpoint covers yet.
    """

    entries: int
    findings: tuple[Finding, ...] = ()
    sealed: int | None = None
    unsealed: int = 0
    not_checked: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """The report as one JSON object."""
        return {
            "ok": self.ok,
            "entries": self.entries,
            "sealed": self.sealed,
            "unsealed": self.unsealed,
            "findings": [{**asdict(finding), "kind": finding.kind.value} for finding in self.findings],
            "not_checked": list(self.not_checked),
        }


@dataclass(slots=True)
class Findings:
    """Findings as they come up, in bounded memory."""

    listed: list[Finding] = field(default_factory=list)
    unlisted: int = 0

    def add(
        self,
        kind: FindingKind,
        detail: str,
        *,
        entry: str | None = None,
        subject: str | None = None,
        fields: str | Iterable[str] | None = None,
    ) -> None:
        """Note one; fields that are several are joined."""
        if len(self.listed) >= LISTED:
            self.unlisted += 1
            return
        named = fields if fields is None or isinstance(fields, str) else ", ".join(fields) or None
        self.listed.append(Finding(kind, entry, subject, named, detail))

    def __len__(self) -> int:
        return len(self.listed) + self.unlisted
