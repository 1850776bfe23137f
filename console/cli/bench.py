"""`leads bench`: how long a running server takes for each operation, against the 500 ms promise."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from secrets import token_hex
from time import perf_counter
from typing import Annotated, Any

import httpx2
from cyclopts import Parameter

from leads_core.errors import Misconfigured, Unavailable

#: What each operation promises, for ninety-nine of a hundred requests.
PROMISED_MS = 500.0
#: Mutations a second that the server lets one actor make; waiting for it is not measured.
PACE = 0.11


@dataclass(frozen=True, slots=True)
class Measured:
    """One operation's times in milliseconds, and whether it keeps the promise."""

    name: str
    n: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    ok: bool


async def bench(
    *,
    url: str = "http://127.0.0.1:8000",
    token: str | None = None,
    count: int = 50,
    as_json: Annotated[bool, Parameter("--json", negative="")] = False,
) -> int:
    """Measure list, filter, search, create, quick-add, read, update, delete, restore. Exit status 1: one is too slow.

    The leads that it makes end in the bin.

    Parameters
    ----------
    url: where the server is.
    token: an API token with leads:read and leads:write; LEADS_TOKEN if not given.
    count: requests of each operation.
    as_json: print the result as one JSON object.
    """
    token = token or os.environ.get("LEADS_TOKEN")
    if not token:
        raise Misconfigured(
            "--token or LEADS_TOKEN: make one with `leads token create`, with leads:read and leads:write."
        )
    async with _server(url, token) as server:
        measured = [_measured(name, times) async for name, times in _operations(server, count)]
    ok = all(operation.ok for operation in measured)
    if as_json:
        print(json.dumps({"ok": ok, "operations": [asdict(operation) for operation in measured]}))
    else:
        _print(measured, ok)
    return 0 if ok else 1


@asynccontextmanager
async def _server(url: str, token: str) -> AsyncIterator[Server]:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False) as client:
        try:
            yield Server(client)
        except httpx2.TransportError as error:
            raise Unavailable(f"{url} does not answer: {error}.") from error


class Server:
    """Sends requests and notes how long each took."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self.took: list[float] = []

    async def send(self, method: str, path: str, **given: Any) -> Any:
        """The answer's JSON. A request that came too soon is sent again; raises Misconfigured for other refusals."""
        while True:
            began = perf_counter()
            answer = await self._client.request(method, f"/api/v1/leads{path}", **given)
            took = (perf_counter() - began) * 1000
            if answer.status_code != httpx2.codes.TOO_MANY_REQUESTS:
                break
            await asyncio.sleep(float(answer.headers.get("Retry-After", 1)))
        if answer.is_error:
            raise Misconfigured(f"{method} {answer.url} was refused with {answer.status_code}: {answer.text[:200]}")
        self.took.append(took)
        return answer.json() if answer.content else None


async def _operations(server: Server, count: int) -> AsyncIterator[tuple[str, list[float]]]:
    """Each operation's name and times, in an order in which each finds what it needs."""
    run = token_hex(4)
    cursor = (await server.send("GET", "?limit=50"))["next_cursor"]
    following = {"cursor": cursor} if cursor else {}
    reads: dict[str, dict[str, str]] = {
        "list": {},
        "list, next page": following,
        "list, last changed": {"sort": "-updated_at"},
        "filter": {"stage": "qualified", "is_manual": "false"},
        "search": {"q": "mar"},
    }
    for name, query in reads.items():
        yield name, await _each(server, [("GET", "", {"params": query})] * count)
    made: list[str] = []
    leads = [{"email": f"bench{place}@{run}.example.com", "company_name": f"Bench {run}"} for place in range(count)]
    yield "create", await _each(server, [("POST", "", {"json": lead}) for lead in leads], made)
    lines = [{"text": f"quick{place}@{run}.example.com"} for place in range(count)]
    yield "quick-add", await _each(server, [("POST", "/quick-add", {"json": line}) for line in lines], made)
    some = made[:count]
    yield "read", await _each(server, [("GET", f"/{lead}", {}) for lead in some])
    change = {"json": {"stage": "contacted"}}
    yield "update", await _each(server, [("PATCH", f"/{lead}", change) for lead in some])
    yield "delete", await _each(server, [("DELETE", f"/{lead}", {}) for lead in some])
    yield "restore", await _each(server, [("POST", f"/{lead}/restore", {}) for lead in some])
    await _each(server, [("DELETE", f"/{lead}", {}) for lead in made])


async def _each(
    server: Server, requests: list[tuple[str, str, dict[str, Any]]], made: list[str] | None = None
) -> list[float]:
    """Send them one after the other; a mutation waits until it may come. The first, which warms up, does not count."""
    server.took = []
    for method, path, given in requests:
        answer = await server.send(method, path, **given)
        if made is not None:
            made.append(answer["id"])
        if method != "GET":
            await asyncio.sleep(max(0.0, PACE - server.took[-1] / 1000))
    return server.took[1:] or server.took


def _measured(name: str, times: list[float]) -> Measured:
    ordered = sorted(times)
    p50, p95, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95, 0.99))
    return Measured(name, len(ordered), round(p50, 1), round(p95, 1), round(p99, 1), p99 <= PROMISED_MS)


def _print(measured: list[Measured], ok: bool) -> None:
    print(f"{'operation':20}{'n':>6}{'p50 ms':>10}{'p95 ms':>10}{'p99 ms':>10}")
    for one in measured:
        times = f"{one.p50_ms:10.1f}{one.p95_ms:10.1f}{one.p99_ms:10.1f}"
        print(f"{one.name:20}{one.n:6}{times}   {'PASS' if one.ok else 'FAIL'}")
    print(f"{'PASS' if ok else 'FAIL'}: every operation's p99 against {PROMISED_MS:.0f} ms", file=sys.stdout)
