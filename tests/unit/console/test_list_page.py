"""The list's address in words and links."""

from __future__ import annotations

import pytest

from console.list_address import ListAddress
from console.list_page import ListPage
from console.marking import marked_parts


def page_at(*pairs: tuple[str, str]) -> ListPage:
    return ListPage(ListAddress(pairs), total=(3, "exact"), older="next", newer=None, mark=marked_parts)


def test_filters_are_chips_and_each_has_a_link_without_it() -> None:
    page = page_at(("stage", "new"), ("stage", "won"), ("owner", "me"), ("q", "acme"))

    assert [(chip.field, chip.operator, chip.value) for chip in page.chips] == [
        ("Stage", "is", "New or Won"),
        ("Owner", "is", "me"),
    ]
    assert page.chips[0].without == "/leads?owner=me&q=acme"
    assert page.chips[1].without == "/leads?stage=new&stage=won&q=acme"


def test_a_negated_filter_reads_as_such() -> None:
    assert page_at(("source", "!import")).chips[0].operator == "is not"


def test_days_and_yes_or_no_need_no_operator() -> None:
    chips = page_at(("created_from", "2026-01-01"), ("is_manual", "true")).chips

    assert [(chip.field, chip.operator, chip.value) for chip in chips] == [
        ("Added", "from", "1 Jan 2026"),
        ("Leads", "", "added by hand"),
    ]


def test_what_nobody_knows_is_left_out() -> None:
    address = ListAddress([("colour", "red"), ("stage", ""), ("is_manual", "any"), ("q", "  "), ("cursor", "abc")])

    assert address.canonical == "/leads?cursor=abc"
    assert address.is_rough


@pytest.mark.parametrize(
    ("sort", "column", "aria", "url"),
    [
        ("", "added", "descending", "/leads?sort=created_at"),
        ("created_at", "added", "ascending", "/leads?sort=-created_at"),
        ("", "company", None, "/leads?sort=company_name"),
        ("company_name", "company", "ascending", "/leads?sort=-company_name"),
        ("-company_name", "company", "descending", "/leads?sort=company_name"),
    ],
)
def test_heads_say_the_order_and_turn_it(sort: str, column: str, aria: str | None, url: str) -> None:
    link = page_at(("sort", sort)).sorts[column]

    assert (link.aria, link.url) == (aria, url)


def test_the_bin_sorts_by_deletion_and_offers_to_restore() -> None:
    page = page_at(("deleted", "true"))

    assert page.order_in_words == "last deleted first"
    assert [column.label for column in page.columns][-2:] == ["Deleted", "Restore"]


def test_pages_keep_the_filter_and_filters_drop_the_page() -> None:
    page = page_at(("stage", "won"), ("cursor", "here"))

    assert page.older == "/leads?stage=won&cursor=next"
    assert page.newer is None
    assert page.sorts["company"].url == "/leads?stage=won&sort=company_name"


def test_a_search_keeps_filters_and_the_menu_keeps_the_search() -> None:
    page = page_at(("stage", "won"), ("country", "DK"), ("q", "acme"), ("sort", "email"))

    assert page.kept == [("stage", "won"), ("country", "DK"), ("sort", "email")]
    assert page.beside == [("q", "acme"), ("sort", "email")]


def test_matches_are_marked_and_everything_is_escaped() -> None:
    assert str(page_at(("q", "mel")).marked("Amélia <b>")) == "A<mark>mél</mark>ia &lt;b&gt;"


@pytest.mark.parametrize(
    ("text", "query", "parts"),
    [
        ("Trustpilot", "ST", [("Tru", False), ("st", True), ("pilot", False)]),
        ("stst", "st", [("st", True), ("st", True)]),
        ("Cæsar", "ae", [("C", False), ("æ", True), ("sar", False)]),
        ("Acme", "x", [("Acme", False)]),
        ("Acme", " ", [("Acme", False)]),
        ("", "a", []),
    ],
)
def test_the_search_marks_what_it_found(text: str, query: str, parts: list[tuple[str, bool]]) -> None:
    assert marked_parts(text, query) == parts


def test_a_list_in_another_order_than_asked_for_says_so() -> None:
    address = ListAddress([("q", "ac")])
    page = ListPage(address, total=None, older=None, newer=None, note="Fewer than three letters.", order="company_name")

    assert (page.order_in_words, page.sorts["company"].aria, page.sorts["added"].aria) == (
        "by company",
        "ascending",
        None,
    )
    assert page.total_words == "Not counted"
