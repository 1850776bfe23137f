"""The state that entries come to, field by field, and how it differs from what stands there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leads_core.audit.record.entry import PART_OF, fields_of
from leads_core.audit.verification.evidence import LEAD_FACTS

State = dict[str, Any]


class _Unknown:
    """Stands for a value that was erased: nothing can be held against it."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = _Unknown()
ERASABLE = ("person", "text", "data")
_PROVENANCE = {part: f"provenance/{part}" for part in ERASABLE}
_FIELDS: Mapping[str, tuple[str, ...]] = {
    part: (*fields_of(part), _PROVENANCE[part])  # type: ignore[arg-type]
    for part in ERASABLE
}
#: When and by whom a lead was perhaps merged into another: its entry's data part is erased, so that the ERASE has to
#: say whether it was.
_PERHAPS_MERGED = "perhaps merged"
#: What a state holds beside fields that entries change.
FACTS = frozenset((*LEAD_FACTS, _PERHAPS_MERGED))
_UNBORN_LEAD: Mapping[str, Any] = {
    **dict.fromkeys(PART_OF),
    **dict.fromkeys(_PROVENANCE.values()),
    **dict.fromkeys(LEAD_FACTS),
    _PERHAPS_MERGED: None,
}
USER_FIELDS = ("name", "email", "role", "disabled_at")
TOKEN_FIELDS = ("name", "owner_id", "prefix", "scopes", "expires_at", "revoked_at")
_UNBORN: Mapping[str, Mapping[str, Any]] = {
    "lead": _UNBORN_LEAD,
    "user": dict.fromkeys((*USER_FIELDS, "version", "created_at")),
    "token": dict.fromkeys((*TOKEN_FIELDS, "version", "created_at")),
}
#: In an account's entries, but no column of it: that a password was set, and by which way somebody came in.
_EVENTS = frozenset(("password", "method"))


def unborn(kind: str) -> State:
    """The state before the first entry."""
    return dict(_UNBORN[kind])


def apply(state: State, row: Any, parts: Mapping[str, Any]) -> list[str] | None:
    """Take the state over an entry with a seq. Gives the fields whose old value was not the state's, None for none.

    Raises KeyError, TypeError or ValueError when the entry holds something that is no change of such a subject.
    """
    action = row[4]
    wrong: list[str] | None = None
    for name, part in parts.items():
        if name == "origin":
            continue
        if part.__class__ is str:
            forget(state, name)
            continue
        if action == "ERASE":
            forget(state, name, None)
        for field, (was, becomes) in part[1].items():
            if field == "provenance":
                field = _PROVENANCE[name]  # noqa: PLW2901 - each part has its own
            elif field in _EVENTS and field not in state:
                continue
            before = state[field]
            if before != was and before is not UNKNOWN and action != "ERASE":
                wrong = wrong or []
                wrong.append(_shown(field))
            state[field] = becomes
    _take_facts(state, row, parts)
    return wrong


def forget(state: State, part: str, value: Any = UNKNOWN) -> None:
    """The fields of a part are unknown from here on, or have this value."""
    for field in _FIELDS.get(part, ()):
        if field in state:
            state[field] = value


def _take_facts(state: State, row: Any, parts: Mapping[str, Any]) -> None:
    action, actor, at = row[4], row[6], row[10]
    state["version"] = row[3]
    if action == "CREATE":
        state["created_at"] = at
    if row[1] != "lead":
        return
    state["updated_at"], state["updated_by"] = at, actor
    if action == "CREATE":
        state["created_by"] = actor
    elif action == "DELETE":
        state["deleted_at"], state["deleted_by"] = at, actor
    elif action == "RESTORE":
        state["deleted_at"] = state["deleted_by"] = state[_PERHAPS_MERGED] = None
    elif action == "MERGE":
        _take_merge(state, parts.get("data"), at, actor)
    elif action == "ERASE":
        if "person" in parts:
            state["erased_at"], state["erased_by"] = at, actor
        if state[_PERHAPS_MERGED] and state["merged_into"] not in (None, UNKNOWN):
            state["deleted_at"], state["deleted_by"] = state[_PERHAPS_MERGED]


def _take_merge(state: State, data: Any, at: Any, actor: Any) -> None:
    """The lead that is merged goes to the bin; the one that is kept only changes."""
    state[_PERHAPS_MERGED] = (at, actor) if data.__class__ is str else None
    if data.__class__ is list and data[1].get("merged_into", (None, None))[1] is not None:
        state["deleted_at"], state["deleted_by"] = at, actor


def differing(state: State, stands: State) -> list[str]:
    """The fields in which what stands there is not what the entries come to. Uses both up."""
    if "provenance" in stands:
        provenance = [state.pop(name) for name in _PROVENANCE.values()]
        if UNKNOWN in provenance:
            known = [part for part, of_part in zip(ERASABLE, provenance, strict=True) if of_part is not UNKNOWN]
            if isinstance(stands["provenance"], dict):
                stands["provenance"] = {f: s for f, s in stands["provenance"].items() if PART_OF.get(f) in known}
        state["provenance"] = {
            field: source
            for of_part in provenance
            if of_part and of_part is not UNKNOWN
            for field, source in of_part.items()
        }
        if state["tags"] is None:
            state["tags"] = []
        del state[_PERHAPS_MERGED]
    if state == stands:
        return []
    return [field for field in stands if state.get(field) != stands[field] and state.get(field) is not UNKNOWN]


def provenance_of(stands: Mapping[str, Any]) -> dict[str, Any]:
    """What a lead's columns say, its provenance split as entries have it."""
    sources = stands.get("provenance")
    if not isinstance(sources, dict):
        sources = {}
    split = {
        name: {f: s for f, s in sources.items() if PART_OF.get(f) == part} or None for part, name in _PROVENANCE.items()
    }
    return {**{field: value for field, value in stands.items() if field != "provenance"}, **split}


def field_key(part: str, field: str) -> str:
    """The name under which a state holds a field of a part."""
    return _PROVENANCE.get(part, field) if field == "provenance" else field


def shown(field: str) -> str:
    """The name under which people know a field of a state."""
    return _shown(field)


def _shown(field: str) -> str:
    return "provenance" if field.startswith("provenance/") else field
