"""Forms as browsers send them."""

from __future__ import annotations

from uuid import UUID

import pytest
from starlette.requests import Request

from console.forms import FOREIGN_VERSION, Form, errors_by_field, read_form
from leads_core.errors import FieldError, Invalid, Malformed


def sent(body: bytes, content_type: str = "application/x-www-form-urlencoded") -> Request:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", content_type.encode())]
    return Request({"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}, receive)


async def test_present_but_empty_is_null_and_absent_stays() -> None:
    form = await read_form(sent(b"phone=&city=K%C3%B8benhavn"))

    assert form.lead_values == {"phone": None, "city": "København"}


async def test_a_ticked_box_wins_over_its_hidden_false() -> None:
    ticked = await read_form(sent(b"is_manual=false&is_manual=true"))
    left = await read_form(sent(b"is_manual=false"))

    assert (ticked.lead_values, left.lead_values) == ({"is_manual": True}, {"is_manual": False})


async def test_tags_are_one_field_split_at_commas() -> None:
    form = await read_form(sent(b"tags=+q4%2C+security%2C%2C"))

    assert form.lead_values == {"tags": ["q4", "security"]}
    assert (await read_form(sent(b"tags="))).lead_values == {"tags": []}


async def test_what_is_no_field_of_a_lead_never_reaches_the_schema() -> None:
    form = await read_form(sent(b"version=3&then=x&source=api&provenance=%7B%7D&email=a%40b.dk"))

    assert form.lead_values == {"email": "a@b.dk"}


@pytest.mark.parametrize(
    ("body", "version"),
    [(b"version=3", 3), (b"", None), (b"version=", None), (b"version=x", FOREIGN_VERSION), (b"version=-1", -1)],
)
async def test_the_hidden_version_is_the_if_match(body: bytes, version: int | None) -> None:
    assert (await read_form(sent(body))).version == version


@pytest.mark.parametrize("body", [b"email=%FF", b"email=%ED%A0%80", b"\xff=1", b"&".join([b"a=1"] * 300)])
async def test_a_body_that_is_no_utf8_or_endless_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        await read_form(sent(body))


async def test_a_multipart_form_reads_the_same() -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="city"\r\n\r\nOslo\r\n--x--\r\n'

    assert (await read_form(sent(body, "multipart/form-data; boundary=x"))).lead_values == {"city": "Oslo"}


def test_the_first_message_for_a_field_is_shown() -> None:
    error = Invalid([FieldError("email", "one"), FieldError("email", "two"), FieldError("phone", "three")])

    assert errors_by_field(error) == {"email": "one", "phone": "three"}


def test_several_values_of_a_field_are_all_there() -> None:
    assert Form([("scopes", "a"), ("scopes", "b")]).all("scopes") == ["a", "b"]
    assert str(UUID(int=0)) not in Form([]).text("x")
