"""Entries of every kind, made up: what the searches of the trail are held against."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from leads_core.audit.entry_filter import EntryFilter
from leads_core.audit.models import SubjectKind
from leads_core.context import SYSTEM_ACTOR_ID

BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)
USERS = tuple(UUID(f"0193f5a0-0000-7000-8000-00000000001{n}") for n in range(4))
TOKENS = tuple(UUID(f"0193f5a0-0000-7000-8000-00000000002{n}") for n in range(2))
LEADS = tuple(UUID(f"0193f5a0-0000-7000-8000-0000000003{n:02}") for n in range(30))
JOBS = tuple(UUID(f"0193f5a0-0000-7000-8000-00000000004{n}") for n in range(3))
REQUESTS = tuple(f"request-{n}" for n in range(20))
COLUMNS = (
    *("id", "subject_kind", "subject_id", "seq", "action", "actor_kind", "actor_id", "channel", "request_id"),
    *("task_id", "occurred_at", "v", "parts", "checksum", "mac"),
)
#: What happens to leads, and how often.
OF_LEADS = {"CREATE": 30, "UPDATE": 40, "ENRICH": 20, "DELETE": 4, "RESTORE": 2, "DISMISS": 2, "ERASE": 1}
Entry = dict[str, Any]


def id_at(moment: datetime, chance: random.Random) -> UUID:
    """A UUIDv7 of this moment."""
    number = int(moment.timestamp() * 1000) << 80 | 7 << 76 | chance.getrandbits(12) << 64 | 2 << 62
    return UUID(int=number | chance.getrandbits(62))


def some_entries(count: int, *, seed: int, over: timedelta = timedelta(days=10)) -> list[Entry]:
    """Entries in order of time, of every subject, action, actor and channel, with what goes with each."""
    chance = random.Random(seed)  # noqa: S311 - made up
    versions: dict[UUID, int] = {}
    moments = sorted(BEGINNING + over * chance.random() for _ in range(count))
    return [_entry(moment, chance, versions) for moment in moments]


def _entry(moment: datetime, chance: random.Random, versions: dict[UUID, int]) -> Entry:
    kind = chance.choices(list(SubjectKind), [80, 12, 4, 3, 1])[0].value
    subject: UUID | None
    seq: int | None = None
    fields: dict[str, list[Any]] = {}
    if kind == "lead":
        subject = chance.choice(LEADS)
        action = chance.choices(list(OF_LEADS), list(OF_LEADS.values()))[0]
        fields = {"stage": ["new", "won"]} if action == "UPDATE" and chance.random() < 0.5 else {"city": [None, "Bonn"]}
    elif kind == "user":
        subject = chance.choice((*USERS, None))
        action = chance.choice(["SIGN_IN", "SIGN_IN_FAILED", "SIGN_OUT", "UPDATE", "CREATE"])
        fields = {"role": ["viewer", "editor"]} if action == "UPDATE" else {}
    elif kind == "token":
        subject, action = chance.choice(TOKENS), chance.choice(["CREATE", "UPDATE"])
    elif kind == "export":
        subject, action = id_at(moment, chance), "EXPORT"
    else:
        subject, action = None, chance.choice(["CHECKPOINT_KEPT", "REOPEN"])
    if subject in LEADS and action != "DISMISS":
        seq = versions[subject] = versions.get(subject, 0) + 1
    anonymous = action == "SIGN_IN_FAILED"
    actor_kind = "anonymous" if anonymous else chance.choices(["user", "token", "system"], [6, 3, 1])[0]
    actor = {"user": chance.choice(USERS), "token": chance.choice(TOKENS), "system": SYSTEM_ACTOR_ID}.get(actor_kind)
    person = {"email": [None, "ana@acme.com"]} if chance.random() < 0.1 else {}
    return {
        "id": id_at(moment + timedelta(seconds=chance.random()), chance),
        "subject_kind": kind,
        "subject_id": subject,
        "seq": seq,
        "action": action,
        "actor_kind": actor_kind,
        "actor_id": actor,
        "channel": chance.choice(["web", "api", "import", "cli", "worker"]),
        "request_id": chance.choice(REQUESTS),
        "task_id": chance.choice((*JOBS, None, None, None)),
        "occurred_at": moment,
        "v": 1,
        "parts": {
            "origin": ["s", {"actor_name": "Ana", "ip_address": "203.0.113.7", "user_agent": "tests"}],
            **({"data": ["s", fields]} if fields else {}),
            **({"person": ["s", person]} if person else {}),
        },
        "checksum": b"c" * 32,
        "mac": b"m" * 36,
    }


async def write(owner: asyncpg.Connection, entries: Iterable[Entry]) -> None:
    """Put them into the trail as they are."""
    rows = [tuple(json.dumps(entry[n]) if n == "parts" else entry[n] for n in COLUMNS) for entry in entries]
    await owner.copy_records_to_table("audit_log", records=rows, columns=COLUMNS)


def matching(entries: Iterable[Entry], wanted: EntryFilter) -> list[UUID]:
    """The ids of what is wanted, newest first: the obvious way."""
    return sorted((entry["id"] for entry in entries if _matches(entry, wanted)), reverse=True)


def _matches(entry: Entry, wanted: EntryFilter) -> bool:
    said = {field for name, part in entry["parts"].items() if name != "origin" for field in part[1]}
    return all(
        (
            wanted.actor_id in {None, entry["actor_id"]},
            wanted.actor_kind in {None, entry["actor_kind"]},
            not wanted.actions or entry["action"] in wanted.actions,
            not wanted.channels or entry["channel"] in wanted.channels,
            not wanted.subject_kinds or entry["subject_kind"] in wanted.subject_kinds,
            wanted.subject_id in {None, entry["subject_id"]},
            wanted.field is None or wanted.field in said,
            wanted.since is None or entry["occurred_at"] >= wanted.since,
            wanted.until is None or entry["occurred_at"] < wanted.until,
            wanted.task_id in {None, entry["task_id"]},
            wanted.request_id in {None, entry["request_id"]},
        )
    )
