"""How the log stands, in words: the seal above the trail, what is wrong and what to do, how it was checked. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from console.wording import field_label, number, plural
from leads_core.audit.log.state import LogState
from leads_core.audit.verification.findings import MEANING, FindingKind
from leads_core.audit.verified import VerificationRead

#: A worker looks each second; after so long without a look there is none.
LOOKS_EVERY = timedelta(minutes=1)
#: The findings that are shown; all of them are in the report.
LISTED = 50


@dataclass(frozen=True, slots=True)
class Seal:
    """The pill: good, waiting (nothing is wrong, and not all is proven) or broken."""

    kind: Literal["good", "waiting", "broken"]
    words: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong now, and what to do."""

    title: str
    sentence: str


@dataclass(frozen=True, slots=True)
class FindingLine:
    """One finding in words, and the lead it is about, if it is about one."""

    title: str
    detail: str
    entry: str
    lead: str


def seal_of(state: LogState, verified: VerificationRead | None) -> Seal:
    """The one thing to know of the log."""
    if state.alarm is not None:
        return Seal("broken", "Signing has stopped")
    if verified is not None and verified.problem:
        return Seal("broken", "Could not be verified")
    if verified is not None and not verified.ok:
        return Seal("broken", f"Broken: {plural(len(verified.findings), 'finding')}")
    if state.checkpoint is None:
        return Seal("waiting", "Not signed yet")
    if verified is None or verified.up_to is None:
        return Seal("waiting", f"Signed up to checkpoint {number(state.checkpoint.number)}, not verified yet")
    return Seal("good", f"Verified up to checkpoint {number(verified.up_to)}")


def troubles_of(state: LogState, verified: VerificationRead | None, now: datetime) -> list[Trouble]:
    """What stands in the way of a sealed trail, each with its remedy."""
    troubles = []
    if verified is not None and verified.problem:
        troubles.append(Trouble("The trail could not be verified", verified.problem))
    if state.alarm is not None:
        troubles.append(Trouble("Nothing is signed", state.alarm))
    if state.rejected:
        troubles.append(
            Trouble(
                f"The log refused {plural(state.rejected, 'entry', 'entries')}",
                "They are not as the app wrote them, or it did not write them. They stand in the table as refused. "
                "Verify now, and tell whoever keeps the database; do not remove them.",
            )
        )
    if state.unlogged and not _is_watched(state, now):
        troubles.append(
            Trouble(
                "Nobody signs",
                "No worker has looked for a minute, so new entries wait. Start one: leads worker, or leads up.",
            )
        )
    return troubles


def _is_watched(state: LogState, now: datetime) -> bool:
    if state.looked_at is not None and now - state.looked_at < LOOKS_EVERY:
        return True
    return state.unlogged_since is not None and now - state.unlogged_since < LOOKS_EVERY


def waiting_in_words(state: LogState) -> str:
    """The entries that no checkpoint covers yet."""
    unsigned = state.unlogged + state.leaves - (state.checkpoint.size if state.checkpoint else 0)
    if unsigned <= 0:
        return "Nothing newer waits."
    return f"{plural(unsigned, 'newer entry waits', 'newer entries wait')} for the next checkpoint."


def agree(state: LogState, now: datetime) -> bool:
    """Whether the log and the file's newest checkpoint went together when a sequencer last looked.

    Each look compares their sizes, each signing the roots; the rest is the verification's.
    """
    watched = state.looked_at is not None and now - state.looked_at < LOOKS_EVERY
    return state.alarm is None and state.checkpoint is not None and watched


def is_here_only(state: LogState) -> bool:
    """Whether whoever owns this machine could replace database, key and checkpoints together, unseen."""
    return state.checkpoint is not None and state.kept is None and not state.database_is_elsewhere


def checks_of(verified: VerificationRead) -> list[tuple[str, str]]:
    """How it was checked: each step, and what it went through. Nothing when it could not be."""
    if verified.problem:
        return []
    counts: Mapping[str, Any] = verified.report
    entries, leads, leaves, checkpoints = (
        int(counts.get(name) or 0) for name in ("entries", "leads", "leaves", "checkpoints")
    )
    return [
        ("Entries", f"{number(entries)} recomputed: parts, checksum, MAC"),
        ("Log", f"{plural(leaves, 'leaf', 'leaves')} looked at: order, gaps, the tree above them"),
        ("Checkpoints", f"{plural(checkpoints, 'root and signature', 'roots and signatures')} held against the log"),
        ("Replay", f"{plural(leads, 'lead')} held against what the trail says of them"),
        ("Guards", "What the database must refuse"),
    ]


def findings_of(verified: VerificationRead, leads: frozenset[UUID]) -> Sequence[FindingLine]:
    """The first findings in words. leads: those subjects that are leads one can open."""
    return [_finding(one, leads) for one in verified.findings[:LISTED]]


def subjects_of(verified: VerificationRead) -> list[UUID]:
    """The subjects of the findings that are shown, as far as they are ids."""
    subjects = (_uuid(one.get("subject")) for one in verified.findings[:LISTED])
    return list({subject for subject in subjects if subject is not None})


def _finding(finding: Mapping[str, Any], leads: frozenset[UUID]) -> FindingLine:
    kind, subject, field = str(finding.get("kind")), finding.get("subject"), finding.get("field")
    where = [str(subject)] if subject and _uuid(subject) not in leads else []
    if field:
        where.append(", ".join(field_label(one.strip()) for one in str(field).split(",")))
    meaning = MEANING[FindingKind(kind)] if kind in set(FindingKind) else ""
    title = f"{kind.replace('_', ' ').capitalize()}{': ' if where else ''}{' · '.join(where)}"
    lead = str(subject) if _uuid(subject) in leads else ""
    return FindingLine(title, str(finding.get("detail") or meaning), str(finding.get("entry") or ""), lead)


def _uuid(text: object) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None
