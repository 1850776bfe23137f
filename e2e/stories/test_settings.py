"""A person looks after their own account, and an administrator after everybody's; with a script and without."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from e2e.conftest import NewContext
from e2e.pages.leads_page import LeadsPage
from e2e.pages.settings_page import SettingsPage
from e2e.pages.sign_in_page import SignInPage
from e2e.people import Person, arrive
from e2e.server import RunningServer


@pytest.fixture
def olga(browser: Browser, server: RunningServer, script: bool, rosa: Person) -> Person:
    """Somebody whose account these stories may turn upside down."""
    email = f"olga-{'script' if script else 'plain'}@example.com"
    link = server.leads("user", "add", email, "--name", "Olga")["sign_in_link"]
    return arrive(browser, link, "Olga Ek", email)


def test_a_new_password_and_an_ended_session_shut_the_other_browser_out(
    window: NewContext, olga: Person, script: bool
) -> None:
    page, other = window(olga, script=script).new_page(), window(script=script).new_page()
    other.goto("/sign-in")
    SignInPage(other).sign_in(olga.email, olga.password)
    expect(other).to_have_title("Leads · Lead Explorer")
    settings = SettingsPage(page).open("sessions")

    expect(page.locator(".entries > li").filter(has_text="This one")).to_have_count(1)
    settings.press("End the session")
    settings.says("That session has ended.")
    other.goto("/leads")
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    SignInPage(other).sign_in(olga.email, olga.password)
    settings.open("password")
    page.get_by_label("Current password").fill("not this one")
    page.get_by_label("New password").fill("an even longer password")
    settings.press("Change password")
    expect(settings.alert).to_contain_text("This is not your password.")
    page.get_by_label("Current password").fill(olga.password)
    page.get_by_label("New password").fill("an even longer password")
    settings.press("Change password")

    settings.says("Every other session has ended.")
    other.goto("/leads")
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_token_is_made_used_and_revoked(window: NewContext, rosa: Person, script: bool) -> None:
    page = window(rosa, script=script).new_page()
    name = f"Nightly sync {'with' if script else 'without'} a script"
    settings = SettingsPage(page).open("tokens")

    page.get_by_label("Name", exact=True).fill(name)
    settings.press("Make a token")
    secret = page.locator("#new-token").inner_text()
    by_token = {"Authorization": f"Bearer {secret}", "Cookie": ""}
    assert page.context.request.get("/api/v1/leads", headers=by_token).status == 200
    settings.open("tokens")
    expect(settings.entry(name)).to_contain_text("last used")
    expect(page.locator("main")).not_to_contain_text(secret)
    settings.press("Revoke", within=settings.entry(name))

    settings.says("The token is revoked.")
    assert page.context.request.get("/api/v1/leads", headers=by_token).status == 401


def test_an_administrator_adds_somebody_and_looks_after_them(window: NewContext, rosa: Person, script: bool) -> None:
    page, theirs = window(rosa, script=script).new_page(), window(script=script).new_page()
    email = f"nils-{'script' if script else 'plain'}@example.com"
    settings = SettingsPage(page).open("users")

    page.get_by_label("Name", exact=True).fill("Nils")
    page.get_by_label("Email").fill(email)
    settings.press("Add and make a sign-in link")
    SignInPage(theirs).use_link(page.locator("#new-link").inner_text())
    SignInPage(theirs).choose_account(name="Nils Holm", email=email, password="long enough by far")
    expect(theirs).to_have_title("Leads · Lead Explorer")
    settings.open("users")
    settings.entry(email).get_by_role("combobox").select_option(label="Viewer")
    settings.press("Set", within=settings.entry(email))
    settings.says("The role is changed.")
    expect(LeadsPage(theirs).open().quick_form).to_have_count(0)
    settings.more(email, "Sign out everywhere")
    theirs.goto("/leads")
    expect(theirs.get_by_role("heading", name="Sign in")).to_be_visible()
    settings.more(email, "Disable")

    expect(settings.entry(email)).to_contain_text("Disabled")
    theirs.goto("/sign-in")
    SignInPage(theirs).sign_in(email, "long enough by far")
    expect(theirs.get_by_role("alert")).to_be_visible()


def test_the_only_administrator_cannot_step_down(window: NewContext, rosa: Person, script: bool) -> None:
    settings = SettingsPage(window(rosa, script=script).new_page()).open("users")

    settings.entry(rosa.email).get_by_role("combobox").select_option(label="Editor")
    settings.press("Set", within=settings.entry(rosa.email))

    expect(settings.alert).to_contain_text("This is the only administrator.")
