"""The settings, a page for each section."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


class SettingsPage:
    """The same words find the same things with a script and without."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.said = page.locator(".notice[role=status]")
        self.alert = page.get_by_role("alert")

    def open(self, section: str = "") -> SettingsPage:
        self.page.goto(f"/settings/{section}".rstrip("/"))
        return self

    def entry(self, text: str) -> Locator:
        """One session, token or user."""
        return self.page.locator(".entries > li").filter(has_text=text)

    def press(self, name: str, *, within: Locator | None = None) -> None:
        (within or self.page.locator("main")).get_by_role("button", name=name).click()

    def more(self, person: str, action: str) -> None:
        """One of the actions that stand behind "More"."""
        self.entry(person).locator("summary").click()
        self.press(action, within=self.entry(person))

    def says(self, words: str) -> None:
        expect(self.said).to_contain_text(words)
