"""How long people wait in a browser with 100,000 leads: from the key or click to the painted answer.

Run: python -m tests.performance.bench_console [LEADS]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

import asyncpg
from playwright.sync_api import Browser, Page, sync_playwright

from e2e.pages.leads_page import LeadsPage
from e2e.pages.measuring import bytes_of, milliseconds_to_paint
from e2e.people import LAUNCH, arrive
from e2e.server import RunningServer, running_server
from leads_core.database import asyncpg_url
from tests.servers.small_internet import small_internet_in_a_thread

LEADS = 100_000
ROUNDS = 60
AT_REST = "SELECT NOT EXISTS (SELECT FROM audit_pending)"


def main(leads: int) -> None:
    """Prints a line for each interaction: median and 95th percentile in milliseconds, and their number."""
    with (
        tempfile.TemporaryDirectory() as own,
        small_internet_in_a_thread(Path(own)) as sites,
        running_server(**sites.environment) as server,
    ):
        server.leads("seed", "--count", str(leads))
        while not asyncio.run(_is_at_rest(server.owner_url)):
            time.sleep(1)
        with sync_playwright() as playwright:
            _measure(server, playwright.chromium.launch(**LAUNCH), leads)


def _measure(server: RunningServer, browser: Browser, leads: int) -> None:
    assert server.first_link
    rosa = arrive(browser, server.first_link, "Rosa Engel", "rosa@example.com")
    page = browser.new_context(base_url=server.url, storage_state=rosa.state).new_page()
    print(f"first page: {bytes_of(page, '/leads') / 1024:.1f} KiB over the wire, {leads:,} leads")
    for name, measured in _interactions(page).items():
        p95 = quantiles(measured, n=20)[-1]
        print(f"{name:<12} p50 {median(measured):6.0f} ms   p95 {p95:6.0f} ms   n {len(measured)}")
    browser.close()


async def _is_at_rest(owner_url: str) -> bool:
    """Whether the worker has signed the new leads' entries."""
    connection = await asyncpg.connect(asyncpg_url(owner_url))
    try:
        return bool(await connection.fetchval(AT_REST))
    finally:
        await connection.close()


def _interactions(page: Page) -> dict[str, list[float]]:
    leads = LeadsPage(page)
    pager, views = leads.pager, page.get_by_role("navigation", name="Views")

    def measured(act: Callable[[], None], before: Callable[[], object]) -> list[float]:
        found = []
        for _ in range(ROUNDS):
            before()
            page.wait_for_load_state("networkidle")
            found.append(milliseconds_to_paint(page, act))
        return found

    def home() -> None:
        leads.open()

    return {
        "view": measured(views.get_by_role("link", name="Added by hand").click, home),
        "next page": measured(pager.get_by_role("link", name="Older").click, home),
        "sort": measured(page.get_by_role("columnheader", name="Company").get_by_role("link").click, home),
        "search": measured(lambda: leads.search_field.press("s"), lambda: (home(), leads.search_field.fill("soft"))),
    }


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else LEADS)
