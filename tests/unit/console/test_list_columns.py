"""Columns as they are kept, read again, moved and sized; and how each sorts."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from console.list_address import ListAddress
from console.list_columns import KINDS, STANDARD, Columns, due_in_words, sort_link
from console.list_page import ListPage
from leads_core.leads.ordering import LIVE_FIELDS
from leads_core.leads.schemas import LeadFields
from leads_core.transfer.export_columns import CHOOSABLE


def of(*names: str) -> Columns:
    return Columns.of((name, None) for name in names)


def test_what_is_kept_is_read_again_as_it_was() -> None:
    chosen = Columns.of([("company", None), ("email", 240), ("owner", None)])

    assert Columns.read(chosen.kept) == chosen


@pytest.mark.parametrize("kept", [None, "company", {"company": 1}, 7])
def test_what_nobody_chose_is_the_standard(kept: Any) -> None:
    assert Columns.read(kept) == STANDARD


def test_what_nobody_knows_any_more_is_passed_over_and_the_company_is_always_there() -> None:
    kept = [["email", 9_999], ["colour", 100], ["email", 70], ["city", "wide"], "stage", ["tags", True], [None, 1]]

    assert Columns.read(kept).kept == [["company", None], ["email", 800], ["city", None], ["tags", None]]


def test_a_column_moves_one_place_and_not_beyond_the_ends() -> None:
    columns = of("company", "email", "city")

    assert columns.moved("city", -1).names == ("company", "city", "email")
    assert columns.moved("city", 1).names == ("company", "email", "city")
    assert columns.moved("company", -1).names == ("company", "email", "city")
    assert columns.moved("phone", 1).names == ("company", "email", "city")


def test_a_column_is_put_down_before_another_or_at_the_end_and_never_before_the_company() -> None:
    columns = Columns.of([("company", None), ("email", 240), ("city", None)])

    assert columns.placed("city", "email").kept == [["company", None], ["city", None], ["email", 240]]
    assert columns.placed("email", "-").names == ("company", "city", "email")
    assert columns.placed("city", "company").names == ("company", "city", "email")
    assert columns.placed("phone", "email") == columns


def test_a_width_is_a_step_of_the_standard_one_or_stays_what_it_was() -> None:
    columns = Columns.of([("company", 300), ("email", 240), ("country", None), ("city", 999)])

    chosen = columns.resized(
        {"company": "normal", "country": "narrow", "city": "wide", "email": "huge", "tags": "wide"}
    )

    assert chosen.kept == [["company", None], ["email", 240], ["country", 64], ["city", 180]]
    assert [one.width for one in chosen.offered[:5]] == ["normal", 240, "narrow", "wide", "normal"]


def test_what_is_ticked_anew_comes_last_and_the_others_stay_as_wide_as_they_were() -> None:
    columns = Columns.of([("company", 300), ("email", 240), ("city", None)])

    assert columns.only(["tags", "city", "company"]).kept == [["company", 300], ["city", None], ["tags", None]]


def test_the_menu_offers_every_column_once_the_chosen_ones_in_their_order() -> None:
    offered = of("company", "tags", "email").offered

    assert [one.name for one in offered[:3]] == ["company", "tags", "email"]
    assert sorted(one.name for one in offered) == sorted(KINDS)
    assert [(one.can_leave, one.can_rise, one.can_sink) for one in offered[:3]] == [
        (False, False, False),
        (True, False, True),
        (True, True, False),
    ]


def test_a_column_sorts_by_what_stays_flat_and_edits_what_a_person_may_say() -> None:
    assert {kind.sort for kind in KINDS.values()} - {None} == set(LIVE_FIELDS)
    assert {kind.edits for kind in KINDS.values()} - {None} <= set(LeadFields.model_fields)


@pytest.mark.parametrize(
    ("name", "sort", "url", "aria"),
    [
        ("follow_up", "", "/leads?sort=follow_up_on", None),
        ("follow_up", "follow_up_on", "/leads?sort=-follow_up_on", "ascending"),
        ("changed", "", "/leads?sort=-updated_at", None),
        ("changed", "-updated_at", "/leads?sort=updated_at", "descending"),
        ("city", "", None, None),
    ],
)
def test_a_head_says_the_order_and_turns_it(name: str, sort: str, url: str | None, aria: str | None) -> None:
    address = ListAddress([("sort", sort)])

    link = sort_link(name, address, address.order)

    assert (link.url, link.aria) == (url, aria)


def test_in_the_bin_nothing_is_edited_and_every_lead_has_its_way_back() -> None:
    columns = ListPage(
        ListAddress([("deleted", "true")]),
        total=None,
        older=None,
        newer=None,
        chosen=of("company", "added"),
        can_edit=True,
    ).columns

    assert [(one.label, one.edits) for one in columns] == [("Company", None), ("Deleted", None), ("Restore", None)]


def test_days_near_are_words() -> None:
    today = date(2026, 11, 25)

    said = [
        due_in_words(date.fromisoformat(day), today) for day in ("2026-11-24", "2026-11-25", "2026-11-26", "2026-12-01")
    ]

    assert said == ["Yesterday", "Today", "Tomorrow", "1 Dec"]


def test_a_file_of_what_is_shown_has_a_field_for_each_column() -> None:
    assert all(set(kind.exports) <= set(CHOOSABLE) and kind.exports for kind in KINDS.values())
    assert of("company", "enrichment", "added").exported(in_bin=True) == (
        "company_name,enrichment_status,enrichment_outcome,deleted_at"
    )
