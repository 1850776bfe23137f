"""The palette: everything by its name. What fits the words typed, in groups, and what choosing it does. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Protocol
from uuid import UUID

from console import wording
from leads_core.leads.quick_add import parse_quick_add

MOST_TYPED = 200
ALSO, NOT_AT_ALL = 2, 3


@dataclass(frozen=True, slots=True)
class Choice:
    """One line, and what choosing it does: the first of these that it has.

    href: a page, which the browser remembers among the recent ones. post: a form's address, with its values. click:
    what is clicked for it, as a selector. press: the keys that do the same, which are shown beside it.
    """

    title: str
    detail: str = ""
    href: str = ""
    press: str = ""
    click: str = ""
    post: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    also: str = ""

    @property
    def works_without_a_script(self) -> bool:
        return bool(self.href or self.post)

    def rank(self, typed: str) -> int:
        """How well it fits: its title begins so, its title has the words, it is also called so, or NOT_AT_ALL.

        A word fits where one begins with it, in any order.
        """
        title, parts = folded(self.title), typed.split()
        if title.startswith(typed):
            return 0
        if _begin(parts, title.split()):
            return 1
        return ALSO if _begin(parts, f"{title} {folded(self.also)}".split()) else NOT_AT_ALL


@dataclass(frozen=True, slots=True)
class Group:
    """Choices of one kind under their name."""

    name: str
    choices: Sequence[Choice]


class Lead(Protocol):
    """What is read of a lead here."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def owner_id(self) -> UUID | None: ...
    @property
    def follow_up_on(self) -> date | None: ...
    @property
    def is_deleted(self) -> bool: ...


class FoundLead(Protocol):
    """What is read of a lead that a search found."""

    @property
    def id(self) -> UUID: ...
    @property
    def email(self) -> str | None: ...
    @property
    def domain(self) -> str | None: ...
    @property
    def company_name(self) -> str | None: ...
    @property
    def contact_name(self) -> str | None: ...


PAGES = (
    Choice("Dashboard", href="/", press="g d", also="home today go to"),
    Choice("Leads", href="/leads", press="g l", also="list table go to"),
    Choice("My leads", href="/leads?owner=me", also="mine go to"),
    Choice("Bin", href="/leads?deleted=true", also="deleted leads go to"),
    Choice("Likely duplicates", href="/duplicates", also="merge same twice go to"),
    Choice("Import", href="/import", press="g i", also="file csv upload go to"),
    Choice("Enrichment", href="/enrichment", press="g e", also="queue failed go to"),
    Choice("Audit", href="/audit", press="g a", also="trail history go to"),
    Choice("Settings", href="/settings", press="g s", also="profile name go to"),
    Choice("Password", "Settings", href="/settings/password", also="change"),
    Choice("Sessions", "Settings", href="/settings/sessions", also="devices signed in"),
    Choice("API tokens", "Settings", href="/settings/tokens", also="keys scripts"),
    Choice("Keyboard", "Settings", href="/settings/keyboard", also="single keys shortcuts"),
)
USERS = Choice("Users and roles", "Settings", href="/settings/users", also="people administrators invite add")
NEW_LEAD = Choice("New lead with the form", href="/leads/new", also="add create")
#: What needs no lead.
DOINGS = (
    Choice("Keys", "The list of them", press="?", also="keyboard shortcuts help"),
    Choice("Light theme", click="[data-theme-form] [value=light]", also="appearance"),
    Choice("Dark theme", click="[data-theme-form] [value=dark]", also="appearance"),
    Choice("Theme as the system has it", click="[data-theme-form] [value=system]", also="appearance light dark"),
    Choice("Sign out", click="form[action='/sign-out'] button", also="log out leave"),
)
CHANGES = (
    Choice("Add a lead", press="n", also="quick-add new"),
    Choice("Undo", "What was done last", press="u", also="put back"),
)
FINDING = (
    Choice("Search the table", press="/", also="find"),
    Choice("Filter", press="f", also="narrow"),
)


def folded(text: str) -> str:
    """Lower case without accents, so that jose finds José."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _begin(parts: Sequence[str], words: Sequence[str]) -> bool:
    return all(any(word.startswith(part) for word in words) for part in parts)


def pages(*, may_change: bool, may_manage: bool, views: Iterable[Choice] = ()) -> list[Choice]:
    """Every page there is for this person, and their saved views."""
    return [*PAGES, *([USERS] if may_manage else []), *([NEW_LEAD] if may_change else []), *views]


def view(name: str, query: str) -> Choice:
    """A saved view as a page to go to."""
    return Choice(name, "View", href=f"/leads?{query}" if query else "/leads", also="saved view go to")


def lead_found(lead: FoundLead) -> Choice:
    """A lead to open."""
    name = lead.company_name or lead.domain or lead.contact_name or lead.email or "Erased lead"
    rest = [part for part in (lead.contact_name, lead.email or lead.domain) if part and part != name]
    return Choice(name, " · ".join(rest), href=f"/leads/{lead.id}")


def doings(*, may_change: bool) -> list[Choice]:
    """What can be done without a lead."""
    return [*(CHANGES if may_change else ()), *FINDING, *DOINGS]


def of_lead(lead: Lead, me: UUID, today: date) -> list[Choice]:
    """What can be done with the lead that the keys stand on."""
    at = f"/leads/{lead.id}"
    if lead.is_deleted:
        return [Choice("Restore from the bin", post=f"{at}/restore", also="undelete put back")]
    version = {"version": str(lead.version)}

    def change(title: str, also: str, **values: str) -> Choice:
        return Choice(title, post=at, values={**version, **values}, also=also)

    stages = [
        change(f"Set stage to {word}", "move to", stage=value)
        for value, word in wording.STAGES.items()
        if value != lead.stage
    ]
    owner = (
        change("Give up as owner", "unassign nobody owner", owner_id="")
        if lead.owner_id == me
        else change("Make it mine", "assign to me owner take", owner_id=str(me))
    )
    days = [("tomorrow", 1), ("in a week", 7), ("in a month", 30)]
    follow_ups = [
        change(f"Follow up {word}", "remind due", follow_up_on=(today + timedelta(days=count)).isoformat())
        for word, count in days
    ]
    if lead.follow_up_on:
        follow_ups.append(change("No follow-up", "remind due clear", follow_up_on=""))
    return [
        Choice("Edit", press="e", also="change fields"),
        *stages,
        Choice("Enrich", press="r", also="look up again"),
        owner,
        *follow_ups,
        Choice("Move to bin", press="#", also="delete remove"),
    ]


def adding(typed: str) -> list[Choice]:
    """Quick-Add what was typed, where it can be read as leads."""
    lines = parse_quick_add(typed)
    if not lines or any(line.fields is None for line in lines):
        return []
    what = f"“{typed.strip()}”" if len(lines) == 1 else wording.plural(len(lines), "lead")
    return [Choice(f"Add {what}", post="/leads/quick-add", values={"text": typed.strip()})]


def fitting(groups: Iterable[Group], leads: Group, typed: str) -> list[Group]:
    """What fits, the best first; leads that were found stand before what is only also called so."""
    wanted = folded(" ".join(typed.split()))
    found = [(ALSO - 0.5, leads)]
    for group in groups:
        ranked = sorted(((choice.rank(wanted), choice) for choice in group.choices), key=lambda pair: pair[0])
        fits = [(rank, choice) for rank, choice in ranked if rank < NOT_AT_ALL]
        if fits:
            found.append((fits[0][0], Group(group.name, [choice for _, choice in fits])))
    return [group for _, group in sorted(found, key=lambda pair: pair[0])]


def recent(paths: Sequence[str], known: Iterable[Choice], leads: Iterable[Choice]) -> list[Choice]:
    """What was chosen last, in that order, as far as it is still there."""
    by_path = {choice.href: choice for choice in (*known, *leads)}
    return [by_path[path] for path in dict.fromkeys(paths) if path in by_path]
