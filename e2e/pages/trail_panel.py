"""The trail of a lead, its seal, and the lead as it stood: in the drawer and on the page alike."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect


class TrailPanel:
    """What a person does with a lead's past."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.panel = page.locator("#panel")
        self.entries = self.panel.locator("ol.trail > li")
        self.chips = self.panel.get_by_role("list", name="Filters of the trail")
        self.menu = self.panel.locator("#trail-filter")
        self.seal = page.locator("#seal")
        self.pill = self.seal.locator("summary")
        self.notice = self.panel.locator(".notice")
        self.toast = page.locator("#toasts")

    def open(self, lead: dict[str, str], query: str = "") -> TrailPanel:
        self.page.goto(f"/leads/{lead['id']}{query}")
        return self

    def entry(self, text: str) -> Locator:
        return self.entries.filter(has_text=text)

    def says(self, *sentences: str) -> None:
        """Exactly these entries, the newest first."""
        expect(self.entries.locator(".what > span")).to_have_text(list(sentences))

    def filter(self, group: str, choice: str) -> None:
        self.menu.locator("summary").click()
        self.menu.get_by_role("group", name=group).get_by_label(choice, exact=True).check()
        self.menu.get_by_role("button", name="Show").click()

    def put_back(self, name: str) -> None:
        """Press the button that puts this back: `stage: New`."""
        self.panel.get_by_role("button", name=f"Put back {name}", exact=True).click()

    def put_back_to(self, entry: int) -> None:
        self.panel.get_by_role("button", name=f"Put back to here (entry {entry})", exact=True).click()

    def as_it_stood(self, entry: int) -> None:
        self.panel.get_by_role("link", name=re.compile(rf"^As it stood at entry {entry},")).click()
        expect(self.panel.locator("#lead-name")).to_contain_text("as it stood")

    def then(self, label: str) -> Locator:
        """A field of the lead as it stood, with what is said of today."""
        return self.panel.locator("dl.past > div").filter(
            has=self.page.locator("dt", has_text=re.compile(rf"^{re.escape(label)}$"))
        )
