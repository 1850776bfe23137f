"""Which pages behind a home page are read, what they add, and what stands in a home page's place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from leads_core.enrichment.providers import FoundFact
from leads_core.enrichment.providers.inner_facts import FIELDS, facts_of_inner_page, merged
from leads_core.enrichment.providers.legal_forms import has_legal_form
from leads_core.enrichment.providers.page_links import InnerPage, Kind, inner_pages
from leads_core.enrichment.providers.page_traps import trap_in

CORPUS = Path(__file__).parents[3] / "corpus"
PAGES: dict[str, Any] = json.loads((CORPUS / "expected.json").read_text(encoding="utf-8"))
HOME = "https://www.brandt.de/"


def linked(html: str) -> dict[str, str]:
    return {page.kind.value: page.url for page in inner_pages(html.encode(), url=HOME)}


def facts_on(html: str, kind: Kind = Kind.IMPRINT, url: str = "https://brandt.de/impressum") -> dict[str, Any]:
    return {fact.field: fact.value for fact in facts_of_inner_page(html.encode(), kind=kind, url=url)}


@pytest.mark.parametrize("name", PAGES)
def test_pages_that_a_home_page_of_the_corpus_links_to_are_found(name: str) -> None:
    page = PAGES[name]
    body = (CORPUS / f"{name}.html").read_bytes()

    found = inner_pages(body, url=page["url"], content_type=page["content_type"])

    assert {one.kind.value: one.url for one in found} == page.get("links", {})


@pytest.mark.parametrize("name", PAGES)
def test_what_stands_in_the_place_of_a_home_page_is_named(name: str) -> None:
    page = PAGES[name]
    shown = trap_in((CORPUS / f"{name}.html").read_bytes(), content_type=page["content_type"])

    assert page["parked"] or shown == page.get("trap", {}).get("site_shows")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Impressum", "imprint"), ("Mentions légales", "imprint"), ("Aviso legal", "imprint"), ("Реквизиты", "imprint"),
        ("KONTAKT", "contact"), ("Contactez-nous", "contact"), ("Contáctanos", "contact"), ("Ota yhteyttä", "contact"),
        ("Επικοινωνία", "contact"), ("İletişim", "contact"), ("お問い合わせはこちら", "contact"),
        ("联系我们", "contact"), ("اتصل بنا", "contact"), ("ติดต่อเรา", "contact"), ("Contact »", "contact"),
        ("Über uns", "about"), ("Qui sommes-nous ?", "about"), ("Chi siamo", "about"), ("О компании", "about"),
        ("회사소개", "about"), ("About Brandt", "about"), ("Company", "about"),
    ],
)  # fmt: skip
def test_page_is_known_by_the_text_of_its_link(text: str, kind: str) -> None:
    assert linked(f'<a href="/p/7">{text}</a>') == {kind: "https://www.brandt.de/p/7"}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/impressum.html", "imprint"), ("/de/impressum/", "imprint"), ("/mentions-legales", "imprint"),
        ("/kontakt.php", "contact"), ("/contact_us", "contact"), ("/contactus.aspx", "contact"),
        ("/%D0%BA%D0%BE%D0%BD%D1%82%D0%B0%D0%BA%D1%82%D1%8B", "contact"), ("/ueber-uns", "about"),
        ("/aboutus", "about"),
    ],
)  # fmt: skip
def test_page_is_known_by_its_address_where_the_link_is_a_picture(path: str, kind: str) -> None:
    assert linked(f'<a href="{path}"><img src="x.gif"></a>') == {kind: f"https://www.brandt.de{path}"}


@pytest.mark.parametrize(
    "link",
    [
        "https://other.example/kontakt", "https://brandt.de.evil.example/kontakt", "https://brandt.de@evil.example/kontakt",
        "https://user:secret@brandt.de/kontakt", "https://www.brandt.de:8443/kontakt", "http://169.254.169.254/kontakt",
        "ftp://brandt.de/kontakt", "mailto:kontakt@brandt.de", "javascript:kontakt()", "#kontakt", "/", "/#kontakt", "",
        "/kontakt.pdf", "/kontakt.vcf", "http://[/kontakt", "//", "https://[::1]/kontakt",
    ],
)  # fmt: skip
def test_link_that_leads_elsewhere_is_not_followed(link: str) -> None:
    assert linked(f'<a href="{link}">Kontakt</a>') == {}


@pytest.mark.parametrize(
    ("link", "read"),
    [
        ("https://brandt.de/kontakt", "https://brandt.de/kontakt"),
        ("https://info.brandt.de/kontakt", "https://info.brandt.de/kontakt"),
        ("http://www.brandt.de/kontakt", "https://www.brandt.de/kontakt"),
        ("//www.brandt.de/kontakt?a=1#form", "https://www.brandt.de/kontakt?a=1"),
    ],
)
def test_page_under_the_same_registered_domain_is_followed(link: str, read: str) -> None:
    assert linked(f'<a href="{link}">Kontakt</a>') == {"contact": read}


def test_link_that_says_it_plainly_wins_over_those_that_only_mention_it() -> None:
    html = """<a href="/blog/contact-lenses">All about contact lenses</a> <a href="/register">Register your company</a>
    <a href="/c">Contact</a> <a href="/contact">Contact</a> <a href="/contact/press">Press contact</a>"""

    assert linked(html) == {
        "contact": "https://www.brandt.de/contact",
        "about": "https://www.brandt.de/blog/contact-lenses",
    }


def test_page_that_is_imprint_and_contact_in_one_is_read_once() -> None:
    found = inner_pages(b'<a href="/i">Impressum</a> <a href="/i">Kontakt</a>', url=HOME)

    assert found == [InnerPage(Kind.IMPRINT, "https://www.brandt.de/i")]


def test_thousands_of_links_give_at_most_three_pages() -> None:
    html = "".join(f'<a href="/{n}/contact">Contact</a><a href="/{n}/about">About</a>' for n in range(3000))

    assert len(inner_pages(html.encode(), url=HOME)) == 2


@pytest.mark.parametrize(
    ("line", "phone"),
    [
        ("Telefon: 02191 / 55 01 20", "+492191550120"),
        ("Tel. +49 (0)2191 550120", "+492191550120"),
        ("Tel.: 02191-550120 Fax: 02191-550129", "+492191550120"),
        ("Fon 02191 550120", "+492191550120"),
        ("Telefax: 02191 / 55 01 29", None),
        ("Fax 02191 550129", None),
        ("Hotel 02191 550129", None),
        ("USt-IdNr. DE 123456789", None),
    ],
)
def test_telephone_is_read_from_the_text_of_an_imprint(line: str, phone: str | None) -> None:
    assert facts_on(f"<p>{line}</p>").get("phone") == phone


@pytest.mark.parametrize(
    "name",
    [
        "Brandt Werkzeuge GmbH & Co. KG", "Krause e.K.", "Harrow Bell LLP", "Acme, Inc.", "Facturis Software S.R.L.",
        "Güneş Tekstil A.Ş.", "Kowalski Okna Sp. z o. o.", "Dunagép Kft.", "Saimaan Saha Oy", "ООО «Север»",
        "株式会社大和", "大和精機株式会社", "清心茶業股份有限公司", "Beispiel UG (haftungsbeschränkt)",
    ],
)  # fmt: skip
def test_name_with_a_legal_form_is_a_companys(name: str) -> None:
    assert has_legal_form(name)


@pytest.mark.parametrize(
    "line", ["Impressum", "Angaben gemäß § 5 DDG", "GmbH", "Tel. 0561 55 01 20", "Wir über uns", ""]
)
def test_line_without_a_legal_form_is_no_companys_name(line: str) -> None:
    assert not has_legal_form(line)


def test_imprint_names_the_company_and_not_its_agency() -> None:
    html = """<p>Webdesign: Pixelwerk GmbH<br>Am Markt 1<br>50667 Köln</p><p>Brandt Werkzeuge GmbH &amp; Co. KG</p>
    <p>hallo@pixelwerk.example</p><p>post@brandt.de</p>"""

    facts = facts_on(html)

    assert (facts["company_name"], facts["email"]) == ("Brandt Werkzeuge GmbH & Co. KG", "post@brandt.de")


@pytest.mark.parametrize(
    ("street", "place", "city"),
    [
        ("Wolfhager Straße 88", "34117 Kassel", "Kassel"),
        ("3, rue de l'Aspic", "30000 Nîmes", "Nîmes"),
        ("Via Roma 12", "20121 Milano (MI)", "Milano"),
        ("Kade 1a", "3011 AB Rotterdam", "Rotterdam"),
        ("ul. Piotrkowska 12/14", "90-001 Łódź", "Łódź"),
        ("Storgatan 5", "111 51 Stockholm", "Stockholm"),
        ("Bahnhofstrasse 1", "CH-8001 Zürich", "Zürich"),
    ],
)
def test_address_of_two_lines_is_read_from_an_imprint(street: str, place: str, city: str) -> None:
    facts = facts_on(f"<p>{street}<br>{place}</p>")

    assert (facts["address"], facts["city"]) == (f"{street}, {place}", city)


@pytest.mark.parametrize(
    "line", ["Seit 1990 dabei", "© 2024 Brandt", "Handelsregister B 1234", "2024 war ein gutes Jahr"]
)
def test_line_with_a_number_is_no_address(line: str) -> None:
    assert "address" not in facts_on(f"<p>{line}<br>{line}</p>")


def test_telephone_in_the_text_of_an_about_page_is_anybodys() -> None:
    assert "phone" not in facts_on("<p>Telefon: 02191 / 55 01 20</p>", Kind.ABOUT)


def test_inner_page_says_nothing_of_title_description_and_language() -> None:
    facts = facts_on('<html lang="en"><title>Imprint</title><meta name="description" content="Legal"></html>')

    assert facts == {}
    assert {"title", "description", "language", "website", "generator"}.isdisjoint(FIELDS)


def test_how_to_reach_a_company_is_surest_on_its_imprint() -> None:
    home = [FoundFact("phone", "+491", 90, HOME), FoundFact("company_name", "Brandt", 90, HOME)]
    html = b'<a href="tel:+492191550120">Anruf</a><meta property="og:site_name" content="Other">'

    found = {fact.field: fact for fact in merged(home, facts_of_inner_page(html, kind=Kind.IMPRINT, url=HOME + "i"))}

    assert (found["phone"].value, found["phone"].url) == ("+492191550120", HOME + "i")
    assert found["company_name"].value == "Brandt"


def test_profiles_of_all_pages_are_kept_and_a_fact_that_may_fill_wins_over_a_suggestion() -> None:
    home = [FoundFact("social_profile", "a", 80), FoundFact("city", "New York", 95, suggestion_only=True)]
    inner = [FoundFact("social_profile", "b", 80), FoundFact("city", "Kassel", 60)]

    facts = merged(home, inner)

    assert [fact.value for fact in facts] == ["a", "Kassel", "b"]


@pytest.mark.parametrize(
    "html",
    [
        "<title>Forbidden Fruit Cider</title><p>Welcome</p>",
        "<title>Just a Moment Photography</title><p>Weddings</p>",
        "<title>Brandt</title><p>Call us: (404) 555-0100</p>",
        "<title>Peugeot 404 Club</title><p>Meetings</p>",
        "<title>Shop</title><form>Log in <input type=password></form>" + "<p>Fresh flowers every day.</p>" * 50,
    ],
)
def test_companys_page_is_not_taken_for_a_trap(html: str) -> None:
    assert trap_in(html.encode()) is None
