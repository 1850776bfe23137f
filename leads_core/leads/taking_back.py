"""What undoing an operation sets in one lead, reckoned from its entries alone. Pure: undoing_many locks and writes.

Per field: the value from before the operation comes back where the field still has the value that the operation left;
what anybody changed since is kept, and named by the entry that did. With a value comes its provenance of that time. A
lead that the operation created goes to the bin, unless a person edited it since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from leads_core.audit.models import Action
from leads_core.audit.operations import Step
from leads_core.leads import changing
from leads_core.leads.history import REVERTIBLE

#: Beside what people say of a lead: which lead it was merged into.
MERGED_INTO = "merged_into"
FIELDS = frozenset((*REVERTIBLE, MERGED_INTO))
Reason = Literal["changed", "edited", "merged", "erased", "identity", "no_identity", "owner", "refused", "unreadable"]
"""Why something was kept: changed since; edited, or merged with another, since, so that the lead does not go to the
bin or come back from it; a person or a value was erased; another lead has the email or domain; neither would be left;
the owner of that time is not here any more; today's rules refuse the value; the trail cannot be read."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What undoing left as it is. field is empty for the lead as a whole; of an erased part it is the part's name.

    entry is the later entry that is the reason, lead_id the other lead that is.
    """

    reason: Reason
    field: str = ""
    entry: UUID | None = None
    lead_id: UUID | None = None

    def document(self) -> dict[str, Any]:
        """As jobs keep it: ids alone, no value and no name."""
        return {
            "reason": self.reason,
            "field": self.field or None,
            "entry_id": str(self.entry) if self.entry else None,
            "existing_id": str(self.lead_id) if self.lead_id else None,
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Kept:
        entry, lead_id = kept["entry_id"], kept["existing_id"]
        return cls(
            kept["reason"], kept["field"] or "", UUID(entry) if entry else None, UUID(lead_id) if lead_id else None
        )


@dataclass(slots=True)
class TakingBack:
    """What is to be set, in the form in which entries hold values: field -> value, field -> source of the value.

    in_bin is where the lead shall be, None to leave it where it is.
    """

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, Any] = field(default_factory=dict)
    in_bin: bool | None = None
    kept: list[Kept] = field(default_factory=list)


@dataclass(slots=True)
class _Changes:
    """One field's changes, the oldest first: (the entry, old, new)."""

    steps: list[tuple[Step, Any, Any]] = field(default_factory=list)

    def run(self) -> tuple[int, int] | None:
        """Places of the operation's last changes in a row; None when it changed nothing here."""
        last = next((n for n in range(len(self.steps) - 1, -1, -1) if self.steps[n][0].is_mine), None)
        if last is None:
            return None
        first = last
        while first and self.steps[first - 1][0].is_mine:
            first -= 1
        return first, last


def take_back(now: Mapping[str, Any], *, is_deleted: bool, is_erased: bool, steps: Sequence[Step]) -> TakingBack:
    """steps: the lead's entries from the operation's first on. now: the lead as `audited_values` gives it."""
    back = TakingBack()
    if is_erased:
        back.kept.append(Kept("erased"))
        return back
    try:
        values, sources = _changes_of(steps)
    except (TypeError, ValueError, AttributeError, KeyError):
        back.kept.append(Kept("unreadable"))
        return back
    if any(step.is_mine and step.action == Action.CREATE for step in steps):
        _bin_unless_edited(back, now, is_deleted, steps, values)
        return back
    back.kept += [Kept("erased", part) for part in _erased_parts(steps)]
    for name in (name for name in (*REVERTIBLE, MERGED_INTO) if name in values):
        _take_back_value(back, now, name, values[name], sources.get(name))
    for name in (name for name in REVERTIBLE if name in sources and name not in values):
        _take_back_source(back, now, name, sources[name])
    _move(back, now, is_deleted, steps)
    return back


def _changes_of(steps: Sequence[Step]) -> tuple[dict[str, _Changes], dict[str, _Changes]]:
    """Field -> the changes of its value, and of its source."""
    values: dict[str, _Changes] = {}
    sources: dict[str, _Changes] = {}
    for step in steps:
        for part, content in step.parts.items():
            if part == "origin" or isinstance(content, str):
                continue
            for name, (old, new) in content[1].items():
                if name == "provenance":
                    was, becomes = old or {}, new or {}
                    for each in sorted({*was, *becomes}):
                        if was.get(each) != becomes.get(each):
                            sources.setdefault(each, _Changes()).steps.append((step, was.get(each), becomes.get(each)))
                elif name in FIELDS:
                    values.setdefault(name, _Changes()).steps.append((step, _plain(name, old), _plain(name, new)))
    return values, sources


def _erased_parts(steps: Iterable[Step]) -> list[str]:
    return sorted(
        {
            part
            for step in steps
            if step.is_mine
            for part, content in step.parts.items()
            if part != "origin" and isinstance(content, str)
        }
    )


def _take_back_value(
    back: TakingBack, now: Mapping[str, Any], name: str, changes: _Changes, sources: _Changes | None
) -> None:
    run = changes.run()
    if run is None:
        return
    first, last = run
    step, before, _ = changes.steps[first]
    left, stands = changes.steps[last][2], _plain(name, now.get(name))
    if stands == before:
        return
    if stands != left:
        later = changes.steps[last + 1 :]
        back.kept.append(Kept("changed", name, later[-1][0].id) if later else Kept("unreadable", name))
        return
    back.values[name] = before
    if before in (None, []) and changes.steps[last][0].action == Action.ENRICH and name in changing.FILLABLE:
        # Whoever takes back what a machine found does not want it found again.
        back.sources[name] = changing.BY_A_PERSON
        return
    # How the source stood then: as the first change of it from there on has it, else as it stands.
    since = [was for at, was, _ in sources.steps if at.seq >= step.seq] if sources else []
    back.sources[name] = since[0] if since else (now.get("provenance") or {}).get(name)


def _take_back_source(back: TakingBack, now: Mapping[str, Any], name: str, changes: _Changes) -> None:
    """Of a value that the operation left alone."""
    if (run := changes.run()) is None:
        return
    before, left = changes.steps[run[0]][1], changes.steps[run[1]][2]
    if (now.get("provenance") or {}).get(name) == left:
        back.sources[name] = before


def _bin_unless_edited(
    back: TakingBack,
    now: Mapping[str, Any],
    is_deleted: bool,
    steps: Sequence[Step],
    values: Mapping[str, _Changes],
) -> None:
    if is_deleted:
        return
    if merge := next((step for step in reversed(steps) if step.action == Action.MERGE and not step.is_mine), None):
        back.kept.append(Kept("merged", entry=merge.id))
    for name in (name for name in REVERTIBLE if name in values):
        changes = values[name].steps
        mine = [new for step, _, new in changes if step.is_mine]
        left = mine[-1] if mine else changes[0][1]
        by = changes[-1][0]
        if not by.is_mine and by.action != Action.ENRICH and _plain(name, now.get(name)) != left:
            back.kept.append(Kept("edited", name, by.id))
    if not back.kept:
        back.in_bin = True


def _move(back: TakingBack, now: Mapping[str, Any], is_deleted: bool, steps: Sequence[Step]) -> None:
    """Into the bin or out of it."""
    moves = _Changes([(step, not to, to) for step in steps if (to := _moves_to_bin(step)) is not None])
    if (run := moves.run()) is None or (before := moves.steps[run[0]][1]) == is_deleted:
        return
    if is_deleted and now.get(MERGED_INTO) is not None and MERGED_INTO not in back.values:
        back.kept = [kept for kept in back.kept if kept.field != MERGED_INTO]
        back.kept.append(Kept("merged", entry=moves.steps[-1][0].id))
        return
    back.in_bin = before


def _moves_to_bin(step: Step) -> bool | None:
    """Whether an entry moved its lead into the bin, or out; None for neither."""
    if step.action in {Action.DELETE, Action.RESTORE}:
        return step.action == Action.DELETE
    if step.action == Action.MERGE:
        for part, content in step.parts.items():
            if part != "origin" and not isinstance(content, str) and MERGED_INTO in content[1]:
                return True
    return None


def _plain(name: str, value: Any) -> Any:
    return [] if value is None and name == "tags" else value
