"""Providers: each looks a lead up somewhere and says what it found. Others come in by an entry point.

A company adds its own without touching this code: a package that names a class under the entry-point group
`lead_explorer.providers` (docs/providers.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Protocol
from uuid import UUID

from leads_core.outgoing.client import OutgoingClient

GROUP = "lead_explorer.providers"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a provider is told of a lead: no notes, no history, no other people."""

    lead_id: UUID
    domain: str | None
    registrable_domain: str | None
    email: str | None
    company_name: str | None
    website: str | None
    country: str | None


@dataclass(frozen=True, slots=True)
class FoundFact:
    """One thing that was found: confidence in per cent (0 to 100), url the page where it stands.

    suggestion_only: it may be another company's (a parked page, a redirect); it never fills a field by itself.
    """

    field: str
    value: Any
    confidence: int
    url: str | None = None
    suggestion_only: bool = False


class ProviderFailed(Exception):  # noqa: N818 - what happened, in the domain's words
    """A provider found out nothing. The text is a sentence for people; may_pass: trying again later may help."""

    def __init__(self, sentence: str, *, may_pass: bool = False) -> None:
        super().__init__(sentence)
        self.may_pass = may_pass


class Provider(Protocol):
    """A source of facts. fields are the names it can give: columns of a lead, and others that are only shown."""

    name: str
    fields: frozenset[str]

    def applies_to(self, subject: Subject) -> bool:
        """Whether there is anything to look up."""

    async def find(self, subject: Subject, client: OutgoingClient) -> Sequence[FoundFact]:
        """What is known of this lead. Raises ProviderFailed. Every request goes through the client."""


def installed_providers() -> list[Provider]:
    """The built-in providers, then those of installed packages, by name; the first of a name wins."""
    from leads_core.enrichment.providers.dns import DnsProvider  # noqa: PLC0415 - they import this module
    from leads_core.enrichment.providers.website import WebsiteProvider  # noqa: PLC0415

    providers: list[Provider] = [DnsProvider(), WebsiteProvider()]
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        provider: Provider = point.load()()
        if provider.name not in {known.name for known in providers}:
            providers.append(provider)
    return providers
