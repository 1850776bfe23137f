"""The seal of one lead in words: how far it is signed and kept, what is broken, how it was checked. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from console.wording import field_label, number, plural
from leads_core.audit.lead_seal import LeadSeal
from leads_core.audit.log.state import KeptElsewhere, LastVerification, LogState
from leads_core.audit.verification.findings import MEANING, Finding, LeadReport

#: A worker looks each second; after so long without a look there is none.
LOOKS_EVERY = timedelta(minutes=1)
#: How soon, in seconds, to look again while entries wait: where a worker signs, and where none does.
AGAIN, LATER = 2, 30
#: Of so many entries a check takes longer than a page should: the page asks for it afterwards.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Broken:
    """One finding: where, what it means, what was seen."""

    where: str
    meaning: str
    detail: str


@dataclass(frozen=True, slots=True)
class Check:
    """One step of the check, what came of it, and a time where there is one."""

    name: str
    result: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SealView:
    """The pill in words, what hides behind it, and after how many seconds to look again (None: not by itself)."""

    kind: Literal["good", "waiting", "broken"]
    words: str
    place: str = ""
    broken: Sequence[Broken] = ()
    checks: Sequence[Check] = ()
    again: int | None = None
    not_checked: Sequence[str] = ()

    @property
    def is_broken(self) -> bool:
        return self.kind == "broken"


def seal_view(seal: LeadSeal, now: datetime) -> SealView:
    """What a reader is to know of the lead's entries."""
    report, state = seal.report, seal.state
    broken = [_broken(finding, seal) for finding in report.findings]
    is_sealed = not broken and report.sealed is not None
    return SealView(
        kind="broken" if broken else "good" if is_sealed else "waiting",
        words=_where_broken(broken) if broken else _how_far(report),
        place=_place(seal) if is_sealed else "",
        broken=broken,
        checks=_checks(seal),
        again=None if broken or is_sealed else LATER if _has_stalled(state, now) else AGAIN,
        not_checked=report.not_checked,
    )


def _has_stalled(state: LogState, now: datetime) -> bool:
    """Whether a checkpoint is not to be expected soon: signing has stopped, or no worker looks."""
    if state.alarm is not None:
        return True
    looked = state.looked_at is not None and now - state.looked_at < LOOKS_EVERY
    return not looked and state.unlogged_since is not None and now - state.unlogged_since > LOOKS_EVERY


def not_checked(reason: str) -> SealView:
    """A seal that could not be looked at, and why."""
    return SealView("waiting", "The seal could not be checked", not_checked=[reason])


def _how_far(report: LeadReport) -> str:
    if report.sealed is not None:
        return f"Sealed up to checkpoint {number(report.sealed)}"
    if report.unsealed == report.entries:
        which = plural(report.unsealed, "entry waits", "entries wait")
    else:
        which = plural(report.unsealed, "newest entry waits", "newest entries wait")
    return f"{which} for the next checkpoint"


def _where_broken(broken: Sequence[Broken]) -> str:
    first = broken[0].where
    more = f" and {number(len(broken) - 1)} more" if len(broken) > 1 else ""
    return f"Broken at {first[:1].lower()}{first[1:]}{more}"


def _broken(finding: Finding, seal: LeadSeal) -> Broken:
    place = _entry(finding, seal) or (finding.subject if _is_place(finding) else None) or "The lead"
    fields = ", ".join(field_label(name.strip()) for name in finding.field.split(",")) if finding.field else ""
    return Broken(f"{place}: {fields}" if fields else place, MEANING[finding.kind], finding.detail)


def _entry(finding: Finding, seal: LeadSeal) -> str | None:
    if finding.entry is None:
        return None
    seq = seal.numbers.get(UUID(finding.entry))
    return f"Entry {number(seq)}" if seq is not None else f"Entry {finding.entry}"


def _is_place(finding: Finding) -> bool:
    """A subject such as `checkpoint 12`, not an id."""
    return finding.subject is not None and " " in finding.subject


def _place(seal: LeadSeal) -> str:
    if seal.is_kept_elsewhere:
        return "kept elsewhere"
    return "" if seal.state.database_is_elsewhere else "on this machine only"


def _checks(seal: LeadSeal) -> list[Check]:
    report, state = seal.report, seal.state
    whole = not report.findings
    checks = [
        Check("Recomputed", f"{plural(report.entries, 'entry', 'entries')}, just now: parts, checksum, MAC"),
        Check("Replayed", "Step by step they lead to what the lead says today" if whole else "See what is broken"),
        _log(seal),
        _kept(state.kept, seal),
        _verified(state.verification),
    ]
    if state.alarm is not None:
        checks.append(Check("Signing has stopped", state.alarm, state.alarmed_at))
    return checks


def _log(seal: LeadSeal) -> Check:
    checkpoint, waiting = seal.state.checkpoint, seal.report.unsealed
    if checkpoint is None:
        return Check("Signed", "Not yet: a worker signs the first checkpoint")
    entries = plural(seal.report.entries - waiting, "entry", "entries")
    covered = f"{entries} under checkpoint {number(checkpoint.number)}"
    return Check("Signed", f"{covered}, {number(waiting)} not yet" if waiting else covered, checkpoint.signed_at)


def _kept(kept: KeptElsewhere | None, seal: LeadSeal) -> Check:
    if kept is None:
        if seal.state.database_is_elsewhere:
            return Check("Kept", "Database and checkpoints are on two machines. No checkpoint is kept elsewhere")
        return Check("Kept", "On this machine only, whose owner could replace all of it. Keep a checkpoint elsewhere")
    reach = "" if seal.is_kept_elsewhere else ", an older one that does not cover all of these entries"
    return Check("Kept elsewhere", f"{kept.place}{reach}", kept.at)


def _verified(last: LastVerification | None) -> Check:
    if last is None:
        return Check("Whole trail", "Not verified yet")
    found = "nothing wrong" if last.ok else plural(last.findings, "finding")
    return Check("Whole trail", f"Verified, {found}", last.finished_at)
