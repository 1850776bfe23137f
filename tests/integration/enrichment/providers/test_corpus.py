"""Every site of the corpus, served by real servers over DNS and https, read by the website provider."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from leads_core.enrichment.merging import Fact, fills
from leads_core.enrichment.providers import FoundFact, Subject
from leads_core.enrichment.providers.gathered import company_of
from leads_core.enrichment.providers.website import TRAP_CONFIDENCE, TRAPS, Website
from leads_core.leads.changing import FILLABLE
from leads_core.leads.schemas import LeadRead
from leads_core.outgoing.client import OutgoingClient
from tests.servers.small_internet import SmallInternet
from tests.servers.web_server import Answer, Behaviour, SeenRequest, send

CORPUS = Path(__file__).parents[3] / "corpus"
SITES: dict[str, dict[str, Any]] = json.loads((CORPUS / "expected.json").read_text(encoding="utf-8"))
OF_TRAPS = [name for name, site in SITES.items() if "trap" in site]
EMPTY = LeadRead.model_construct(**{**dict.fromkeys(LeadRead.model_fields), "provenance": {}})


def served_at(url: str, page: Answer) -> Behaviour:
    """The page at url; at any other spelling of it a redirect there, as real sites lead to `www.` and https."""

    async def answer(request: SeenRequest, writer: asyncio.StreamWriter) -> None:
        here = f"{request.scheme}://{request.host}{request.path}"
        await send(writer, page if here == url else Answer.redirect(url, 301))

    return answer


def build(internet: SmallInternet, name: str) -> str:
    """The site with its inner pages, as the corpus describes it. Gives the domain that a lead would name."""
    site = SITES[name]
    url = urlsplit(site["url"])
    body = (CORPUS / f"{name}.html").read_bytes()
    home = served_at(site["url"], Answer(body, content_type=site["content_type"] or "text/html"))
    inner = {
        path: Answer((CORPUS / "inner" / f"{page}.html").read_bytes(), content_type="text/html")
        for path, page in site.get("inner", {}).items()
    }
    asked: str = site.get("asked", company_of(url.hostname or ""))
    for host in {asked, url.hostname or ""}:
        internet.site(host, {"/": home, url.path: home, **inner})
    return asked


def about(domain: str) -> Subject:
    return Subject(UUID(int=7), UUID(int=8), domain, domain, None, None, None, None)


def by_field(facts: list[FoundFact], *, suggestion_only: bool) -> dict[str, Any]:
    chosen = [fact for fact in facts if fact.suggestion_only is suggestion_only and fact.field not in TRAPS]
    profiles = [fact.value for fact in chosen if fact.field == "social_profile"]
    single = {fact.field: fact.value for fact in chosen if fact.field != "social_profile"}
    return single | ({"social_profile": profiles} if profiles else {})


def filled_by(facts: list[FoundFact], lead: LeadRead = EMPTY) -> dict[str, Any]:
    now = datetime.now(UTC)
    known = [Fact(one.field, one.value, "website", one.confidence, now, one.url, one.suggestion_only) for one in facts]
    return {field: value for field, value in fills(lead, known).items() if field != "provenance"}


def test_corpus_is_as_large_as_it_should_be() -> None:
    assert (len(SITES) >= 40, len(OF_TRAPS) >= 8) == (True, True)


@pytest.mark.parametrize("name", [name for name in SITES if name not in OF_TRAPS])
async def test_site_gives_exactly_the_facts_expected_and_fills_a_lead_with_them(
    internet: SmallInternet, guard: OutgoingClient, name: str
) -> None:
    site = SITES[name]
    expected = site.get("with_inner", site)

    facts = await Website(guard).find(about(build(internet, name)))

    assert by_field(facts, suggestion_only=False) == expected["facts"]
    assert by_field(facts, suggestion_only=True) == expected["suggestions"]
    assert {fact.field: fact.url for fact in facts if fact.url != site["url"]} == {
        field: site["url"].rstrip("/") + path for field, path in site.get("on_inner", {}).items()
    }
    assert filled_by(facts) == {field: value for field, value in expected["facts"].items() if field in FILLABLE}


@pytest.mark.parametrize("name", OF_TRAPS)
async def test_trap_is_named_and_fills_nothing(internet: SmallInternet, guard: OutgoingClient, name: str) -> None:
    site = SITES[name]

    facts = await Website(guard).find(about(build(internet, name)))

    assert {fact.field: fact.value for fact in facts if fact.field in TRAPS} == site["trap"]
    assert by_field(facts, suggestion_only=False) == {}
    assert by_field(facts, suggestion_only=True) == {**site["suggestions"], **site["facts"]}
    assert {fact.confidence <= TRAP_CONFIDENCE for fact in facts if fact.field not in TRAPS} == {True}
    assert filled_by(facts) == {}
    assert {request.path for request in internet.web.requests} <= {"/", "/robots.txt", urlsplit(site["url"]).path}


@pytest.mark.parametrize("name", ["trap_same_name_marked_up_for_another", "foreign_organization"])
async def test_what_a_page_says_of_a_company_at_another_domain_fills_nothing(
    internet: SmallInternet, guard: OutgoingClient, name: str
) -> None:
    facts = await Website(guard).find(about(build(internet, name)))

    of_the_other = {fact.field for fact in facts if fact.suggestion_only}
    assert {"city", "country", "phone", "linkedin_url"} <= of_the_other
    assert not filled_by(facts).keys() & of_the_other


async def test_entry_in_a_directory_that_a_lead_names_as_its_website_is_not_read(
    internet: SmallInternet, guard: OutgoingClient
) -> None:
    domain = build(internet, "german_toolmaker_graph")
    lead = Subject(UUID(int=7), UUID(int=8), domain, domain, None, None, "https://www.gelbeseiten.de/gsbiz/1", None)

    facts = await Website(guard).find(lead)

    assert {fact.url for fact in facts} == {SITES["german_toolmaker_graph"]["url"]}
    assert "www.gelbeseiten.de" not in {name for name, _ in internet.names.questions}


async def test_all_sites_can_be_read_at_once(internet: SmallInternet, guard: OutgoingClient) -> None:
    domains = {name: build(internet, name) for name in SITES}
    website = Website(guard)

    found = await asyncio.gather(*(website.find(about(domain)) for domain in domains.values()))

    assert all(found)
