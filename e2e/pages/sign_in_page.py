"""Getting in and out."""

from __future__ import annotations

from playwright.sync_api import Page, expect


class SignInPage:
    """The sign-in form, the page of a link, and the page that follows it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def use_link(self, link: str) -> None:
        """Open a link and press its button: opening alone spends nothing."""
        self.page.goto(link)
        self.page.get_by_role("button", name="Sign in").click()

    def choose_account(self, *, name: str, email: str, password: str) -> None:
        expect(self.page.get_by_role("heading", name="Your account")).to_be_visible()
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Save and open the leads").click()

    def sign_in(self, email: str, password: str) -> None:
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()

    def sign_out(self) -> None:
        """By the account's menu, which is a `details` and needs no script."""
        self.page.locator("summary", has=self.page.locator(".avatar")).click()
        self.page.get_by_role("button", name="Sign out").click()
