"""What a person types or pastes into the one field becomes leads, or a reason in words."""

import unicodedata
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from leads_core.leads.normalising import Domain, Email, Line, WebAddress
from leads_core.leads.quick_add import QuickAddLine, parse_quick_add

ANA = {"email": "ana@acme.com", "domain": "acme.com"}

pieces = st.sampled_from(
    [
        "ana@acme.com",
        "acme.com",
        "https://acme.com/x?y",
        "Ana <ana@acme.com>",
        '"Díaz, Ana" <ana@acme.com>',
        "mailto:ana%00@acme.com",
        "<",
        ">",
        "@",
        ",",
        ";",
        "\n",
        "\r\n",
        " ",
        "\0",
        "\ud800",
        "(",
        ")",
    ]
)


class Create(BaseModel):
    email: Email
    domain: Domain
    contact_name: Annotated[str | None, Line(200)]
    company_name: Annotated[str | None, Line(200)]
    website: WebAddress
    source_detail: Annotated[str | None, Line(1000)]


def known(line: QuickAddLine) -> dict[str, str]:
    assert line.fields is not None, line.reason
    return {field: value for field, value in line.fields.items() if value is not None}


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("Ana@Acme.com", ANA),
        ("ana@gmail.com", {"email": "ana@gmail.com"}),
        ("  ana@acme.com. ", ANA),
        ("<ana@acme.com>", ANA),
        ("“ana@acme.com”,", ANA),
        ("mailto:ana@acme.com?subject=Hi", ANA),
        ("MAILTO:ana%2Bnews@acme.com", {"email": "ana+news@acme.com", "domain": "acme.com"}),
        ("Ana Díaz <ana@acme.com>", {**ANA, "contact_name": "Ana Díaz"}),
        ('"Díaz, Ana" <ana@acme.com>', {**ANA, "contact_name": "Díaz, Ana"}),
        ("Díaz, Ana <ana@acme.com>;", {**ANA, "contact_name": "Díaz, Ana"}),
        ("'Ana' <mailto:ana@acme.com>", {**ANA, "contact_name": "Ana"}),
        ("ana@acme.com <ana@acme.com>", ANA),
        ("ana@acme.com (Ana Díaz)", {**ANA, "contact_name": "Ana Díaz"}),
        ("- ana@acme.com", ANA),
        ("Acme.com", {"domain": "acme.com"}),
        ("www.acme.com.", {"domain": "acme.com"}),
        ("acme.com/", {"domain": "acme.com"}),
        ("Acme <acme.com>", {"domain": "acme.com", "company_name": "Acme"}),
        ("https://www.acme.com", {"domain": "acme.com", "website": "https://www.acme.com"}),
        ("acme.com/about us", None),
        ("acme.com/@ana", {"domain": "acme.com", "website": "https://acme.com/@ana"}),
        ("https://acme.com/@ana", {"domain": "acme.com", "website": "https://acme.com/@ana"}),
        ("linkedin.com", {"domain": "linkedin.com"}),
    ],
)
def test_one_line_gives_one_lead(text: str, fields: dict[str, str] | None) -> None:
    (line,) = parse_quick_add(text)

    assert (known(line) if fields is not None else line.fields) == fields


def test_fields_are_all_there_null_where_the_text_does_not_say() -> None:
    assert parse_quick_add("acme.com")[0].fields == {
        "email": None,
        "domain": "acme.com",
        "contact_name": None,
        "company_name": None,
        "website": None,
    }


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        ("acme", "domain", "“acme” has no ending. Did you mean acme.com?"),
        ("Acme Corp", "domain", "“Acme Corp” is neither an email nor a domain. Type one, as ana@acme.com or acme.com."),
        ("ana@@acme.com", "email", "Two @ signs. An address has one."),
        (
            "javascript:alert(1)",
            "domain",
            "A web address begins with https:// or http://, or is a domain such as acme.com.",
        ),
        (
            "https://linkedin.com/in/ana",
            "domain",
            "A LinkedIn page does not tell whose lead it is. Type the email or the company's domain.",
        ),
        ("ana\0@acme.com", "text", "The character U+0000 cannot be kept. Remove it."),
        ("mailto:ana%00@acme.com", "text", "The character U+0000 cannot be kept. Remove it."),
        ("\ud800@acme.com", "text", "The character U+D800 cannot be kept. Remove it."),
        ("x" * 1001, "text", "At most 1,000 characters fit here; these are 1,001."),
    ],
)
def test_what_cannot_be_read_says_why(text: str, field: str, reason: str) -> None:
    (line,) = parse_quick_add(text)

    assert (line.fields, line.field, line.reason) == (None, field, reason)


def test_several_lines_are_several_leads_and_blank_ones_are_passed_over() -> None:
    lines = parse_quick_add("ana@acme.com\r\n\n \t\nglobex.com\rnonsense\n")

    assert [(line.index, line.text, line.fields is None) for line in lines] == [
        (0, "ana@acme.com", False),
        (1, "globex.com", False),
        (2, "nonsense", True),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "ana@acme.com, globex.com",
        "ana@acme.com;globex.com;",
        "ana@acme.com globex.com",
        "Ana <ana@acme.com>, <globex.com>",
        '"Díaz, Ana" <ana@acme.com>; globex.com',
    ],
)
def test_one_line_with_several_pieces_is_several_leads(text: str) -> None:
    first, second = parse_quick_add(text)

    assert (known(first)["email"], known(second)) == ("ana@acme.com", {"domain": "globex.com"})
    assert (first.index, second.index) == (0, 1)


def test_one_line_stays_one_when_a_piece_cannot_be_read() -> None:
    (line,) = parse_quick_add("ana@acme.com, nonsense")

    assert (line.fields, line.text) == (None, "ana@acme.com, nonsense")


@pytest.mark.parametrize("separator", ["\n", ";", " "])
def test_beyond_a_hundred_leads_the_rest_is_said_to_be_unread(separator: str) -> None:
    lines = parse_quick_add(separator.join(f"a{number}.com" for number in range(150)))

    assert len(lines) == 101
    assert all(line.fields is not None for line in lines[:100])
    assert (lines[100].text, lines[100].reason) == (
        "a100.com",
        "At most 100 leads fit in here at once. Import a file for more: the rest was not read.",
    )


@given(st.lists(pieces | st.text(st.characters(), max_size=8), max_size=10).map("".join))
def test_any_text_is_read_or_refused_in_words_and_what_is_read_can_be_created(text: str) -> None:
    lines = parse_quick_add(text)

    assert [line.index for line in lines] == list(range(len(lines)))
    for line in lines:
        assert (line.fields is None) != (line.reason is None)
        created = Create.model_validate(
            {**(line.fields or dict.fromkeys(Create.model_fields)), "source_detail": line.text}
        )
        assert line.fields is None or line.fields == created.model_dump(exclude={"source_detail"})
        assert created.source_detail == (unicodedata.normalize("NFC", line.text) or None)
