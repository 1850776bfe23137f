"""An entry of the whole trail as one row: who did what to which lead, user, token, export or log. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from console.trail_wording import BOOKKEEPING, Difference, differences_of, fields_in_words, taken_in_words
from console.undo_page import ask_address, can_be_undone
from console.wording import CHANNELS, ROLES, field_in_sentence, number, plural, value_in_words
from leads_core.audit.queries import EntryRead
from leads_core.leads.names import LeadName

SHOWN = 2
LONGEST = 80
DID = {
    "CREATE": "added",
    "UPDATE": "changed",
    "ENRICH": "enriched",
    "DELETE": "moved to the bin",
    "RESTORE": "restored",
    "REVERT": "put back",
    "MERGE": "merged",
    "DISMISS": "dismissed",
    "ERASE": "erased",
    "SIGN_IN": "signed in",
    "SIGN_IN_FAILED": "failed to sign in",
    "SIGN_OUT": "signed out",
    "CHECKPOINT_KEPT": "kept a checkpoint",
    "REOPEN": "reopened",
}
BY = {"quick_add": "by Quick-Add", "form": "with the form", "api": "through the API", "import": "by an import"}
METHODS = {
    "password": "With a password",
    "link": "By a sign-in link",
    "from elsewhere": "In one browser, from another",
    "all others": "In every other browser",
}
EXPORTS = {"leads": "Leads", "audit": "Audit trail", "requests": "Outgoing requests"}
ERASED_NAME = "Somebody whose name was erased"


@dataclass(frozen=True, slots=True)
class Names:
    """What ids are called now."""

    leads: Mapping[UUID, LeadName]
    users: Mapping[UUID, str]
    tokens: Mapping[UUID, str]

    @property
    def by_text(self) -> dict[str, str]:
        """All of them, by their ids as text."""
        leads = {lead_id: lead.name or "An erased lead" for lead_id, lead in self.leads.items()}
        return {str(one): name for one, name in {**leads, **self.tokens, **self.users}.items()}


@dataclass(frozen=True, slots=True)
class Subject:
    """What an entry is about: its name, where it is found, and what is worth adding."""

    name: str
    url: str | None = None
    note: str = ""
    is_lead: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as the table shows it. before stands before the differences, after after them.

    undo is the page that says what an undo of its whole request or job would be about.
    """

    id: UUID
    at: datetime
    who: str
    did: str
    subject: Subject
    before: str
    differences: list[Difference]
    after: str
    through: str
    job: UUID | None
    whence: str
    log_index: int | None
    refused: bool
    undo: str | None


def row_of(entry: EntryRead, names: Names, *, refused: bool) -> Row:
    """The entry in words, names as they are now. refused: the log did not take it, for it is not as it was written."""
    before, differences, after = _what(entry, names.by_text)
    return Row(
        id=entry.id,
        at=entry.occurred_at,
        who=_who(entry),
        did=_did(entry),
        subject=_subject(entry, names),
        before=before,
        differences=differences,
        after=after,
        through=CHANNELS.get(entry.channel, entry.channel),
        job=entry.task_id,
        whence=f"for {_actor(entry)}" if _is_enrichment(entry) else entry.ip_address or "",
        log_index=entry.log_index,
        refused=refused,
        undo=ask_address(entry) if can_be_undone(entry) else None,
    )


def _is_enrichment(entry: EntryRead) -> bool:
    return entry.action == "ENRICH" and entry.channel == "worker"


def _who(entry: EntryRead) -> str:
    return "Enrichment" if _is_enrichment(entry) else _actor(entry)


def _actor(entry: EntryRead) -> str:
    if entry.actor_kind == "anonymous":
        return "Not signed in"
    return entry.actor_name or ERASED_NAME


def _did(entry: EntryRead) -> str:
    new = entry.new_values
    if entry.action == "ENRICH":
        status = new.get("enrichment_status")
        asked = not _is_enrichment(entry) or status == "in_progress"
        return "began to enrich" if asked else "failed on" if status == "failed" else "enriched"
    if entry.action == "CREATE" and entry.channel == "import":
        return "imported"
    if entry.action == "EXPORT":
        return "began to export" if "what" in new else "exported"
    if entry.action == "UPDATE" and entry.subject_kind == "user":
        return _did_to_user(new)
    if entry.action == "UPDATE" and entry.subject_kind == "token" and new.get("revoked_at"):
        return "revoked"
    return DID.get(entry.action, entry.action.lower().replace("_", " "))


def _did_to_user(new: Mapping[str, Any]) -> str:
    fields = set(new)
    if fields == {"role"}:
        return "changed the role of"
    if fields == {"disabled_at"}:
        return "disabled" if new["disabled_at"] else "enabled"
    if fields == {"sign_in_link"}:
        return "made a sign-in link for"
    return "set the password of" if fields == {"password"} else "changed"


def _subject(entry: EntryRead, names: Names) -> Subject:
    match entry.subject_kind, entry.subject_id:
        case "lead", UUID() as lead_id:
            return _lead(entry, names.leads.get(lead_id), lead_id)
        case "user", UUID() as user_id:
            return Subject(names.users.get(user_id, "A user that is gone"), _trail_of(user_id), "user")
        case "token", UUID() as token_id:
            return Subject(names.tokens.get(token_id, "A token that is gone"), _trail_of(token_id), "token")
        case "export", UUID() as export_id:
            what = EXPORTS.get(str(entry.new_values.get("what")), "Export")
            return Subject(what, _trail_of(export_id), str(export_id)[-8:])
        case "log", _:
            return Subject("The log")
    return Subject("Nobody known", note="user")


def _trail_of(subject_id: UUID) -> str:
    return f"/audit?subject_id={subject_id}"


def _lead(entry: EntryRead, lead: LeadName | None, lead_id: UUID) -> Subject:
    if lead is None:
        return Subject("A lead that is gone", note=str(lead_id)[-8:])
    at = "" if entry.seq is None else f"?at={entry.seq}"
    note = "erased" if lead.is_erased and lead.name else "in the bin" if lead.in_bin else ""
    return Subject(lead.name or "An erased lead", f"/leads/{lead_id}{at}", note, is_lead=True)


def _what(entry: EntryRead, names: Mapping[str, str]) -> tuple[str, list[Difference], str]:
    """What stands before the differences, the differences that fit, and what stands after them."""
    if entry.action == "CREATE" and entry.subject_kind == "lead":
        return "", _added(entry), BY.get(str(entry.new_values.get("source")), "")
    if entry.action == "ENRICH":
        return _enriched(entry, names)
    if entry.action == "MERGE":
        return _merged(entry, names), [], ""
    sentence = SAID[entry.action](entry) if entry.action in SAID else None
    return _changed(differences_of(entry, names)) if sentence is None else (sentence, [], "")


def _merged(entry: EntryRead, names: Mapping[str, str]) -> str:
    """Which lead took its place, or what it took from another."""
    if "merged_into" in entry.new_values:
        into = str(entry.new_values["merged_into"])
        return f"Into {_cut(names.get(into, f'another lead, {into[-8:]}'))}"
    return taken_in_words(entry).capitalize() + " from another lead"


def _changed(differences: list[Difference]) -> tuple[str, list[Difference], str]:
    if not differences:
        return "No field", [], ""
    if len(differences) > SHOWN:
        return _listed(differences), [], ""
    return "", [_short(one) for one in differences], ""


def _added(entry: EntryRead) -> list[Difference]:
    """Who it is: the address or, without one, the domain."""
    for field in ("email", "domain", "company_name"):
        if value := entry.new_values.get(field):
            return [Difference("", None, _cut(value_in_words(field, value)))]
    erased = bool(entry.erased)
    return [Difference("", None, None, erased=True)] if erased else []


def _enriched(entry: EntryRead, names: Mapping[str, str]) -> tuple[str, list[Difference], str]:
    status, error = entry.new_values.get("enrichment_status"), entry.new_values.get("enrichment_error")
    if not _is_enrichment(entry) or status == "in_progress":
        return "Asked the providers", [], ""
    if status == "failed":
        return _cut(str(error or "It did not say why")), [], ""
    filled = [one for one in differences_of(entry, names) if one.field not in BOOKKEEPING]
    return _changed(filled) if filled else ("Found nothing new", [], "")


def _door(entry: EntryRead) -> str:
    method = METHODS.get(str(entry.new_values.get("method")), "")
    typed = entry.new_values.get("email")
    return f"{method}, as {_cut(str(typed))}" if typed else method


def _export(entry: EntryRead) -> str:
    new = entry.new_values
    if "what" in new:
        wanted = new.get("filter") or "everything"
        columns = f" · {_cut(str(new['columns']))}" if new.get("columns") else ""
        return f"As {str(new.get('format', '')).upper()}: {_cut(str(wanted))}{columns}"
    rows = plural(int(new.get("rows") or 0), "row")
    whole = "" if new.get("complete") else ", broken off"
    return f"{rows}{whole} · SHA-256 {str(new.get('sha256'))[:12]}…"


def _log(entry: EntryRead) -> str:
    new = entry.new_values
    if entry.action == "CHECKPOINT_KEPT":
        return f"{_cut(str(new.get('place') or ''))} · {number(int(new.get('size') or 0))} entries"
    return _cut(str(new.get("reason") or ""))


def _listed(differences: list[Difference]) -> str:
    labels = [field_in_sentence(one.field) for one in differences]
    more = " …" if len(labels) > 3 else ""
    return f"{len(labels)} fields: {', '.join(labels[:3])}{more}"


def _short(difference: Difference) -> Difference:
    old, new = (None if side is None else _cut(side) for side in (difference.old, difference.new))
    return replace(difference, old=old, new=new)


def _cut(text: str) -> str:
    """One line that fits into a cell."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…"


def _made(entry: EntryRead) -> str:
    """A user with a role, a token with what it is for."""
    new = entry.new_values
    scopes = ", ".join(new.get("scopes") or ())
    return f"May {scopes}" if scopes else f"As {ROLES.get(str(new.get('role')), 'somebody')}"


def _dismissed(entry: EntryRead) -> str:
    return f"A suggestion for {fields_in_words([*entry.old_values, *entry.erased])}"


#: Actions that a sentence says better than fields do.
SAID: Mapping[str, Callable[[EntryRead], str]] = {
    "CREATE": _made,
    "DELETE": lambda _entry: "All fields kept",
    "RESTORE": lambda _entry: "From the bin",
    "ERASE": lambda _entry: "Values removed on request; the trail is whole",
    "DISMISS": _dismissed,
    "SIGN_IN": _door,
    "SIGN_IN_FAILED": _door,
    "SIGN_OUT": _door,
    "EXPORT": _export,
    "CHECKPOINT_KEPT": _log,
    "REOPEN": _log,
}
