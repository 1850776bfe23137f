"""Takes the README's two pictures from the running product; with a folder, every page in every state, width and theme.

`python e2e/screenshots.py [FOLDER]`, or `make screenshots`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:  # run as a script
    sys.path.insert(0, str(ROOT))

from playwright.sync_api import Page, expect, sync_playwright  # noqa: E402 - after the path

from e2e import internet  # noqa: E402
from e2e.axe import Theme  # noqa: E402
from e2e.pages.lead_panel import LeadPanel  # noqa: E402
from e2e.pages.leads_page import LeadsPage  # noqa: E402
from e2e.people import LAUNCH, Person, arrive  # noqa: E402
from e2e.server import RunningServer, running_server  # noqa: E402
from e2e.states import STATES  # noqa: E402
from tests.servers.small_internet import SmallInternet, small_internet_in_a_thread  # noqa: E402
from tests.servers.web_server import Answer  # noqa: E402

PICTURES = ROOT / "docs" / "screenshots"
SIZES = ((1440, 900), (1024, 768), (390, 844))
THEMES: tuple[Theme, ...] = ("light", "dark")
#: Leads that somebody adds while the picture is taken: what is typed, and what the company's site says of it.
TYPED = (
    ("Amelia Stone <amelia@pocketcasts.com>", "Pocket Casts", "Adelaide", "AU"),
    ("daan.visser@wetransfer.com", "WeTransfer", "Amsterdam", "NL"),
    ("Hélène Moreau <helene.moreau@prestashop.com>", "PrestaShop", "Paris", "FR"),
    ("Sofie Damgaard <sofie.damgaard@trustpilot.com>", "Trustpilot", "Copenhagen", "DK"),
    ("Mara Lindqvist <mara@bitwarden.com>", "Bitwarden", "Santa Barbara", "US"),
    ("Priya Raman <priya.raman@1password.com>", "1Password", "Toronto", "CA"),
    ("Jonas Ahlgren <jonas.ahlgren@linear.app>", "Linear", "Helsinki", "FI"),
)
FAILS = "kodak.com"
STILL_COMING = "penpot.app"
STAGES = {"1Password": "Contacted", "Bitwarden": "Contacted", "Linear": "Qualified", "Trustpilot": "Won"}


def main(folder: Path | None) -> None:
    with tempfile.TemporaryDirectory() as own, small_internet_in_a_thread(Path(own)) as sites:
        _build(sites)
        with running_server(**sites.environment) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(**LAUNCH)
            assert server.first_link
            rosa = arrive(browser, server.first_link, "Rosa Engel", "rosa@example.com")
            context = browser.new_context(
                base_url=server.url, storage_state=rosa.state, reduced_motion="reduce", timezone_id="UTC"
            )
            page = context.new_page()
            page.set_viewport_size({"width": 1440, "height": 900})
            _fill(server, page)
            _take_the_best(page)
            if folder:
                _take_all(server, page, rosa, folder)
            browser.close()


def _build(sites: SmallInternet) -> None:
    internet.build(sites)
    for typed, name, city, country in TYPED:
        domain = typed.rstrip(">").rpartition("@")[2]
        organisation = {
            "@context": "https://schema.org",
            "@type": "Organization",
            "name": name,
            "url": f"https://{domain}/",
            "address": {"@type": "PostalAddress", "addressLocality": city, "addressCountry": country},
        }
        head = f'<title>{name}</title><meta property="og:site_name" content="{name}">'
        script = f'<script type="application/ld+json">{json.dumps(organisation)}</script>'
        sites.site(domain, {"/": f"<!doctype html><html lang=en><head>{head}{script}</head></html>".encode()})
        sites.names.add(domain, "MX", f"10 mail.{domain}.")
    sites.site(FAILS, {"/": Answer(b"", 503)})
    sites.names.say_nothing_about(STILL_COMING)


def _fill(server: RunningServer, page: Page) -> None:
    """2,500 seeded leads, a few that were just added and enriched, one that is still coming."""
    server.leads("seed", "--count", "2500")
    leads = LeadsPage(page).open()
    for typed, name, _, _ in TYPED:
        leads.quick_add(typed)
        expect(leads.row(name).first).to_contain_text("Completed")
    for name, stage in STAGES.items():
        leads.row(name).first.get_by_role("link").first.click()
        panel = LeadPanel(page)
        panel.shows(name)
        panel.set_stage(stage)
        expect(panel.newest).to_contain_text(stage)
    leads.open().quick_add(STILL_COMING)
    page.get_by_role("button", name="Seen").click()
    expect(leads.row(STILL_COMING)).to_contain_text("In progress")
    leads.quick_field.blur()


def _take_the_best(page: Page) -> None:
    """The list while a lead is looked up, and one lead in the drawer, dark."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / "leads.png")
    leads = LeadsPage(page).open()
    leads.open_lead("Bitwarden")
    LeadPanel(page).shows("Bitwarden")
    page.mouse.move(0, 0)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.screenshot(path=PICTURES / "drawer.png")
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    leads.open()


def _take_all(server: RunningServer, page: Page, person: Person, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _in_every_size(page, folder, "leads")
    leads = LeadsPage(page).open()
    leads.open_lead("Bitwarden")
    LeadPanel(page).shows("Bitwarden")
    _in_every_size(page, folder, "drawer")
    page.reload()
    LeadPanel(page).shows("Bitwarden")
    _in_every_size(page, folder, "lead")
    for state in STATES:
        server.forget_leads()
        page.set_viewport_size({"width": 1440, "height": 900})
        with _signed_in(page, person):
            state.reach(page)
            _in_every_size(page, folder, f"state-{state.name}")


def _in_every_size(page: Page, folder: Path, name: str) -> None:
    whole = "/leads/" in page.url and not page.locator("#drawer").count()
    for theme in THEMES:
        for width, height in SIZES:
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=folder / f"{name}-{theme}-{width}.png", full_page=whole)


@contextmanager
def _signed_in(page: Page, person: Person) -> Iterator[None]:
    """Some states sign out or hold answers back; whoever comes after them is signed in again, and answered."""
    yield
    page.unroute_all()
    page.context.set_storage_state(person.state)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    main(parser.parse_args().folder)
