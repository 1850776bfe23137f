"""How a person works the page of the enrichment queue: what waits, what failed, how providers did."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


class EnrichmentPage:
    """/enrichment, with or without scripts."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.rows = page.locator("table.jobs tbody tr")
        self.reasons = page.locator("table.reasons tbody tr")
        self.providers = page.locator("table.provt tbody tr")

    def open(self) -> EnrichmentPage:
        self.page.get_by_role("navigation", name="Main").get_by_role("link", name="Enrichment").click()
        expect(self.page.get_by_role("heading", name="Enrichment", level=1)).to_be_visible()
        return self

    def figure(self, label: str) -> Locator:
        """The number over this label."""
        return self.page.locator(".figures > div").filter(has_text=label).locator("dd")

    def row(self, text: str) -> Locator:
        return self.rows.filter(has_text=text).first

    def reason(self, text: str) -> Locator:
        return self.reasons.filter(has_text=text).first

    def provider(self, name: str) -> Locator:
        return self.providers.filter(has=self.page.get_by_role("rowheader", name=name, exact=True))

    def retry(self, reason: str) -> None:
        """Try again what failed for this reason."""
        self.reason(reason).get_by_role("button").click()

    def retry_all(self) -> None:
        self.page.get_by_role("button", name="failed again").click()
