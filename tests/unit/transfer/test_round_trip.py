"""What an export writes is read by an import as the same lead, whatever stands in it."""

from __future__ import annotations

import asyncio
import io
from contextlib import closing
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from leads_core.leads.row_matching import UpsertRow
from leads_core.leads.schemas import LeadCreate, Stage
from leads_core.transfer import exporting
from leads_core.transfer.checking import columns_for
from leads_core.transfer.export_columns import COLUMNS
from leads_core.transfer.readers import opened, recognise
from leads_core.transfer.reading import RowReader

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=25) | st.sampled_from(
    ["=1+1", "'=1+1", "+49 30", "@x", "0049", "1e5", "TRUE", '"', ";", "a\nb", " a ", "-", "\t", "12,5"]
)
PEOPLES_FIELDS = [name for name in COLUMNS if name in LeadCreate.model_fields]


@st.composite
def leads(draw: st.DrawFn) -> list[LeadCreate]:
    made = []
    for number in range(draw(st.integers(1, 5))):
        values: dict[str, Any] = {name: draw(TEXT) for name in ("company_name", "contact_name", "city", "notes")}
        values |= {"tags": draw(st.lists(TEXT, max_size=3)), "stage": draw(st.sampled_from(Stage))}
        values |= {"employee_count": draw(st.none() | st.integers(0, 2**31 - 1)), "is_manual": draw(st.booleans())}
        values |= {"follow_up_on": draw(st.none() | st.dates(date(2000, 1, 1)))}
        try:
            made.append(LeadCreate.model_validate({**values, "email": f"p{number}@acme.com"}))
        except ValidationError:  # what no lead can hold is in no export
            made.append(LeadCreate(email=f"p{number}@acme.com"))
    return made


def exported(made: list[LeadCreate], as_format: exporting.Format) -> bytes:
    rows = [SimpleNamespace(**{**dict.fromkeys(COLUMNS), **lead.columns()}) for lead in made]

    async def written() -> bytes:
        async def pages() -> Any:
            yield rows

        return b"".join([piece async for piece in exporting._WRITERS[as_format](pages(), None)])

    return asyncio.run(written())


def imported(content: bytes) -> list[UpsertRow]:
    with closing(opened(io.BytesIO(content))) as file:
        table = recognise(file)
        return [row for _, row in RowReader(file, table, columns_for(table, None)).rows()]  # type: ignore[misc]


def says_the_same(row: UpsertRow, lead: LeadCreate) -> bool:
    # Of tags, a comma is the end of one: that is all that a file cannot carry.
    return all(
        getattr(row.lead, name) == getattr(lead, name)
        for name in PEOPLES_FIELDS
        if name not in {"tags", "source_detail", "domain"} and getattr(lead, name) is not None
    )


@given(leads())
@settings(max_examples=30, deadline=None)
def test_a_csv_comes_back_as_the_same_leads(made):
    read = imported(exported(made, exporting.Format.CSV))

    assert [says_the_same(row, lead) for row, lead in zip(read, made, strict=True)] == [True] * len(made)


@given(leads())
@settings(max_examples=6, deadline=None)
def test_a_workbook_comes_back_as_the_same_leads(made):
    read = imported(exported(made, exporting.Format.XLSX))

    assert [says_the_same(row, lead) for row, lead in zip(read, made, strict=True)] == [True] * len(made)


@pytest.mark.parametrize("as_format", [exporting.Format.CSV, exporting.Format.XLSX])
def test_tags_come_back_too(as_format):
    lead = LeadCreate(email="a@acme.com", tags=["=1+1", "a b", "+c"])

    assert imported(exported([lead], as_format))[0].lead.tags == lead.tags
