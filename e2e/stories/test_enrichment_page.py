"""The enrichment queue: what waits and why it failed, tried again together, cancelled, and how each source did."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.conftest import NewContext
from e2e.pages.enrichment_page import EnrichmentPage
from e2e.pages.leads_page import LeadsPage
from e2e.people import Person, arrive
from e2e.server import RunningServer

FOUND, GONE, SLOW = "lumenstack.io", ("no-such-company.com", "nobody-is-here.net"), "slow-company.com"
HOLD = """
    CREATE FUNCTION hold_back() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN NEW.execute_after := now() + interval '1 hour'; RETURN NEW; END$$;
    CREATE TRIGGER hold_back BEFORE INSERT ON pgqueuer FOR EACH ROW EXECUTE FUNCTION hold_back();
    ALTER TABLE pgqueuer ENABLE ALWAYS TRIGGER hold_back;
"""
LET_GO = "DROP FUNCTION hold_back CASCADE; DELETE FROM pgqueuer"
TRIED_ONCE = f"""
    UPDATE jobs SET state = 'retrying', attempt = 1, error = 'website: {SLOW} did not answer in 10 s.',
                    next_attempt_at = now() + interval '1 hour'
"""  # noqa: S608


@pytest.fixture(scope="module")
def omar(browser: Browser, server: RunningServer) -> Person:
    """Somebody who may only read."""
    link = server.leads("user", "add", "omar@example.com", "--name", "Omar", "--role", "viewer")["sign_in_link"]
    return arrive(browser, link, "Omar", "omar@example.com")


@pytest.fixture
def tried_once(server: RunningServer) -> Iterator[Callable[[Page], dict[str, Any]]]:
    """Adds a lead whose site did not answer, and whose next attempt is an hour away."""
    server.by_sql(HOLD)

    def add(page: Page) -> dict[str, Any]:
        lead: dict[str, Any] = page.context.request.post("/api/v1/leads/quick-add", data={"text": SLOW}).json()
        server.by_sql(TRIED_ONCE)
        return lead

    yield add
    server.by_sql(LET_GO)


def _looked_up(page: Page) -> None:
    """One company that has a site, two that do not exist, all of them looked up."""
    answer = page.context.request.post("/api/v1/leads/quick-add", data={"text": "\n".join((FOUND, *GONE))})
    assert answer.status == 207, answer.text()
    end = time.monotonic() + 20
    while page.context.request.get("/api/v1/leads?enrichment_status=in_progress").json()["items"]:
        assert time.monotonic() < end, "Not looked up in time."
    LeadsPage(page).open()


def test_failed_ones_stand_there_by_reason_and_are_tried_again_together(any_page: Page) -> None:
    _looked_up(any_page)
    queue = EnrichmentPage(any_page).open()
    expect(queue.reasons).to_have_count(1)
    expect(queue.reason("The domain does not exist.")).to_contain_text("2")

    queue.retry("The domain does not exist.")

    expect(any_page.get_by_role("heading", name=re.compile("2 leads"))).to_be_visible()


def test_the_queue_changes_by_itself(page: Page) -> None:
    queue = EnrichmentPage(page)
    page.goto("/leads")
    queue.open()
    expect(queue.figure("failed in 24 h")).to_have_text("0")

    page.context.request.post("/api/v1/leads/quick-add", data={"text": GONE[0]})

    expect(queue.reason("The domain does not exist.")).to_be_visible(timeout=20_000)
    expect(queue.figure("failed in 24 h")).to_have_text("1")


def test_each_source_has_its_record(any_page: Page) -> None:
    _looked_up(any_page)

    queue = EnrichmentPage(any_page).open()

    expect(queue.provider("website")).to_contain_text("33 %")
    any_page.get_by_text("Field by field").click()
    expect(any_page.locator("table.fieldt")).to_contain_text("Company")


def test_what_waits_says_when_it_is_tried_again_and_is_cancelled(
    any_page: Page, tried_once: Callable[[Page], dict[str, Any]]
) -> None:
    lead = tried_once(any_page)
    any_page.goto("/leads")
    queue = EnrichmentPage(any_page).open()
    expect(queue.row("slow-company.com")).to_contain_text("Tries again")
    expect(queue.row("slow-company.com")).to_contain_text("Next try in")

    queue.row("slow-company.com").get_by_role("button", name="Cancel the enrichment of slow-company.com").click()

    expect(queue.rows).to_have_count(0)
    any_page.goto(f"/leads/{lead['id']}")
    expect(any_page.locator(".facts-line")).to_contain_text("Pending")


def test_the_drawer_says_it_too_and_cancels(any_page: Page, tried_once: Callable[[Page], dict[str, Any]]) -> None:
    lead = tried_once(any_page)
    any_page.goto(f"/leads/{lead['id']}")
    expect(any_page.locator(".facts-line")).to_contain_text("Next try in")

    any_page.get_by_role("button", name="Cancel enrichment").click()

    expect(any_page.locator(".facts-line")).to_contain_text("Pending")
    expect(any_page.get_by_role("button", name="Cancel enrichment")).to_have_count(0)


def test_who_only_reads_is_offered_nothing(
    page: Page, window: NewContext, omar: Person, tried_once: Callable[[Page], dict[str, Any]]
) -> None:
    tried_once(page)

    reading = window(omar).new_page()
    reading.goto("/leads")
    queue = EnrichmentPage(reading).open()

    expect(queue.rows).to_have_count(1)
    expect(reading.locator("main form")).to_have_count(0)
