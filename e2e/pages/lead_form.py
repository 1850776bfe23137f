"""The form: a new lead, or an old one."""

from __future__ import annotations

from playwright.sync_api import Locator, Page


class LeadForm:
    """Fields by their labels."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.panel = page.locator("#panel")
        self.summary = self.panel.get_by_role("alert")

    def open(self) -> LeadForm:
        self.page.goto("/leads/new")
        return self

    def field(self, label: str) -> Locator:
        return self.panel.get_by_label(label, exact=True)

    def fill(self, **values: str) -> LeadForm:
        """Keyword is the field's name in the form, `company_name="Acme"`."""
        for name, value in values.items():
            self.panel.locator(f"#{name}").fill(value)
        return self

    def save(self) -> None:
        self.panel.get_by_role("button", name="Save lead").click()
