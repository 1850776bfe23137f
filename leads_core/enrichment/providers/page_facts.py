"""A home page's HTML to facts. Pure. What a page says is hostile input: it is parsed under limits, and no control
character, lone surrogate or overlong text leaves here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import unquote, urlsplit

import phonenumbers
from selectolax.lexbor import LexborHTMLParser, LexborNode

from leads_core.enrichment.providers import FoundFact
from leads_core.enrichment.providers.gathered import (
    Gathered,
    add_email,
    add_profile,
    company_of,
)
from leads_core.enrichment.providers.microdata import read_microdata
from leads_core.enrichment.providers.organization_facts import read_organization
from leads_core.enrichment.providers.page_text import LINE, PARAGRAPH, letters_of, parsed, safe_line
from leads_core.leads.normalising import normalise_language, normalise_phone, normalise_web_address

FIELDS = frozenset(
    {"company_name", "phone", "website", "linkedin_url", "industry", "employee_count", "city", "country", "language",
     "description", "title", "email", "address", "founded_on", "generator", "social_profile", "employee_range"}
)  # fmt: skip
MAX_ELEMENTS = 3000
_SEPARATORS = re.compile(r"\s+[|–—•·»:\-]+\s+|\s*[|»•·]\s*|:\s+")


def facts_of_page(body: bytes, *, url: str, content_type: str = "", country: str | None = None) -> list[FoundFact]:
    """What the page at url says of its company: the surest of each field; social_profile may come several times.

    country is where a number without a country code is dialled, if the page itself does not say.
    """
    page = parsed(body, content_type)
    found = Gathered(url)
    metas = _metas(page)
    scripts = page.css('script[type^="application/ld+json" i]')
    read_organization((script.text(deep=True) for script in scripts), found)
    _read_head(page, metas, found)
    read_microdata(page, found)
    _read_links(page, found, country)
    return found.facts()


def _read_head(page: LexborHTMLParser, metas: dict[str, str], found: Gathered) -> None:
    title_node = page.css_first("head > title") or page.css_first("title")
    title = safe_line(title_node.text(deep=True), LINE) if title_node else None
    found.add("title", title, 90)
    found.add("company_name", safe_line(metas.get("og:site_name"), LINE), 75)
    found.add("company_name", safe_line(metas.get("application-name"), LINE), 65)
    found.add("company_name", _name_in_title(title, found.url), 60)
    found.add("description", safe_line(metas.get("description"), PARAGRAPH), 80)
    found.add("description", safe_line(metas.get("og:description"), PARAGRAPH), 75)
    found.add("generator", safe_line(metas.get("generator"), LINE), 90)
    root = page.css_first("html")
    found.add_read("language", normalise_language, safe_line(root.attributes.get("lang"), 35) if root else None, 80)
    found.add_read("language", normalise_language, safe_line(metas.get("content-language"), 35), 65)
    found.add_read("language", normalise_language, safe_line(metas.get("og:locale"), 35), 60)
    parts = urlsplit(found.url)
    found.add_read("website", normalise_web_address, f"{parts.scheme}://{parts.hostname}", 90)


def _metas(page: LexborHTMLParser) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in _elements(page, "meta[content]"):
        name = node.attributes.get("name") or node.attributes.get("property") or node.attributes.get("http-equiv")
        if name and (content := node.attributes.get("content")):
            found.setdefault(name.strip().lower()[:60], content)
    return found


def _name_in_title(title: str | None, url: str) -> str | None:
    """The part of the title that says the domain's own name: `Acme Tools` in `Home | Acme Tools` at acmetools.com."""
    domain = company_of(urlsplit(url).hostname or "")
    own = letters_of(domain.partition(".")[0])
    for part in _SEPARATORS.split(title or ""):
        if len(own) >= 3 and letters_of(part).startswith(own) and len(part) <= 60 and domain not in part.lower():
            return part.strip() or None
    return None


def _read_links(page: LexborHTMLParser, found: Gathered, dialled_in: str | None) -> None:
    phones: list[str] = []
    for node in _elements(page, "a[href]"):
        href = (node.attributes.get("href") or "").strip()[:2048]
        scheme = href[:7].lower()
        if scheme.startswith("tel:"):
            phones.append(unquote(href[4:], errors="ignore"))
        elif scheme == "mailto:":
            add_email(unquote(href[7:].partition("?")[0], errors="ignore"), found, 60, of_others=50)
        elif scheme.startswith(("http", "//")):
            add_profile("https:" + href if href.startswith("//") else href, found, linkedin=80)
    country = found.value("country", sure=True) or dialled_in or found.dialled_in()
    for phone in phones[:20]:  # the first that is one: equals do not replace it
        found.add_read("phone", lambda text: normalise_phone(text, country), safe_line(phone, 50), 70)
    found.add("country", country_of_phone(found.value("phone", sure=True)), 55)


def country_of_phone(phone: str | None) -> str | None:
    """The country that a number in E.164 belongs to."""
    try:
        number = phonenumbers.parse(phone, None) if phone else None
    except phonenumbers.NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(number) if number else None
    return region if isinstance(region, str) and region.isalpha() else None


def _elements(page: LexborHTMLParser, selector: str) -> Iterator[LexborNode]:
    return islice(iter(page.css(selector)), MAX_ELEMENTS)
