"""The pages on which an administrator erases a person: what they show is what is done."""

from __future__ import annotations

import re

import asyncpg
import pytest

from leads_core.accounts.permissions import Role
from leads_core.accounts.schemas import UserRead
from leads_core.context import acting_as
from leads_core.leads.schemas import LeadRead, Source
from leads_core.leads.service import LeadService
from tests.builders import a_lead, an_actor
from tests.integration.console.conftest import Ask


@pytest.fixture
async def zoe(leads: LeadService) -> LeadRead:
    with acting_as(an_actor()):
        wanted = a_lead(email="zoe@acme.com", contact_name="Zoë Quixote", notes="likes lentils", city="Toledo")
        return await leads.create(wanted, source=Source.FORM)


def section(html: str, name: str) -> str:
    """The part of the page under this heading, as text."""
    found = re.search(rf'<section class="group" aria-labelledby="{name}">(.*?)</section>', html, re.DOTALL)
    assert found, name
    return re.sub(r"<[^>]+>|\s+", " ", found[1])


async def test_the_page_shows_what_goes_and_what_stays(browser: Ask, zoe: LeadRead) -> None:
    admin = await browser(Role.ADMIN)

    person = (await admin.get(f"/leads/{zoe.id}/erase")).text
    more = (await admin.get(f"/leads/{zoe.id}/erase?part=person&part=text&part=data&keep_domain=true")).text

    assert all(value in section(person, "goes") for value in ("zoe@acme.com", "Zoë Quixote", "1 entry of the trail"))
    assert all(value in section(person, "stays") for value in ("likes lentils", "Toledo", "acme.com"))
    assert all(value in section(more, "goes") for value in ("Zoë Quixote", "likes lentils", "Toledo"))
    assert "acme.com" in section(more, "stays")
    assert "lentils" not in section(more, "stays")


async def test_what_was_shown_is_erased_and_the_lead_says_when_and_by_whom(
    browser: Ask, leads: LeadService, zoe: LeadRead
) -> None:
    admin = await browser(Role.ADMIN)
    wanted = {"part": ["person", "text"], "version": "1", "keep_domain": "true"}

    answer = await admin.post(f"/leads/{zoe.id}/erase", data=wanted)
    page = (await admin.get(f"/leads/{zoe.id}")).text

    erased = await leads.get(zoe.id)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/leads/{zoe.id}")
    assert (erased.email, erased.notes, erased.city, erased.domain) == (None, None, "Toledo", "acme.com")
    assert "This person was erased" in page
    assert "by you" in page
    assert "Zoë" not in page
    assert "Enrich again" not in page


async def test_another_administrator_reads_who_erased_it(browser: Ask, leads: LeadService, zoe: LeadRead) -> None:
    await (await browser(Role.ADMIN)).post(f"/leads/{zoe.id}/erase", data={"part": "person"})

    page = (await (await browser(Role.VIEWER)).get(f"/leads/{zoe.id}")).text

    assert re.search(r"</time> by\s+Admin", page)


async def test_a_lead_that_changed_meanwhile_is_shown_again_before_anything_goes(
    browser: Ask, leads: LeadService, zoe: LeadRead
) -> None:
    admin = await browser(Role.ADMIN)

    answer = await admin.post(f"/leads/{zoe.id}/erase", data={"part": "person", "version": "7"})

    assert answer.status_code == 412
    assert "the lead changed meanwhile" in answer.text
    assert await leads.get(zoe.id) == zoe


async def test_a_lead_that_must_keep_an_identity_says_so(browser: Ask, leads: LeadService) -> None:
    admin = await browser(Role.ADMIN)
    with acting_as(an_actor()):
        lead = await leads.create(a_lead(email=None, domain="mills.com"), source=Source.FORM)

    asked = await admin.get(f"/leads/{lead.id}/erase?part=data&keep_domain=false")
    done = await admin.post(f"/leads/{lead.id}/erase", data={"part": "data", "keep_domain": "false"})

    assert (asked.status_code, done.status_code) == (422, 422)
    assert "Keep the domain" in asked.text
    assert "Keep the domain" in done.text
    assert (await leads.get(lead.id)).domain == "mills.com"


async def test_a_form_that_names_no_part_erases_nothing(browser: Ask, leads: LeadService, zoe: LeadRead) -> None:
    admin = await browser(Role.ADMIN)

    answers = [
        await admin.post(f"/leads/{zoe.id}/erase", data=data) for data in ({"version": "1"}, {"part": "everything"})
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert "Choose at least one" in answers[0].text
    assert await leads.get(zoe.id) == zoe


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
async def test_only_administrators_see_the_way_there(browser: Ask, zoe: LeadRead, role: Role) -> None:
    client, admin = await browser(role), await browser(Role.ADMIN)

    assert "/erase" not in (await client.get(f"/leads/{zoe.id}")).text
    assert f"/leads/{zoe.id}/erase" in (await admin.get(f"/leads/{zoe.id}")).text
    assert (await client.get(f"/leads/{zoe.id}/erase")).status_code == 403
    assert "/settings/users" not in (await client.get("/settings")).text


async def test_a_user_is_shut_out_let_in_and_erased_in_the_settings(
    browser: Ask, people: dict[Role, UserRead], owner: asyncpg.Connection
) -> None:
    admin, editor = await browser(Role.ADMIN), people[Role.EDITOR]
    here = f"/settings/users/{editor.id}"

    shut_out = await admin.post(f"{here}/disable")
    let_in = await admin.post(f"{here}/enable")
    question = await admin.get(f"{here}/erase")
    erased = await admin.post(f"{here}/erase", data={})
    page = await admin.get("/settings/users")

    assert [answer.status_code for answer in (shut_out, let_in, question, erased)] == [303, 303, 200, 303]
    assert "Erase Editor" in question.text
    assert "Erased user" in page.text
    assert "<strong>Editor</strong>" not in page.text
    assert await owner.fetchval("SELECT name FROM users WHERE id = $1", editor.id) == "Erased user"


async def test_nobody_erases_or_shuts_out_the_only_administrator(
    browser: Ask, people: dict[Role, UserRead], owner: asyncpg.Connection
) -> None:
    admin, here = await browser(Role.ADMIN), f"/settings/users/{people[Role.ADMIN].id}"

    disabled = await admin.post(f"{here}/disable")
    erased = await admin.post(f"{here}/erase", data={})

    assert (disabled.status_code, erased.status_code) == (422, 422)
    assert "only administrator" in disabled.text
    assert "another administrator" in erased.text
    assert await owner.fetchval("SELECT disabled_at FROM users WHERE id = $1", people[Role.ADMIN].id) is None
