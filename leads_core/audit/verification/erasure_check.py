"""Parts that were taken out or should have been, held against what the ERASE entries say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leads_core.audit.verification.findings import FindingKind, Findings
from leads_core.audit.verification.subject import Subject


def check_event(subject: Subject, row: Any, parts: Mapping[str, Any], findings: Findings) -> None:
    """The parts of an entry without a seq, which comes after all that have one: an ERASE covers it by its id."""
    for name, part in parts.items():
        if name == "origin":
            continue
        covered = row[0] < subject.erased_parts.get(name, "")
        if part.__class__ is str and not covered:
            findings.add(
                FindingKind.ERASED, "This part was taken out, and no ERASE entry says so.",
                entry=row[0], subject=row[2], fields=name,
            )  # fmt: skip
        elif covered and part.__class__ is not str:
            findings.add(
                FindingKind.UNERASED, "An ERASE entry says that this part was erased, and it can be read.",
                entry=row[0], subject=row[2], fields=name,
            )  # fmt: skip


def check_erase(subject: Subject, row: Any, parts: Mapping[str, Any], findings: Findings) -> None:
    """What an ERASE names must be gone from the entries before it."""
    for name in parts:
        if name != "origin":
            subject.erased_parts[name] = row[0]
    for name, entries in subject.parts.erase(parts).items():
        findings.add(
            FindingKind.UNERASED,
            f"The entry {row[0]} says that this part was erased, and it can be read in {_counted(entries)}.",
            entry=entries[0], subject=subject.id, fields=name,
        )  # fmt: skip


def origin_must_be_gone(row: Any, parts: Mapping[str, Any], findings: Findings) -> None:
    """Whoever wrote this entry was erased later."""
    if parts.get("origin").__class__ is not str:
        findings.add(
            FindingKind.UNERASED, "The user who wrote this entry was erased, and its origin can be read.",
            entry=row[0], subject=row[2], fields="origin",
        )  # fmt: skip


def report_origin_gone(row: Any, findings: Findings) -> None:
    """An origin that is a digest, though nobody erased whoever wrote the entry."""
    findings.add(
        FindingKind.ERASED, "The origin was taken out, and no ERASE of the user who wrote it says so.",
        entry=row[0], subject=row[2], fields="origin",
    )  # fmt: skip


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
