"""What a company's own home page says of it. Read as robots.txt allows, through the guard."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace

from leads_core.enrichment.providers import FoundFact, ProviderFailed, Subject
from leads_core.enrichment.providers.gathered import company_of, host_of, is_network
from leads_core.enrichment.providers.page_facts import FIELDS, facts_of_page
from leads_core.enrichment.providers.parking import is_parked
from leads_core.errors import OutgoingRefused
from leads_core.outgoing.client import OutgoingClient, OutgoingResponse
from leads_core.outgoing.failures import ConnectionFailed, NameDoesNotExist, NameHasNoAddress, NoNameServer
from leads_core.outgoing.robots import Robots

TRAP_CONFIDENCE = 30
SECONDS = 20.0
"""For every address that is tried together."""


class Website:
    """Reads the home page: of the lead's website if it names one, else of its domain.

    A parked page, or another company's, gives suggestions and fills nothing.
    """

    name = "website"
    fields = FIELDS | {"parked", "redirects_to"}

    def __init__(self, client: OutgoingClient, robots: Robots | None = None) -> None:
        self._client = client
        self._robots = robots or Robots()

    def applies_to(self, subject: Subject) -> bool:
        return any(_addresses(subject))

    def about(self, subject: Subject) -> str | None:
        return " ".join(_addresses(subject))

    async def find(self, subject: Subject) -> list[FoundFact]:
        host = host_of(next(_addresses(subject)))
        try:
            async with asyncio.timeout(SECONDS):
                page = await self._home_page(subject)
        except OutgoingRefused as refused:
            raise ProviderFailed(
                str(refused), may_pass=refused.may_pass, provider_is_down=isinstance(refused, NoNameServer)
            ) from refused
        except TimeoutError:
            raise ProviderFailed(f"{host} did not answer in {SECONDS:g} s.", may_pass=True) from None
        if not 200 <= page.status < 300:
            raise _failed(host_of(page.url), page.status)
        return await asyncio.to_thread(_facts, page, {company_of(host_of(url)) for url in _addresses(subject)})

    async def _home_page(self, subject: Subject) -> OutgoingResponse:
        """https first; `www.` where the bare name has no address, http where nobody listens for https.

        A certificate that is not the site's is refused, not walked round: nobody knows then who answers.
        """
        failure: OutgoingRefused | None = None
        for url in dict.fromkeys(_addresses(subject)):
            try:
                return await self._client.get(url, purpose=self.name, before_each=self._allowed)
            except NameDoesNotExist as refused:
                failure = failure or refused
                if host_of(url) == subject.domain:  # then nothing below the name exists either (RFC 8020)
                    break
            except (ConnectionFailed, NameHasNoAddress) as refused:
                failure = failure or refused
        assert failure is not None  # noqa: S101 - find() made sure of an address to try
        raise failure

    async def _allowed(self, url: str) -> None:
        await self._robots.check(url, self._client, purpose=self.name)


def _addresses(subject: Subject) -> Iterator[str]:
    if subject.website and not is_network(host_of(subject.website)):
        yield subject.website
    if domain := subject.domain:
        yield f"https://{domain}/"
        if not domain.startswith("www."):
            yield f"https://www.{domain}/"
        yield f"http://{domain}/"


def _failed(domain: str, status: int) -> ProviderFailed:
    if status in {408, 425, 429} or status >= 500:
        return ProviderFailed(f"{domain} could not show its home page just now (status {status}).", may_pass=True)
    if status in {401, 403}:
        return ProviderFailed(f"{domain} does not let machines read its home page (status {status}).")
    return ProviderFailed(f"{domain} has no home page (status {status}).")


def _facts(page: OutgoingResponse, own: AbstractSet[str]) -> list[FoundFact]:
    content_type = page.headers.get("content-type", "")
    facts = facts_of_page(page.body, url=page.url, content_type=content_type)
    company = company_of(host_of(page.url))
    traps = []
    if is_parked(page.body, content_type=content_type):
        traps.append(FoundFact("parked", "yes", 90, page.url))
    if company not in own:
        traps.append(FoundFact("redirects_to", company, 100, page.url))
    if not traps:
        return facts
    doubted = (replace(fact, confidence=min(fact.confidence, TRAP_CONFIDENCE), suggestion_only=True) for fact in facts)
    return [*traps, *doubted]
