"""A POST to a service of the operator's own, at an address from the settings: never at one that comes from a lead.

Such a service may stand inside the own network, so the guard's rule on addresses does not hold here. Everything else
does: no proxy from the environment, no redirect, no cookie, a limit on time and size.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx2

from leads_core.errors import OutgoingRefused
from leads_core.outgoing.client import USER_AGENT
from leads_core.outgoing.connecting import tls_context
from leads_core.outgoing.failures import BodyRefused, ConnectionFailed, TookTooLong
from leads_core.outgoing.recording import RequestRecord, tell

LONGEST_ANSWER = 1 << 20


@dataclass(frozen=True, slots=True)
class OwnServiceAnswer:
    """Status, headers (names in lower case) and body, at most LONGEST_ANSWER bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def post_to_own_service(
    url: str, body: bytes, headers: Mapping[str, str], *, purpose: str, seconds: float, ca_file: Path | None = None
) -> OwnServiceAnswer:
    """The answer to a JSON body, all of it within seconds. Raises ConnectionFailed, TookTooLong, BodyRefused."""
    record = RequestRecord(datetime.now(UTC), purpose, url, httpx2.URL(url).host)
    try:
        answer = await _post(url, body, headers, seconds, ca_file)
    except OutgoingRefused as error:
        tell(replace(record, error=str(error)))
        raise
    tell(replace(record, status=answer.status, bytes=len(answer.body)))
    return answer


async def _post(
    url: str, body: bytes, headers: Mapping[str, str], seconds: float, ca_file: Path | None
) -> OwnServiceAnswer:
    host = httpx2.URL(url).host
    tls = await asyncio.to_thread(tls_context, ca_file)
    sent = {**headers, "User-Agent": USER_AGENT, "Content-Type": "application/json", "Accept": "application/json"}
    try:
        async with (
            asyncio.timeout(seconds),
            httpx2.AsyncClient(verify=tls, trust_env=False, follow_redirects=False, timeout=seconds) as client,
            client.stream("POST", url, content=body, headers=sent) as answer,
        ):
            received = bytearray()
            async for piece in answer.aiter_bytes(64 << 10):
                received += piece
                if len(received) > LONGEST_ANSWER:
                    raise BodyRefused(f"{host} answered with more than {LONGEST_ANSWER >> 20} MiB.")
            return OwnServiceAnswer(answer.status_code, dict(answer.headers.items()), bytes(received))
    except (httpx2.TimeoutException, TimeoutError):
        raise TookTooLong(host, seconds) from None
    except httpx2.HTTPError:
        raise ConnectionFailed(host) from None
