"""What left the house: each request that was made or refused, told to whoever records for the work at hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

_recorded: ContextVar[list[RequestRecord] | None] = ContextVar("recorded_requests", default=None)


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request that was made or refused. url is `dns:acme.com?type=MX` for a question to a name server.

    purpose is the provider. address is None where nothing was reached; error is None where an answer came; bytes
    counts the body, decoded.
    """

    when: datetime
    purpose: str
    url: str
    host: str
    address: str | None = None
    status: int | None = None
    bytes: int = 0
    error: str | None = None


@contextmanager
def recorded_requests() -> Iterator[list[RequestRecord]]:
    """Every request that is made inside, also by tasks that are started there, in the order in which they ended."""
    records: list[RequestRecord] = []
    token = _recorded.set(records)
    try:
        yield records
    finally:
        _recorded.reset(token)


def tell(record: RequestRecord) -> None:
    """A request was made or refused."""
    records = _recorded.get()
    if records is not None:
        records.append(record)
