"""A bulk over 100,000 leads and its undo by a worker, and what a Quick-Add waits meanwhile.

Run: python -m tests.performance.bench_bulk [LEADS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from httpx2 import Client

from e2e.server import running_server
from tests.servers.small_internet import small_internet_in_a_thread

LEADS = 100_000
ENDED = {"completed", "failed", "cancelled"}


def main(leads: int) -> None:
    """Prints a line for the bulk and one for its undo: seconds, leads a second, and Quick-Add's p50 and p99 in ms."""
    with (
        tempfile.TemporaryDirectory() as own,
        small_internet_in_a_thread(Path(own)) as sites,
        running_server(**sites.environment) as server,
    ):
        server.leads("user", "add", "bench@example.com", "--name", "Bench", "--role", "admin")
        scopes = ("--scope", "leads:read", "--scope", "leads:write")
        token = server.leads("token", "create", "bench", "--user", "bench@example.com", *scopes)["token"]
        server.leads("seed", "--count", str(leads))
        with Client(base_url=f"{server.url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=60) as api:
            asked = {"action": "set_stage", "values": {"stage": "contacted"}, "filter": {}}
            job = api.post("/leads/bulk", json=asked).raise_for_status().json()
            _watch("bulk", api, job["id"], first=0)
            undo = api.post(f"/jobs/{job['id']}/undo").raise_for_status().json()
            _watch("undo", api, undo["id"], first=1_000_000)


def _watch(name: str, api: Client, job_id: str, *, first: int) -> None:
    """Adds leads one after the other until the job has ended."""
    began = time.perf_counter()
    waits: list[float] = []
    while (job := _read(api, job_id))["state"] not in ENDED:
        asked = time.perf_counter()
        api.post("/leads/quick-add", json={"text": f"ana{first + len(waits)}@acme.com"}).raise_for_status()
        waits.append((time.perf_counter() - asked) * 1000)
        time.sleep(0.05)
    seconds = time.perf_counter() - began
    done = job["progress"]["done"]
    p99 = quantiles(waits, n=100)[-1] if len(waits) > 1 else float("nan")
    print(
        f"{name}: {job['state']}, {done:,} leads in {seconds:.1f} s, {done / seconds:,.0f}/s; "
        f"Quick-Add meanwhile p50 {median(waits):.0f} ms, p99 {p99:.0f} ms, n {len(waits)}"
    )


def _read(api: Client, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/jobs/{job_id}").raise_for_status().json()
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else LEADS)
