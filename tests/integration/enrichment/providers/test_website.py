"""What the website provider reads from a real web server, behind the guard."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from leads_core.enrichment import providers as providers_module
from leads_core.enrichment.providers import PROVIDER_GROUP, ProviderFailed, Subject, installed_providers
from leads_core.enrichment.providers import website as website_module
from leads_core.enrichment.providers.website import Website
from leads_core.outgoing.client import OutgoingClient
from leads_core.outgoing.recording import RequestRecord
from tests.servers.small_internet import SmallInternet
from tests.servers.web_server import Answer, SeenRequest, send

CORPUS = Path(__file__).parents[3] / "corpus"
DOMAIN = "brandt-werkzeuge.de"
PAGE = (CORPUS / "german_toolmaker_graph.html").read_bytes()


async def test_home_page_gives_facts_with_the_page_that_they_stand_on(
    internet: SmallInternet, guard: OutgoingClient, subject: Subject
) -> None:
    internet.site(DOMAIN, {"/": Answer.redirect(f"https://www.{DOMAIN}/", 301)})
    internet.site(f"www.{DOMAIN}", {"/": PAGE})

    facts = {fact.field: fact for fact in await Website(guard).find(subject)}

    assert (facts["company_name"].value, facts["company_name"].confidence) == ("Brandt Werkzeuge GmbH", 90)
    assert (facts["employee_count"].value, facts["phone"].value) == (180, "+492191550120")
    assert facts["website"].value == f"https://www.{DOMAIN}"
    assert {fact.url for fact in facts.values()} == {f"https://www.{DOMAIN}/"}
    assert [field for field, fact in facts.items() if fact.suggestion_only] == ["email"]


async def test_name_without_address_is_tried_with_www(
    internet: SmallInternet, guard: OutgoingClient, subject: Subject
) -> None:
    internet.names.add(DOMAIN, "MX", "10 mail.brandt-werkzeuge.de.")
    internet.site(f"www.{DOMAIN}", {"/": PAGE})

    assert "company_name" in {fact.field for fact in await Website(guard).find(subject)}


async def test_site_without_https_is_read_over_http(internet: SmallInternet, subject: Subject) -> None:
    internet.site(DOMAIN, {"/": PAGE})
    loopback = {**internet.loopback, "127.0.0.2:443": "127.0.0.1:1"}

    async with OutgoingClient(nameservers=internet.nameservers, loopback=loopback) as guard:
        facts = await Website(guard).find(subject)

    assert {fact.url for fact in facts} == {f"http://{DOMAIN}/"}


async def test_redirect_to_another_company_gives_suggestions_only(
    internet: SmallInternet, guard: OutgoingClient, subject: Subject
) -> None:
    internet.site(DOMAIN, {"/": Answer.redirect("https://lumenstack.io/")})
    internet.site("lumenstack.io", {"/": (CORPUS / "english_software_no_json_ld.html").read_bytes()})

    facts = {fact.field: fact for fact in await Website(guard).find(subject)}

    assert facts.pop("redirects_to").value == "lumenstack.io"
    assert facts["company_name"].value == "Lumenstack"
    assert all(fact.suggestion_only and fact.confidence <= 30 for fact in facts.values())


async def test_parked_page_gives_suggestions_only(
    internet: SmallInternet, guard: OutgoingClient, subject: Subject
) -> None:
    internet.site(DOMAIN, {"/": (CORPUS / "parked_german_host.html").read_bytes()})

    facts = {fact.field: fact for fact in await Website(guard).find(subject)}

    assert facts.pop("parked").value == "yes"
    assert all(fact.suggestion_only for fact in facts.values())


async def test_site_that_forbids_reading_is_left_alone_in_words(
    internet: SmallInternet, guard: OutgoingClient, subject: Subject
) -> None:
    internet.site(DOMAIN, {"/": PAGE, "/robots.txt": Answer(b"User-agent: *\nDisallow: /", content_type="text/plain")})

    with pytest.raises(ProviderFailed, match="does not allow automated reading") as failed:
        await Website(guard).find(subject)

    assert (failed.value.may_pass, internet.web.requests_of(DOMAIN, "/")) == (False, [])


@pytest.mark.parametrize(
    ("status", "may_pass"), [(500, True), (503, True), (429, True), (404, False), (403, False), (410, False)]
)
async def test_status_says_whether_trying_again_helps(
    internet: SmallInternet, guard: OutgoingClient, subject: Subject, status: int, may_pass: bool
) -> None:
    internet.site(DOMAIN, {"/": Answer(b"", status)})

    with pytest.raises(ProviderFailed, match=str(status)) as failed:
        await Website(guard).find(subject)

    assert failed.value.may_pass is may_pass


async def test_domain_that_leads_to_a_private_address_fails_in_words(
    internet: SmallInternet, guard: OutgoingClient, subject: Subject
) -> None:
    internet.names.add(DOMAIN, "A", "192.168.0.1")

    with pytest.raises(ProviderFailed, match=r"192\.168\.0\.1 is private") as failed:
        await Website(guard).find(subject)

    assert not failed.value.may_pass


async def test_domain_that_does_not_exist_is_asked_about_once(
    internet: SmallInternet, guard: OutgoingClient, subject: Subject
) -> None:
    with pytest.raises(ProviderFailed, match="does not exist"):
        await Website(guard).find(subject)

    assert {name for name, _ in internet.names.questions} == {DOMAIN}


async def test_machine_without_a_network_is_told_so_for_good(subject: Subject) -> None:
    async with OutgoingClient(nameservers=["255.255.255.255"]) as unconnected:
        with pytest.raises(ProviderFailed, match="No name server answered") as failed:
            await Website(unconnected).find(subject)

    assert not failed.value.may_pass


async def test_website_that_the_lead_names_is_read_and_another_domain_is_then_its_own(
    internet: SmallInternet, guard: OutgoingClient, subject: Subject
) -> None:
    internet.site("brandt-gruppe.example", {"/de": PAGE})
    internet.site(DOMAIN, {"/": Answer(b"", 500)})

    found = await Website(guard).find(replace(subject, website="https://brandt-gruppe.example/de"))

    assert "redirects_to" not in {fact.field for fact in found}
    assert {fact.url for fact in found} == {"https://brandt-gruppe.example/de"}
    assert internet.web.requests_of(DOMAIN) == []


@pytest.mark.parametrize("website", ["https://old.brandt.example", f"https://{DOMAIN}/careers/123"])
async def test_website_that_is_gone_leaves_the_domain_to_read(
    internet: SmallInternet, guard: OutgoingClient, subject: Subject, website: str
) -> None:
    internet.site(DOMAIN, {"/": PAGE})

    found = await Website(guard).find(replace(subject, website=website))

    assert {fact.url for fact in found} == {f"https://{DOMAIN}/"}


async def test_profile_at_a_network_is_not_read_as_if_it_were_the_companys_site(
    internet: SmallInternet, guard: OutgoingClient, subject: Subject
) -> None:
    internet.site(DOMAIN, {"/": PAGE})
    profile = replace(subject, website="https://www.facebook.com/brandt")

    await Website(guard).find(profile)

    assert {name for name, _ in internet.names.questions} == {DOMAIN}
    assert not Website(guard).applies_to(replace(profile, domain=None))


async def test_site_with_a_certificate_for_somebody_else_is_not_read_over_http_either(
    internet: SmallInternet, guard: OutgoingClient, subject: Subject
) -> None:
    other = internet.web.authority.issue_cert("somebody-else.example")
    internet.site(DOMAIN, {"/": PAGE}, certificate=other)

    with pytest.raises(ProviderFailed, match="No safe connection") as failed:
        await Website(guard).find(subject)

    assert (failed.value.may_pass, internet.web.requests) == (False, [])


async def test_site_that_never_answers_is_given_up_and_may_be_tried_again(
    internet: SmallInternet, guard: OutgoingClient, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def says_nothing(_request: SeenRequest, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(website_module, "SECONDS", 0.3)
    internet.site(DOMAIN, {"/": says_nothing})

    with pytest.raises(ProviderFailed, match=r"did not answer in 0\.3 s") as failed:
        await Website(guard).find(subject)

    assert failed.value.may_pass


HOME = b"""<html lang="de"><title>Brandt Werkzeuge</title><a href="tel:+492191550199">Anruf</a>
<nav><a href="/unternehmen">Unternehmen</a> <a href="/kontakt.html">Kontakt</a> <a href="/impressum">Impressum</a>
<a href="/kontakt.pdf">Anfahrt</a> <a href="https://agentur.example/impressum">Impressum der Agentur</a></nav></html>"""
ABOUT = b'<title>Wir</title><a href="https://www.linkedin.com/company/brandt-werkzeuge">LinkedIn</a>'
CONTACT = b'<title>Kontakt</title><p>Telefon: 02191 / 55 01 20</p><a href="mailto:info@brandt-werkzeuge.de">Mail</a>'
IMPRINT = b"<title>Impressum</title><p>Brandt Werkzeuge GmbH</p><p>Telefax: 02191 / 55 01 29</p>"
INNER = {"/unternehmen": ABOUT, "/kontakt.html": CONTACT, "/impressum": IMPRINT}


async def pages_of_facts(guard: OutgoingClient, subject: Subject) -> dict[str, tuple[object, str]]:
    facts = await Website(guard).find(subject)
    return {fact.field: (fact.value, (fact.url or "").removeprefix(f"https://{DOMAIN}")) for fact in facts}


async def test_imprint_contact_and_about_page_are_read_and_each_fact_names_its_page(
    internet: SmallInternet, guard: OutgoingClient, subject: Subject, requests_made: list[RequestRecord]
) -> None:
    internet.site(DOMAIN, {"/": HOME, **INNER})
    internet.site("agentur.example", {"/impressum": b"<p>Telefon: 0221 999999</p>"})

    facts = await pages_of_facts(guard, subject)

    assert facts == {
        "title": ("Brandt Werkzeuge", "/"),
        "company_name": ("Brandt Werkzeuge GmbH", "/impressum"),
        "phone": ("+492191550120", "/kontakt.html"),
        "email": ("info@brandt-werkzeuge.de", "/kontakt.html"),
        "linkedin_url": ("https://www.linkedin.com/company/brandt-werkzeuge", "/unternehmen"),
        "country": ("DE", "/"),
        "language": ("de", "/"),
        "website": (f"https://{DOMAIN}", "/"),
    }
    asked = sorted(request.path for request in internet.web.requests)
    assert asked == ["/", "/impressum", "/kontakt.html", "/robots.txt", "/unternehmen"]
    assert sorted(record.url.removeprefix(f"https://{DOMAIN}") for record in requests_made) == asked
    assert {(record.purpose, record.status) for record in requests_made if "robots" not in record.url} == {
        ("website", 200)
    }


@pytest.mark.parametrize(
    "failing",
    [
        Answer(b"", 500),
        Answer(b"", 404),
        Answer(b"%PDF", content_type="application/pdf"),
        Answer.redirect("/"),
        Answer.redirect("http://10.0.0.1/"),
        Answer.redirect("https://lumenstack.io/"),
        b"<title>404 - Seite nicht gefunden</title><p>Telefon: 0221 999999</p>",
        b"<title>brandt-werkzeuge.de</title><p>Diese Domain ist zu verkaufen</p><p>Telefon: 0221 999999</p>",
    ],
)
async def test_inner_page_that_cannot_be_read_loses_nothing_of_the_others(
    internet: SmallInternet, guard: OutgoingClient, subject: Subject, failing: Answer | bytes
) -> None:
    internet.site("lumenstack.io", {"/": (CORPUS / "english_software_no_json_ld.html").read_bytes()})
    internet.site(DOMAIN, {"/": HOME, **INNER, "/kontakt.html": failing})

    facts = await pages_of_facts(guard, subject)

    assert facts["phone"] == ("+492191550199", "/")
    assert facts["company_name"] == ("Brandt Werkzeuge GmbH", "/impressum")
    assert facts["linkedin_url"] == ("https://www.linkedin.com/company/brandt-werkzeuge", "/unternehmen")
    assert "email" not in facts


async def test_inner_page_that_never_answers_costs_no_more_than_the_providers_time(
    internet: SmallInternet, guard: OutgoingClient, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def says_nothing(_request: SeenRequest, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(website_module, "SECONDS", 3.0)
    internet.site(DOMAIN, {"/": HOME, **INNER, "/kontakt.html": says_nothing})

    facts = await pages_of_facts(guard, subject)

    assert facts["company_name"] == ("Brandt Werkzeuge GmbH", "/impressum")
    assert facts["phone"] == ("+492191550199", "/")


async def test_inner_pages_that_may_not_be_read_are_left_alone(
    internet: SmallInternet, guard: OutgoingClient, subject: Subject
) -> None:
    rules = Answer(b"User-agent: *\nDisallow: /kontakt\nDisallow: /impressum", content_type="text/plain")
    internet.site(DOMAIN, {"/": HOME, **INNER, "/robots.txt": rules})

    facts = await pages_of_facts(guard, subject)

    assert {request.path for request in internet.web.requests} == {"/", "/robots.txt", "/unternehmen"}
    assert (facts["phone"], facts["linkedin_url"][1]) == (("+492191550199", "/"), "/unternehmen")


async def test_inner_pages_are_read_side_by_side(
    internet: SmallInternet, guard: OutgoingClient, subject: Subject
) -> None:
    both = asyncio.Barrier(2)

    async def waits_for_the_other(request: SeenRequest, writer: asyncio.StreamWriter) -> None:
        await both.wait()
        await send(writer, Answer(INNER[request.path]))

    internet.site(DOMAIN, {"/": HOME, **INNER, **dict.fromkeys(["/impressum", "/kontakt.html"], waits_for_the_other)})

    facts = await pages_of_facts(guard, subject)

    assert (facts["company_name"][1], facts["phone"][1]) == ("/impressum", "/kontakt.html")


async def test_nothing_behind_a_trap_is_read(internet: SmallInternet, guard: OutgoingClient, subject: Subject) -> None:
    links = HOME.replace(b"<title>Brandt Werkzeuge", b"<title>Diese Domain steht zum Verkauf")
    internet.site(DOMAIN, {"/": links, **INNER})

    facts = await Website(guard).find(subject)

    assert all(fact.suggestion_only for fact in facts if fact.field != "parked")
    assert {request.path for request in internet.web.requests} == {"/", "/robots.txt"}


def test_lead_without_a_domain_is_nothing_to_read(subject: Subject) -> None:
    assert not Website(OutgoingClient()).applies_to(replace(subject, domain=None))


def test_providers_of_other_packages_are_found_and_a_broken_one_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    added = EntryPoints(
        [
            EntryPoint("register", f"{__name__}:Register", PROVIDER_GROUP),
            EntryPoint("broken", "no_such_package:Nothing", PROVIDER_GROUP),
        ]
    )
    monkeypatch.setattr(providers_module, "entry_points", lambda group: added.select(group=group))
    monkeypatch.setattr(EntryPoint, "load", lambda entry: Register if entry.name == "register" else _fail())

    names = [provider.name for provider in installed_providers(OutgoingClient())]
    assert names == ["dns", "website", "email", "register"]


class Register(Website):
    name = "register"


def _fail() -> None:
    raise ModuleNotFoundError("no_such_package")
