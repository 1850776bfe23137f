"""The page that asks before a person is erased."""

from __future__ import annotations

from playwright.sync_api import Locator, Page


class ErasePage:
    """What will go, what will stay, and the button."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.goes = self._section("Will go")
        self.stays = self._section("Will stay")

    def open(self, lead_id: str) -> ErasePage:
        self.page.goto(f"/leads/{lead_id}/erase")
        return self

    def choose(self, *parts: str) -> None:
        """Tick these parts too, and look again."""
        for part in parts:
            self.page.get_by_role("checkbox", name=part).check()
        self.page.get_by_role("button", name="Show what will go").click()

    def erase(self) -> None:
        self.page.get_by_role("button", name="Erase for ever").click()

    def _section(self, name: str) -> Locator:
        return self.page.locator("section").filter(has=self.page.get_by_role("heading", name=name, exact=True))
