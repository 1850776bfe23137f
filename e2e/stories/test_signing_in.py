"""The first link, the account, out and in again."""

from __future__ import annotations

from playwright.sync_api import expect

from e2e.conftest import NewContext
from e2e.pages.sign_in_page import SignInPage
from e2e.people import Person
from e2e.server import RunningServer


def test_the_printed_link_makes_the_first_administrator(window: NewContext, rosa: Person) -> None:
    page = window(rosa).new_page()

    page.goto("/settings")

    expect(page.get_by_label("Name")).to_have_value("Rosa Engel")
    facts = page.get_by_role("region", name="Your account")
    expect(facts).to_contain_text("rosa@example.com")
    expect(facts).to_contain_text("Administrator")


def test_a_link_works_once(window: NewContext, server: RunningServer, rosa: Person, script: bool) -> None:
    assert server.first_link
    page = window(script=script).new_page()

    page.goto(server.first_link)

    expect(page.get_by_role("heading", name="This link does not work any more")).to_be_visible()


def test_a_new_person_chooses_a_password_signs_out_and_in_again(
    window: NewContext, server: RunningServer, script: bool
) -> None:
    email = f"mara-{'script' if script else 'plain'}@example.com"
    link = server.leads("user", "add", email, "--name", "Mara")["sign_in_link"]
    page = window(script=script).new_page()
    entrance = SignInPage(page)

    entrance.use_link(link)
    entrance.choose_account(name="Mara Lindqvist", email=email, password="short")
    expect(page.get_by_role("alert")).to_contain_text("Password")
    expect(page.get_by_label("Name")).to_have_value("Mara Lindqvist")
    entrance.choose_account(name="Mara Lindqvist", email=email, password="long enough by far")
    expect(page).to_have_title("Leads · Lead Explorer")
    entrance.sign_out()
    page.goto("/leads?stage=won")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    entrance.sign_in(email, "long enough by far")

    expect(page).to_have_url(f"{server.url}/leads?stage=won")
    expect(page.get_by_label("account and appearance of Mara Lindqvist")).to_be_visible()


def test_a_wrong_password_is_refused_and_the_email_stays(window: NewContext, rosa: Person, script: bool) -> None:
    page = window(script=script).new_page()
    page.goto("/sign-in")

    SignInPage(page).sign_in(rosa.email, "not the password")

    expect(page.get_by_role("alert")).to_contain_text("Email and password do not belong together")
    expect(page.get_by_label("Email")).to_have_value(rosa.email)
