"""Ticked rows, the bar under the table, and what becomes of the job that it starts."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect


class BulkBar:
    """The same words find the same things with a script and without."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.bar = page.get_by_role("form", name="Actions on selected leads")
        self.notice = page.locator("#bulk-job")
        self.job = page.locator("#job")
        self.whole_page = page.get_by_role("checkbox", name="Select all on this page")
        self.everything = self.bar.get_by_role("checkbox")

    def box(self, name: str) -> Locator:
        return self.page.get_by_role("checkbox", name=f"Select {name}", exact=True)

    def says(self, words: str) -> None:
        expect(self.bar.locator("output")).to_have_text(words)

    def chosen(self, *names: str) -> None:
        """Exactly these rows of the page are ticked."""
        ticked = self.page.locator("tr[data-lead]:has(input:checked) th a")
        expect(ticked).to_have_text(list(names))

    def enrich(self) -> None:
        self.bar.get_by_role("button", name="Enrich").click()

    def menu(self, name: str) -> Locator:
        """A menu of the bar, opened."""
        summary = self.bar.locator("summary", has_text=name)
        summary.click()
        return summary.locator("..")

    def choose(self, menu: str, choice: str) -> None:
        self.menu(menu).get_by_role("button", name=choice, exact=True).click()

    def clear(self) -> None:
        self.bar.get_by_role("button", name="Clear selection").click()

    def watch(self) -> None:
        """From the notice to the job's page."""
        self.notice.get_by_role("link", name=re.compile("Watch it|See what happened|See the")).click()
        expect(self.page).to_have_url(re.compile("/jobs/"))

    def outcome(self, label: str) -> Locator:
        return self.job.get_by_role("row").filter(has=self.page.get_by_role("rowheader", name=label, exact=True))
