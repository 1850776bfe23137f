"""What is said of one action on many leads: in the bar under the table, and while the job runs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from console.wording import number, plural
from leads_core.jobs import queue
from leads_core.jobs.models import JobState
from leads_core.jobs.queue import JobRead
from leads_core.leads.bulk_actions import BulkAction


@dataclass(frozen=True, slots=True)
class BarAction:
    """A button of the bar: what the form sends, its word and its icon."""

    name: str
    label: str
    icon: str


#: In the order in which they stand in the bar. The bin has none of its own.
ACTIONS = (BarAction(BulkAction.ENRICH.value, "Enrich", "bolt"),)


@dataclass(frozen=True, slots=True)
class Words:
    """How an action is spoken of: as a heading while it runs and when it has ended, and each outcome."""

    running: str
    ended: str
    done: str
    outcomes: Mapping[str, tuple[str, str]]


WORDS = {
    BulkAction.ENRICH: Words(
        "Enriching",
        "Enrichment of",
        "started",
        {
            "started": ("Started", "each is looked up as its turn comes"),
            "running": ("Left alone", "being looked up already"),
            "erased": ("Not started", "the person was erased, and nobody looks them up again"),
            "gone": ("Not found", "in the bin, or not there any more"),
        },
    ),
    BulkAction.CANCEL_ENRICHMENT: Words(
        "Cancelling the enrichment of",
        "Enrichment cancelled for",
        "done",
        {
            "done": ("Cancelled", "the status from before is back"),
            "running": ("Left alone", "being looked up just now, or asked for again since"),
            "unchanged": ("Nothing to cancel", "nothing waits for it any more"),
            "gone": ("Not found", "not there any more"),
        },
    ),
}
STATES = {
    JobState.RUNNING.value: ("in_progress", "Running"),
    JobState.COMPLETED.value: ("completed", "Done"),
    JobState.FAILED.value: ("failed", "Stopped"),
    JobState.CANCELLED.value: ("nothing", "Cancelled"),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many leads came out this way, and what that means."""

    label: str
    number: int
    meaning: str


@dataclass(frozen=True, slots=True)
class Left:
    """A lead with which nothing was done, and why. One that is nowhere has no page."""

    id: UUID
    name: str
    why: str
    is_there: bool


class BulkView:
    """A bulk job in words. names are those of the leads that its result lists, as far as they have one.

    cancelling is the job that ends what this one began.
    """

    def __init__(self, job: JobRead, names: Mapping[UUID, str], cancelling: UUID | None = None) -> None:
        self.job = job
        self.cancelling = cancelling
        self._action = BulkAction(job.wanted["action"])
        self._words = WORDS[self._action]
        self._names = names
        result = job.result or {}
        self._counts: Mapping[str, int] = result.get("counts", {})
        self._rows = result.get("rows", [])

    @property
    def can_cancel(self) -> bool:
        """While it is not over; an enrichment of many also while some of it may wait."""
        if self.cancelling is not None or self.is_stopping:
            return False
        return not self.job.is_finished or (self._action is BulkAction.ENRICH and bool(self._counts.get("started")))

    @property
    def cancel_word(self) -> str:
        return "Cancel what still waits" if self.job.is_finished else "Cancel"

    @property
    def is_stopping(self) -> bool:
        """Somebody cancelled it, and its last batch is still at work."""
        return not self.job.is_finished and queue.STOP in self.job.wanted

    @property
    def title(self) -> str:
        """`Enriching 12 leads`, `Enrichment of 1 lead`."""
        return f"{self._words.ended if self.job.is_finished else self._words.running} {plural(self.total, 'lead')}"

    @property
    def total(self) -> int:
        return self.job.total or 0

    @property
    def state(self) -> tuple[str, str]:
        """The dot and its word."""
        if self.is_stopping:
            return ("in_progress", "Stopping")
        return STATES.get(self.job.state, ("pending", "Waiting for a worker"))

    @property
    def outcomes(self) -> list[Outcome]:
        """In one order, those that happened."""
        return [
            Outcome(label, self._counts[key], meaning)
            for key, (label, meaning) in self._words.outcomes.items()
            if self._counts.get(key)
        ]

    @property
    def left(self) -> list[Left]:
        """The first leads with which nothing was done."""
        return [
            Left(
                UUID(row["lead_id"]),
                self._names.get(UUID(row["lead_id"]), "A lead that is not there"),
                _sentence(self._words.outcomes[row["outcome"]][1]),
                UUID(row["lead_id"]) in self._names,
            )
            for row in self._rows
        ]

    @property
    def left_in_all(self) -> int:
        return sum(count for key, count in self._counts.items() if key != self._words.done)

    @property
    def sentence(self) -> str:
        """How it ended, in one line: `11 started, 1 was not.`"""
        done, left = self._counts.get(self._words.done, 0), self.left_in_all
        if not left:
            return f"All {self._words.done}." if done > 1 else f"It was {self._words.done}."
        return f"{number(done)} {self._words.done}, {number(left)} {'was' if left == 1 else 'were'} not."


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
