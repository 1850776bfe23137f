"""Every error of the domain. They carry facts; the console turns them into words and a status.

LeadExplorerError
├── Invalid                 what came in breaks a rule; names each field and the remedy
│   └── Malformed           it could not even be parsed (no JSON, no UTF-8)
├── NotFound
├── Conflict
│   ├── IdentityTaken       another lead has this email or domain
│   ├── StaleVersion        somebody changed the lead first
│   ├── AlreadyMerged       another lead has taken this one's place
│   ├── Erased              the person behind the lead was erased
│   ├── JobEnded            an answer came for a job that has ended
│   ├── JobRunning          a worker is at the job, so it cannot be cancelled
│   ├── KeyReused           an Idempotency-Key came again with another body
│   └── StillRunning        work in the way has not ended: the first request with this key, an import, a job
├── Gone                    an answer kept for an Idempotency-Key was erased
├── SortTooBroad            a search has too many hits to be sorted by another column
├── TooLarge                more bytes than the limit
├── UnsupportedType         a body of a type this address does not read
├── Unauthenticated         nobody is signed in, or the token is not valid
├── Forbidden               signed in, but the role or the token's scopes do not allow it
├── RateLimited             too many mutations, or too many tries at signing in
├── Unavailable             the database does not answer; trying again later helps
├── OutgoingRefused         the guard did not let a request leave, or its answer in
├── NoContext               a mutation without anybody acting: a mistake of ours
└── Misconfigured           a setting is wrong; the process cannot start
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID


class LeadExplorerError(Exception):
    """Root of every error raised on purpose."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One broken rule. field is `email`, `leads.3.email` or `query.stage`; message says the remedy."""

    field: str
    message: str


class Invalid(LeadExplorerError):
    """What came in breaks a rule. Nothing was changed."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = list(errors)

    @classmethod
    def of(cls, field: str, message: str) -> Invalid:
        return cls([FieldError(field, message)])


class Malformed(Invalid):
    """The body is no JSON, no form or no UTF-8."""


class NotFound(LeadExplorerError):
    """There is no such thing, or not for this reader."""

    def __init__(self, what: str, wanted: object) -> None:
        super().__init__(f"There is no {what} {wanted}.")
        self.what = what
        self.wanted = wanted


class Conflict(LeadExplorerError):
    """The request was sound, but the state it met does not allow it."""


class IdentityTaken(Conflict):
    """Another lead has this email or, where there is no email, this domain. in_bin: that lead lies in the bin."""

    def __init__(self, field: Literal["email", "domain"], existing_id: UUID, *, in_bin: bool = False) -> None:
        super().__init__(f"A lead with this {field} exists already.")
        self.field: Literal["email", "domain"] = field
        self.existing_id = existing_id
        self.in_bin = in_bin


class StaleVersion(Conflict):
    """Somebody changed the lead first. current is the lead (a LeadRead) as it stands now."""

    def __init__(self, current: Any) -> None:
        super().__init__("The lead was changed meanwhile.")
        self.current = current


class AlreadyMerged(Conflict):
    """This lead was merged into another one, which has its place now."""

    def __init__(self, lead_id: UUID, into: UUID) -> None:
        super().__init__("This lead was merged into another one. Open that one.")
        self.lead_id = lead_id
        self.into = into


class Erased(Conflict):
    """The person behind this lead was erased; the lead is not enriched or reverted again."""


class JobEnded(Conflict):
    """The job that this was for has ended already."""


class JobRunning(Conflict):
    """A worker has the job: too late to cancel it."""


class KeyReused(Conflict):
    """An Idempotency-Key came again with another body."""


class StillRunning(Conflict):
    """Work that stands in the way has not ended: the first request with this Idempotency-Key, an import, a job."""


class Gone(LeadExplorerError):
    """The answer kept for this Idempotency-Key was erased with the person it named."""


class SortTooBroad(LeadExplorerError):
    """A search sorted by another column has more hits than are sorted. total is counted up to a cap."""

    def __init__(self, total: int) -> None:
        super().__init__(f"At least {total} leads match; only up to 1,000 are sorted. Narrow the search.")
        self.total = total


class TooLarge(LeadExplorerError):
    """More bytes than limit were sent."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"More than {limit:,} bytes were sent.")
        self.limit = limit


class UnsupportedType(LeadExplorerError):
    """The body's Content-Type is not read here. expected names those that are."""

    def __init__(self, expected: str) -> None:
        super().__init__(f"Send the body as {expected}.")
        self.expected = expected


class Unauthenticated(LeadExplorerError):
    """Nobody is signed in, or what was shown is not valid any more."""


class Forbidden(LeadExplorerError):
    """Signed in, but not allowed. The message says what is missing."""


class RateLimited(LeadExplorerError):
    """Too many of these in a short time. retry_after is in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"Too many changes in a short time. Try again in {max(1, round(retry_after))} s.")
        self.retry_after = retry_after


class Unavailable(LeadExplorerError):
    """The database does not answer, or took too long. Nothing was changed."""


class OutgoingRefused(LeadExplorerError):
    """A request to another machine did not leave, or its answer was not let in.

    may_pass says whether trying again later can help (a time-out may pass, a private address never will).
    """

    may_pass: bool = False


class NoContext(LeadExplorerError):
    """A mutation was tried without anybody acting. Nobody changes anything anonymously."""


class Misconfigured(LeadExplorerError):
    """A setting is wrong. The message names it and the remedy."""
