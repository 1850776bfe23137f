"""Canonical JSON against the published vectors and against another implementation of RFC 8785."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from leads_core.audit.record.canonical import NotCanonical, _check, canon

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "audit_record.json").read_text())

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
keys = st.from_regex(r"[a-z][a-z0-9_]*", fullmatch=True)
scalars = st.none() | st.booleans() | st.integers(-(2**53 - 1), 2**53 - 1) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=12)


class Named(StrEnum):
    LEAD = "lead"


class Counted(IntEnum):
    FEW = 3


class Bare(Enum):
    THING = "thing"


class Text(str):
    __slots__ = ()


@dataclass
class Record:
    field: str = "value"


# What a faster encoder would write and a canonical form must refuse, beside what it may write.
oddities = st.sampled_from(
    [
        *(Named.LEAD, Counted.FEW, Bare.THING, Text("text"), Record(), (1, 2), {1}, b"bytes", bytearray(b"bytes")),
        *(
            1.0,
            0.5,
            float("nan"),
            float("inf"),
            2**53,
            -(2**53),
            2**64,
            10**30,
            "\0",
            "\ud800",
            "\\u0000",
            "\x7f\u2028",
        ),
        *(UUID(int=7), date(2026, 11, 24), datetime(2026, 11, 24, tzinfo=UTC), {}.keys(), range(3)),
    ]
)
odd_keys = keys | st.sampled_from(["A", "", "1a", "é", "a\n", "\ud800", 1, None, True, Named.LEAD, Text("text")])
anything = st.recursive(
    scalars | oddities,
    lambda inner: st.lists(inner) | st.dictionaries(odd_keys, inner) | st.tuples(inner),
    max_leaves=12,
)


@pytest.mark.parametrize("vector", VECTORS["canonical"], ids=lambda vector: json.dumps(vector["value"])[:30])
def test_canonical_form_is_the_published_one(vector: dict[str, Any]) -> None:
    assert canon(vector["value"]).hex() == vector["canonical_hex"]


@pytest.mark.parametrize("vector", VECTORS["canonical_refused"], ids=lambda vector: vector["why"])
def test_what_has_no_canonical_form_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(NotCanonical):
        canon(json.loads(vector["json"]))


@given(values)
def test_canonical_form_is_that_of_rfc_8785(value: Any) -> None:
    assert canon(value) == rfc8785.dumps(value)


@given(anything)
def test_canonical_form_is_what_the_standard_library_writes_of_what_may_be_written(value: Any) -> None:
    try:
        _check(value)
        expected = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except (NotCanonical, UnicodeEncodeError):
        with pytest.raises(NotCanonical):
            canon(value)
    else:
        assert canon(value) == expected


@pytest.mark.parametrize("depth", [100, 300])
def test_a_deep_value_has_the_same_form_as_a_shallow_one(depth: int) -> None:
    deep: Any = "core"
    for _ in range(depth):
        deep = [{"inner": deep}]

    assert canon(deep) == b'[{"inner":' * depth + b'"core"' + b"}]" * depth


@given(values)
def test_canonical_form_reads_back_as_the_same_value(value: Any) -> None:
    assert json.loads(canon(value)) == value


@pytest.mark.parametrize(
    "value",
    [
        {"A": 1},
        {"": 1},
        {"1a": 1},
        {"a-b": 1},
        {"é": 1},
        {"a\n": 1},
        {1: 1},
        (1, 2),
        {1},
        b"x",
        pytest.param(object(), id="object"),
        [float("nan")],
    ],
    ids=repr,
)
def test_other_keys_and_types_are_refused(value: object) -> None:
    with pytest.raises(NotCanonical):
        canon(value)


def test_a_value_inside_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(NotCanonical):
        canon(endless)
