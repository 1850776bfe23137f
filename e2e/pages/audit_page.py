"""How a person works the page of the whole trail: filters, pages, the seal."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


class AuditPage:
    """/audit, with or without scripts."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.rows = page.locator("table.audit tbody tr")
        self.chips = page.locator(".chips .chip")
        self.log = page.get_by_role("region", name="State of the log")
        self.seal = self.log.locator(".seal")
        self.total = page.get_by_role("navigation", name="Pages").locator("strong")

    def open(self, query: str = "") -> AuditPage:
        self.page.goto(f"/audit{query}")
        expect(self.page.get_by_role("heading", name="Audit trail")).to_be_visible()
        return self

    def row(self, text: str) -> Locator:
        return self.rows.filter(has_text=text).first

    def open_filter(self) -> Locator:
        """The form with every filter."""
        self.page.locator("#filter-menu > summary").click()
        return self.page.get_by_role("form", name="Filter")

    def filter(self, *ticked: str, **chosen: str) -> AuditPage:
        """Tick these, choose by label, and show."""
        form = self.open_filter()
        for label in ticked:
            form.get_by_label(label, exact=True).check()
        for label, option in chosen.items():
            form.get_by_label(label, exact=True).select_option(label=option)
        form.get_by_role("button", name="Show").click()
        return self

    def without(self, chip: str) -> AuditPage:
        self.page.get_by_role("link", name=f"Remove filter: {chip}").click()
        return self

    def older(self) -> None:
        self.page.get_by_role("link", name="Older").click()

    def newer(self) -> None:
        self.page.get_by_role("link", name="Newer").click()

    def verify_now(self) -> None:
        self.page.get_by_role("button", name="Verify now").click()
