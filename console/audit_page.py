"""What the page of the whole trail shows: rows with their names, the form of the filters, the state of the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from console import audit_seal, wording
from console.audit_address import ACTIONS, ACTOR_KINDS, SUBJECTS, WHEN, AuditAddress, AuditChip
from console.audit_wording import Names, Row, row_of
from console.list_filters import Choice, Group
from leads_core.accounts.permissions import Permission
from leads_core.accounts.service import Accounts
from leads_core.accounts.tokens import Tokens
from leads_core.accounts.visitor import Visitor
from leads_core.audit.log.state import log_state
from leads_core.audit.queries import EntryRead
from leads_core.audit.record.entry import PART_OF
from leads_core.audit.searching import EntryPage
from leads_core.audit.verified import newest_job, newest_verification, refused_among
from leads_core.context import SYSTEM_ACTOR_ID
from leads_core.database import Database
from leads_core.leads.looking_back import is_uuid
from leads_core.leads.names import LeadName, names_of

COMMAND_LINE = "Command line"
#: What a person may ask of: a lead's fields, then what else changes.
FIELDS = (*(name for name in wording.FIELDS if name in PART_OF), "role", "disabled_at", "password", "scopes")


@dataclass(frozen=True, slots=True)
class AuditTable:
    """Everything around the rows, and the rows."""

    address: AuditAddress
    rows: Sequence[Row]
    chips: Sequence[AuditChip]
    groups: Sequence[Group]
    total: str
    older: str | None
    newer: str | None
    searched_to: datetime | None


async def people_of(database: Database) -> tuple[dict[UUID, str], dict[UUID, str]]:
    """The names of all users, and of all tokens."""
    users = {user.id: user.name for user in await Accounts(database).list()}
    tokens = {token.id: token.name for token in await Tokens(database).list()}
    return users, tokens


async def table_of(address: AuditAddress, page: EntryPage | None, database: Database, who: Visitor) -> AuditTable:
    """The table; without a page, because its filter cannot be read, only what stands around it."""
    users, tokens = await people_of(database)
    entries = page.items if page else []
    async with database.reader() as reader:
        leads = await names_of(reader, _leads_in(entries, address))
        refused = await refused_among(reader, [entry.id for entry in entries if entry.log_index is None])
    names = Names(leads, {**users, SYSTEM_ACTOR_ID: COMMAND_LINE}, tokens)
    said = {**names.by_text, "me": "you", "system": "the command line"}
    return AuditTable(
        address=address,
        rows=[row_of(entry, names, refused=entry.id in refused) for entry in entries],
        chips=address.chips(said),
        groups=_groups(address, who, users, tokens),
        total=_total(page),
        older=address.url(cursor=page.next_cursor) if page and page.next_cursor else None,
        newer=address.url(cursor=page.previous_cursor) if page and page.previous_cursor else None,
        searched_to=page.searched_to if page else None,
    )


async def log_context(database: Database, who: Visitor, now: datetime) -> dict[str, Any]:
    """The state of the log, the last verification, and the one that runs."""
    async with database.reader() as reader:
        state, verified = await log_state(reader), await newest_verification(reader)
        subjects = audit_seal.subjects_of(verified) if verified else []
        leads: Mapping[UUID, LeadName] = await names_of(reader, subjects)
    async with database.transaction() as session:
        job = await newest_job(session)
    return {
        "state": state,
        "seal": audit_seal.seal_of(state, verified),
        "troubles": audit_seal.troubles_of(state, verified, now),
        "waiting": audit_seal.waiting_in_words(state),
        "agree": audit_seal.agree(state, now),
        "here_only": audit_seal.is_here_only(state),
        "verified": verified,
        "checks": audit_seal.checks_of(verified) if verified else [],
        "findings": audit_seal.findings_of(verified, frozenset(leads)) if verified else [],
        "found": len(verified.findings) if verified else 0,
        "lead_names": {str(lead_id): lead.name or "An erased lead" for lead_id, lead in leads.items()},
        "job": job,
        "may_take_away": who.may(Permission.READ_ORIGINS),
    }


def _leads_in(entries: Sequence[EntryRead], address: AuditAddress) -> list[UUID]:
    ids = {entry.subject_id for entry in entries if entry.subject_kind == "lead" and entry.subject_id}
    ids |= {UUID(into) for entry in entries if (into := entry.new_values.get("merged_into")) and is_uuid(into)}
    try:
        return [*ids, UUID(address.value("subject_id"))]
    except ValueError:
        return list(ids)


def _groups(
    address: AuditAddress, who: Visitor, users: Mapping[UUID, str], tokens: Mapping[UUID, str]
) -> Sequence[Group]:
    people = {"": "Anybody", "me": "Me"}
    people |= {str(user_id): name for user_id, name in users.items() if user_id != who.user_id}
    people |= {str(token_id): f"{name} (token)" for token_id, name in tokens.items()}
    people |= {"system": COMMAND_LINE}
    whens = {"any": "Any time", **{value: word.capitalize() for value, word in WHEN.items()}}
    kinds = {"": "Any of them", **{kind: word.capitalize() for kind, word in ACTOR_KINDS.items()}}
    fields = {"": "Any field", **{field: wording.field_label(field) for field in FIELDS}}
    return (
        _group(address, "when", "When", "radio", whens),
        _group(address, "action", "Did", "checkbox", ACTIONS),
        _group(address, "subject_kind", "About", "checkbox", SUBJECTS),
        _group(address, "channel", "Through", "checkbox", wording.CHANNELS),
        _group(address, "actor", "Who", "select", people),
        _group(address, "actor_kind", "Which kind of actor", "select", kinds),
        _group(address, "field", "Field that changed", "select", fields),
    )


def _group(
    address: AuditAddress,
    name: str,
    label: str,
    kind: Literal["checkbox", "radio", "select"],
    words: Mapping[str, str],
) -> Group:
    chosen = address.values(name) or {"any", ""}
    return Group(name, label, kind, [Choice(value, word, value in chosen) for value, word in words.items()])


def _total(page: EntryPage | None) -> str:
    if page is None or page.total is None:
        return "Not counted"
    if page.total.value == 0 and page.total.relation == "at_least":
        return "None found yet"
    words = wording.total_in_words(page.total.value, page.total.relation)
    return f"{words} {'entry' if words == '1' else 'entries'}"
