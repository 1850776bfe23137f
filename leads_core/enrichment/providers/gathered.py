"""Facts of one page as they are gathered: the surest of each field, addresses and profiles in one spelling. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import phonenumbers

from leads_core.enrichment.providers import FoundFact
from leads_core.enrichment.providers.page_text import safe_line
from leads_core.leads.normalising import (
    normalise_email,
    normalise_linkedin_url,
    normalise_web_address,
    registrable_domain,
)

SOCIAL = frozenset(
    {"facebook.com", "instagram.com", "twitter.com", "x.com", "youtube.com", "xing.com", "github.com", "tiktok.com",
     "mastodon.social", "bsky.app", "vk.com", "weibo.com", "threads.net", "pinterest.com"}
)  # fmt: skip
# Top-level domains of countries that mean something else to most who buy one.
_SOLD_TO_ALL = frozenset(
    {"AC", "AD", "AG", "AI", "AM", "AS", "BZ", "CC", "CD", "CO", "DJ", "FM", "GG", "GL", "GS", "IM", "IO", "LA", "LC",
     "LY", "ME", "MN", "MS", "MU", "NU", "PW", "SC", "SH", "SO", "SR", "ST", "TC", "TK", "TM", "TO", "TV", "VC", "VG",
     "VU", "WS"}
)  # fmt: skip
DIRECTORIES = frozenset(
    {"gelbeseiten.de", "dasoertliche.de", "11880.com", "northdata.de", "northdata.com", "wlw.de", "europages.com",
     "europages.de", "kompass.com", "cylex.de", "firmenwissen.de", "meinestadt.de", "herold.at", "local.ch", "yelp.com",
     "yellowpages.com", "yell.com", "thomsonlocal.com", "bbb.org", "manta.com", "dnb.com", "crunchbase.com",
     "zoominfo.com", "opencorporates.com", "pagesjaunes.fr", "societe.com", "pappers.fr", "paginasamarillas.es",
     "einforma.com", "paginegialle.it", "goudengids.nl", "proff.no", "proff.se", "allabolag.se", "panoramafirm.pl",
     "firmy.cz", "trustpilot.com", "glassdoor.com", "kununu.com", "tripadvisor.com", "booking.com", "linktr.ee",
     "google.com", "wikipedia.org"}
)  # fmt: skip
_SHARING = re.compile(r"/(?:share|sharer|intent|dialog|hashtag|search|watch|embed|plugins|tr|p|policies|login)\b", re.I)
_COMPANY_PAGE = re.compile(r"/(?:company|school|showcase)/(?:[^/?#%]|%[2-9a-f][0-9a-f])+(?=/|\Z)", re.IGNORECASE)


class Gathered:
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

    def dialled_in(self) -> str | None:
        """Where a number without a country code is dialled: the company's country, else its domain's."""
        return self.value("country", sure=not self.foreign) or (None if self.foreign else country_of_domain(self.url))

    def value(self, field: str, *, sure: bool = False) -> Any:
        """What was found for field; sure: unless it is another company's."""
        held = self._best.get((field, None))
        return held.value if held and not (sure and held.suggestion_only) else None

    def facts(self) -> list[FoundFact]:
        return list(self._best.values())[:60]


def add_email(text: str, found: Gathered, confidence: int, *, of_others: int | None = None) -> None:
    """A mail address, as a suggestion: it may be anybody's. What is none is left out.

    of_others: the confidence for one at another domain than the page's.
    """
    try:
        address = normalise_email((safe_line(text, 254) or "").strip())
    except ValueError:
        return
    if of_others is not None and company_of(address.rpartition("@")[2]) != company_of(host_of(found.url)):
        confidence = of_others
    found.add("email", address, confidence, suggestion_only=True)


def add_profile(link: str, found: Gathered, *, linkedin: int) -> None:
    """A company's profile at a social network; linkedin is the confidence for that one. Other links are left out."""
    try:
        parts = urlsplit(link)
        address = normalise_web_address(link.partition("#")[0].partition("?")[0])
    except ValueError:
        return
    site = registrable_domain(host_of(link))
    if parts.path.strip("/") == "" or _SHARING.match(parts.path):
        return
    if site == "linkedin.com":
        if (page := _COMPANY_PAGE.match(parts.path)) and unquote(page[0]).rpartition("/")[2].strip("."):
            found.add_read(
                "linkedin_url", normalise_linkedin_url, f"https://www.linkedin.com{page[0].lower()}", linkedin
            )
    elif site in SOCIAL:
        found.add("social_profile", safe_line(address, 300), 80)


def host_of(url: str, *, base: str = "") -> str:
    """The host that url names, on a page at base; "" for none, and for what is no URL."""
    try:
        return urlsplit(urljoin(base, url)).hostname or ""
    except ValueError:
        return ""


def speaks_for_many(host: str) -> bool:
    """Whether a host is a social network's or a directory's: a page there speaks in its name, not in the company's."""
    return registrable_domain(host) in SOCIAL | DIRECTORIES | {"linkedin.com"}


def country_of_domain(url: str) -> str | None:
    """The country whose top-level domain url has; None where that says little of the country."""
    ending = host_of(url).rpartition(".")[2].upper()
    if ending == "UK":
        return "GB"
    return ending if ending not in _SOLD_TO_ALL and phonenumbers.country_code_for_region(ending) else None


def company_of(host: str) -> str:
    """What two hosts of one company share: the registered domain, or the host without `www.`."""
    return registrable_domain(host) or host.removeprefix("www.")
