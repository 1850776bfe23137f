"""The same trouble reads the same, whoever it happened to."""

from __future__ import annotations

import pytest

from leads_core.enrichment.reasons import UNKNOWN, reason_of


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("acme.com does not exist.", "The domain does not exist."),
        ("acme.com does not allow automated reading.", "The site does not allow automated reading."),
        ("www.acme.co.uk did not answer in 2.5 s.", "The site did not answer in 2.5 s."),
        ("10.0.0.1 is not reached: it is private.", "The site is not reached: it is private."),
        (
            "The name server could not answer for münchen.de (SERVFAIL).",
            "The name server could not answer for the site (SERVFAIL).",
        ),
        ("a.com could not be shown.; b.com could not be shown.", "The site could not be shown."),
        (
            "Website is paused until 14:31 UTC, after 5 failures: No name server answered.",
            "Website is paused for a while, after several failures: No name server answered.",
        ),
        ("No name server answered.", "No name server answered."),
        ("", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_a_reason_names_nobody(error: str | None, reason: str) -> None:
    assert reason_of(error) == reason


def test_a_reason_is_its_own_reason() -> None:
    once = reason_of("acme.com does not exist.; Dns did not answer in 25 s")

    assert reason_of(once) == once
