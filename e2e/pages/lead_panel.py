"""One lead: the drawer over the table, or its page."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


class LeadPanel:
    """The same template stands in the drawer and on the lead's page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.panel = page.locator("#panel")
        self.drawer = page.locator("#drawer")
        self.name = page.locator("#lead-name")
        self.trail = self.panel.locator("ol.trail > li")
        self.newest = self.trail.first

    def shows(self, name: str) -> None:
        expect(self.name).to_have_text(name)

    def detail(self, label: str) -> Locator:
        """The value beside a label."""
        return self.panel.locator("dl.fields > div").filter(has=self.page.locator("dt", has_text=label)).locator("dd")

    def press(self, button: str) -> None:
        self.panel.get_by_role("button", name=button).click()

    def edit(self) -> None:
        self.panel.get_by_role("link", name="Edit", exact=True).click()
        expect(self.panel.get_by_role("heading", level=1)).to_contain_text("Edit ")

    def set_stage(self, stage: str) -> None:
        self.panel.locator("summary", has_text="Set stage").click()
        self.panel.get_by_role("button", name=stage, exact=True).click()

    def fact(self, name: str) -> Locator:
        return (
            self.panel.get_by_role("region", name="Facts, as a table")
            .get_by_role("row")
            .filter(has=self.page.get_by_role("rowheader", name=name, exact=True))
        )
