"""A field of a lead stands in several places: whoever adds one and forgets a place is told which."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from console import wording
from console.lead_page import DETAIL_FIELDS
from leads_core.audit.record.entry import PART_OF
from leads_core.leads.changing import FILLABLE
from leads_core.leads.models import Lead
from leads_core.leads.rows import FIELDS as FIELDS_OF_ROW
from leads_core.leads.schemas import LeadCreate, LeadFields, LeadRead
from leads_core.transfer import column_matching, export_columns

FORM = Path(__file__).parents[3] / "console" / "templates" / "lead" / "form.html"
WRITABLE = tuple(LeadFields.model_fields)
#: What the entries themselves say: when, who, in which version; provenance is split over the parts.
SAID_BY_ENTRIES = {
    *("id", "version", "provenance", "created_at", "created_by", "updated_at", "updated_by"),
    *("deleted_at", "deleted_by", "erased_at", "erased_by"),
}
ONLY_FOR_LISTS = {"arrival", "bucket", "facet", "search_text", "company_sort", "contact_sort"}
#: What the form sends beside the lead's fields.
BESIDE_THE_FIELDS = {"version", "enrich", "then"}
#: Shown in the head of the drawer, not among its details.
IN_THE_HEAD = {"stage", "owner_id", "is_manual"}


def test_every_column_of_a_lead_stands_in_the_trail() -> None:
    columns = {column.name for column in Lead.__table__.columns}

    assert columns - ONLY_FOR_LISTS - SAID_BY_ENTRIES == set(PART_OF)


def test_a_read_lead_has_every_column_but_those_of_lists() -> None:
    columns = [column.name for column in Lead.__table__.columns]

    assert list(LeadRead.model_fields) == [name for name in columns if name not in ONLY_FOR_LISTS]


def test_a_row_of_a_list_has_the_fields_of_a_lead_in_their_order() -> None:
    assert list(FIELDS_OF_ROW) == list(LeadRead.model_fields)


def test_what_people_may_write_can_be_read() -> None:
    assert set(LeadCreate.model_fields) | FILLABLE <= set(LeadRead.model_fields)


@pytest.mark.parametrize("field", WRITABLE)
def test_a_field_that_people_may_write_is_at_every_door(field: str) -> None:
    assert field in _inputs(), "the form has no input for it"
    assert field in column_matching.FIELDS, "an import cannot fill it"
    assert field in export_columns.COLUMNS, "an export leaves it out"
    assert field in wording.FIELDS, "it has no label"
    assert field in {*DETAIL_FIELDS, *IN_THE_HEAD}, "the drawer does not show it"


def test_no_door_offers_what_nobody_may_write() -> None:
    assert set(column_matching.FIELDS) <= set(LeadCreate.model_fields)
    assert set(DETAIL_FIELDS) <= set(WRITABLE)
    assert _inputs() - BESIDE_THE_FIELDS <= set(WRITABLE)


def _inputs() -> set[str]:
    """The names of the form's inputs."""
    found = re.findall(r'forms\.\w+\(form, "(\w+)"|name="(\w+)"', FORM.read_text())
    return {name for pair in found for name in pair if name}
