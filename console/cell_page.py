"""One value of a lead changed where it stands in the list: what stands in its cell then, or why it was not saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from uuid import UUID

from console import wording
from console.conflict import Conflict, FieldAtOdds, conflict_of
from console.forms import Form
from console.lead_page import entries_since
from console.list_columns import KINDS
from console.list_page import NOT_HERE, RowsAround
from leads_core.accounts.names import names_of_users
from leads_core.accounts.visitor import Visitor
from leads_core.audit.queries import EntryRead
from leads_core.database import Database
from leads_core.errors import IdentityTaken, StaleVersion
from leads_core.leads.schemas import LeadRead, LeadUpdate
from leads_core.leads.service import LeadService

AHEAD = (("Today", 0), ("Tomorrow", 1), ("In a week", 7))


@dataclass(frozen=True, slots=True)
class Choice:
    """A field that two people changed, each value as a form holds it and as people read it."""

    name: str
    label: str
    mine: str
    mine_in_words: str
    theirs_in_words: str


@dataclass(frozen=True, slots=True)
class CellProblem:
    """Why a value was not saved, in words, and what can be done.

    taken: the lead that has the email or domain; choices: what to choose from, against the lead of this version.
    """

    kind: Literal["invalid", "duplicate", "conflict"]
    sentence: str
    taken: LeadRead | None = None
    in_bin: bool = False
    version: int | None = None
    choices: Sequence[Choice] = field(default_factory=tuple)


class AtOdds(Exception):
    """Somebody changed the same field first."""

    def __init__(self, conflict: Conflict, current: LeadRead) -> None:
        super().__init__(conflict.who)
        self.conflict = conflict
        self.current = current


async def save(
    leads: LeadService, database: Database, who: Visitor, lead_id: UUID, form: Form, wanted: LeadUpdate
) -> LeadRead:
    """The lead with the change. What others changed meanwhile in other fields is no hindrance.

    Raises AtOdds, and what an update raises but StaleVersion.
    """
    version = form.version
    while True:
        try:
            return await leads.update(lead_id, wanted, if_version=version)
        except StaleVersion as error:
            since = [entry for entry in await entries_since(lead_id, form.version, database) if _is_about(entry, form)]
            conflict = conflict_of(form.lead_texts, wanted, error.current, since, who.user_id)
            if conflict.fields:
                raise AtOdds(conflict, error.current) from error
            version = error.current.version


async def conflict(error: AtOdds, database: Database) -> CellProblem:
    """Both values, and who was first."""
    at_odds = [one for one in error.conflict.fields if one.name == "owner_id"]
    owners = {UUID(text) for one in at_odds for text in (one.mine, one.theirs) if text}
    async with database.reader() as reader:
        names = await names_of_users(reader, owners)
    choices = [_choice(one, names) for one in error.conflict.fields]
    sentence = f"{error.conflict.who} changed {error.current.name} first."
    return CellProblem("conflict", sentence, version=error.current.version, choices=choices)


def duplicate(error: IdentityTaken, existing: LeadRead, form: Form) -> CellProblem:
    """The lead that has what was typed."""
    typed = form.text(error.field).strip() or "This"
    sentence = f"{typed} is in the bin." if error.in_bin else f"{typed} is already a lead."
    return CellProblem("duplicate", sentence, taken=existing, in_bin=error.in_bin)


def column_of(lead_field: str) -> str | None:
    """The column in which people change this field."""
    return next((name for name, kind in KINDS.items() if kind.edits == lead_field), None)


async def around(lead: LeadRead, database: Database, *, title_beside: bool) -> RowsAround:
    """What a single cell needs beside its lead."""
    async with database.reader() as reader:
        owners = await names_of_users(reader, {lead.owner_id} if lead.owner_id else set())
    now = datetime.now(UTC)
    return RowsAround(
        now=now,
        today=now.date(),
        in_bin=False,
        may_change=True,
        title_beside=title_beside,
        find=lambda text: text,
        owners=owners,
        jobs={},
    )


def days_ahead(today: date) -> list[tuple[str, date, int]]:
    """When to follow up: word, day, how many days from today."""
    return [(word, today + timedelta(days=days), days) for word, days in AHEAD]


def _is_about(entry: EntryRead, form: Form) -> bool:
    """Whether it changed what the form changes: who changed other fields is not who was first."""
    return any(name in entry.old_values or name in entry.new_values for name in form.lead_texts)


def _choice(one: FieldAtOdds, names: dict[UUID, str]) -> Choice:
    def in_words(text: str) -> str:
        if one.name == "owner_id" and text:
            return names.get(UUID(text), NOT_HERE)
        return wording.value_in_words(one.name, text) or "empty"

    return Choice(one.name, wording.field_label(one.name), one.mine, in_words(one.mine), in_words(one.theirs))
