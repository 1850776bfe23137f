"""An audit entry, version 1: its parts, digests, checksum and MAC. The format is final; tests/vectors holds it."""

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Literal, TypeAlias
from uuid import UUID

from leads_core.audit.record.canonical import NotCanonical, canon

Part: TypeAlias = list[Any] | str
"""[salt, content], or, once erased, the part's digest alone."""

PartName: TypeAlias = Literal["person", "text", "data"]

_FIELDS_OF: Mapping[PartName, str] = {
    "person": "email contact_name job_title phone linkedin_url source_detail",
    "text": "description notes",
    "data": (
        "domain registrable_domain company_name website industry employee_count city country language tags stage "
        "owner_id follow_up_on source is_manual "
        "enrichment_status enrichment_outcome enrichment_task_id enrichment_error enriched_at merged_into"
    ),
}

PART_OF: Mapping[str, PartName] = MappingProxyType(
    {field: part for part, fields in _FIELDS_OF.items() for field in fields.split()}
)
"""Each field of a lead to the part that holds it. A field never changes its name or its part."""

ORIGIN_FIELDS = ("actor_name", "ip_address", "user_agent")

_DIGEST = re.compile(r"[0-9a-f]{64}")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_KEY_ID_LENGTH = 4
_PROVENANCE = "provenance"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRecord:
    """What an entry says. `seq` is the lead's version after the change; null for events without a state."""

    id: UUID
    subject_kind: str
    subject_id: UUID | None
    seq: int | None
    action: str
    actor_kind: str
    actor_id: UUID | None
    channel: str
    request_id: str | None
    task_id: UUID | None
    occurred_at: datetime
    parts: Mapping[str, Part]
    v: int = 1


def record_of(entry: EntryRecord) -> dict[str, Any]:
    """R: what the checksum is taken over. Every key is there, null where there is nothing."""
    return {
        "v": entry.v,
        "id": str(entry.id),
        "subject_kind": entry.subject_kind,
        "subject_id": _id(entry.subject_id),
        "seq": entry.seq,
        "action": entry.action,
        "actor_kind": entry.actor_kind,
        "actor_id": _id(entry.actor_id),
        "channel": entry.channel,
        "request_id": entry.request_id,
        "task_id": _id(entry.task_id),
        "occurred_at": timestamp(entry.occurred_at),
        "parts": {name: digest(part) for name, part in entry.parts.items()},
    }


def checksum(entry: EntryRecord) -> bytes:
    """32 bytes, the same before and after a part is erased. Raises NotCanonical for what cannot be recorded."""
    return checksum_of(record_of(entry))


def checksum_of(record: dict[str, Any]) -> bytes:
    """The checksum from R, whoever holds it. Raises NotCanonical."""
    return sha256(b"lead-explorer/entry/1\n" + canon(record)).digest()


def digest(part: Part) -> str:
    """64 lower-case hex digits of a part; an erased part is its digest. Raises NotCanonical when it is neither."""
    if isinstance(part, str):
        if _DIGEST.fullmatch(part) is None:
            raise NotCanonical("an erased part is its digest, 64 hex digits")
        return part
    if not (isinstance(part, list) and len(part) == 2 and isinstance(part[0], str) and isinstance(part[1], dict)):
        raise NotCanonical("a part is [salt, content]")
    return sha256(b"lead-explorer/part/1\n" + canon(part)).hexdigest()


def new_salt() -> str:
    """16 fresh random bytes in 22 characters of base64url: without them a digest would betray a guessed value."""
    return urlsafe_b64encode(secrets.token_bytes(16))[:22].decode()


@lru_cache(maxsize=64)
def key_id(key: bytes) -> bytes:
    """The 4 bytes that name a MAC key."""
    return sha256(b"lead-explorer/mac-key/1\n" + key).digest()[:_KEY_ID_LENGTH]


def mac(key: bytes, checksum: bytes) -> bytes:
    """36 bytes: the key's id, then the HMAC-SHA256 of the checksum."""
    return key_id(key) + hmac.digest(key, checksum, "sha256")


def mac_is_valid(keys: Iterable[bytes], checksum: bytes, given: bytes) -> bool:
    """Whether one of the keys made this MAC of this checksum. In constant time; false for an unknown key's."""
    valid = False
    for key in keys:
        valid |= hmac.compare_digest(mac(key, checksum), given)
    return valid


def timestamp(moment: datetime) -> str:
    """`2026-11-24T18:35:04.123456Z`, always six digits. Raises ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a recorded time has a zone")
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_timestamp(text: str) -> datetime:
    """The time that `timestamp` wrote. Raises ValueError for any other spelling of it."""
    if _TIMESTAMP.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a recorded time such as 2026-11-24T18:35:04.123456Z")
    return datetime.fromisoformat(text)


def fields_of(part: PartName) -> tuple[str, ...]:
    """The fields a part may hold: what is unknown once it is erased."""
    return tuple(_FIELDS_OF[part].split())


def origin_part(actor_name: str | None, ip_address: str | None, user_agent: str | None) -> list[Any]:
    """Who and whence, under a fresh salt. The entries of one request may share it."""
    return [new_salt(), {"actor_name": actor_name, "ip_address": ip_address, "user_agent": user_agent}]


def parts_of_change(
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    origin: Mapping[str, str | None] | list[Any],
    part_of: Mapping[str, str] = PART_OF,
) -> dict[str, Any]:
    """The parts of the entry that takes a subject from `before` to `after`; None is before its creation.

    Values are JSON-ready; an absent one is null. `provenance` maps fields to what is known of where they came
    from: it is split, so that each part holds its own fields' as [old, new]; none is null, never {}.
    `origin` is its three values, or a finished origin part to share. Raises KeyError for a field without a part.
    """
    old, new = before or {}, after or {}
    contents: dict[str, dict[str, Any]] = {}
    for field, becomes in (*new.items(), *((field, None) for field in old if field not in new)):
        if field != _PROVENANCE:
            part, was = part_of[field], old.get(field)
            if was != becomes:
                contents.setdefault(part, {})[field] = [was, becomes]
    for part, change in _provenance_changes(old.get(_PROVENANCE) or {}, new.get(_PROVENANCE) or {}, part_of):
        contents.setdefault(part, {})[_PROVENANCE] = change
    parts: dict[str, Any] = {"origin": origin if isinstance(origin, list) else _origin_of_values(origin)}
    for part, content in contents.items():
        parts[part] = [new_salt(), content]
    return parts


def old_and_new(parts: Mapping[str, Part]) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Old values, new values, and the names of the parts that were erased (origin too), whose values are unknown.

    Provenance comes together again under the key `provenance`, null where there was none.
    """
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for name, part in parts.items():
        if name != "origin" and not isinstance(part, str):
            for field, (was, becomes) in part[1].items():
                old[field] = _joined(old, was) if field == _PROVENANCE else was
                new[field] = _joined(new, becomes) if field == _PROVENANCE else becomes
    return old, new, sorted(name for name, part in parts.items() if isinstance(part, str))


def origin_of(parts: Mapping[str, Part]) -> dict[str, str | None]:
    """Actor's name, IP address and user agent, all null once the origin was erased."""
    part = parts.get("origin")
    content = part[1] if isinstance(part, list) else {}
    return {field: content.get(field) for field in ORIGIN_FIELDS}


def apply(state: Mapping[str, Any], parts: Mapping[str, Part]) -> dict[str, Any]:
    """The state after an entry, given the one before. Fields that are null, and empty provenance, are absent.

    An erased part changes nothing: its fields are unknown until the ERASE entry that says how they stand.
    """
    after = dict(state)
    for name, part in parts.items():
        if name != "origin" and not isinstance(part, str):
            for field, (_, value) in part[1].items():
                after[field] = _of_other_parts(after, name) | (value or {}) if field == _PROVENANCE else value
    return {field: value for field, value in after.items() if value is not None and (field != _PROVENANCE or value)}


def _id(identifier: UUID | None) -> str | None:
    return None if identifier is None else str(identifier)


def _origin_of_values(origin: Mapping[str, str | None]) -> list[Any]:
    return origin_part(origin.get("actor_name"), origin.get("ip_address"), origin.get("user_agent"))


def _provenance_changes(
    old: Mapping[str, Any], new: Mapping[str, Any], part_of: Mapping[str, str]
) -> Iterable[tuple[str, list[Any]]]:
    if old == new:
        return
    for part in sorted({part_of[field] for field in (*old, *new)}):
        was, becomes = ({f: s for f, s in side.items() if part_of[f] == part} or None for side in (old, new))
        if was != becomes:
            yield part, [was, becomes]


def _of_other_parts(state: Mapping[str, Any], part: str) -> dict[str, Any]:
    return {field: source for field, source in state.get(_PROVENANCE, {}).items() if PART_OF.get(field) != part}


def _joined(values: Mapping[str, Any], provenance: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return (values.get(_PROVENANCE) or {}) | dict(provenance or {}) or None
