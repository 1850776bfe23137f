"""One action on many leads in words: as a heading while it runs and when it has ended, and each outcome. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from console.trail_wording import fields_in_words
from console.wording import STAGES, day, field_in_sentence, plural, value_in_words
from leads_core.leads.bulk_actions import Asked, BulkAction
from leads_core.leads.bulk_results import ResultRow


@dataclass(frozen=True, slots=True)
class Words:
    """How an action is spoken of; {leads} and {value} are put in."""

    running: str
    ended: str
    done: str = "done"
    outcomes: Mapping[str, tuple[str, str]] | None = None


IN_THE_BIN = "in the bin, or not there any more"
#: In the order in which they are told.
OUTCOMES: Mapping[str, tuple[str, str]] = {
    "done": ("Done", "as asked"),
    "unchanged": ("Unchanged", "it was so already"),
    "conflict": ("Conflict", "somebody else changed it meanwhile, and their word stays"),
    "taken": ("Address taken", "another lead has its email or domain by now"),
    "too_many_tags": ("Refused", "a lead has at most 50 tags"),
    "no_owner": ("Refused", "the owner is not here any more"),
    "gone": ("Not found", IN_THE_BIN),
}
ENRICHED: Mapping[str, tuple[str, str]] = {
    "started": ("Started", "each is looked up as its turn comes"),
    "running": ("Left alone", "being looked up already"),
    "erased": ("Not started", "the person was erased, and nobody looks them up again"),
    "gone": ("Not found", IN_THE_BIN),
}
CANCELLED: Mapping[str, tuple[str, str]] = {
    "done": ("Cancelled", "the status from before is back"),
    "running": ("Left alone", "being looked up just now, or asked for again since"),
    "unchanged": ("Nothing to cancel", "nothing waits for it any more"),
    "gone": ("Not found", "not there any more"),
}
RESTORED = {**OUTCOMES, "unchanged": ("Unchanged", "not in the bin"), "gone": ("Not found", "not there any more")}
WORDS: Mapping[BulkAction, Words] = {
    BulkAction.SET_STAGE: Words("Setting the stage of {leads} to {value}", "Stage set to {value} on {leads}"),
    BulkAction.SET_OWNER: Words("Setting the owner of {leads}", "Owner set on {leads}"),
    BulkAction.ADD_TAGS: Words("Adding {value} to {leads}", "{value} added to {leads}"),
    BulkAction.REMOVE_TAGS: Words("Removing {value} from {leads}", "{value} removed from {leads}"),
    BulkAction.SET_FOLLOW_UP: Words("Setting the follow-up of {leads}", "Follow-up {value} on {leads}"),
    BulkAction.DELETE: Words("Moving {leads} to the bin", "{leads} moved to the bin"),
    BulkAction.RESTORE: Words("Restoring {leads}", "{leads} restored", outcomes=RESTORED),
    BulkAction.ENRICH: Words("Enriching {leads}", "Enrichment of {leads}", "started", ENRICHED),
    BulkAction.CANCEL_ENRICHMENT: Words(
        "Cancelling the enrichment of {leads}", "Enrichment of {leads} cancelled", "cancelled", CANCELLED
    ),
}


def outcomes_of(action: BulkAction) -> Mapping[str, tuple[str, str]]:
    """Outcome -> its label, and what it means."""
    return WORDS[action].outcomes or OUTCOMES


def value_said(asked: Asked) -> str:
    """What is set, inside a sentence: Won, “vip” and “fair”, set to 24 Nov."""
    match asked.action:
        case BulkAction.SET_STAGE:
            return STAGES[asked.value]
        case BulkAction.ADD_TAGS | BulkAction.REMOVE_TAGS:
            quoted = [f"“{tag}”" for tag in asked.value]
            return quoted[0] if len(quoted) == 1 else f"{len(quoted)} tags"
        case BulkAction.SET_FOLLOW_UP:
            return f"set to {day(asked.value)}" if asked.value else "cleared"
    return ""


def heading(asked: Asked, *, total: int, done: int | None) -> str:
    """`Setting the stage of 12 leads to Won`; with done, when it has ended: `Stage set to Won on 11 of 12 leads`."""
    words = WORDS[asked.action]
    if done is None:
        return _capitalised(words.running.format(leads=plural(total, "lead"), value=value_said(asked)))
    counts_all = asked.action is BulkAction.ENRICH or done == total
    leads = plural(total, "lead") if counts_all else f"{done:,} of {plural(total, 'lead')}"
    return _capitalised(words.ended.format(leads=leads, value=value_said(asked)))


def why(asked: Asked, row: ResultRow) -> str:
    """What stood in the way of one lead, as a sentence."""
    if row.behind is not None:
        return f"{_who(row)} {_what(asked, row.behind.action, row.behind.new_values)}."
    if row.other is not None:
        where = " (in the bin)" if row.other.in_bin else ""
        return f"{row.other.name or 'Another lead'}{where} has its address by now."
    return f"{_capitalised(outcomes_of(asked.action)[row.outcome][1])}."


def _who(row: ResultRow) -> str:
    behind = row.behind
    assert behind is not None  # noqa: S101 - the caller has looked
    if behind.name is None:
        return "Somebody whose name was erased"
    return f"The token {behind.name}" if behind.actor_kind == "token" else behind.name


def _what(asked: Asked, action: str, new: Mapping[str, Any]) -> str:
    if action == "RESTORE":
        return "restored it"
    if action == "DELETE":
        return "moved it to the bin"
    if asked.action in {BulkAction.SET_STAGE, BulkAction.SET_FOLLOW_UP}:
        value = new.get(asked.field)
        value = day(date.fromisoformat(value)) if value and asked.field == "follow_up_on" else value
        value = value_in_words(asked.field, value)
        return f"set it to {value}" if value else "cleared it"
    if asked.field:
        return f"changed its {field_in_sentence(asked.field)}"
    return f"changed {fields_in_words(sorted(new)) if new else 'it'}"


def _capitalised(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"
