"""What a company's own pages say of it: home page, imprint, contact, about. Read as robots.txt allows, through the
guard."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from urllib.parse import urlsplit

from leads_core.enrichment.providers import FoundFact, ProviderFailed, Subject
from leads_core.enrichment.providers.gathered import company_of, host_of, speaks_for_many
from leads_core.enrichment.providers.inner_facts import facts_of_inner_page, merged
from leads_core.enrichment.providers.page_facts import FIELDS, facts_of_page
from leads_core.enrichment.providers.page_links import InnerPage, inner_pages
from leads_core.enrichment.providers.page_traps import trap_in
from leads_core.enrichment.providers.parking import is_parked
from leads_core.errors import OutgoingRefused
from leads_core.outgoing.client import OutgoingClient, OutgoingResponse
from leads_core.outgoing.failures import ConnectionFailed, NameDoesNotExist, NameHasNoAddress, NoNameServer
from leads_core.outgoing.robots import Robots

TRAPS = frozenset({"parked", "redirects_to", "site_shows"})
"""Facts that say that the page is not the company's home page."""
TRAP_CONFIDENCE = 30
GONE = frozenset({404, 410})
SECONDS = 20.0
"""For every address that is tried, and every page, together."""


class Website:
    """Reads the home page, of the lead's website if it names one, else of its domain; then, side by side, the imprint,
    contact and about page that it links to.

    A parked page, an error, a login or another company's page gives suggestions and fills nothing.
    """

    name = "website"
    fields = FIELDS | TRAPS

    def __init__(self, client: OutgoingClient, robots: Robots | None = None) -> None:
        self._client = client
        self._robots = robots or Robots()

    def applies_to(self, subject: Subject) -> bool:
        return any(_addresses(subject))

    def about(self, subject: Subject) -> str | None:
        return " ".join(_addresses(subject))

    async def find(self, subject: Subject) -> list[FoundFact]:
        host = host_of(next(_addresses(subject)))
        until = asyncio.get_running_loop().time() + SECONDS
        try:
            async with asyncio.timeout_at(until):
                page = await self._home_page(subject)
        except OutgoingRefused as refused:
            raise ProviderFailed(
                str(refused), may_pass=refused.may_pass, provider_is_down=isinstance(refused, NoNameServer)
            ) from refused
        except TimeoutError:
            raise ProviderFailed(f"{host} did not answer in {SECONDS:g} s.", may_pass=True) from None
        if not 200 <= page.status < 300:
            raise _failed(host_of(page.url), page.status)
        facts = await asyncio.to_thread(_facts, page, {company_of(host_of(url)) for url in _addresses(subject)})
        if any(fact.field in TRAPS for fact in facts):
            return facts
        return await self._with_inner_pages(page, facts, until)

    async def _with_inner_pages(self, home: OutgoingResponse, facts: list[FoundFact], until: float) -> list[FoundFact]:
        links = await asyncio.to_thread(inner_pages, home.body, url=home.url, content_type=_content_type(home))
        country = next((fact.value for fact in facts if fact.field == "country" and not fact.suggestion_only), None)
        read = await asyncio.gather(*(self._inner_facts(link, home.url, country, until) for link in links))
        return merged(facts, [fact for found in read for fact in found])

    async def _inner_facts(self, link: InnerPage, home: str, country: str | None, until: float) -> Sequence[FoundFact]:
        """None where the page cannot be read, or is not this company's: that loses nothing of what others say."""
        try:
            async with asyncio.timeout_at(until):
                page = await self._client.get(link.url, purpose=self.name, before_each=self._allowed)
        except (OutgoingRefused, TimeoutError):
            return ()
        moved = page.url == home or company_of(host_of(page.url)) != company_of(host_of(home))
        if moved or not 200 <= page.status < 300:
            return ()
        return await asyncio.to_thread(_inner_facts, page, link, country)

    async def _home_page(self, subject: Subject) -> OutgoingResponse:
        """https first; `www.` where the bare name has no address, http where nobody listens for https; the home page
        where the lead's website is a page that is gone.

        A certificate that is not the site's is refused, not walked round: nobody knows then who answers.
        """
        failure: OutgoingRefused | None = None
        gone: OutgoingResponse | None = None
        for url in dict.fromkeys(_addresses(subject)):
            try:
                page = await self._client.get(url, purpose=self.name, before_each=self._allowed)
                if page.status not in GONE or not _is_inner(url):
                    return page
                gone = page
            except NameDoesNotExist as refused:
                failure = failure or refused
                if host_of(url) == subject.domain:  # then nothing below the name exists either (RFC 8020)
                    break
            except (ConnectionFailed, NameHasNoAddress) as refused:
                failure = failure or refused
        if gone is not None:
            return gone
        assert failure is not None  # noqa: S101 - find() made sure of an address to try
        raise failure

    async def _allowed(self, url: str) -> None:
        await self._robots.check(url, self._client, purpose=self.name)


def _addresses(subject: Subject) -> Iterator[str]:
    if subject.website and not speaks_for_many(host_of(subject.website)):
        yield subject.website
    if domain := subject.domain:
        yield f"https://{domain}/"
        if not domain.startswith("www."):
            yield f"https://www.{domain}/"
        yield f"http://{domain}/"


def _is_inner(url: str) -> bool:
    return urlsplit(url).path.strip("/") != ""


def _failed(domain: str, status: int) -> ProviderFailed:
    if status in {408, 425, 429} or status >= 500:
        return ProviderFailed(f"{domain} could not show its home page just now (status {status}).", may_pass=True)
    if status in {401, 403}:
        return ProviderFailed(f"{domain} does not let machines read its home page (status {status}).")
    return ProviderFailed(f"{domain} has no home page (status {status}).")


def _facts(page: OutgoingResponse, own: AbstractSet[str]) -> list[FoundFact]:
    facts = facts_of_page(page.body, url=page.url, content_type=_content_type(page))
    traps = list(_traps(page, own))
    if not traps:
        return facts
    doubted = (replace(fact, confidence=min(fact.confidence, TRAP_CONFIDENCE), suggestion_only=True) for fact in facts)
    return [*traps, *doubted]


def _traps(page: OutgoingResponse, own: AbstractSet[str]) -> Iterator[FoundFact]:
    content_type = _content_type(page)
    if is_parked(page.body, content_type=content_type):
        yield FoundFact("parked", "yes", 90, page.url)
    elif shown := trap_in(page.body, content_type=content_type):
        yield FoundFact("site_shows", shown, 90, page.url)
    if (company := company_of(host_of(page.url))) not in own:
        yield FoundFact("redirects_to", company, 100, page.url)


def _inner_facts(page: OutgoingResponse, link: InnerPage, country: str | None) -> list[FoundFact]:
    content_type = _content_type(page)
    if is_parked(page.body, content_type=content_type) or trap_in(page.body, content_type=content_type):
        return []
    return facts_of_inner_page(page.body, kind=link.kind, url=page.url, content_type=content_type, country=country)


def _content_type(page: OutgoingResponse) -> str:
    return page.headers.get("content-type", "")
