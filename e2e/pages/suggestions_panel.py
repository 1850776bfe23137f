"""What was found and differs from the lead: in the drawer, or on the lead's page."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


class SuggestionsPanel:
    """The same words find the same things with a script and without."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.section = page.get_by_role("region", name="Suggestions")

    def of(self, field: str) -> Locator:
        """The box of one field, by its label in a sentence."""
        return self.section.locator("form.suggest").filter(has_text=f"was found for {field}.")

    def are_for(self, *fields: str) -> None:
        """Exactly these fields have a suggestion."""
        expect(self.section.locator("form.suggest")).to_have_count(len(fields))
        for field in fields:
            expect(self.of(field)).to_be_visible()

    def use(self, field: str) -> None:
        self.of(field).get_by_role("button", name="Use it").click()

    def keep_mine(self, field: str) -> None:
        self.of(field).get_by_role("button", name="Keep mine").click()

    def use_everywhere(self, field: str, words: str) -> None:
        self.of(field).get_by_role("button", name=words).click()

    def use_all(self, *, by_key: bool) -> None:
        self._press("Shift+y") if by_key else self.section.get_by_role("button", name="Use all").click()

    def keep_all(self, *, by_key: bool) -> None:
        self._press("Shift+m") if by_key else self.section.get_by_role("button", name="Keep mine for all").click()

    def _press(self, keys: str) -> None:
        expect(self.section).to_be_visible()
        self.page.keyboard.press(keys)
