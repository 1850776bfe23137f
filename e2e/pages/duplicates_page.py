"""Leads that are likely one: the page of all pairs, what a lead's panel says, and two of them side by side."""

from __future__ import annotations

from typing import Any, Self

from playwright.sync_api import Locator, Page, expect

TWINS: tuple[dict[str, Any], ...] = (
    {
        "email": "mara@stone-sons.com",
        "company_name": "Stone and Sons",
        "contact_name": "Mara Lindqvist",
        "job_title": "Buyer",
        "city": "Lisbon",
        "country": "PT",
        "tags": ["bakery"],
        "notes": "Met in Lisbon.",
    },
    {
        "email": "m.lindqvist@stonesons.com",
        "company_name": "Stone & Sons Lda",
        "contact_name": "M. Lindqvist",
        "phone": "+351 21 123 4567",
        "city": "Lisbon",
        "country": "PT",
        "tags": ["bakery", "fair"],
        "notes": "Wants samples in May.",
        "stage": "qualified",
    },
)


class DuplicatesPage:
    """/duplicates, and what leads there and away."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pairs = page.locator(".pairs > li")
        self.likely = page.locator("#panel section[aria-labelledby=likely]")

    def open(self) -> Self:
        self.page.goto("/duplicates")
        return self

    def wait_for(self, pairs: int) -> Self:
        """Until the worker has found so many."""
        for _ in range(40):
            self.open()
            if self.pairs.count() == pairs:
                return self
            self.page.wait_for_timeout(250)
        raise AssertionError(f"{self.pairs.count()} pairs are shown, not {pairs}.")

    def merge(self) -> MergePage:
        """From the first pair, or from what the panel says."""
        self.page.get_by_role("link", name="Merge").first.click()
        return MergePage(self.page)


class MergePage:
    """Two leads side by side."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.table = page.get_by_role("table", name="Which lead stays, and which value of each field")
        expect(page.get_by_role("heading", level=1)).to_have_text("Merge two leads")

    def line(self, label: str) -> Locator:
        return self.table.get_by_role("row").filter(has=self.page.get_by_role("rowheader", name=label))

    def choose(self, label: str, value: str) -> None:
        self.line(label).get_by_label(value).check()

    def keep(self, name: str) -> None:
        self.page.get_by_label(f"This one stays: {name}").check()

    def send(self) -> None:
        self.page.get_by_role("button", name="Merge", exact=True).click()
