"""The views above the table, and what can be done with the one that is open."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect


class ViewsBar:
    """Works the same with a script and without."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.bar = page.get_by_role("navigation", name="Views")
        self.menu = page.locator("#view-menu")
        self.save_form = page.locator("#save-view")

    def tab(self, name: str) -> Locator:
        return self.bar.get_by_role("link", name=re.compile(rf"^{re.escape(name)}\s*[\d,]*\+?$"))

    def open(self, name: str) -> None:
        self.tab(name).click()

    def is_open(self, name: str) -> None:
        expect(self.tab(name)).to_have_attribute("aria-current", "page")

    def save(self, name: str, *, shared: bool = False) -> None:
        self.save_form.locator("summary").click()
        self.save_form.get_by_label("Name").fill(name)
        if shared:
            self.save_form.get_by_label("Shared with everybody").check()
        self.save_form.get_by_role("button", name="Save view").click()

    def update(self) -> None:
        self.bar.get_by_role("button", name="Update view").click()
        expect(self.bar.get_by_role("button", name="Update view")).to_have_count(0)

    def rename(self, name: str) -> None:
        self._open_menu()
        self.menu.get_by_label("Name").fill(name)
        self.menu.get_by_role("button", name="Rename").click()

    def delete(self) -> None:
        self._open_menu()
        self.menu.get_by_text("Delete view").click()
        self.menu.get_by_role("button", name=re.compile("^Delete “")).click()

    def open_first(self) -> None:
        self._open_menu()
        self.menu.get_by_role("button", name="Open this view first").click()
        self.page.wait_for_load_state()

    def not_first(self) -> None:
        self._open_menu()
        self.menu.get_by_role("button", name="Open this view first").click()
        self.page.wait_for_load_state()

    def _open_menu(self) -> None:
        self.menu.locator("summary").first.click()
