"""The trail held against the leads: what verify will do for everybody, in a few lines for tests."""

from __future__ import annotations

import json
from typing import Any

import asyncpg

from leads_core.audit.record import entry as record
from leads_core.audit.record.entry import PART_OF

KEPT_BY_ENTRIES = ("version", "created_at", "created_by", "updated_at", "updated_by", "deleted_at", "deleted_by")


async def differences(owner: asyncpg.Connection, key: bytes) -> list[str]:
    """What the trail and the leads disagree in; also any entry with a wrong checksum or MAC, or without its origin."""
    found: list[str] = []
    replayed: dict[Any, dict[str, Any]] = {}
    rows = await owner.fetch("SELECT * FROM audit_log WHERE subject_kind = 'lead' ORDER BY subject_id, seq NULLS LAST")
    for row in rows:
        found += _broken(row, key)
        if row["seq"] is not None:
            _replay(replayed, row, found)
    leads = await owner.fetch("SELECT * FROM leads")
    for lead in leads:
        found += _differing(lead, replayed.pop(lead["id"], {}))
    return found + [f"{lead_id} has entries but is not there" for lead_id in replayed]


def _broken(row: asyncpg.Record, key: bytes) -> list[str]:
    facts = {name: row[name] for name in record.EntryRecord.__dataclass_fields__}
    parts = json.loads(row["parts"])
    entry = record.EntryRecord(**{**facts, "parts": parts})
    broken = []
    if record.checksum(entry) != row["checksum"] or not record.mac_is_valid([key], row["checksum"], row["mac"]):
        broken.append(f"{row['id']} is not as it was written")
    origin = record.origin_of(parts)
    if row["actor_id"] is None or None in {origin["actor_name"], origin["ip_address"], origin["user_agent"]}:
        broken.append(f"{row['id']} does not say who or from where")
    return broken


def _replay(replayed: dict[Any, dict[str, Any]], row: asyncpg.Record, found: list[str]) -> None:
    state = replayed.setdefault(row["subject_id"], {"values": {}, "version": 0})
    if row["seq"] != state["version"] + 1:
        found.append(f"{row['subject_id']} has no entry {state['version'] + 1}")
    state["values"] = record.apply(state["values"], json.loads(row["parts"]))
    if row["action"] == "CREATE":
        state |= {"created_at": row["occurred_at"], "created_by": row["actor_id"]}
    _replay_bin(state, row)
    state |= {"version": row["seq"], "updated_at": row["occurred_at"], "updated_by": row["actor_id"]}


def _replay_bin(state: dict[str, Any], row: asyncpg.Record) -> None:
    """Into the bin, out of it. Where a merge's data was erased, the erasure says whether the lead was merged away."""
    now = {"deleted_at": row["occurred_at"], "deleted_by": row["actor_id"]}
    is_merged_away = state["values"].get("merged_into") is not None
    match row["action"]:
        case "DELETE":
            state |= now
        case "RESTORE":
            state |= {**dict.fromkeys(now), "perhaps": None}
        case "MERGE" if isinstance(json.loads(row["parts"]).get("data"), str):
            state["perhaps"] = now
        case "MERGE" if is_merged_away:
            state |= {**now, "perhaps": None}
        case "ERASE" if is_merged_away and state.get("perhaps"):
            state |= state["perhaps"]


def _differing(lead: asyncpg.Record, state: dict[str, Any]) -> list[str]:
    values = state.get("values", {})
    found = [
        f"{lead['id']}.{field}: {_audited(lead[field])!r} is not {values.get(field)!r}"
        for field in PART_OF
        if _audited(lead[field]) != values.get(field)
    ]
    if json.loads(lead["provenance"]) != values.get("provenance", {}):
        found.append(f"{lead['id']}.provenance differs")
    return found + [f"{lead['id']}.{name} differs" for name in KEPT_BY_ENTRIES if lead[name] != state.get(name)]


def _audited(value: Any) -> Any:
    if hasattr(value, "tzinfo"):
        return record.timestamp(value)
    return value if value is None or isinstance(value, str | int | list) else str(value)
