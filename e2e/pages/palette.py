"""The palette: everything by its name."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


class Palette:
    """Opened with Ctrl and K, walked through with the keyboard alone."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.dialog = page.get_by_role("dialog", name="Search everything")
        self.field = self.dialog.get_by_role("combobox", name="Search leads, pages and actions")
        self.options = self.dialog.get_by_role("option")

    def open(self) -> Palette:
        self.page.keyboard.press("Control+k")
        expect(self.field).to_be_focused()
        expect(self.options.first).to_be_visible()
        return self

    def option(self, name: str) -> Locator:
        return self.dialog.get_by_role("option", name=name)

    def selected(self) -> Locator:
        return self.dialog.get_by_role("option", selected=True)

    def choose(self, typed: str, name: str) -> None:
        """Type, wait until the first line is this one, press Enter."""
        self.field.fill(typed)
        expect(self.selected()).to_contain_text(name)
        self.page.keyboard.press("Enter")
        expect(self.dialog).to_be_hidden()
