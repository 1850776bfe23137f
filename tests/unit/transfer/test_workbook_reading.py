"""Workbooks as people and attackers make them, read as rows."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
import xlsxwriter

from leads_core.errors import Invalid
from leads_core.transfer import workbook_reading
from leads_core.transfer.readers import AS_IT_LOOKS, ReadAs, opened, recognise, rows


def a_workbook(fill: Callable[[Any], None]) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        fill(book)
    return content.getvalue()


def a_sheet(*lines: tuple[Any, ...]) -> bytes:
    def fill(book: Any) -> None:
        sheet = book.add_worksheet()
        for at, line in enumerate(lines):
            sheet.write_row(at, 0, line)

    return a_workbook(fill)


def read(content: bytes, asked: ReadAs = AS_IT_LOOKS) -> list[tuple[int, list[str]]]:
    with opened(io.BytesIO(content)) as file:
        return [(row.number, list(row.cells)) for row in rows(file, recognise(file, asked))]


def reason_of(content: bytes) -> str:
    with pytest.raises(Invalid) as error:
        read(content)
    return error.value.errors[0].message


def test_cells_come_as_a_person_would_type_them():
    def fill(book: Any) -> None:
        sheet = book.add_worksheet()
        day, moment = book.add_format({"num_format": "dd.mm.yyyy"}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet.write_row(2, 1, ["email", "phone", "count", "when", "at", "sum", "yes", "notes"])
        sheet.write_row(4, 1, ["ana@acme.com", 4930123456, 12.5])
        sheet.write_datetime(4, 4, date(2026, 12, 1), day)
        sheet.write_datetime(4, 5, datetime(2026, 12, 1, 9, 30), moment)  # noqa: DTZ001 - as Excel has it
        sheet.write_formula(4, 6, "=1+1", None, 2)
        sheet.write_boolean(4, 7, True)
        sheet.write_string(4, 8, 'a\nb, "c"')

    assert read(a_workbook(fill)) == [
        (5, ["ana@acme.com", "4930123456", "12.5", "2026-12-01", "2026-12-01 09:30:00", "2", "true", 'a\nb, "c"'])
    ]


def test_of_several_sheets_one_is_chosen_and_hidden_and_blank_ones_are_no_choice():
    def fill(book: Any) -> None:
        for name in ("Blank", "Hidden", "Customers", "Leads"):
            sheet = book.add_worksheet(name)
            if name != "Blank":
                sheet.write_column(0, 0, ["email", f"{name.lower()}@acme.com"])
            if name == "Hidden":
                sheet.hide()

    content = a_workbook(fill)
    with opened(io.BytesIO(content)) as file:
        table = recognise(file)

    assert (table.sheets, table.sheet, table.total) == (("Customers", "Leads"), "Customers", 1)
    assert read(content, ReadAs(sheet="Leads")) == [(2, ["leads@acme.com"])]
    with pytest.raises(Invalid, match="It has: Customers, Leads"):
        read(content, ReadAs(sheet="Hidden"))


def test_two_cells_in_opposite_corners_cost_nothing():
    def fill(book: Any) -> None:
        sheet = book.add_worksheet()
        sheet.write_string(0, 0, "email")
        sheet.write_string(1_048_575, 16_383, "x")

    assert "too large" in reason_of(a_workbook(fill))


def test_one_long_text_in_very_many_cells_is_refused(monkeypatch: pytest.MonkeyPatch):
    content = a_sheet(("email",), *[("x" * 32_767,)] * 60_000)

    assert len(content) < 1 << 20
    assert "too large" in reason_of(content)


def test_a_sheet_of_20_000_columns_is_refused_in_words():
    assert "16,000 columns; at most 200" in reason_of(a_sheet(tuple(f"c{n}" for n in range(16_000)), ("x",)))


@pytest.mark.parametrize("members", [3, 5_000])
def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(members: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workbook_reading, "UNPACKED_LIMIT", 1 << 20)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        for n in range(members):
            archive.writestr(f"xl/{n}.xml", b" " * (1 << 20 if members == 3 else 1))

    assert "too large" in reason_of(content.getvalue())


def test_what_is_no_workbook_or_a_broken_one_is_said_in_words():
    whole = a_sheet(("email",), ("ana@acme.com",))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as other:
        other.writestr("letter.txt", "x")
    hollow = io.BytesIO()
    with zipfile.ZipFile(hollow, "w") as book:
        book.writestr("xl/workbook.xml", "<workbook")

    assert "broken" in reason_of(whole[: len(whole) // 2])
    assert "archive" in reason_of(archive.getvalue())
    assert "broken" in reason_of(hollow.getvalue())
    assert "password" in reason_of(b"\xd0\xcf\x11\xe0" + b"\0" * 508 + "EncryptedPackage".encode("utf-16-le"))
    assert "empty" in reason_of(a_sheet())


def test_a_text_that_pretends_to_be_a_workbooks_is_only_a_text():
    for line in (b"\x1csheets nonsense\n", b'\x1csheets [["a", "b"]]\n', b"\x1csheets 7\n"):
        assert len(read(line + b"email\nana@acme.com\n")) == 2
    assert read(b'\x1csheets [["a", 999999]]\nemail\nana@acme.com\n') == [(2, ["ana@acme.com"])]
