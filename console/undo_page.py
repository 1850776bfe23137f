"""What pages say of undo: the toast after a change, the offer beside an entry, the state of an undo that runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from console.job_wording import state_of
from console.trail_page import ShownEntry
from console.undo_wording import done_in_words, undone_in_words
from console.wording import number, plural
from leads_core import context
from leads_core.audit import queries as trail
from leads_core.audit.queries import EntryRead
from leads_core.database import Database
from leads_core.jobs.models import JobState
from leads_core.jobs.queue import JobRead
from leads_core.leads.schemas import LeadRead
from leads_core.undoing import UndoneNow, standing

#: The newest entries of a lead beside which undo is offered.
OFFERED = 2
#: What undoing has nothing to do with.
NEVER = frozenset({"ERASE", "DISMISS"})
#: What an undo makes of the job that it is about; otherwise it is being undone.
BECOMES = {
    JobState.COMPLETED.value: ("nothing", "Undone"),
    JobState.FAILED.value: ("failed", "Undone in part"),
    JobState.CANCELLED.value: ("nothing", "Undone in part"),
}
OUTCOMES = {
    "put_back": ("Put back", "values as they were before"),
    "to_bin": ("To the bin", "leads that had been added"),
    "restored": ("From the bin", "leads that had been moved there"),
    "same": ("As before", "nothing to put back"),
    "kept": ("Kept", "changed since, or not to be put back"),
}
UNDO, REDO = "Undo", "Redo"


def of_this_request() -> dict[str, str]:
    """What undoes everything that the request at hand changes: the `undo` of a toast."""
    return {"request_id": context.current().request_id}


async def done_just_now(lead: LeadRead, database: Database) -> dict[str, Any] | None:
    """The toast for what this request has done to the lead; None when it changed nothing that can be undone."""
    async with database.reader() as reader:
        entry = await trail.entry_at(reader, lead.id, lead.version, with_origin=False)
    if entry is None or entry.request_id != context.current().request_id or entry.task_id is not None:
        return None
    said = done_in_words(entry, lead.name)
    return {"text": said, "undo": of_this_request()} if said else None


def added_toast(names: Sequence[str]) -> dict[str, Any]:
    """What Quick-Add has added, with the way back."""
    said = f"{names[0]} added." if len(names) == 1 else f"{plural(len(names), 'lead')} added."
    return {"text": said, "undo": of_this_request()}


def undone_toast(result: UndoneNow, viewer_id: UUID | None) -> dict[str, Any]:
    """What came of an undo, with the way to undo that."""
    toast: dict[str, Any] = {"text": undone_in_words(result, viewer_id)}
    return {**toast, "undo": of_this_request(), "word": REDO} if result.changed else toast


def begun_toast(job: JobRead) -> dict[str, Any]:
    return {"text": "Undo runs. You can go on working.", "link": {"href": f"/undo/{job.id}", "text": "Watch it"}}


@dataclass(frozen=True, slots=True)
class Offer:
    """Undo beside an entry of a lead: of what is given at once, of a job (an import's leads are many) after a look."""

    given: Mapping[str, str] | None
    ask: str


def offers_beside(shown: Sequence[ShownEntry], entries: Sequence[EntryRead]) -> Mapping[int, Offer]:
    """Number of the entry -> what is offered; of the newest entries of a trail that is shown from its newest on."""
    found: dict[int, Offer] = {}
    for entry in entries[: min(OFFERED, len(shown))]:
        if entry.seq is not None and can_be_undone(entry):
            of_this_lead = not entry.task_id or entry.action == "ENRICH"
            found[entry.seq] = Offer(_given(entry) if of_this_lead else None, ask_address(entry))
    return found


def ask_address(entry: EntryRead) -> str:
    """The page that says what an undo of the entry's whole request or job would be about."""
    return f"/undo?{urlencode(_given(entry))}"


def _given(entry: EntryRead) -> dict[str, str]:
    return {"task_id": str(entry.task_id)} if entry.task_id else {"request_id": entry.request_id or ""}


def can_be_undone(entry: EntryRead) -> bool:
    """Whether it changed what undo puts back: nothing erased, nothing that a machine keeps for itself."""
    if entry.subject_kind != "lead" or entry.seq is None or entry.action in NEVER:
        return False
    return entry.action != "ENRICH" or any(not name.startswith("enrich") for name in entry.new_values)


async def undos_of(database: Database, jobs: Iterable[JobRead]) -> Mapping[UUID, UndoView]:
    """Of these jobs, those that are undone, each with its undo."""
    found = await standing(database, [job.id for job in jobs])
    return {job_id: UndoView(undo) for job_id, undo in found.items()}


class UndoView:
    """An undo job in words."""

    def __init__(self, job: JobRead) -> None:
        self.job = job
        self._counts: Mapping[str, int] = (job.result or {}).get("counts", {})

    @property
    def title(self) -> str:
        if self.job.total is None:
            return "Undo"
        whole = plural(self.job.total, "lead")
        if not self.job.is_finished:
            return f"Undoing {whole}"
        return f"Undo of {number(self.job.done)} of {whole}" if self.left else f"Undo of {whole}"

    @property
    def state(self) -> tuple[str, str]:
        """The dot and its word."""
        return state_of(self.job)

    @property
    def becomes(self) -> tuple[str, str]:
        """The dot and the word of the job that it undoes."""
        return BECOMES.get(self.job.state, ("in_progress", "Being undone"))

    @property
    def by(self) -> str:
        return self.job.origin.get("actor_name") or "unknown"

    @property
    def left(self) -> int:
        """Leads that are not begun."""
        return (self.job.total or 0) - self.job.done

    @property
    def can_go_on(self) -> bool:
        """Ended before all was put back: undoing the same again does the rest."""
        return self.job.state in {JobState.FAILED, JobState.CANCELLED} and (not self.job.total or self.left > 0)

    @property
    def outcomes(self) -> Iterable[tuple[str, str, str]]:
        """Label, number, meaning of each that happened."""
        return [
            (label, number(self._counts[key]), meaning)
            for key, (label, meaning) in OUTCOMES.items()
            if self._counts.get(key)
        ]

    @property
    def kept(self) -> int:
        return self._counts.get("kept_of", 0)

    @property
    def changed(self) -> int:
        return sum(self._counts.get(key, 0) for key in ("put_back", "to_bin", "restored"))
