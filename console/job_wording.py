"""How a job stands: its dot and the word beside it."""

from __future__ import annotations

from collections.abc import Mapping

from leads_core.jobs.models import JobState
from leads_core.jobs.queue import JobRead

WAITING = ("pending", "Waiting for a worker")
STOPPING = ("in_progress", "Stopping")
STATES = {
    JobState.RUNNING.value: ("in_progress", "Running"),
    JobState.COMPLETED.value: ("completed", "Done"),
    JobState.FAILED.value: ("failed", "Stopped"),
    JobState.CANCELLED.value: ("nothing", "Stopped"),
}


def state_of(job: JobRead, words: Mapping[str, str] | None = None) -> tuple[str, str]:
    """The state of the dot, and its word; words: what some states are called in this kind of job."""
    if job.is_stopping:
        return STOPPING
    dot, word = STATES.get(job.state, WAITING)
    return dot, (words or {}).get(job.state, word)
