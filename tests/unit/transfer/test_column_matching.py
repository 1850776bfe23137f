from __future__ import annotations

import pytest

from leads_core.errors import Invalid
from leads_core.transfer.column_matching import FIELDS, chosen_columns, match_columns


def fields_of(names, *samples):
    return [match.field for match in match_columns(names, samples)]


@pytest.mark.parametrize(
    ("names", "fields"),
    [
        (["Company", "E-Mail", "Phone number", "Job Title"], ["company_name", "email", "phone", "job_title"]),
        (["Firma", "Ansprechpartner", "Tel.", "Straße"], ["company_name", "contact_name", "phone", None]),
        (["Société", "Prénom", "Téléphone", "Pays"], ["company_name", "contact_name", "phone", "country"]),
        (["Empresa", "Correo electrónico", "País", "Teléfono"], ["company_name", "email", "country", "phone"]),
        (["Nazwa firmy", "Adres e-mail", "Miasto", "Kraj"], ["company_name", "email", "city", "country"]),
        (["Företagsnamn", "E-postadress", "Befattning"], ["company_name", "email", "job_title"]),
        (["Azienda", "Cognome", "Città", "Note"], ["company_name", "contact_name", "city", "notes"]),
    ],
)
def test_columns_are_found_by_their_name_in_many_languages(names, fields):
    assert fields_of(names) == fields


def test_every_field_is_found_by_its_own_name():
    assert fields_of(list(FIELDS)) == list(FIELDS)


def test_a_website_is_the_domain_where_no_column_is_called_so():
    assert fields_of(["Web", "Firma"]) == ["domain", "company_name"]
    assert fields_of(["Web", "Domain"]) == ["website", "domain"]


def test_what_no_name_tells_is_told_by_the_cells():
    found = match_columns(["A", "B", "C", "D", "E"], [["a@b.com", "acme.com", "+49 30 123456", "DE", "KD-1"]] * 3)

    assert [match.field for match in found] == ["email", "domain", "phone", "country", None]
    assert [match.how for match in found][::4] == ["by content", "no such field"]


def test_a_cell_that_changes_shows_what_it_becomes():
    found = match_columns(["Web"], [["www.global.abb/about"]])

    assert (found[0].field, found[0].how) == ("domain", "cleaned to global.abb")


def test_no_field_is_proposed_twice_but_for_parts_of_a_name():
    assert fields_of(["Email", "E-Mail", "First name", "Last name"]) == ["email", None, "contact_name", "contact_name"]


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"Nope": "email"}, "no column"),
        ({"Email": "version"}, "no field"),
        ({"Email": "email", "Other": "email"}, "Two columns"),
        ({"Email": None}, "No column goes to email or domain"),
        ({"Other": "notes"}, "No column goes to email or domain"),
    ],
)
def test_a_choice_that_cannot_work_says_what_to_do(chosen, words):
    with pytest.raises(Invalid, match=words):
        chosen_columns(["Email", "Other"], chosen)
