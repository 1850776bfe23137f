"""A home page's HTML to facts. Pure. What a page says is hostile input: it is parsed under limits, and no control
character, lone surrogate or overlong text leaves here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import phonenumbers
from selectolax.lexbor import LexborHTMLParser, LexborNode

from leads_core.enrichment.providers import FoundFact
from leads_core.enrichment.providers.page_text import parsed, safe_line
from leads_core.enrichment.providers.structured_data import INDUSTRIES, Node, objects, organizations, texts, types_of
from leads_core.leads.normalising import (
    normalise_country,
    normalise_email,
    normalise_language,
    normalise_linkedin_url,
    normalise_phone,
    normalise_web_address,
    registrable_domain,
)

FIELDS = frozenset(
    {"company_name", "phone", "website", "linkedin_url", "industry", "employee_count", "city", "country", "language",
     "description", "title", "email", "address", "founded_on", "generator", "social_profile", "employee_range"}
)  # fmt: skip
MAX_ELEMENTS = 3000
LINE, PARAGRAPH = 200, 1000
SOCIAL = frozenset(
    {"facebook.com", "instagram.com", "twitter.com", "x.com", "youtube.com", "xing.com", "github.com", "tiktok.com",
     "mastodon.social", "bsky.app", "vk.com", "weibo.com", "threads.net", "pinterest.com"}
)  # fmt: skip
_SHARING = re.compile(r"/(?:share|sharer|intent|dialog|hashtag|search|watch|embed|plugins|tr|p|policies|login)\b", re.I)
_COMPANY_PAGE = re.compile(r"/(?:company|school|showcase)/(?:[^/?#%]|%[2-9a-f][0-9a-f])+(?=/|\Z)", re.IGNORECASE)
_SEPARATORS = re.compile(r"\s+[|–—•·»:\-]+\s+|\s*[|»•·]\s*|:\s+")
_RANGE = re.compile(r"(\d{1,7})\s*(?:-|–|to|bis|à)\s*(\d{1,7})")
_DATE = re.compile(r"(?:1[5-9]|20)\d\d(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?")


def facts_of_page(body: bytes, *, url: str, content_type: str = "") -> list[FoundFact]:
    """What the page at url says of its company: the surest of each field; social_profile may come several times."""
    page = parsed(body, content_type)
    found = _Found(url)
    metas = _metas(page)
    own = _own_organization(page, url)
    if own is not None:
        _read_organization(own, found)
    _read_head(page, metas, found)
    _read_links(page, found)
    return found.facts()


def company_of(host: str) -> str:
    """What two hosts of one company share: the registered domain, or the host without `www.`."""
    return registrable_domain(host) or host.removeprefix("www.")


class _Found:
    """Facts so far: the surest of each field, the first among equals."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.foreign = False
        self._best: dict[tuple[str, Any], FoundFact] = {}

    def add(self, field: str, value: Any, confidence: int, *, suggestion_only: bool = False) -> None:
        if value is None:
            return
        key = (field, value if field == "social_profile" else None)
        held = self._best.get(key)
        if held is None or (not held.suggestion_only, held.confidence) < (not suggestion_only, confidence):
            self._best[key] = FoundFact(field, value, confidence, self.url, suggestion_only or self.foreign)

    def add_read(self, field: str, read: Callable[[str], str], text: str | None, confidence: int) -> None:
        """The value as `read` normalises it; what it refuses is no fact."""
        try:
            self.add(field, safe_line(read(text), 2048), confidence) if text else None
        except ValueError:
            return

    def value(self, field: str, *, sure: bool = False) -> Any:
        """What was found for field; sure: unless it is another company's."""
        held = self._best.get((field, None))
        return held.value if held and not (sure and held.suggestion_only) else None

    def facts(self) -> list[FoundFact]:
        return list(self._best.values())[:60]


def _own_organization(page: LexborHTMLParser, url: str) -> tuple[Node, bool] | None:
    """The organization that the page is about, and whether it lives at another company's domain."""
    scripts = (script.text(deep=True) for script in page.css('script[type^="application/ld+json" i]'))
    found = organizations(islice(scripts, 20))
    home = company_of(urlsplit(url).hostname or "")

    def rank(node: Node) -> tuple[int, int]:
        hosts = {company_of(_host(urljoin(url, text))) for text in texts(node.get("url"))} - {""}
        return (0 if home in hosts else 1 if not hosts else 2, 0 if texts(node.get("name")) else 1)

    best = min(found, key=rank, default=None)
    return None if best is None else (best, rank(best)[0] == 2)


def _read_organization(own: tuple[Node, bool], found: _Found) -> None:
    node, found.foreign = own
    for name in texts(node.get("name"))[:1]:
        found.add("company_name", safe_line(name, LINE), 90)
    _read_address(node, found)
    country = found.value("country")
    contact_phones = [text for point in objects(node.get("contactPoint")) for text in texts(point.get("telephone"))]
    for phone, confidence in [(text, 90) for text in texts(node.get("telephone"))] + [
        (text, 80) for text in contact_phones
    ]:
        found.add_read("phone", lambda text: normalise_phone(text, country), safe_line(phone, 50), confidence)
    for text in texts(node.get("description"))[:1]:
        found.add("description", safe_line(text, PARAGRAPH), 70)
    for date in texts(node.get("foundingDate"))[:1]:
        if matched := _DATE.match(date.strip()):
            found.add("founded_on", matched[0], 85)
    for address in texts(node.get("email"))[:3]:
        _add_email(address.removeprefix("mailto:"), found, 80)
    for profile in texts(node.get("sameAs")):
        _add_profile(profile.strip(), found, linkedin=95)
    _read_employees(node.get("numberOfEmployees"), found)
    named = [safe_line(text, LINE) for text in texts(node.get("industry"))[:1]]
    by_type = [INDUSTRIES[kind] for kind in sorted(types_of(node)) if kind in INDUSTRIES]
    for industry, confidence in [(text, 85) for text in named] + [(text, 70) for text in by_type]:
        found.add("industry", industry, confidence)
    found.foreign = False


def _read_address(node: Node, found: _Found) -> None:
    for address in objects(node.get("address"))[:1]:
        parts = {key: safe_line(next(iter(texts(address.get(key))), None), LINE) for key in _ADDRESS_PARTS}
        found.add("city", parts["addressLocality"], 85)
        found.add_read("country", normalise_country, parts["addressCountry"], 85)
        place = " ".join(part for part in (parts["postalCode"], parts["addressLocality"]) if part)
        whole = ", ".join(part for part in (parts["streetAddress"], place, parts["addressCountry"]) if part)
        if parts["streetAddress"]:
            found.add("address", safe_line(whole, 300), 85)
    if isinstance(text := node.get("address"), str):
        found.add("address", safe_line(text, 300), 75)


_ADDRESS_PARTS = ("streetAddress", "postalCode", "addressLocality", "addressCountry")


def _read_employees(value: Any, found: _Found) -> None:
    for item in objects(value)[:1]:
        low, high = (next(iter(texts(item.get(key))), "") for key in ("minValue", "maxValue"))
        value = item.get("value") or (f"{low}-{high}" if low and high else None)
    for text in texts(value)[:1]:
        digits = re.sub(r"(?<=\d)[,.' \u00a0](?=\d{3}(?!\d))", "", text.strip()[:40])
        if re.fullmatch(r"[0-9]{1,7}", digits) and int(digits):
            found.add("employee_count", int(digits), 85)
        elif matched := _RANGE.search(digits):
            found.add("employee_range", f"{int(matched[1])}–{int(matched[2])}", 80)


def _read_head(page: LexborHTMLParser, metas: dict[str, str], found: _Found) -> None:
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
    own = _letters(domain.partition(".")[0])
    for part in _SEPARATORS.split(title or ""):
        if len(own) >= 3 and _letters(part).startswith(own) and len(part) <= 60 and domain not in part.lower():
            return part.strip() or None
    return None


def _letters(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text).casefold() if letter.isalnum())


def _read_links(page: LexborHTMLParser, found: _Found) -> None:
    phones: list[str] = []
    for node in _elements(page, "a[href]"):
        href = (node.attributes.get("href") or "").strip()[:2048]
        scheme = href[:7].lower()
        if scheme.startswith("tel:"):
            phones.append(unquote(href[4:], errors="ignore"))
        elif scheme == "mailto:":
            _add_email(unquote(href[7:].partition("?")[0], errors="ignore"), found, 60)
        elif scheme.startswith(("http", "//")):
            _add_profile("https:" + href if href.startswith("//") else href, found, linkedin=80)
    country = found.value("country", sure=True)
    for phone in phones[:1]:
        found.add_read("phone", lambda text: normalise_phone(text, country), safe_line(phone, 50), 70)
    found.add("country", _country_of_phone(found.value("phone", sure=True)), 55)


def _country_of_phone(phone: str | None) -> str | None:
    try:
        number = phonenumbers.parse(phone, None) if phone else None
    except phonenumbers.NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(number) if number else None
    return region if isinstance(region, str) and region.isalpha() else None


def _add_email(text: str, found: _Found, confidence: int) -> None:
    try:
        found.add("email", normalise_email((safe_line(text, 254) or "").strip()), confidence, suggestion_only=True)
    except ValueError:
        return


def _add_profile(link: str, found: _Found, *, linkedin: int) -> None:
    try:
        parts = urlsplit(link)
        address = normalise_web_address(link.partition("#")[0].partition("?")[0])
    except ValueError:
        return
    site = registrable_domain(_host(link))
    if parts.path.strip("/") == "" or _SHARING.match(parts.path):
        return
    if site == "linkedin.com":
        if page := _COMPANY_PAGE.match(parts.path):
            found.add_read(
                "linkedin_url", normalise_linkedin_url, f"https://www.linkedin.com{page[0].lower()}", linkedin
            )
    elif site in SOCIAL:
        found.add("social_profile", safe_line(address, 300), 80)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _elements(page: LexborHTMLParser, selector: str) -> Iterator[LexborNode]:
    return islice(iter(page.css(selector)), MAX_ELEMENTS)
