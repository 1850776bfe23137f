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

    def drag(self, column: str, before: str) -> None:
        """Take a head and hold it over the left half of another: where it is put down is the caller's to say."""
        taken, other = self.page.locator(f"thead .c-{column}"), self.page.locator(f"thead .c-{before}")
        taken.hover(position={"x": 24, "y": 8})
        self.page.mouse.down()
        other.hover(position={"x": 8, "y": 8})
        expect(self.page.locator(".drop-line")).to_be_visible()

    def width(self, column: str) -> float:
        box = self.page.locator(f"thead .c-{column}").bounding_box()
        assert box
        return box["width"]

    def problem(self) -> Locator:
        return self.page.locator(".cell-problem:not(:empty)")
