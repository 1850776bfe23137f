"""What stands in the tables of leads and accounts, brought together with the entries as these go by."""

from __future__ import annotations

from collections import deque
from typing import Any

import orjson

from leads_core.audit.verification.anomalies import Untracked
from leads_core.audit.verification.findings import FindingKind, Findings
from leads_core.audit.verification.seen import Seen
from leads_core.audit.verification.subject import Subject

_MISSING = {"lead": FindingKind.LEAD_MISSING}
Tracked = dict[str, tuple[str, dict[str, Any]]]


class Standing:
    """leads is filled from outside, in order of id; accounts are used up. Each is asked for once."""

    def __init__(self, leads: deque[tuple[str, str]], accounts: Tracked | None, seen: Seen, findings: Findings) -> None:
        self._leads = leads
        self._accounts = accounts
        self._seen = seen
        self._findings = findings

    def of(self, subject: Subject) -> dict[str, Any] | None:
        """The lead's or account's columns; a finding when there are none though its entries have a seq."""
        if subject.id is None:
            return None
        found = None
        self._pass_by(subject.id)
        if self._leads and self._leads[0][0] == subject.id:
            self._seen.leads += 1
            found = orjson.loads(self._leads.popleft()[1])
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
            self._seen.leads += 1
        untracked = Untracked(
            subject_id, kind, columns["version"], columns["created_at"], columns.get("updated_at")
        )  # fmt: skip
        self._seen.keep(self._seen.untracked, untracked)

    def _pass_by(self, before: str) -> None:
        """Leads with a smaller id than this have no entries."""
        while self._leads and self._leads[0][0] < before:
            self._untracked("lead", *self._leads.popleft())

    def finish(self) -> None:
        """Whatever is left has no entries."""
        while self._leads:
            self._untracked("lead", *self._leads.popleft())
        for account_id, (kind, columns) in (self._accounts or {}).items():
            self._note_untracked(account_id, kind, columns)
        if self._accounts:
            self._accounts.clear()
