"""What a provider is, and which there are: the built-in ones and those of the entry-point group PROVIDER_GROUP.

A company adds its own without touching this code: a class or function that takes the guard (OutgoingClient) and gives
a Provider, named in its package as

    [project.entry-points."lead_explorer.providers"]
    register = "our_package.register:Register"
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

import structlog

from leads_core.errors import LeadExplorerError
from leads_core.outgoing.client import OutgoingClient

PROVIDER_GROUP = "lead_explorer.providers"
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a provider is told of a lead. registrable_domain is `acme.com` where domain is `careers.acme.com`.

    task_id is the job's, the same in each of its attempts.
    """

    lead_id: UUID
    task_id: UUID
    domain: str | None
    registrable_domain: str | None
    email: str | None
    company_name: str | None
    website: str | None
    country: str | None


@dataclass(frozen=True, slots=True)
class FoundFact:
    """One thing that was found. field is a lead's column, or any other name for what is shown in the drawer alone.

    confidence: 0 to 100. url: the page where it stands. suggestion_only: never fills a field by itself.
    """

    field: str
    value: Any
    confidence: int
    url: str | None = None
    suggestion_only: bool = False


class ProviderFailed(LeadExplorerError):
    """Nothing could be found out. The message is a sentence for people; may_pass: trying again later can help.

    provider_is_down: the provider itself failed, whoever it is asked about. After five in a row it is paused.
    facts: what was found all the same.
    """

    def __init__(
        self,
        message: str,
        *,
        may_pass: bool = False,
        provider_is_down: bool = False,
        facts: Sequence[FoundFact] = (),
    ) -> None:
        super().__init__(message)
        self.may_pass = may_pass
        self.provider_is_down = provider_is_down
        self.facts = tuple(facts)


class AnswersLater(ProviderFailed):
    """The answer comes by another way. The job waits `seconds` for it, then asks again."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message, may_pass=True)
        self.seconds = seconds


class Provider(Protocol):
    """Finds facts about a lead. Made once for each process; `find` is called for many leads at once."""

    @property
    def name(self) -> str:
        """One lower-case word: the source that facts name."""
        ...

    @property
    def fields(self) -> frozenset[str]:
        """The fields it can give."""
        ...

    def applies_to(self, subject: Subject) -> bool:
        """Whether there is anything to ask for."""
        ...

    async def find(self, subject: Subject) -> list[FoundFact]:
        """The facts, none when there are none. Raises ProviderFailed."""
        ...


@runtime_checkable
class AnswersForMany(Protocol):
    """A provider whose answer holds for every lead that it says the same `about`: it is kept for a day, or an hour."""

    def about(self, subject: Subject) -> str | None:
        """What the answer depends on, most often the domain; None when it must not be shared."""
        ...


ProviderFactory = Callable[[OutgoingClient], Provider]


def installed_providers(client: OutgoingClient, *more: Provider) -> list[Provider]:
    """dns, website, email, more, and every installed package's own. One that cannot be made is logged and left out."""
    from leads_core.enrichment.providers.dns import Dns  # noqa: PLC0415 - they import this module
    from leads_core.enrichment.providers.email import Email  # noqa: PLC0415
    from leads_core.enrichment.providers.website import Website  # noqa: PLC0415

    return [Dns(client), Website(client), Email(), *more, *_added(client)]


def _added(client: OutgoingClient) -> Sequence[Provider]:
    providers: list[Provider] = []
    for entry in entry_points(group=PROVIDER_GROUP):
        try:
            make: ProviderFactory = entry.load()
            providers.append(make(client))
        except Exception:
            log.exception("provider_not_loaded", provider=entry.name)
    return providers
