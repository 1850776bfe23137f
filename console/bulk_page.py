"""What is said of one action on many leads: in the bar under the table, and while the job runs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from console import bulk_wording
from console.bulk_wording import WORDS, outcomes_of, why
from console.job_wording import state_of
from console.wording import number
from leads_core.jobs.models import JobState
from leads_core.jobs.queue import JobRead
from leads_core.leads.bulk_actions import Asked, BulkAction
from leads_core.leads.bulk_items import WELL
from leads_core.leads.bulk_results import ResultRow

CALLED = {JobState.CANCELLED.value: "Cancelled"}
#: So many leads stand on one page of a job.
SHOWN = 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many leads came out this way, what that means, and where they are shown."""

    key: str
    label: str
    number: int
    meaning: str
    url: str


@dataclass(frozen=True, slots=True)
class Line:
    """A lead with what became of it. One that is nowhere has no page."""

    id: UUID
    name: str
    said: str
    is_there: bool


class BulkView:
    """A bulk job in words. rows are leads of the outcome that is shown, one more than SHOWN where more follow.

    cancelling is the job that ends what this one began.
    """

    def __init__(
        self,
        job: JobRead,
        *,
        cancelling: UUID | None = None,
        outcome: str | None = None,
        rows: Sequence[ResultRow] = (),
    ) -> None:
        self.job = job
        self.cancelling = cancelling
        self.shown = outcome
        self._rows = rows[:SHOWN]
        self._more = len(rows) > SHOWN
        self._asked = Asked.of(job.wanted)
        self._words = WORDS[self._asked.action]
        self._counts: Mapping[str, int] = (job.result or {}).get("counts", {})

    @property
    def title(self) -> str:
        """`Enriching 12 leads`, `Stage set to Won on 11 of 12 leads`."""
        done = self._well if self.job.is_finished else None
        return bulk_wording.heading(self._asked, total=self.total, done=done)

    @property
    def total(self) -> int:
        return self.job.total or 0

    @property
    def state(self) -> tuple[str, str]:
        """The dot and its word."""
        return state_of(self.job, CALLED)

    @property
    def can_cancel(self) -> bool:
        """While it is not over; an enrichment of many also while some of it may wait."""
        if self.cancelling is not None or self.job.is_stopping:
            return False
        return not self.job.is_finished or (self._asked.action is BulkAction.ENRICH and self._well > 0)

    @property
    def cancel_word(self) -> str:
        return "Cancel what still waits" if self.job.is_finished else "Cancel"

    @property
    def can_undo(self) -> bool:
        """Leads were changed, by what an undo puts back."""
        begins = {BulkAction.ENRICH, BulkAction.CANCEL_ENRICHMENT}
        return self.job.is_finished and self._asked.action not in begins and self._well > 0

    @property
    def outcomes(self) -> list[Outcome]:
        """In one order, those that happened."""
        return [
            Outcome(key, label, self._counts[key], meaning, self._url(outcome=key))
            for key, (label, meaning) in outcomes_of(self._asked.action).items()
            if self._counts.get(key)
        ]

    @property
    def lines(self) -> list[Line]:
        """The leads of the outcome that is shown."""
        return [
            Line(
                row.lead_id,
                (row.lead.name or "Erased lead") if row.lead else "A lead that is not there",
                why(self._asked, row),
                row.lead is not None,
            )
            for row in self._rows
        ]

    @property
    def shown_label(self) -> str:
        return outcomes_of(self._asked.action)[self.shown][0] if self.shown else ""

    @property
    def next_url(self) -> str | None:
        """The next leads of this outcome."""
        if not self._more or self.shown is None:
            return None
        return self._url(outcome=self.shown, after=str(self._rows[-1].place))

    @property
    def left(self) -> int:
        """How many came out otherwise than asked, those that were so already not among them."""
        return sum(count for key, count in self._counts.items() if key not in {*WELL, "unchanged"})

    @property
    def see_left(self) -> str:
        """`See the 6`, and where."""
        return f"See the {number(self.left)}"

    @property
    def is_clean(self) -> bool:
        """Over, and nothing to look at."""
        return self.job.state == JobState.COMPLETED and not self.left

    @property
    def sentence(self) -> str:
        """How it ended, in one line: `All started.` `11 done, 1 was not.`"""
        done, so_already, left = self._well, self._counts.get("unchanged", 0), self.left
        if self.job.state == JobState.CANCELLED:
            return f"Cancelled: {number(done)} {self._words.done}, the rest was not begun."
        if not left and not so_already:
            return f"All {self._words.done}." if done > 1 else f"It was {self._words.done}."
        said = [f"{number(done)} {self._words.done}"]
        if so_already:
            said.append(f"{number(so_already)} {'was' if so_already == 1 else 'were'} so already")
        if left:
            said.append(f"{number(left)} {'was' if left == 1 else 'were'} not")
        return f"{', '.join(said)}."

    @property
    def csv_url(self) -> str:
        return f"/jobs/{self.job.id}/rows.csv"

    @property
    def _well(self) -> int:
        return sum(self._counts.get(key, 0) for key in WELL)

    def _url(self, **given: str) -> str:
        return f"/jobs/{self.job.id}?{urlencode(given)}"


def outcome_to_show(job: JobRead, wanted: str | None) -> str | None:
    """The outcome that was asked for, else the first that is neither a success nor nothing new; None for neither."""
    counts = (job.result or {}).get("counts", {})
    known = outcomes_of(BulkAction(job.wanted["action"]))
    if wanted is not None:
        return wanted if wanted in known else None
    return next((key for key in known if counts.get(key) and key not in {*WELL, "unchanged"}), None)
