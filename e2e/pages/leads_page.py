"""The table of leads and what stands above it."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect


class LeadsPage:
    """The list. The same words find the same things with a script and without."""

    def __init__(self, page: Page, *, script: bool = True) -> None:
        self.page = page
        self.script = script
        self.quick_field = page.locator("#quick-text")
        self.quick_form = page.locator("#quick-add")
        self.search_field = page.get_by_role("searchbox", name="Search leads")
        self.rows = page.locator("tr[data-lead]")
        self.chips = page.get_by_role("list", name="Filters")
        self.pager = page.get_by_role("navigation", name="Pages")

    def open(self, query: str = "") -> LeadsPage:
        self.page.goto(f"/leads{query}")
        return self

    def row(self, text: str) -> Locator:
        return self.rows.filter(has_text=text)

    def names(self) -> Locator:
        return self.page.locator("tr[data-lead] th a")

    def shows(self, *names: str) -> None:
        """Exactly these leads, in this order."""
        expect(self.names()).to_have_text(list(names))

    def quick_add(self, text: str) -> None:
        self.quick_field.fill(text)
        if self.script:
            self.quick_field.press("Enter")
        else:
            self.quick_form.get_by_role("button", name="Add", exact=True).click()

    def open_lead(self, text: str) -> None:
        self.row(text).get_by_role("link").first.click()

    def search(self, text: str) -> None:
        if self.script:
            self.search_field.press_sequentially(text)
        else:
            self.search_field.fill(text)
            self.search_field.press("Enter")

    def filter(self, group: str, choice: str) -> None:
        """Tick one choice of the filter menu and have it shown."""
        menu = self.page.locator("#filter-menu")
        menu.locator("summary").click()
        menu.get_by_role("group", name=group, exact=True).get_by_label(choice, exact=True).check()
        menu.get_by_role("button", name="Show").click()

    def filter_by_tag(self, tag: str) -> None:
        menu = self.page.locator("#filter-menu")
        menu.locator("summary").click()
        menu.get_by_label("Tag", exact=True).and_(menu.locator("input[type=text]")).fill(tag)
        menu.get_by_role("button", name="Show").click()

    def sort_by(self, column: str) -> None:
        self.page.get_by_role("columnheader", name=column).get_by_role("link").click()

    def view(self, name: str) -> None:
        views = self.page.get_by_role("navigation", name="Views")
        views.get_by_role("link", name=re.compile(rf"^{re.escape(name)}")).click()
