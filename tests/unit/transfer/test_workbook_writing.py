"""What is written into a workbook comes back as the same text, and never runs."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from leads_core.errors import Invalid
from leads_core.transfer.formulas import disarmed
from leads_core.transfer.workbook_writing import Cell, workbook

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30) | st.sampled_from(
    ["=1+1", "'=1+1", "''@x", "+49 30 123", "0049", "_x0041_", "http://a.de", "{=A1}", " a ", "1e5", "a\nb"]
)


async def written(rows: Sequence[Sequence[Cell]], *, most: int = 1000) -> bytes:
    async def batches() -> AsyncIterator[Sequence[Sequence[Cell]]]:
        for row in rows:
            yield [row]

    return b"".join([piece async for piece in workbook(("name", "number"), batches(), most=most)])


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS.filter(bool), min_size=1, max_size=4))
def test_every_text_comes_back_as_it_was(texts):
    content = asyncio.run(written([(text, 7) for text in texts]))
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()

    assert [(disarmed(str(name)), number) for name, number in sheet[1:]] == [(text, 7) for text in texts]


async def test_nothing_in_it_is_a_formula_or_a_link():
    content = await written([("=HYPERLINK(1)", 1), ("http://acme.com", 2), ("@SUM(A1)", 3)])
    sheet = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")

    assert b"<f>" not in sheet
    assert b"hyperlink" not in sheet.lower().replace(b"=hyperlink(1)", b"")


def test_more_than_a_sheet_holds_is_refused_and_leaves_nothing_behind(monkeypatch, tmp_path: Path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with pytest.raises(Invalid, match="Take CSV"):
        asyncio.run(written([("a", 1)] * 3, most=3))

    assert list(tmp_path.iterdir()) == []
