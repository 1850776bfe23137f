from __future__ import annotations

from uuid import UUID

import pytest

from leads_core.enrichment.providers import FoundFact, Subject
from leads_core.enrichment.providers.email import Email, kind_of, name_in


def a_subject(email: str | None) -> Subject:
    return Subject(UUID(int=1), UUID(int=2), None, None, email, None, None, None)


@pytest.mark.parametrize(
    ("email", "kind"),
    [
        ("info@acme.com", "role"),
        ("sales-emea@acme.com", "role"),
        ("jobs.berlin@acme.com", "role"),
        ("billing+4711@acme.com", "role"),
        ("kontakt@gmx.de", "role"),
        ("ana@mailinator.com", "disposable"),
        ("info@eu.mailinator.com", "disposable"),
        ("ana.diaz@gmail.com", "free mail"),
        ("ana.diaz@acme.com", "person"),
        ("infoseek@acme.com", "person"),
    ],
)
def test_the_kind_of_an_address_is_known_from_itself(email: str, kind: str) -> None:
    local, _, host = email.rpartition("@")

    assert kind_of(local, host) == kind


@pytest.mark.parametrize(
    ("local", "name"),
    [
        ("ana.diaz", "Ana Diaz"),
        ("ana_maria-díaz", "Ana Maria Díaz"),
        ("ana.diaz+crm", "Ana Diaz"),
        ("adiaz", None),
        ("a.diaz", None),
        ("ana.d", None),
        ("ana.diaz2", None),
        ("x1.y2", None),
        ("one.two.three.four", None),
        ("..", None),
    ],
)
def test_a_name_is_guessed_only_where_it_stands_in_full(local: str, name: str | None) -> None:
    assert name_in(local) == name


async def test_a_guessed_name_is_only_ever_a_suggestion() -> None:
    facts = await Email().find(a_subject("ana.diaz@acme.com"))

    assert facts == [
        FoundFact("email_kind", "person", 95),
        FoundFact("contact_name", "Ana Diaz", 30, suggestion_only=True),
    ]


async def test_a_department_has_no_name() -> None:
    assert [fact.field for fact in await Email().find(a_subject("press.office@acme.com"))] == ["email_kind"]


def test_a_lead_without_an_address_is_left_alone() -> None:
    assert not Email().applies_to(a_subject(None))
