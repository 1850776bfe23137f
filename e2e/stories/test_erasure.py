"""An administrator erases a person: what will go is shown first, and afterwards it is nowhere."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from e2e.axe import scrolls_sideways, violations
from e2e.conftest import NewContext
from e2e.given import a_change, a_lead
from e2e.pages.erase_page import ErasePage
from e2e.pages.lead_panel import LeadPanel
from e2e.pages.leads_page import LeadsPage
from e2e.people import Person
from e2e.server import RunningServer

ZOE = {
    "email": "zoe@example.org",
    "contact_name": "Zoë Quixote",
    "company_name": "Stone and Sons",
    "job_title": "Knight",
    "city": "Toledo",
    "notes": "Likes lentils.",
}


def test_a_person_is_erased_and_the_page_says_when_and_by_whom(any_page: Page, script: bool) -> None:
    lead = a_lead(any_page, **ZOE)
    a_change(any_page, lead, job_title="Squire")
    LeadsPage(any_page, script=script).open().open_lead("Stone and Sons")
    any_page.get_by_role("link", name="Erase this person").click()
    page = ErasePage(any_page)

    for value in ("Zoë Quixote", "zoe@example.org", "Squire", "2 entries of the trail"):
        expect(page.goes).to_contain_text(value)
    for value in ("Stone and Sons", "Toledo", "Likes lentils."):
        expect(page.stays).to_contain_text(value)
    page.choose("Description and notes")
    expect(page.goes).to_contain_text("Likes lentils.")
    page.erase()

    panel = LeadPanel(any_page)
    panel.shows("Stone and Sons")
    expect(panel.panel).to_contain_text("This person was erased")
    expect(panel.panel).to_contain_text("by you")
    expect(panel.newest).to_contain_text("You erased")
    expect(panel.panel).not_to_contain_text("Zoë")
    expect(panel.panel).not_to_contain_text("zoe@example.org")
    expect(panel.panel).not_to_contain_text("lentils")
    expect(panel.panel.get_by_role("button", name="Enrich")).to_have_count(0)
    any_page.goto("/leads?q=quixote")
    expect(any_page.locator("main")).not_to_contain_text("Stone and Sons")


def test_who_looks_away_erases_nothing(any_page: Page) -> None:
    lead = a_lead(any_page, **ZOE)
    ErasePage(any_page).open(lead["id"])

    any_page.get_by_role("link", name="Cancel").click()

    expect(LeadPanel(any_page).detail("Email")).to_contain_text("zoe@example.org")


def test_a_lead_that_changed_meanwhile_is_shown_again(any_page: Page) -> None:
    lead = a_lead(any_page, **ZOE)
    page = ErasePage(any_page).open(lead["id"])
    a_change(any_page, lead, job_title="Squire")

    page.erase()

    expect(any_page.get_by_role("alert")).to_contain_text("the lead changed meanwhile")
    expect(page.goes).to_contain_text("Squire")
    page.erase()
    expect(LeadPanel(any_page).panel).to_contain_text("This person was erased")


def test_an_editor_is_not_offered_it(window: NewContext, idris: Person, page: Page) -> None:
    lead = a_lead(page, **ZOE)
    his = window(idris).new_page()

    his.goto(f"/leads/{lead['id']}")

    LeadPanel(his).shows("Stone and Sons")
    expect(his.get_by_role("link", name="Erase")).to_have_count(0)


def test_a_user_is_erased_in_the_settings(any_page: Page, server: RunningServer, script: bool) -> None:
    name = f"Sancho {'with' if script else 'without'} a script"
    server.leads("user", "add", f"sancho-{script}@example.com", "--name", name)
    any_page.goto("/settings/users")
    users = any_page.get_by_role("list", name="Users")

    users.get_by_role("listitem").filter(has_text=name).locator("summary").click()
    users.get_by_role("listitem").filter(has_text=name).get_by_role("link", name="Erase").click()
    expect(any_page.get_by_role("heading", level=1)).to_have_text(f"Erase {name}")
    any_page.get_by_role("button", name="Erase for ever").click()

    expect(any_page.get_by_role("status").filter(has_text="The user is erased")).to_be_visible()
    expect(users).not_to_contain_text(name)
    expect(users).to_contain_text("Erased user")


def test_axe_finds_nothing_and_nothing_scrolls_sideways(page: Page) -> None:
    lead = a_lead(
        page, **ZOE, tags=["mills"], description="A lance, a shield, and a word that is longerthananycolumncouldbe" * 3
    )
    question = f"/leads/{lead['id']}/erase?part=person&part=text&part=data&keep_domain=true"
    users = page.context.request.get("/settings/users").text()
    user = users.partition("/settings/users/")[2].partition("/")[0]
    addresses = [question, f"/settings/users/{user}/erase"]

    for address in addresses:
        _holds_at_every_width(page, address)
    ErasePage(page).open(lead["id"]).erase()
    _holds_at_every_width(page, f"/leads/{lead['id']}")


def _holds_at_every_width(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(address)
    assert violations(page) == "", address
    for width in (320, 390, 720):
        page.set_viewport_size({"width": width, "height": 844})
        assert not scrolls_sideways(page), f"{address} at {width} px"
    assert violations(page, ("light",)) == "", address
