"""The table of leads as somebody works in it: its columns, its cells, the actions of its rows."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from e2e.pages.leads_page import LeadsPage


class TablePage(LeadsPage):
    """The list, cell by cell."""

    def __init__(self, page: Page, *, script: bool = True) -> None:
        super().__init__(page, script=script)
        self.menu = page.locator("#columns-menu")
        self.actions = page.locator("#row-menu" if script else "main")

    def columns(self, *labels: str) -> None:
        """Exactly these columns are there, in this order."""
        expect(self.page.locator("thead [data-column]")).to_have_text(list(labels))

    def choose_columns(self) -> Locator:
        self.menu.locator("summary").click()
        return self.menu

    def cell(self, lead: str, column: str) -> Locator:
        return self.row(lead).locator(f".c-{column}")

    def editor(self, label: str) -> Locator:
        """The field that a cell became."""
        return self.page.locator(".cell-form").get_by_label(label)

    def edge(self, label: str) -> Locator:
        return self.page.get_by_role("separator", name=f"Width of {label}")

    def width(self, column: str) -> float:
        box = self.page.locator(f"thead .c-{column}").bounding_box()
        assert box
        return box["width"]

    def problem(self) -> Locator:
        return self.page.locator(".cell-problem:not(:empty)")
