"""Filters, the address that says them, the chips that show them and the forms that change them say the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import date
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from console.filter_menu import FilterGroup
from console.list_address import ListAddress, Pairs
from console.list_fields import BY_NAME, FIELDS, Field, People
from console.list_filters import chips_of, menu_of, outside_the_menu
from leads_core.leads.filters import LeadFilter

ME = UUID("0193f5a0-0000-7000-8000-00000000000a")
ANA = "0193f5a0-0000-7000-8000-00000000000b"
PEOPLE = People({str(ME): "Rosa", ANA: "Ana"}, str(ME))
TODAY = date(2026, 11, 25)
DAYS = ("2026-01-01", "2026-02-03", "today", "yesterday", "7d", "in7d", "week", "month")
TEXTS = {
    "tag": ("vip", "Über uns", "a&b=c", "none"),
    "country": ("DE", "FR", "none"),
    "domain": ("acme.com", "none"),
    "registrable_domain": ("acme.com", "globex.com"),
}


def values_of(field: Field) -> Sequence[str]:
    if field.kind == "people":
        return ("me", ANA, *(["none"] if field.may_be_empty else []))
    return TEXTS.get(field.name) or tuple(field.words)


@some.composite
def states(draw: some.DrawFn) -> list[tuple[str, str]]:
    """Filters in force, in any order."""
    pairs: list[tuple[str, str]] = []
    for field in draw(some.lists(some.sampled_from(FIELDS), unique=True, max_size=5)):
        if field.kind == "days":
            if field.may_be_empty and draw(some.booleans()):
                pairs.append((field.name, draw(some.sampled_from(("none", "!none")))))
                continue
            ends = draw(some.lists(some.sampled_from(("from", "to")), unique=True, min_size=1))
            pairs += [(f"{field.name}_{end}", draw(some.sampled_from(DAYS))) for end in ends]
        elif field.kind == "flag":
            pairs.append((field.name, draw(some.sampled_from([word for word in field.words if word == "true"]))))
        else:
            chosen = some.tuples(some.sampled_from(("", "!")), some.sampled_from(values_of(field)))
            drawn = draw(some.lists(chosen, unique_by=lambda pair: pair[1], min_size=1, max_size=3))
            pairs += [(field.name, sign + value) for sign, value in drawn]
    return draw(some.permutations(pairs))


def read(url: str) -> ListAddress:
    return ListAddress(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def meant(pairs: Iterable[tuple[str, str]]) -> LeadFilter:
    parameters: dict[str, list[str]] = {}
    for name, value in sorted(pairs):
        parameters.setdefault(name, []).append(value)
    return LeadFilter.from_query(parameters, me=ME, today=TODAY)


def sent(groups: Iterable[FilterGroup], beside: Pairs) -> list[tuple[str, str]]:
    """What a browser sends of a form that nobody changed."""
    pairs = list(beside)
    for group in groups:
        pairs += [(f"{group.name}.op", value) for value, _, chosen in group.operators if chosen]
        pairs += [(group.name, value) for value, _, chosen in group.options if chosen]
        if group.adds:
            pairs.append((f"{group.name}.add", ""))
        if group.when:
            pairs.append((f"{group.name}.was", group.was))
            pairs += [(f"{group.name}.when", value) for value, _, chosen in group.when if chosen]
            pairs += [(f"{group.name}_from", group.start), (f"{group.name}_to", group.end)]
    return pairs


@settings(max_examples=50, deadline=None)
@given(states())
def test_an_address_reads_back_as_it_is_written(pairs: list[tuple[str, str]]) -> None:
    address = ListAddress(pairs)

    assert read(address.canonical).filters == address.filters
    assert not read(address.canonical).is_rough


@settings(max_examples=50, deadline=None)
@given(states())
def test_removing_a_chip_widens_exactly_its_filter(pairs: list[tuple[str, str]]) -> None:
    address = ListAddress([*pairs, ("q", "acme"), ("sort", "email")])
    before = meant(address.filters)

    for chip in chips_of(address, PEOPLE):
        left = read(chip.without)
        gone = set(address.filters) - set(left.filters)
        after = meant(left.filters)
        changed = {one.name for one in fields(LeadFilter) if getattr(before, one.name) != getattr(after, one.name)}
        assert set(left.filters) < set(address.filters)
        assert (left.query, left.sort) == ("acme", "email")
        assert len({BY_NAME[name].name for name, _ in gone}) == 1
        assert len(changed) == 1
    assert sum(1 for _ in chips_of(address, PEOPLE)) >= len({BY_NAME[name].name for name, _ in address.filters})


@settings(max_examples=50, deadline=None)
@given(states())
def test_a_form_that_nobody_changed_changes_nothing(pairs: list[tuple[str, str]]) -> None:
    address = ListAddress([*pairs, ("q", "acme"), ("sort", "email"), ("view", "x")])

    of_chips = [sent([chip.group], chip.beside) for chip in chips_of(address, PEOPLE)]
    beside = [*outside_the_menu(address), ("q", "acme"), ("sort", "email"), ("view", "x")]
    for form in (*of_chips, sent(menu_of(address, PEOPLE), beside)):
        again = ListAddress(form)
        assert sorted(again.filters) == sorted(address.filters)
        assert (again.query, again.sort, again.view) == ("acme", "email", "x")


@settings(max_examples=50, deadline=None)
@given(states())
def test_every_filter_in_force_is_said_in_words(pairs: list[tuple[str, str]]) -> None:
    for chip in chips_of(ListAddress(pairs), PEOPLE):
        assert chip.field
        assert chip.value
        assert "none" not in chip.value
        assert "!" not in chip.value


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([("owner", "none")], "Owner is nobody"),
        ([("owner", "!none")], "Owner is somebody"),
        ([("owner", ANA), ("owner", "none")], "Owner is Ana or Nobody"),
        ([("tag", "none")], "Tag is empty"),
        ([("country", "!none")], "Country is not empty"),
        ([("country", "!DE"), ("country", "!FR")], "Country is not Germany or France"),
        ([("updated_by", "!me")], "Changed by is not me"),
        ([("updated_by", "0193f5a0-0000-7000-8000-0000000000ff")], "Changed by is somebody who left"),
        ([("follow_up", "none")], "Follow-up is empty"),
        ([("follow_up_from", "today"), ("follow_up_to", "today")], "Follow-up  today"),
        ([("follow_up_to", "yesterday")], "Follow-up until yesterday"),
        ([("created_from", "7d")], "Added in the last 7 days"),
        ([("created_from", "2026-01-01"), ("created_to", "2026-01-01")], "Added on 1 Jan 2026"),
        ([("created_from", "2026-01-01"), ("created_to", "30d")], "Added from 1 Jan 2026 until 30 days ago"),
        ([("enriched_to", "nonsense")], "Values found until nonsense"),
    ],
)
def test_a_chip_says_operator_and_value(pairs: list[tuple[str, str]], words: str) -> None:
    chip = chips_of(ListAddress(pairs), PEOPLE)[0]

    assert f"{chip.field} {chip.operator} {chip.value}".lower() == words.lower()


@pytest.mark.parametrize(
    ("form", "filters"),
    [
        ([("stage.op", "not"), ("stage", "won"), ("stage", "lost")], (("stage", "!won"), ("stage", "!lost"))),
        ([("tag.op", "is"), ("tag", "vip"), ("tag.add", " Bau ")], (("tag", "vip"), ("tag", "Bau"))),
        ([("tag.op", "empty"), ("tag", "vip"), ("tag.add", "x")], (("tag", "none"),)),
        ([("tag.op", "is"), ("tag", "vip"), ("tag.keep", "!cold")], (("tag", "vip"), ("tag", "!cold"))),
        ([("country.op", "not"), ("country.add", "germany")], (("country", "!DE"),)),
        ([("country.op", "is"), ("country.add", "Atlantis")], (("country", "Atlantis"),)),
        ([("created.was", ""), ("created.when", "7d.."), ("created_from", "2026-01-01")], (("created_from", "7d"),)),
        (
            [("created.was", ""), ("created.when", "dates"), ("created_from", "2026-01-01"), ("created_to", "")],
            (("created_from", "2026-01-01"),),
        ),
        ([("created.was", "dates"), ("created.when", ""), ("created_from", "2026-01-01")], ()),
        ([("follow_up.was", ""), ("follow_up.when", "!none")], (("follow_up", "!none"),)),
        ([("is_manual", "any"), ("stage.op", "is")], ()),
    ],
)
def test_a_form_says_what_it_means_beside_its_values(form: list[tuple[str, str]], filters: Pairs) -> None:
    assert ListAddress(form).filters == filters


@given(some.lists(some.tuples(some.text(max_size=12), some.text(max_size=12)), max_size=5))
def test_whatever_stands_in_an_address_makes_a_page(pairs: list[tuple[str, str]]) -> None:
    address = ListAddress(pairs)

    assert len(chips_of(address, PEOPLE)) <= len(address.filters)
    assert len(menu_of(address, PEOPLE)) == len(FIELDS)
