"""The provider that docs/providers.md shows, as it stands there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from leads_core.enrichment.providers import PROVIDER_GROUP, Provider, ProviderFailed, Subject
from leads_core.outgoing.client import OutgoingClient
from tests.servers.small_internet import SmallInternet
from tests.servers.web_server import Answer

PAGE = (Path(__file__).parents[4] / "docs" / "providers.md").read_text(encoding="utf-8")
REGISTER = "register.example"
COMPANY = b'{"industry": "Toolmaking", "employees": 180, "number": "HRB 1234"}'


def shown(language: str) -> str:
    (block,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(block)


@pytest.fixture
def register(guard: OutgoingClient) -> Provider:
    module: dict[str, Any] = {}
    exec(compile(shown("python"), "register.py", "exec"), module)  # noqa: S102 - it is our own page
    provider: Provider = module["Register"](guard)
    return provider


async def test_the_provider_that_the_documentation_shows_finds_its_facts(
    internet: SmallInternet, register: Provider, subject: Subject
) -> None:
    internet.site(REGISTER, {"/companies/brandt-werkzeuge.de": Answer(COMPANY, content_type="application/json")})

    facts = await register.find(subject)

    assert {fact.field: fact.value for fact in facts} == {
        "industry": "Toolmaking",
        "employee_count": 180,
        "register_number": "HRB 1234",
    }
    assert register.applies_to(subject)
    assert {fact.field for fact in facts} == register.fields


async def test_a_company_that_the_register_does_not_know_is_no_failure(
    internet: SmallInternet, register: Provider, subject: Subject
) -> None:
    internet.site(REGISTER, {})

    assert await register.find(subject) == []


async def test_a_register_that_is_down_fails_in_words_and_may_pass(
    internet: SmallInternet, register: Provider, subject: Subject
) -> None:
    internet.site(REGISTER, {"/companies/brandt-werkzeuge.de": Answer(b"", 503)})

    with pytest.raises(ProviderFailed, match=r"The register answered 503\.") as failed:
        await register.find(subject)

    assert failed.value.may_pass


def test_the_package_that_the_documentation_shows_names_the_group() -> None:
    assert list(tomllib.loads(shown("toml"))["project"]["entry-points"]) == [PROVIDER_GROUP]
