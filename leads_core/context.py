"""Who acts, and from where: one value for the whole of a request, a command or a job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Literal
from uuid import UUID

from leads_core.errors import NoContext

ActorKind = Literal["user", "token", "system", "anonymous"]
Channel = Literal["web", "api", "import", "cli", "worker"]

#: The fixed actor of the command line: the operating system's user goes into actor_name.
SYSTEM_ACTOR_ID = UUID("00000000-0000-7000-8000-000000000001")


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What the audit entry says of its origin. ip_address is text as the socket or the trusted proxy gave it."""

    actor_kind: ActorKind
    actor_id: UUID | None
    actor_name: str | None
    channel: Channel
    ip_address: str | None
    user_agent: str | None
    request_id: str
    task_id: UUID | None = None
    #: Ids and checksums of the entries written meanwhile, for the access log's receipt line.
    receipts: list[tuple[UUID, str]] = field(default_factory=list, compare=False, repr=False)

    def on_behalf(self, channel: Channel, task_id: UUID) -> RequestContext:
        """The same person and place, acting through a job."""
        return replace(self, channel=channel, task_id=task_id, receipts=[])


_current: ContextVar[RequestContext | None] = ContextVar("request_context", default=None)


def current() -> RequestContext:
    """The context of whoever acts now. Raises NoContext: a mutation without an actor is a mistake of ours."""
    context = _current.get()
    if context is None:
        raise NoContext("Nobody is acting: open a context with acting_as().")
    return context


@contextmanager
def acting_as(context: RequestContext) -> Iterator[RequestContext]:
    """Everything inside happens in the name of this context."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)
