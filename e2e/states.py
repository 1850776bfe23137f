"""Every page and every state of one that people meet, each by its name: how it is reached from a signed-in browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect

from e2e.given import a_change, a_lead, companies, in_the_bin
from e2e.pages.audit_page import AuditPage
from e2e.pages.bulk_bar import BulkBar
from e2e.pages.duplicates_page import TWINS, DuplicatesPage
from e2e.pages.enrichment_page import EnrichmentPage
from e2e.pages.filter_bar import FilterBar
from e2e.pages.import_page import ImportPage
from e2e.pages.lead_form import LeadForm
from e2e.pages.lead_panel import LeadPanel
from e2e.pages.leads_page import LeadsPage
from e2e.pages.palette import Palette
from e2e.pages.suggestions_panel import SuggestionsPanel
from e2e.pages.trail_panel import TrailPanel
from e2e.pages.views_bar import ViewsBar

STONE = {
    "email": "mara@example.org",
    "company_name": "Stone and Sons",
    "contact_name": "Mara Lindqvist",
    "job_title": "Buyer",
    "city": "Lisbon",
    "country": "PT",
    "tags": ["bakery"],
    "notes": "Met in Lisbon.\nCall in May.",
}
FILE = "company,email,city\nStone,stone@example.org,Porto\nAhorn,no-email,Bonn\n"


def some_leads(page: Page) -> LeadsPage:
    companies(page, ["Ahorn", "Baker Street"], stage="won")
    a_lead(page, **STONE)
    leads = LeadsPage(page).open()
    leads.quick_add("lumenstack.io\nno-such-company.com")
    expect(leads.row("Lumenstack")).to_contain_text("Completed")
    expect(leads.row("no-such-company.com")).to_contain_text("Failed")
    return leads


def empty(page: Page) -> None:
    LeadsPage(page).open()


def table(page: Page) -> None:
    some_leads(page)


def dashboard(page: Page) -> None:
    some_leads(page)
    page.goto("/")
    page.get_by_text("As a table").first.click()


def columns_menu(page: Page) -> None:
    companies(page, ["Ahorn"])
    LeadsPage(page).open()
    page.locator("#columns-menu summary").click()


def own_columns(page: Page) -> None:
    a_lead(page, **STONE, follow_up_on="2026-11-20", employee_count=1_200)
    columns = "company,contact,title,email,phone,stage,owner,tags,follow_up,city,industry,employees,added,changed"
    form = {"layout": columns.replace(",", ":,"), "density": "roomy"}
    answer = page.context.request.post("/leads/columns", form=form)
    assert answer.ok, answer.text()
    expect(LeadsPage(page).open().page.get_by_role("region", name="Table of leads")).to_be_visible()


def cell_at_odds(page: Page) -> None:
    lead = a_lead(page, **STONE)
    leads = LeadsPage(page).open()
    leads.rows.first.locator(".c-stage").dblclick()
    page.get_by_label("Stage of Stone and Sons").select_option("won")
    a_change(page, lead, stage="lost")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Keep mine")).to_be_focused()


def row_menu(page: Page) -> None:
    a_lead(page, **STONE)
    LeadsPage(page).open().rows.first.get_by_role("link").first.focus()
    page.keyboard.press("s")
    expect(page.locator("#row-menu button").first).to_be_visible()


def row_actions(page: Page) -> None:
    lead = a_lead(page, **STONE)
    page.goto(f"/leads/{lead['id']}/actions")


def filtered(page: Page) -> None:
    companies(page, ["Ahorn", "Baker Street"], stage="won")
    expect(LeadsPage(page).open("?stage=won&is_manual=false&q=ahorn").page.locator(".chips")).to_be_visible()


def no_match(page: Page) -> None:
    LeadsPage(page).open("?q=stnoe&stage=won")


def unreadable_filter(page: Page) -> None:
    LeadsPage(page).open("?stage=golden")


def filter_menu(page: Page) -> None:
    companies(page, ["Ahorn"])
    LeadsPage(page).open()
    page.locator("#filter-menu summary").click()


def changed_view(page: Page) -> None:
    """A saved view whose filter was changed, its menu open with the question before it is deleted."""
    companies(page, ["Ahorn"], stage="won")
    LeadsPage(page).open("?stage=won&country=!DE&created_from=7d")
    ViewsBar(page).save("Won lately", shared=True)
    FilterBar(page).remove("Country is not Germany")
    expect(page.get_by_role("button", name="Update view")).to_be_visible()
    page.locator("#view-menu summary").first.click()
    page.locator("#view-menu").get_by_text("Delete view").click()


def chip_menu(page: Page) -> None:
    companies(page, ["Ahorn"], stage="won")
    LeadsPage(page).open("?stage=won&created_from=2026-01-01&created_to=2099-01-01")
    FilterBar(page).change("Added from 1 Jan 2026 until 1 Jan 2099")


def account_menu(page: Page) -> None:
    LeadsPage(page).open()
    page.locator("summary", has=page.locator(".avatar")).click()


def keys(page: Page) -> None:
    LeadsPage(page).open()
    page.keyboard.press("?")


def quick_add_errors(page: Page) -> None:
    a_lead(page, **STONE)
    in_the_bin(page, email="idris@example.org")
    leads = LeadsPage(page).open()
    leads.quick_add("mara@example.org\nidris@example.org\nacme")
    expect(leads.quick_form.get_by_role("alert")).to_be_visible()


def toast(page: Page) -> None:
    a_lead(page, **STONE)
    leads = LeadsPage(page).open()
    leads.rows.first.get_by_role("link").first.focus()
    page.keyboard.press("#")
    expect(page.locator("#toasts")).to_contain_text("moved to the bin")


def undone(page: Page) -> None:
    """What a toast says of an undo that kept something."""
    lead = a_lead(page, **STONE)
    a_change(page, lead, city="Porto", stage="won")
    edit = page.context.request.get(f"/api/v1/leads/{lead['id']}/audit?order=desc").json()["items"][0]
    a_change(page, lead, stage="lost")
    page.goto(f"/undo?request_id={edit['request_id']}")
    page.get_by_role("button", name="Undo 1 lead").click()
    expect(page.get_by_role("table")).to_contain_text("stage", ignore_case=True)


def undo_asked(page: Page) -> None:
    companies(page, ["Ahorn"])
    AuditPage(page).open("?action=CREATE")
    page.get_by_role("link", name="Undo:").first.click()
    expect(page.get_by_role("button", name="Undo 1 lead")).to_be_visible()


def an_import(page: Page, rows: int) -> None:
    """Leads that came by an import which has ended; its page."""
    lines = "".join(f"Lead {n:03},lead{n}@example.org,Porto\n" for n in range(rows))
    file = {"name": "leads.csv", "mimeType": "text/csv", "buffer": ("company,email,city\n" + lines).encode()}
    started = page.context.request.post("/api/v1/leads/import", multipart={"file": file}).json()
    page.goto(f"/import/{started['id']}")
    ImportPage(page).ends()


def an_import_of_three_batches(page: Page) -> str:
    """As an_import; the id of a lead that stands in the first two batches, from whichever end a job begins."""
    an_import(page, 1_010)
    found = page.context.request.get("/api/v1/leads?q=lead505@example.org").json()["items"]
    return str(found[0]["id"])


def undo_ended(page: Page) -> None:
    """An undo of an import of many, which kept a lead that somebody edited since."""
    an_import(page, 210)
    lead = page.context.request.get("/api/v1/leads?q=lead7@example.org").json()["items"][0]
    a_change(page, lead, stage="won")
    page.get_by_role("link", name="Undo", exact=True).click()
    page.get_by_role("button", name="Undo more than").click()
    expect(page.get_by_text("Done", exact=True)).to_be_visible(timeout=30_000)


def chosen(page: Page) -> None:
    companies(page, [f"Lead {place:02}" for place in range(52)], country="PT")
    LeadsPage(page).open("?country=PT")
    for name in ("Lead 51", "Lead 49", "Lead 48"):
        BulkBar(page).box(name).check()
    BulkBar(page).says("3 selected")


def bulk_menu(page: Page) -> None:
    chosen(page)
    BulkBar(page).menu("Follow up")


def bulk_begun(page: Page) -> None:
    companies(page, ["Ahorn", "Baker Street"])
    LeadsPage(page).open()
    BulkBar(page).box("Ahorn").check()
    BulkBar(page).enrich()
    expect(BulkBar(page).notice).to_contain_text("started.")


def bulk_refused(page: Page) -> None:
    companies(page, ["Ahorn"])
    LeadsPage(page).open()
    BulkBar(page).box("Ahorn").check()
    page.locator("tr input[form=bulk]").evaluate("box => { box.value = 'nobody' }")
    BulkBar(page).enrich()
    expect(BulkBar(page).notice).to_contain_text("Nothing was started")


def job(page: Page) -> None:
    companies(page, ["Ahorn", "Baker Street"])
    ids = [row.get_attribute("data-lead") for row in LeadsPage(page).open().rows.all()]
    page.context.request.delete(f"/api/v1/leads/{ids[0]}")
    answer = page.context.request.post("/api/v1/leads/bulk", data={"action": "enrich", "ids": ids})
    page.goto(f"/jobs/{answer.json()['id']}")
    expect(BulkBar(page).outcome("Not found")).to_be_visible()


def bin_(page: Page) -> None:
    in_the_bin(page, **STONE)
    LeadsPage(page).open("?deleted=true")


def drawer(page: Page) -> None:
    leads = some_leads(page)
    leads.open_lead("Lumenstack")
    LeadPanel(page).shows("Lumenstack")


def drawer_editing(page: Page) -> None:
    a_lead(page, **STONE)
    LeadsPage(page).open().open_lead("Stone and Sons")
    LeadPanel(page).detail("City").get_by_role("link").click()
    expect(page.get_by_role("textbox", name="City")).to_be_focused()


def drawer_suggestions(page: Page) -> None:
    a_lead(page, company_name="Lumen", city="Aarhus", email="mara.lindqvist@lumenstack.io", enrich=True)
    a_lead(page, company_name="Lumen", city="Aarhus", email="ana@lumenstack.io")
    leads = LeadsPage(page).open()
    expect(leads.rows.last).to_contain_text("Completed")
    leads.rows.last.get_by_role("link").first.click()
    SuggestionsPanel(page).are_for("company", "city", "contact")
    SuggestionsPanel(page).section.scroll_into_view_if_needed()


def drawer_requests(page: Page) -> None:
    some_leads(page).open_lead("Lumenstack")
    LeadPanel(page).panel.locator("summary", has_text="What left the house").click()
    expect(page.get_by_role("region", name="What left the house, as a table")).to_be_visible()
    page.locator("#requests").scroll_into_view_if_needed()


def requests_page(page: Page) -> None:
    some_leads(page)
    lead = LeadsPage(page).row("no-such-company.com").get_attribute("data-lead")
    page.goto(f"/leads/{lead}/requests")


def lead_page(page: Page) -> None:
    some_leads(page).open_lead("Lumenstack")
    LeadPanel(page).shows("Lumenstack")
    page.reload()
    LeadPanel(page).shows("Lumenstack")


def lead_in_the_bin(page: Page) -> None:
    page.goto(f"/leads/{in_the_bin(page, **STONE)['id']}")


def _changed_lead(page: Page) -> TrailPanel:
    lead = a_lead(page, **STONE)
    a_change(page, lead, city="Porto", stage="won")
    return TrailPanel(page).open(lead)


def lead_trail_filter(page: Page) -> None:
    _changed_lead(page).menu.locator("summary").click()


def lead_seal(page: Page) -> None:
    _changed_lead(page).pill.click()


def lead_as_it_stood(page: Page) -> None:
    _changed_lead(page).as_it_stood(1)


def lead_likely(page: Page) -> None:
    one, _ = [a_lead(page, **fields) for fields in TWINS]
    page.goto(f"/leads/{one['id']}")
    expect(DuplicatesPage(page).likely).to_be_visible()


def duplicates(page: Page) -> None:
    for fields in TWINS:
        a_lead(page, **fields)
    DuplicatesPage(page).wait_for(1)


def duplicates_apart(page: Page) -> None:
    one, other = [a_lead(page, **fields) for fields in TWINS]
    answer = page.context.request.post(f"/leads/{one['id']}/apart/{other['id']}", max_redirects=0)
    assert answer.status == 303, answer.text()
    page.goto("/duplicates/apart")
    expect(page.get_by_role("button", name="Look at it again")).to_be_visible()


def merge_of_two(page: Page) -> None:
    one, other = [a_lead(page, **fields) for fields in TWINS]
    page.goto(f"/leads/{one['id']}/merge/{other['id']}")


def lead_merged(page: Page) -> None:
    one, other = [a_lead(page, **fields) for fields in TWINS]
    merged = page.context.request.post(f"/api/v1/leads/{one['id']}/merge", data={"other": other["id"]})
    assert merged.ok, merged.text()
    page.goto(f"/leads/{other['id']}")


def new(page: Page) -> None:
    LeadForm(page).open()


def new_with_errors(page: Page) -> None:
    form = LeadForm(page).open().fill(email="mara@", phone="12")
    form.save()
    expect(form.summary).to_be_visible()


def new_duplicate(page: Page) -> None:
    a_lead(page, **STONE)
    form = LeadForm(page).open().fill(email="mara@example.org")
    form.save()
    expect(form.summary).to_be_visible()


def edit(page: Page) -> None:
    page.goto(f"/leads/{a_lead(page, **STONE)['id']}/edit")


def conflict(page: Page) -> None:
    lead = a_lead(page, **STONE)
    page.goto(f"/leads/{lead['id']}/edit")
    a_change(page, lead, city="Porto")
    LeadForm(page).fill(city="Braga").save()
    expect(page.get_by_role("dialog")).to_be_visible()


def import_choose(page: Page) -> None:
    page.goto("/import")


def import_check(page: Page) -> None:
    ImportPage(page).choose({"name": "leads.csv", "mimeType": "text/csv", "buffer": FILE.encode()})
    expect(page.get_by_role("heading", name="What will happen")).to_be_visible()


def import_choices(page: Page) -> None:
    """All that can be chosen, beside a row that changes a lead."""
    a_lead(page, email="stone@example.org")
    import_check(page)
    for words in ("Read the file differently", "Say something of every row"):
        page.get_by_text(words).click()
    expect(page.get_by_label("Add tags")).to_be_visible()


def _stays(page: Page) -> None:
    """A page that asks how far it is gets no answer: what it shows stays."""
    page.route("**/import/*", lambda asked: None if "hx-request" in asked.request.headers else asked.fallback())


def _many_rows() -> dict[str, Any]:
    lines = "".join(f"p{n}@big{n % 700}.com,Big {n}\n" for n in range(8_000))
    return {"name": "big.csv", "mimeType": "text/csv", "buffer": ("email,company\n" + lines).encode()}


def import_checking(page: Page) -> None:
    _stays(page)
    answer = page.context.request.post("/import", multipart={"file": _many_rows()}, max_redirects=0)
    page.goto(answer.headers["location"])
    expect(page.get_by_text("Checking", exact=True)).to_be_visible()


def import_running(page: Page) -> None:
    _stays(page)
    started = page.context.request.post("/api/v1/leads/import", multipart={"file": _many_rows()}).json()
    page.goto(f"/import/{started['id']}")
    expect(page.get_by_role("progressbar")).to_be_visible()


def import_before(page: Page) -> None:
    """One import that was undone, and one that can be."""
    import_done(page)
    undone = page.context.request.post(f"/api/v1/jobs/{page.url.rpartition('/')[2]}/undo")
    assert undone.ok, undone.text()
    import_done(page)
    page.goto("/import")
    expect(page.get_by_role("link", name="Undo the import")).to_be_visible()
    expect(page.get_by_text("Undone", exact=True)).to_be_visible()


def import_done(page: Page) -> None:
    import_check(page)
    ImportPage(page).begin()
    ImportPage(page).ends()


def import_refused(page: Page) -> None:
    ImportPage(page).choose({"name": "leads.csv", "mimeType": "text/csv", "buffer": b""})
    expect(page.locator("#file-error")).to_be_visible()


def palette(page: Page) -> None:
    companies(page, ["Ahorn", "Baker Street"])
    LeadsPage(page).open()
    page.keyboard.press("j")
    Palette(page).open()
    page.keyboard.press("ArrowDown")


def palette_nothing_fits(page: Page) -> None:
    LeadsPage(page).open()
    Palette(page).open().field.fill("nothing at all")
    expect(page.get_by_text("Nothing fits")).to_be_visible()


def palette_page(page: Page) -> None:
    companies(page, ["Ahorn"])
    page.goto("/palette?q=a")


def settings(page: Page) -> None:
    page.goto("/settings")


def settings_sessions(page: Page) -> None:
    page.goto("/settings/sessions")


def settings_with_a_new_token(page: Page) -> None:
    page.goto("/settings/tokens")
    page.get_by_label("Name", exact=True).fill("Nightly sync")
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_text("Copy it now")).to_be_visible()


def settings_appearance(page: Page) -> None:
    page.goto("/settings/appearance")


def settings_keyboard(page: Page) -> None:
    page.goto("/settings/keyboard")


def settings_users(page: Page) -> None:
    page.goto("/settings/users")
    page.locator(".entries summary").first.click()


def settings_refused(page: Page) -> None:
    page.goto("/settings/password")
    page.get_by_label("Current password").fill("wrong")
    page.get_by_label("New password").fill("long enough by far")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_be_visible()


def audit(page: Page) -> None:
    a_change(page, a_lead(page, **STONE), stage="won", city="Porto")
    in_the_bin(page, email="idris@example.org")
    AuditPage(page).open()


def audit_filter(page: Page) -> None:
    companies(page, ["Ahorn"])
    AuditPage(page).open("?action=CREATE&subject_kind=lead&when=today").open_filter()


def audit_no_match(page: Page) -> None:
    AuditPage(page).open("?action=MERGE")


def audit_unreadable_filter(page: Page) -> None:
    AuditPage(page).open("?action=EXPLODE")


def audit_empty(page: Page) -> None:
    AuditPage(page).open()


def enrichment(page: Page) -> None:
    some_leads(page)
    queue = EnrichmentPage(page).open()
    expect(queue.reasons).to_have_count(1)
    page.get_by_text("Field by field").click()


def enrichment_empty(page: Page) -> None:
    LeadsPage(page).open()
    EnrichmentPage(page).open()


def enrichment_retried(page: Page) -> None:
    enrichment(page)
    EnrichmentPage(page).retry_all()
    expect(page.locator("#bulk-job")).to_contain_text("1 lead")


def nothing_here(page: Page) -> None:
    page.goto("/nothing/here")


def sign_in(page: Page) -> None:
    page.context.clear_cookies()
    page.goto("/sign-in")


def sign_in_refused(page: Page) -> None:
    sign_in(page)
    page.get_by_label("Email").fill("rosa@example.com")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()


def used_link(page: Page) -> None:
    page.context.clear_cookies()
    page.goto("/sign-in/nobody-ever-made-this-one")


@dataclass(frozen=True, slots=True)
class State:
    """A page in a state, and the way there."""

    name: str
    reach: Callable[[Page], None]


STATES = [
    State(reach.__name__.strip("_"), reach)
    for reach in (
        empty, dashboard, table, columns_menu, own_columns, cell_at_odds, row_menu, row_actions,
        filtered, no_match, unreadable_filter, filter_menu, account_menu, keys,
        quick_add_errors, toast, chip_menu, changed_view,
        undone, undo_asked, undo_ended, chosen, bulk_menu, bulk_begun, bulk_refused, job, bin_,
        drawer, drawer_editing, drawer_suggestions, drawer_requests, requests_page,
        lead_page, lead_in_the_bin, lead_trail_filter, lead_seal, lead_as_it_stood,
        lead_likely, duplicates, duplicates_apart, merge_of_two, lead_merged,
        new, new_with_errors, new_duplicate, edit, conflict,
        import_choose, import_check, import_choices, import_checking, import_running,
        import_done, import_before, import_refused,
        palette, palette_nothing_fits, palette_page,
        settings, settings_sessions, settings_with_a_new_token, settings_appearance, settings_keyboard, settings_users,
        settings_refused, audit, audit_filter, audit_no_match, audit_unreadable_filter, audit_empty,
        enrichment, enrichment_empty, enrichment_retried, nothing_here,
        sign_in, sign_in_refused, used_link,
    )
]  # fmt: skip
