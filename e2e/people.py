"""Who sits at the browsers, and the browser itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, StorageState, expect

from e2e.pages.sign_in_page import SignInPage

#: Debian's Chromium; root may not use its sandbox, and it shall ask nobody but the server under test.
LAUNCH: dict[str, Any] = {
    "executable_path": "/usr/bin/chromium",
    "args": [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
    ],
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account who has signed in: their browser's cookies go into every new window of theirs."""

    name: str
    email: str
    password: str
    state: StorageState


def arrive(browser: Browser, link: str, name: str, email: str) -> Person:
    """By a link that works once, through the page that asks how they sign in from now on."""
    password = f"a long enough password of {name}"
    context = browser.new_context()
    entrance = SignInPage(context.new_page())
    entrance.use_link(link)
    entrance.choose_account(name=name, email=email, password=password)
    expect(entrance.page).to_have_title("Leads · Lead Explorer")
    state = context.storage_state()
    context.close()
    return Person(name, email, password, state)
