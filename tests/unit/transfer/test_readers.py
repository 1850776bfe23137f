from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads_core.errors import Invalid
from leads_core.transfer import readers
from leads_core.transfer.delimited import BROKEN
from leads_core.transfer.readers import ReadAs, opened, recognise, rows


def table_of(content: bytes):
    return recognise(opened(io.BytesIO(content)))


def cells_of(content: bytes) -> list[list[str]]:
    file = io.BytesIO(content)
    return [list(row.cells) for row in rows(file, recognise(file))]


def reason_of(content: bytes) -> str:
    with pytest.raises(Invalid) as error:
        table_of(content)
    assert error.value.errors[0].field == "file"
    return error.value.errors[0].message


TEXT = "Firma;E-Mail\r\nMüller & Söhne;ana@müller.de\r\n"


@pytest.mark.parametrize(
    ("encoding", "mark", "name"),
    [
        ("utf-8", b"", "UTF-8"),
        ("utf-8", b"\xef\xbb\xbf", "UTF-8"),
        ("cp1252", b"", "Windows-1252"),
        ("utf-16-le", b"\xff\xfe", "UTF-16"),
        ("utf-16-be", b"\xfe\xff", "UTF-16"),
        ("utf-16-le", b"", "UTF-16"),
        ("utf-16-be", b"", "UTF-16"),
    ],
)
def test_the_usual_encodings_are_recognised(encoding, mark, name):
    content = mark + TEXT.encode(encoding)

    assert table_of(content).encoding_name == name
    assert table_of(content).header == ("Firma", "E-Mail")
    assert cells_of(content) == [["Müller & Söhne", "ana@müller.de"]]


def test_what_is_no_text_is_refused_and_an_older_encoding_can_be_named():
    assert reason_of(bytes(range(256)) * 50) == "This is no text. Choose a CSV, TSV or Excel file."

    content = "Firma;Miasto\r\nOrlen;Płock\r\n".encode("cp1250")
    assert recognise(io.BytesIO(content), ReadAs(encoding="cp1250")).samples == (("Orlen", "Płock"),)


def test_a_cell_of_two_lines_is_shown_on_one():
    assert table_of(b'email;notes\na@b.com;"one\r\ntwo"\n').samples == (("a@b.com", "one two"),)


def test_a_few_broken_bytes_spoil_their_own_row_alone():
    content = "email,name\na@b.com,Müller\nc@d.com,Größe\n".encode() + b"x@y.com,\xed\xa0\x80\n"

    assert cells_of(content)[:2] == [["a@b.com", "Müller"], ["c@d.com", "Größe"]]
    assert BROKEN in cells_of(content)[2][1]


def test_half_of_a_utf_16_pair_is_no_text():
    content = "email,name\na@b.com,".encode("utf-16-le") + b"\x00\xd8" + "\nb@b.com,B".encode("utf-16-le") + b"x"

    assert BROKEN in cells_of(content)[0][1]
    assert cells_of(content)[1][0] == "b@b.com"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_each_separator_is_recognised_though_others_stand_in_the_cells(delimiter):
    others = "".join(sign for sign in ",;\t|" if sign != delimiter)
    table = [["name", "email"], [f"Acme{others} {others}Co", "a@b.com"], ["B", f"b@b.com{others}"]]
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(table)

    assert table_of(file.getvalue().encode()).delimiter == delimiter
    assert cells_of(file.getvalue().encode()) == table[1:]


def test_a_line_that_names_the_separator_is_believed():
    assert table_of(b"sep=|\na;b|c;d\n1;2|3;4\n").header == ("a;b", "c;d")


def test_a_file_of_addresses_without_names_loses_no_row():
    table = table_of(b"a@b.com\nc@d.com\n")

    assert (table.has_names, table.header, table.total) == (False, ("Column 1",), 2)


def test_names_are_shown_safely_and_can_be_told_apart():
    table = table_of("Name,name\u202e,,Name,\x00x\na,b,c,d,e\n".encode())

    assert table.header == ("Name", "name\ufffd", "Column 3", "Name (2)", "\ufffdx")


def test_rows_keep_their_number_and_blank_ones_are_left_out():
    file = io.BytesIO(b'name,email\n\n"a\nb",a@b.com\n,\nc,c@d.com\n')
    read = list(rows(file, recognise(file)))

    assert [(row.number, row.cells[0]) for row in read] == [(3, "a\nb"), (5, "c")]


def test_short_rows_are_filled_up_and_long_ones_say_what_to_do():
    file = io.BytesIO(b"email,name\na@b.com\nb@b.com,B,,\nc@d.com,C,too,many\n")
    read = list(rows(file, recognise(file)))

    assert [list(row.cells) for row in read[:2]] == [["a@b.com", ""], ["b@b.com", "B"]]
    assert "4 cells" in (read[2].problem or "")


def test_an_endless_cell_is_one_bad_row_and_the_next_is_read():
    file = io.BytesIO(b"email,name\na@b.com," + b"x" * 10_000_000 + b"\nb@b.com,B\n")
    read = list(rows(file, recognise(file)))

    assert "quotation mark" in (read[0].problem or "")
    assert list(read[1].cells) == ["b@b.com", "B"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\r\n \n", "empty"),
        (b"name,email\n", "no rows"),
        (b"PK\x03\x04", "Excel"),
        (b"\xd0\xcf\x11\xe0", "old Excel"),
        (b"%PDF-1.7", "PDF"),
        (b"\x89PNG", "picture"),
        (b",".join(b"c" for _ in range(201)) + b"\nx\n", "201 columns"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content, words):
    assert words in reason_of(content)


def test_limits_of_size_and_rows_are_named(monkeypatch):
    monkeypatch.setattr(readers, "ROW_LIMIT", 3)
    too_many = reason_of(b"email\n" + b"a@b.com\n" * 4)
    monkeypatch.setattr(readers, "FILE_LIMIT", readers.MIB)
    too_large = reason_of(b"email\n" + b"a@b.com\n" * 200_000)

    assert ("more than 3 rows" in too_many, "larger than 1 MiB" in too_large) == (True, True)


@given(st.binary(max_size=400))
def test_any_bytes_give_rows_or_a_reason(content):
    file = io.BytesIO(content)
    try:
        table = recognise(file)
    except Invalid:
        return
    read = list(rows(file, table))
    assert len(read) == table.total
    assert all(len(row.cells) == len(table.header) for row in read if row.problem is None)
