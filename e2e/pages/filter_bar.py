"""The filters above the table: the menu of all, and the menu under each chip."""

from __future__ import annotations

from playwright.sync_api import Locator, Page


class FilterForm:
    """An open form of filters."""

    def __init__(self, form: Locator) -> None:
        self.form = form

    def tick(self, choice: str) -> None:
        self.form.get_by_label(choice, exact=True).check()

    def set_operator(self, name: str, word: str) -> None:
        self.form.get_by_label(f"{name}: how").select_option(label=word)

    def choose_days(self, name: str, word: str) -> None:
        self.form.get_by_label(f"{name}: when").select_option(label=word)

    def set_dates(self, *, start: str = "", end: str = "") -> None:
        self.form.get_by_label("On or after").fill(start)
        self.form.get_by_label("On or before").fill(end)

    def field(self, name: str) -> Locator:
        return self.form.get_by_label(name, exact=True).and_(self.form.locator("input[type=text]"))

    def type(self, name: str, text: str) -> None:
        self.field(name).fill(text)

    def show(self) -> None:
        self.form.get_by_role("button", name="Show").click()


class FilterBar:
    """The bar itself. A chip is found by what it says."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self) -> FilterForm:
        """The menu of all filters."""
        menu = self.page.locator("#filter-menu")
        menu.locator("summary").click()
        return FilterForm(menu.locator("form"))

    def change(self, said: str) -> FilterForm:
        """The menu of one chip: "Stage is Won"."""
        chip = self.page.locator(".chip").filter(has=self.page.locator(f'summary[aria-label="Change filter: {said}"]'))
        chip.locator("summary").click()
        return FilterForm(chip.locator("form"))

    def remove(self, said: str) -> None:
        self.page.get_by_role("link", name=f"Remove filter: {said}").click()
