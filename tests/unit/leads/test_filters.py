"""Filters are read from an address into values, strictly: a mistyped one must not widen a list."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from leads_core.errors import Invalid
from leads_core.leads import facets
from leads_core.leads.filters import Choice, LeadFilter, Range
from leads_core.leads.ordering import Sort

ME = UUID("0193f5a0-0000-7000-8000-00000000000a")


def test_a_filter_given_twice_means_any_of_and_an_exclamation_mark_means_not() -> None:
    found = LeadFilter.from_query({"stage": ["won", "lost"], "tag": ["vip", "!cold", "!Old one"]})

    assert found.stage == Choice(("won", "lost"))
    assert found.tag == Choice(("vip",), ("cold", "Old one"))


def test_owner_takes_me_none_and_an_id() -> None:
    assert LeadFilter.from_query({"owner": ["me", "none", "!" + str(ME)]}, me=ME).owner == Choice((ME, None), (ME,))


def test_values_are_normalised_before_they_are_compared() -> None:
    found = LeadFilter.from_query({"domain": "https://www.Acme.com/about", "country": "germany", "q": "  É  "})

    assert (found.domain, found.country) == (Choice(("acme.com",)), Choice(("DE",)))
    assert found.pattern == "e"


def test_a_day_is_included_whole_and_a_timestamp_to_its_instant() -> None:
    found = LeadFilter.from_query(
        {
            "created_from": "2026-11-24",
            "created_to": "2026-11-24",
            "updated_to": "2026-11-24T10:00:00+02:00",
            "follow_up_to": "2026-11-24",
        }
    )

    assert found.created == Range(datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC))
    assert found.updated == Range(None, datetime(2026, 11, 24, 8, 0, 0, 1, tzinfo=UTC))
    assert found.follow_up == Range(None, date(2026, 11, 25))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stage", "wonn"),
        ("stage", ""),
        ("is_manual", "yes"),
        ("enrichment_outcome", "completed"),
        ("owner", "ana"),
        ("owner", "me"),
        ("domain", "nothing"),
        ("country", "XX"),
        ("tag", " "),
        ("tag", "a\x00b"),
        ("q", "\ud800"),
        ("q", "x" * 201),
        ("created_from", "soon"),
        ("created_to", "9999-12-31"),
        ("follow_up_from", "2026-11-24T10:00:00Z"),
        ("deleted", "!true"),
        ("follow_up", "2026-11-24"),
        ("updated_by", "none"),
        ("colour", "red"),
    ],
)
def test_what_no_lead_can_have_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        LeadFilter.from_query({name: value})

    assert [error.field for error in refused.value.errors] == [f"query.{name}"]


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        LeadFilter.from_query({"stage": "x", "created_from": ["2026-01-01", "2026-01-02"], "colour": "red"})

    assert {error.field for error in refused.value.errors} == {"query.stage", "query.created_from", "query.colour"}


def test_a_page_passes_over_unknown_names_and_empty_values() -> None:
    assert LeadFilter.from_query({"colour": "red", "stage": "", "q": " "}, lenient=True) == LeadFilter()


def test_paging_parameters_are_no_filters() -> None:
    assert LeadFilter.from_query({"limit": "5", "cursor": "x", "sort": "email", "total": "none"}) == LeadFilter()


@pytest.mark.parametrize(("text", "short"), [("ab", True), ("a-b.c", True), ("abc", False), ("a-123", False)])
def test_a_search_needs_three_letters_in_a_row(text: str, short: bool) -> None:
    assert LeadFilter.from_query({"q": text}).is_short_search is short


@given(some.dictionaries(some.text(max_size=12), some.text(max_size=30), max_size=4))
def test_whatever_is_typed_is_read_or_refused(parameters: dict[str, str]) -> None:
    with contextlib.suppress(Invalid):
        assert len(LeadFilter.from_query(parameters).digest()) == 64


@pytest.mark.parametrize("text", ["name", "--email", "deleted_at", "", "-"])
def test_an_unknown_order_is_refused_and_the_bins_own_outside_it(text: str) -> None:
    with pytest.raises(Invalid, match=r"query\.sort"):
        Sort.parse(text)


def test_an_order_reads_back_as_it_is_written() -> None:
    assert [str(Sort.parse(text)) for text in ("-created_at", "email")] == ["-created_at", "email"]
    assert (Sort.parse(None), Sort.parse(None, in_bin=True)) == (Sort("created_at"), Sort("deleted_at"))


CODES = some.fixed_dictionaries(
    {
        "has_email": some.booleans(),
        "source": some.sampled_from(facets.SOURCES),
        "status": some.sampled_from(facets.STATUSES),
        "stage": some.sampled_from(facets.STAGES),
        "is_manual": some.booleans(),
    }
)


@given(CODES)
def test_a_code_stands_for_one_combination(facts: dict[str, object]) -> None:
    assert facets.decode(facets.encode(**facts)) == facts  # type: ignore[arg-type]


@given(CODES, CODES)
def test_the_codes_of_a_filter_are_those_that_match_it(facts: dict[str, object], other: dict[str, object]) -> None:
    allowed = {
        name: frozenset({part.values.index(facts[name]), part.values.index(other[name])})
        for name, part in list(facets.DIMENSIONS.items())[1:4]
    }

    everything = facets.codes_for({})
    assert facets.codes_for(allowed) == [code for code in everything if facets.matches(code, allowed)]
    assert len(everything) == len(set(everything)) == 480
