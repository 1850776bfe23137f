"""Machine values in human words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from console import wording
from leads_core.audit.record.entry import PART_OF
from leads_core.enrichment.providers.dns import DMARC_POLICIES, SPF_ENDS, Dns
from leads_core.enrichment.providers.email import Email, kind_of
from leads_core.enrichment.providers.website import Website
from leads_core.leads.schemas import EnrichmentOutcome, EnrichmentStatus, Source, Stage

NOW = datetime(2026, 11, 24, 14, 31, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (NOW - timedelta(seconds=3), "just now"),
        (NOW - timedelta(minutes=10), "14:21 UTC"),
        (datetime(2026, 11, 23, 23, 59, tzinfo=UTC), "Yesterday"),
        (datetime(2026, 11, 21, 9, tzinfo=UTC), "21 Nov"),
        (datetime(2025, 11, 21, 9, tzinfo=UTC), "21 Nov 2025"),
    ],
)
def test_short_times_read_as_people_say_them(at: datetime, words: str) -> None:
    assert wording.short_time(at, NOW) == words


def test_exact_times_keep_the_minute_on_every_day() -> None:
    assert wording.exact_time(datetime(2026, 11, 23, 9, 5, tzinfo=UTC), NOW) == "Yesterday, 09:05 UTC"
    assert wording.exact_time(NOW - timedelta(hours=1), NOW) == "13:31 UTC"


def test_a_clock_slightly_ahead_is_not_called_yesterday() -> None:
    assert wording.short_time(NOW + timedelta(seconds=2), NOW) == "14:31 UTC"


@pytest.mark.parametrize(
    ("value", "relation", "words"),
    [
        (1284, "exact", "1,284"),
        (10_000, "at_least", "At least 10,000"),
        (3_412_000, "about", "About 3.4 million"),
        (5_000_000, "about", "About 5 million"),
        (12_345, "about", "About 12,000"),
        (7, "about", "About 7"),
    ],
)
def test_totals_say_how_sure_they_are(value: int, relation: str, words: str) -> None:
    assert wording.total_in_words(value, relation) == words


@pytest.mark.parametrize(("value", "words"), [(37, "37"), (99_999, "99,999"), (412_345, "412 k"), (5_100_000, "5.1 M")])
def test_narrow_numbers_are_short(value: int, words: str) -> None:
    assert wording.short_number(value).replace(wording.NBSP, " ") == words


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("stage", "won", "Won"),
        ("country", "DK", "Denmark"),
        ("country", "XX", "XX"),
        ("is_manual", True, "Yes"),
        ("is_manual", False, "No"),
        ("tags", ["a", "b"], "a, b"),
        ("tags", [], ""),
        ("employee_count", 12000, "12,000"),
        ("follow_up_on", "2026-12-01", "1 Dec 2026"),
        ("follow_up_on", date(2026, 12, 1), "1 Dec 2026"),
        ("enriched_at", "2026-11-24T14:31:40.000001Z", "24 Nov 2026, 14:31:40 UTC"),
        ("notes", "2026-11-24", "2026-11-24"),
        ("phone", None, ""),
    ],
)
def test_values_read_as_words(field: str, value: object, words: str) -> None:
    assert wording.value_in_words(field, value) == words


def test_every_state_a_lead_can_have_has_its_word() -> None:
    assert set(wording.STAGES) == set(Stage)
    assert set(wording.SOURCES) == set(Source)
    assert set(wording.STATUSES) == set(EnrichmentStatus)
    assert set(wording.OUTCOMES) == set(EnrichmentOutcome)


def test_every_field_of_the_trail_has_its_label() -> None:
    assert set(PART_OF) - {"provenance"} <= set(wording.FIELDS)


def test_every_fact_that_a_provider_can_give_has_its_label() -> None:
    given = Dns.fields | Website.fields | Email.fields

    assert given - set(wording.FIELDS) - set(wording.FACTS) == set()


def test_no_two_fields_or_facts_are_called_the_same() -> None:
    labels = [*wording.FIELDS.values(), *(label for name, label in wording.FACTS.items() if name != "mail_provider")]

    assert len(labels) == len(set(labels))


def test_languages_are_called_by_their_names():
    assert wording.value_in_words("language", "da") == "Danish"
    assert wording.value_in_words("language", "x-own") == "x-own"


def test_what_a_provider_says_in_its_own_words_is_said_in_ours() -> None:
    said = {
        "email_kind": {
            kind_of("mara", "acme.com"), kind_of("info", "acme.com"),
            kind_of("mara", "gmail.com"), kind_of("mara", "mailinator.com"),
        },
        "spf": {*SPF_ENDS.values(), "missing", "present", "broken (several)"},
        "dmarc": {*DMARC_POLICIES, "missing", "broken"},
    }  # fmt: skip

    for field, values in said.items():
        assert values == set(wording.FACT_VALUES[field])
        assert all(wording.value_in_words(field, value)[0].isupper() for value in values)
    assert wording.value_in_words("resolves", "no") == "No"
    assert wording.value_in_words("parked", "yes") == "Yes"
    assert wording.value_in_words("site_shows", "a login") == "A login"
    assert wording.value_in_words("spf", "something of a provider's own") == "something of a provider's own"


def test_an_enrichment_says_its_outcome_or_its_reason() -> None:
    failed = wording.enrichment_state("failed", None, "No such mail domain.")
    partial = wording.enrichment_state("completed", "partial", None)

    assert (failed.word, failed.detail) == ("Failed", "No such mail domain.")
    assert (partial.key, partial.word, partial.detail) == ("partial", "Completed", "in part")
    assert wording.enrichment_state("in_progress", None, None).word == "In progress"


def test_initials_are_those_of_first_and_last_name() -> None:
    assert [wording.initials(name) for name in ("Rosa Engel", "Ana", "a b c", "")] == ["RE", "A", "AC", "?"]
