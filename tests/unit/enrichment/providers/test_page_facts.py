"""Home pages as they are on the web, with the exact facts expected of each; and what hostile ones cannot do."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from leads_core.enrichment.merging import normalised
from leads_core.enrichment.providers import FoundFact
from leads_core.enrichment.providers.page_facts import FIELDS, facts_of_page
from leads_core.enrichment.providers.page_text import MAX_TAGS, decoded, parsed, safe_line
from leads_core.enrichment.providers.parking import is_parked
from leads_core.enrichment.providers.structured_data import organizations
from leads_core.leads.changing import FILLABLE

CORPUS = Path(__file__).parents[3] / "corpus"
PAGES: dict[str, Any] = json.loads((CORPUS / "expected.json").read_text(encoding="utf-8"))


def facts_in(name: str) -> list[FoundFact]:
    page = PAGES[name]
    return facts_of_page((CORPUS / f"{name}.html").read_bytes(), url=page["url"], content_type=page["content_type"])


def as_expected(facts: list[FoundFact], *, suggestion_only: bool) -> dict[str, Any]:
    chosen = [fact for fact in facts if fact.suggestion_only is suggestion_only]
    single = {fact.field: fact.value for fact in chosen if fact.field != "social_profile"}
    profiles = [fact.value for fact in chosen if fact.field == "social_profile"]
    return single | ({"social_profile": profiles} if profiles else {})


def test_every_page_of_the_corpus_has_its_expectation() -> None:
    assert {page.stem for page in CORPUS.glob("*.html")} == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_page_gives_exactly_the_facts_expected(name: str) -> None:
    facts = facts_in(name)

    assert as_expected(facts, suggestion_only=False) == PAGES[name]["facts"]
    assert as_expected(facts, suggestion_only=True) == PAGES[name]["suggestions"]
    assert {fact.url for fact in facts} <= {PAGES[name]["url"]}
    assert {fact.field for fact in facts} <= FIELDS


@pytest.mark.parametrize("name", PAGES)
def test_parked_page_is_told_from_a_companys(name: str) -> None:
    page = PAGES[name]

    assert is_parked((CORPUS / f"{name}.html").read_bytes(), content_type=page["content_type"]) is page["parked"]


@pytest.mark.parametrize("name", PAGES)
def test_no_character_leaves_a_page_that_cannot_be_kept_or_seen(name: str) -> None:
    values = [fact.value for fact in facts_in(name) if isinstance(fact.value, str)]

    assert not [
        letter for text in values for letter in text if unicodedata.category(letter) in {"Cc", "Cs", "Co", "Cn"}
    ]
    assert not [text for text in values if len(text) > 2048 or "\u202e" in text]


@pytest.mark.parametrize("name", PAGES)
def test_every_fact_that_may_fill_a_lead_fits_its_field_as_it_is(name: str) -> None:
    for fact in facts_in(name):
        if fact.field in FILLABLE:
            assert normalised(fact.field, fact.value) == fact.value, fact.field


@pytest.mark.parametrize("url", ["http://[", "https://[::1", "//", "http://a b/", "\\ud800", "javascript:alert(1)"])
def test_url_that_is_none_in_structured_data_or_a_link_loses_nothing_else(url: str) -> None:
    company = f'{{"@type":"Organization","name":"Acme GmbH","url":"{url}","sameAs":"{url}"}}'
    body = f'<a href="{url}">x</a><script type="application/ld+json">{company}</script>'

    facts = {fact.field: fact.value for fact in facts_of_page(body.encode(), url="https://acme.com/")}

    assert facts["company_name"] == "Acme GmbH"


@pytest.mark.parametrize(
    "body",
    [b"", b"\0", b"\xff\xfe", b"<", b"<!--", b"<script>", b"\xef\xbb\xbf", bytes(range(256)) * 10, b"<title>" * 100],
)
def test_what_is_no_page_gives_hardly_a_fact_and_no_error(body: bytes) -> None:
    assert {fact.field for fact in facts_of_page(body, url="https://acme.com/")} <= {"website", "title"}


def test_page_of_endless_nesting_is_read_to_its_bound() -> None:
    body = b"<title>Acme</title>" + b"<div>" * 400_000

    assert len(parsed(body, "").css("div")) == MAX_TAGS - 1
    assert "title" in {fact.field for fact in facts_of_page(body, url="https://acme.com/")}


def test_page_of_endless_open_formatting_is_read_to_its_bound() -> None:
    body = b"".join(b"<b a=%d>" % number for number in range(50_000)) + b"</b><div>x" * 50_000

    assert len(parsed(body, "").css("b")) == 2000


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("Käse".encode(), "", "Käse"),
        ("Käse".encode("cp1252"), "", "Käse"),
        ("Käse".encode("cp1252"), "text/html; charset=ISO-8859-1", "Käse"),
        ("Käse".encode(), "text/html; charset=utf-7", "Käse"),
        ("Käse".encode(), "text/html; charset=rot13", "Käse"),
        (b'<meta charset="utf-7">+ADw-script+AD4-', "", '<meta charset="utf-7">+ADw-script+AD4-'),
        ("\ufeffKäse".encode(), "text/html; charset=windows-1251", "Käse"),
        ("Привет".encode("koi8-r"), 'text/html; charset="KOI8-R"', "Привет"),
        (b"K\xffse", "text/html; charset=utf-8", "K\ufffdse"),
    ],
)
def test_text_is_decoded_as_a_browser_would(body: bytes, content_type: str, text: str) -> None:
    assert decoded(body, content_type) == text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  Acme \n\t GmbH ", "Acme GmbH"),
        ("Ac\x00me\x07", "Acme"),
        ("gnp\u202eexe", "gnpexe"),
        ("\ud800Acme", "Acme"),
        ("Cafe\u0301", "Café"),
        ("\u200b\u200d ", None),
        ("one two three", "one two…"),
        (None, None),
        (7, None),
    ],
)
def test_line_is_cleaned_and_cut_at_a_word(text: object, line: str | None) -> None:
    assert safe_line(text, 12) == line


@pytest.mark.parametrize(
    "block",
    [
        "",
        "null",
        "7",
        "[" * 100_000,
        '{"@type":',
        '{"@type":{"a":1}}',
        '{"@type":[1,null]}',
        '{"@graph":{"@graph":[]}}',
        "NaN",
    ],
)
def test_structured_data_that_makes_no_sense_gives_nothing(block: str) -> None:
    assert organizations([block]) == []


def test_customers_and_parents_in_structured_data_are_not_the_company() -> None:
    others = '"author":{"@type":"Organization","name":"A"},"parentOrganization":[{"@type":"Organization","name":"B"}]'
    block = f'{{"@type":"WebPage",{others}}}'

    assert organizations([block]) == []
