"""The address of a lead's trail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.trail_page import TrailAddress
from console.wording import agent_in_words, ago
from leads_core.audit.queries import TrailFilter

NOW = datetime(2026, 11, 24, 14, 31, tzinfo=UTC)
LEAD = UUID("0193f5a0-0000-7000-8000-000000000001")
ROSA = UUID("0193f5a0-0000-7000-8000-000000000002")
ALL = (("actor", str(ROSA)), ("actor", "enrichment"), ("action", "UPDATE"), ("field", "city"), ("at", "3"))


def test_an_address_is_read_as_it_is_written() -> None:
    address = TrailAddress.read(LEAD, [*ALL, ("before", str(ROSA))])

    assert address.only == TrailFilter((ROSA,), True, ("UPDATE",), ("city",))
    assert (address.at, address.before) == (3, ROSA)
    assert address.url == (f"/leads/{LEAD}?at=3&actor={ROSA}&actor=enrichment&action=UPDATE&field=city&before={ROSA}")


def test_a_chip_takes_away_its_filter_and_begins_with_the_newest_entry() -> None:
    address = TrailAddress.read(LEAD, [*ALL, ("before", str(ROSA))])

    assert address.without("enrichment") == f"/leads/{LEAD}?at=3&actor={ROSA}&action=UPDATE&field=city"
    assert address.unfiltered == f"/leads/{LEAD}?at=3"
    assert address.standing_at(1).startswith(f"/leads/{LEAD}?at=1&")


@given(
    st.lists(
        st.tuples(st.sampled_from(["actor", "action", "field", "before", "at", "other"]), st.text(max_size=40)),
        max_size=8,
    )
)
def test_whatever_stands_in_an_address_is_read_or_passed_over(pairs: list[tuple[str, str]]) -> None:
    address = TrailAddress.read(LEAD, pairs)

    assert TrailAddress.read(LEAD, _query(address.url)) == address


def _query(url: str) -> list[tuple[str, str]]:
    pairs = url.partition("?")[2]
    return [(name, value) for name, _, value in (pair.partition("=") for pair in pairs.split("&") if pair)]


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140"),
        ("Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36", "Chrome 150"),
        ("Mozilla/5.0 AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36 Edg/150.0", "Edge 150"),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/26.1 Safari/605.1.15", "Safari 26"),
        ("curl/8.5.0", "curl 8.5.0"),
        ("leads/0.4.0", "leads 0.4.0"),
        ("a robot of our own, without any number at all", "a robot of our own, without an"),
        ("", ""),
        ("odd/", "odd/"),
    ],
)
def test_browsers_and_scripts_go_by_their_names(agent: str, words: str) -> None:
    assert agent_in_words(agent) == words


def test_within_the_hour_a_history_counts_the_minutes() -> None:
    said = [ago(NOW - timedelta(seconds=seconds), NOW) for seconds in (5, 61, 59 * 60, 60 * 60)]

    assert said == ["just now", "1 minute ago", "59 minutes ago", "13:31 UTC"]
