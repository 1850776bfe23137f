"""What was changed in a broken entry: a guess, and where its true checksum is known the guess is proved. Pure.

An entry that was changed in one place has the true checksum in its leaf, or in its own column, or a MAC that holds for
it. So each neighbour's word for how a field must have been is put in, and the checksum recomputed: if it comes out
true, then that, and nothing else, was changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from leads_core.audit.models import ACTOR_KINDS, CHANNELS, Action, SubjectKind
from leads_core.audit.record.entry import PART_OF
from leads_core.audit.verification import replay
from leads_core.audit.verification.anomalies import Broken
from leads_core.audit.verification.entry_check import Macs, recomputed
from leads_core.audit.verification.evidence import EntryRow

_COLUMN = {name: place for place, name in enumerate(EntryRow._fields)}
_CLOSED: Mapping[str, Sequence[Any]] = {
    "action": [action.value for action in Action],
    "actor_kind": ACTOR_KINDS,
    "channel": CHANNELS,
    "subject_kind": [kind.value for kind in SubjectKind],
    "v": (1,),
    "task_id": (None,),
    "request_id": (None,),
}
#: An id is made at most so many milliseconds after the time that its entry says.
_MILLISECONDS_BEFORE_ID = 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Guess = tuple[dict[str, Any], dict[str, Any] | None, list[str]]


@dataclass(slots=True)
class Surroundings:
    """What may have stood in an entry before: versions, ids and subjects that are missing, entries of the same hand."""

    seqs: Iterable[int] = ()
    ids: Iterable[str] = ()
    places: Sequence[tuple[str, int]] = ()
    relatives: Sequence[Any] = ()


@dataclass(slots=True)
class Named:
    """The fields that were changed. proved: nothing else was; then original says the columns as they were."""

    fields: list[str]
    proved: bool = False
    original: dict[str, Any] = field(default_factory=dict)

    def column(self, name: str, row: Any) -> Any:
        """A column as it was written, as far as that is proved."""
        return self.original.get(name, row[_COLUMN[name]])


def name(broken: Broken, macs: Macs, around: Surroundings) -> Named:
    """What was changed in this entry; no fields when nothing tells."""
    as_logged = broken.computed is not None and _is_true(broken, macs, broken.computed)
    if as_logged and (broken.mac_of_computed or not macs):
        return Named(_beside_the_content(broken), proved=True)
    suspects = _suspects(broken)
    for columns, parts, fields in _guesses(broken, around, suspects):
        checksum = _with(broken, columns, parts)
        if checksum == broken.computed:
            continue
        # Where leaf and content agree against the MAC, both may have been changed: then the MAC alone tells.
        if _has_mac(broken, macs, checksum) or (not as_logged and _is_true(broken, macs, checksum)):
            return Named(sorted(set(fields)), proved=True, original=columns)
    if as_logged and not suspects:
        return Named(_beside_the_content(broken), proved=True)
    fields = sorted({replay.shown(name) for name, _, _ in suspects} | _off_the_lead(broken))
    return Named(fields or _shapeless(broken) or _digests(broken))


def _beside_the_content(broken: Broken) -> list[str]:
    """The content is true: the checksum, the MAC or the leaf is what was changed."""
    row, wrong = broken.row, []
    if row[13] != broken.computed:
        wrong.append("checksum")
    if not broken.mac_of_computed and not broken.mac_of_stored:
        wrong.append("mac")
    return wrong


def _is_true(broken: Broken, macs: Macs, checksum: bytes | None) -> bool:
    """Whether this is the checksum of what was written."""
    row = broken.row
    if checksum is None:
        return False
    return (
        checksum == row[16] or (checksum == row[13] and broken.computed != row[13]) or _has_mac(broken, macs, checksum)
    )


def _has_mac(broken: Broken, macs: Macs, checksum: bytes | None) -> bool:
    return checksum is not None and bool(macs) and macs.valid(checksum, broken.row[14])


def _with(broken: Broken, columns: Mapping[str, Any], parts: dict[str, Any] | None) -> bytes | None:
    row = list(broken.row)
    for column, value in columns.items():
        row[_COLUMN[column]] = value
    try:
        return recomputed(row, parts if parts is not None else broken.parts or {})
    except (TypeError, ValueError, AttributeError):
        return None


def _guesses(broken: Broken, around: Surroundings, suspects: list[tuple[str, str, list[Any]]]) -> Iterator[Guess]:
    yield from _guesses_of_fields(broken, suspects)
    yield from _guesses_of_columns(broken, around)
    yield from _guesses_of_origin(broken, around)
    yield from _guesses_of_time(broken)


def _guesses_of_fields(broken: Broken, suspects: list[tuple[str, str, list[Any]]]) -> Iterator[Guess]:
    """Each field as its neighbours say it was; then all of them at once."""
    for suspect in suspects:
        yield {}, _mended(broken, [suspect]), [replay.shown(suspect[0])]
    if len(suspects) > 1:
        yield {}, _mended(broken, suspects), [replay.shown(key) for key, _, _ in suspects]
    for part, content in _contents(broken):
        for field_name in content:
            rest = {other: change for other, change in content.items() if other != field_name}
            parts = dict(broken.parts or {})
            if rest:
                parts[part] = [parts[part][0], rest]
            else:
                del parts[part]
            yield {}, parts, [field_name]


def _guesses_of_columns(broken: Broken, around: Surroundings) -> Iterator[Guess]:
    row, lead = EntryRow(*broken.row), broken.of_lead or {}
    for column, values in _CLOSED.items():
        for value in values:
            yield {column: value}, None, [column]
    for seq in (None, *around.seqs):
        yield {"seq": seq}, None, ["seq"]
    for entry_id in around.ids:
        yield {"id": entry_id}, None, ["id"]
    if row.seq is None:
        for subject in (None, row.actor_id, *sorted({other[2] for other in around.relatives if other[2]})):
            yield {"subject_id": subject}, None, ["subject_id"]
    for subject, seq in around.places:
        yield {"subject_id": subject}, None, ["subject_id"]
        yield {"subject_id": subject, "seq": seq}, None, ["subject_id"] + ["seq"] * (seq != row.seq)
    for at in ("created_at", "updated_at", "deleted_at", "erased_at"):
        if lead.get(at):
            yield {"occurred_at": lead[at]}, None, ["occurred_at"]
    actors = {(row.actor_kind, lead.get(by)) for by in ("created_by", "updated_by", "deleted_by", "erased_by")}
    actors |= {(other[5], other[6]) for other in around.relatives}
    for kind, actor in actors:
        yield {"actor_id": actor}, None, ["actor_id"]
        yield {"actor_id": actor, "actor_kind": kind}, None, ["actor_id", "actor_kind"]
    for column in ("request_id", "task_id", "occurred_at", "channel"):
        for value in {other[_COLUMN[column]] for other in around.relatives}:
            yield {column: value}, None, [column]


def _guesses_of_origin(broken: Broken, around: Surroundings) -> Iterator[Guess]:
    """From entries of the same request, or the same hand: the whole origin, or one value of it under its own salt."""
    mine = (broken.parts or {}).get("origin")
    seen: set[bytes] = set()
    for other in around.relatives:
        try:
            origin = orjson.loads(other[12])["origin"]
        except (ValueError, KeyError, TypeError):
            continue
        if isinstance(origin, str) or (as_bytes := orjson.dumps(origin)) in seen:
            continue
        seen.add(as_bytes)
        yield {}, {**(broken.parts or {}), "origin": origin}, ["origin"]
        if not (isinstance(mine, list) and len(mine) == 2 and isinstance(mine[1], dict)):
            continue
        for name_, value in origin[1].items():
            yield {}, {**(broken.parts or {}), "origin": [mine[0], {**mine[1], name_: value}]}, [name_]
        yield {}, {**(broken.parts or {}), "origin": [mine[0], origin[1]]}, ["origin"]


def _guesses_of_time(broken: Broken) -> Iterator[Guess]:
    """The id holds the millisecond in which it was made, right after the time that the entry says."""
    row = EntryRow(*broken.row)
    try:
        made = int(row.id[:8] + row.id[9:13], 16) * 1000
    except ValueError:
        return
    for microseconds in range(made + 999, made - _MILLISECONDS_BEFORE_ID * 1000, -1):
        try:
            at = _EPOCH + timedelta(microseconds=microseconds)
        except OverflowError:
            return
        yield {"occurred_at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}, None, ["occurred_at"]


def _contents(broken: Broken) -> Iterator[tuple[str, dict[str, Any]]]:
    for part, value in (broken.parts or {}).items():
        if part != "origin" and isinstance(value, list) and len(value) == 2 and isinstance(value[1], dict):
            yield part, value[1]


def _suspects(broken: Broken) -> list[tuple[str, str, list[Any]]]:
    """Fields that a neighbour contradicts: the state's name for it, its part, and [old, new] as it must have been."""
    found: list[tuple[str, str, list[Any]]] = []
    before, following = broken.before or {}, broken.following
    if broken.row[3] is None:
        return found
    claimed: set[str] = set()
    for part, content in _contents(broken):
        for field_name, change in content.items():
            key = replay.field_key(part, field_name)
            claimed.add(key)
            if not isinstance(change, list) or len(change) != 2:
                found.append((key, part, [before.get(key), following.get(key)]))
                continue
            was = before.get(key, change[0])
            becomes = following.get(key, change[1])
            if replay.UNKNOWN in (was, becomes):
                continue
            if [was, becomes] != change and not (change[1] is None and becomes == []):
                found.append((key, part, [was, becomes]))
    for key, was in before.items():
        if key not in claimed and key in following and was is not replay.UNKNOWN and key not in replay.FACTS:
            becomes = following[key]
            if was != becomes and not (was is None and becomes == []):
                found.append((key, _part_of(key), [was, becomes]))
    return found


def _mended(broken: Broken, suspects: Iterable[tuple[str, str, list[Any]]]) -> dict[str, Any]:
    parts = dict(broken.parts or {})
    for key, part, change in suspects:
        there = parts.get(part)
        if isinstance(there, list) and len(there) == 2 and isinstance(there[1], dict):
            field_name = "provenance" if key.startswith("provenance/") else key
            parts[part] = [there[0], {**there[1], field_name: change}]
    return parts


def _part_of(key: str) -> str:
    return key.removeprefix("provenance/") if key.startswith("provenance/") else PART_OF.get(key, "data")


def _off_the_lead(broken: Broken) -> set[str]:
    """Columns that the lead's own contradict: it knows when and by whom it was created and last changed."""
    row, lead = EntryRow(*broken.row), broken.of_lead or {}
    if not lead or row.subject_kind != "lead" or row.seq is None:
        return set()
    pairs = []
    if row.seq == 1:
        pairs += [("occurred_at", "created_at"), ("actor_id", "created_by")]
    if row.seq == lead.get("version"):
        pairs += [("occurred_at", "updated_at"), ("actor_id", "updated_by")]
    return {column for column, of_lead in pairs if getattr(row, column) != lead.get(of_lead)}


def _shapeless(broken: Broken) -> list[str]:
    """Parts that have not the form of parts."""
    if broken.parts is None:
        return ["parts"]
    return sorted(
        name_
        for name_, part in broken.parts.items()
        if not isinstance(part, str)
        and not (isinstance(part, list) and len(part) == 2 and isinstance(part[0], str) and isinstance(part[1], dict))
    )


def _digests(broken: Broken) -> list[str]:
    return sorted(name_ for name_, part in (broken.parts or {}).items() if isinstance(part, str))
