"""A person is found in a file whatever its encoding and the case in which somebody typed."""

from __future__ import annotations

import pytest

from leads_core.transfer.forgetting import ENCODINGS, Needles


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("row", ["zoë quixote;zoe@acme.com", "Zoë Quixote;x", "x;ZOE@Acme.com"])
def test_a_row_that_holds_the_person_is_found(encoding: str, row: str) -> None:
    needles = Needles(["Zoë Quixote", "zoe@acme.com"])

    assert needles.in_bytes(f"a;b\n{row}\n".encode(encoding))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_another_row_is_not(encoding: str) -> None:
    needles = Needles(["Zoë Quixote", "zoe@acme.com"])

    assert not needles.in_bytes("Zoë Quijote;zoe@acme.co".encode(encoding))


def test_a_name_that_an_encoding_cannot_write_is_found_in_the_others() -> None:
    needles = Needles(["田中 太郎"])

    assert needles.in_bytes("田中 太郎".encode())
    assert not needles.in_bytes(b"anything else")


@pytest.mark.parametrize("texts", [[], ["", " "]])
def test_of_nothing_nothing_is_found(texts: list[str]) -> None:
    needles = Needles(texts)

    assert not needles.in_bytes(b"anything")
    assert not needles.in_text("anything", None)
    assert needles.overlap == 0
