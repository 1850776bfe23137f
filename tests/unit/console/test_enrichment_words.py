"""How long, when again, and how an enrichment stands, as people read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from console import wording
from leads_core.enrichment.queue_watch import JobNow

NOW = datetime(2026, 11, 24, 14, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.44, "0.4 s"), (3.0, "3 s"), (9.96, "10 s"), (48, "48 s"), (300, "5 min"), (10_800, "3 h"), (259_200, "3 days")],
)
def test_a_duration_has_one_unit(seconds: float, words: str) -> None:
    assert wording.duration(seconds).replace(wording.NBSP, " ") == words


@pytest.mark.parametrize(("value", "words"), [(None, ""), (0, "0.01 s"), (40, "0.04 s"), (1640, "1.6 s")])
def test_a_time_that_was_measured_is_never_nothing(value: int | None, words: str) -> None:
    assert wording.milliseconds(value).replace(wording.NBSP, " ") == words


def job(state: str, *, age: float = 0, error: str | None = None, due: float | None = None) -> JobNow:
    next_at = None if due is None else NOW + timedelta(seconds=due)
    return JobNow(state, 1, NOW - timedelta(seconds=age), next_at, error)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (job("queued", age=2), ("in_progress", "In progress", "")),
        (job("queued", age=60), ("pending", "Waiting", "for its turn")),
        (job("running", age=60), ("in_progress", "In progress", "")),
        (
            job("retrying", error="dns: acme.com did not answer in 10 s.", due=48),
            ("retrying", "Tries again", "DNS: acme.com did not answer in 10 s. Next try in 48 s."),
        ),
        (job("retrying", due=-1), ("retrying", "Tries again", "It did not work. Next try now.")),
    ],
)
def test_what_is_in_progress_says_whether_it_waits_or_is_tried_again(now: JobNow, words: tuple[str, str, str]) -> None:
    state = wording.enrichment_state("in_progress", None, None, now, NOW)

    assert (state.key, state.word, state.detail.replace(wording.NBSP, " ")) == words
