"""Import: choose a file, check the columns, look at what will happen, watch it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect


class ImportPage:
    """The steps, one page each."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.plan = page.get_by_role("region", name="What will happen")
        self.rows = page.locator("#rows")
        self.reading = page.get_by_label("Sheet")

    def choose(self, file: Path | dict[str, object]) -> None:
        self.page.goto("/import")
        self.page.get_by_label("Choose a file").set_input_files(file)  # type: ignore[arg-type]
        self.page.get_by_role("button", name="Look at it").click()

    def goes_to(self, column: str) -> Locator:
        return self.page.get_by_role("combobox", name=f"{column} goes to")

    def count(self, label: str) -> Locator:
        """The number beside a line of the plan or of the outcome."""
        return self.page.locator("table.sum tr").filter(has_text=label).locator("td.num")

    def check_again(self) -> None:
        """Click, and wait for the answer: what is chosen next counts from there."""
        with self.page.expect_response(lambda answer: "/import/" in answer.url and answer.status == 200):
            self.plan.get_by_role("button", name="Check again").click()

    def begin(self) -> None:
        self.plan.get_by_role("button", name="Import ").click()

    def ends(self) -> None:
        expect(self.page.get_by_text("Imported", exact=True)).to_be_visible(timeout=60_000)
