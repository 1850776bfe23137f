"""A lead's life: made by the form, changed, changed by two at once, put into the bin and taken out."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from e2e.conftest import NewContext
from e2e.given import a_change, a_lead, in_the_bin
from e2e.pages.lead_form import LeadForm
from e2e.pages.lead_panel import LeadPanel
from e2e.pages.leads_page import LeadsPage
from e2e.people import Person


def test_a_lead_made_by_the_form_has_what_was_typed(any_page: Page) -> None:
    form = LeadForm(any_page).open()

    form.fill(contact_name="Ana Díaz", email="Ana@Example.org", company_name="Díaz & Hijos", tags="bakery, spain")
    any_page.get_by_label("Qualified").check()
    any_page.get_by_label("Enrich right after saving").uncheck()
    form.save()

    panel = LeadPanel(any_page)
    panel.shows("Díaz & Hijos")
    expect(panel.detail("Email")).to_contain_text("ana@example.org")
    expect(panel.detail("Tags")).to_contain_text("bakery, spain")
    expect(panel.newest).to_contain_text("You")
    expect(panel.panel.locator("[data-stage=qualified]").first).to_be_visible()


def test_errors_are_summed_up_and_every_field_keeps_its_value(any_page: Page) -> None:
    form = LeadForm(any_page).open()

    form.fill(contact_name="Ana Díaz", email="ana@", phone="12", notes="Met in Lisbon.\nCall in May.")
    form.save()

    expect(form.summary).to_contain_text("things to mend")
    expect(form.field("Email")).to_have_attribute("aria-invalid", "true")
    expect(form.field("Email")).to_have_value("ana@")
    expect(form.field("Contact")).to_have_value("Ana Díaz")
    expect(form.field("Phone")).to_have_value("12")
    expect(form.field("Anything worth knowing")).to_have_value("Met in Lisbon.\nCall in May.")
    form.summary.get_by_role("link", name="Email").click()
    expect(form.field("Email")).to_be_focused()
    form.fill(email="ana@example.org", phone="+34 912 345 678")
    form.save()
    expect(LeadPanel(any_page).detail("Notes")).to_contain_text("Met in Lisbon.")


def test_a_form_without_email_and_domain_is_refused_in_words(any_page: Page) -> None:
    form = LeadForm(any_page).open()

    form.fill(contact_name="Ana Díaz")
    form.save()

    expect(form.summary).to_be_visible()
    expect(form.field("Contact")).to_have_value("Ana Díaz")


def test_a_duplicate_offers_to_open_the_lead(any_page: Page) -> None:
    a_lead(any_page, email="mara@example.org", company_name="Stone and Sons")
    form = LeadForm(any_page).open()

    form.fill(email="mara@example.org", contact_name="Mara")
    form.save()

    expect(form.panel).to_contain_text("mara@example.org is already a lead.")
    expect(form.field("Contact")).to_have_value("Mara")
    form.panel.get_by_role("link", name="Open it").click()
    LeadPanel(any_page).shows("Stone and Sons")


def test_a_duplicate_in_the_bin_offers_to_restore_it(any_page: Page) -> None:
    in_the_bin(any_page, email="mara@example.org", company_name="Stone and Sons")
    form = LeadForm(any_page).open()

    form.fill(email="mara@example.org")
    form.save()
    form.panel.get_by_role("button", name="Restore it").click()

    LeadPanel(any_page).shows("Stone and Sons")
    LeadsPage(any_page).open().shows("Stone and Sons")


def test_a_change_stands_in_the_trail_with_old_and_new(any_page: Page, script: bool) -> None:
    a_lead(any_page, email="mara@example.org", company_name="Stone and Sons", city="Lisbon")
    LeadsPage(any_page, script=script).open().open_lead("Stone and Sons")
    panel = LeadPanel(any_page)

    panel.edit()
    LeadForm(any_page).fill(city="Porto", job_title="Buyer").save()

    panel.shows("Stone and Sons")
    expect(panel.detail("City")).to_contain_text("Porto")
    expect(panel.newest).to_contain_text("You changed")
    difference = panel.newest.get_by_role("row").filter(has_text="City")
    expect(difference.locator("del")).to_have_text("Lisbon")
    expect(difference.locator("ins")).to_have_text("Porto")
    expect(panel.newest).to_contain_text("Web")


def test_the_stage_is_set_from_the_lead(any_page: Page, script: bool) -> None:
    a_lead(any_page, email="mara@example.org", company_name="Stone and Sons")
    LeadsPage(any_page, script=script).open().open_lead("Stone and Sons")
    panel = LeadPanel(any_page)

    panel.set_stage("Won")

    expect(panel.newest).to_contain_text("changed stage from New to Won")
    expect(panel.panel.locator(".facts-line")).to_contain_text("Won")


def test_one_value_is_changed_in_its_place(page: Page) -> None:
    a_lead(page, email="mara@example.org", company_name="Stone and Sons", city="Lisbon")
    LeadsPage(page).open().open_lead("Stone and Sons")
    panel = LeadPanel(page)

    panel.detail("City").get_by_role("link").click()
    field = panel.panel.get_by_role("textbox", name="City")
    expect(field).to_be_focused()
    field.fill("Porto")
    field.press("Enter")

    expect(panel.detail("City")).to_contain_text("Porto")
    expect(panel.detail("City").get_by_role("link")).to_be_focused()


def test_two_who_changed_one_field_choose_field_by_field(
    window: NewContext, rosa: Person, idris: Person, script: bool
) -> None:
    hers, his = window(rosa, script=script).new_page(), window(idris, script=script).new_page()
    lead = a_lead(hers, email="mara@example.org", company_name="Stone and Sons", city="Lisbon")
    for page in (hers, his):
        page.goto(f"/leads/{lead['id']}/edit")
    LeadForm(his).fill(city="Porto", phone="+351 210 000 001").save()
    LeadPanel(his).shows("Stone and Sons")

    LeadForm(hers).fill(city="Braga", job_title="Buyer").save()

    dialog = hers.get_by_role("dialog")
    expect(dialog).to_contain_text("Idris Bello changed Stone and Sons first")
    expect(dialog.get_by_role("radio")).to_have_count(2)
    dialog.get_by_label("Theirs: Porto").check()
    dialog.get_by_role("button", name="Save this choice").click()
    panel = LeadPanel(hers)
    panel.shows("Stone and Sons")
    expect(panel.detail("City")).to_contain_text("Porto")
    expect(panel.detail("Job title")).to_contain_text("Buyer")
    expect(panel.detail("Phone")).to_contain_text("+351")


def test_changes_of_different_fields_are_both_kept(window: NewContext, rosa: Person, script: bool) -> None:
    page = window(rosa, script=script).new_page()
    lead = a_lead(page, email="mara@example.org", company_name="Stone and Sons")
    page.goto(f"/leads/{lead['id']}/edit")
    a_change(page, lead, city="Porto")

    LeadForm(page).fill(job_title="Buyer").save()
    page.get_by_role("dialog").get_by_role("button", name="Save mine as well").click()

    panel = LeadPanel(page)
    expect(panel.detail("City")).to_contain_text("Porto")
    expect(panel.detail("Job title")).to_contain_text("Buyer")


def test_to_the_bin_and_back(any_page: Page, script: bool) -> None:
    a_lead(any_page, email="mara@example.org", company_name="Stone and Sons")
    leads = LeadsPage(any_page, script=script).open()
    leads.open_lead("Stone and Sons")
    panel = LeadPanel(any_page)

    panel.press("Move to bin")
    expect(panel.panel).to_contain_text("In the bin")
    leads.open()
    expect(leads.rows).to_have_count(0)
    leads.view("Bin")
    leads.shows("Stone and Sons")
    leads.row("Stone and Sons").get_by_role("button", name="Restore").click()

    expect(leads.rows).to_have_count(0)
    leads.open().shows("Stone and Sons")
    leads.open_lead("Stone and Sons")
    expect(panel.newest).to_contain_text("restored")


def test_moving_to_the_bin_can_be_undone_at_once(page: Page) -> None:
    a_lead(page, email="mara@example.org", company_name="Stone and Sons")
    leads = LeadsPage(page).open()
    leads.open_lead("Stone and Sons")

    LeadPanel(page).press("Move to bin")
    expect(leads.rows).to_have_count(0)
    page.locator(".toast").get_by_role("button", name="Undo").click()

    leads.shows("Stone and Sons")
