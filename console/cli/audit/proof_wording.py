"""What a proof shows, in words. Whoever made the proof chose its values, so none of them reaches the terminal raw."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from leads_core.audit.log.inclusion_proof import ProvenEntry

_ORIGIN = "origin"


def in_words(proven: ProvenEntry) -> str:
    """Who, when, what of which subject; the values that are shown; what is withheld; who vouches for it."""
    return "\n".join(_lines(proven))


def _lines(proven: ProvenEntry) -> Iterator[str]:
    record, checkpoint = proven.record, proven.checkpoint
    yield f"Proven. The log {plain(checkpoint.log_name)} holds this entry, unchanged since:"
    yield f"  entry      {_text(record['id'])}, leaf {proven.index:,} of {checkpoint.size:,}"
    yield f"  what       {_what(record)}"
    yield f"  who        {_who(record, proven.shown.get(_ORIGIN))}"
    yield f"  when       {_text(record['occurred_at'])}"
    yield f"  by way of  {_way(record)}"
    for name, content in sorted(proven.shown.items()):
        if name != _ORIGIN:
            yield f"  {name + ', from old to new:'}"
            yield from (f"    {plain(field)}: {_change(value)}" for field, value in sorted(content.items()))
    yield f"Withheld, or erased since: {', '.join(map(plain, proven.withheld)) or 'nothing'}."
    yield f"Signed by {', '.join(f'{plain(key.name)}+{key.key_id.hex()}' for key in proven.signed_by)}."
    yield "It does not say what came after this entry."


def _what(record: Mapping[str, Any]) -> str:
    subject = f"{_text(record['subject_kind'])} {_text(record['subject_id'])}"
    if record["subject_id"] is None:
        return f"{_text(record['action'])}, {_text(record['subject_kind'])}"
    if record["seq"] is None:
        return f"{_text(record['action'])} of {subject}"
    return f"{_text(record['action'])} of {subject}, making its version {_text(record['seq'])}"


def _who(record: Mapping[str, Any], origin: Mapping[str, Any] | None) -> str:
    actor = _text(record["actor_kind"])
    if record["actor_id"] is not None:
        actor = f"{actor} {_text(record['actor_id'])}"
    if origin is None:
        return f"{actor}; name and address are withheld"
    known = {name: _text(origin.get(name)) for name in ("actor_name", "ip_address", "user_agent")}
    return f"{actor}, {known['actor_name']}, from {known['ip_address']} with {known['user_agent']}"


def _way(record: Mapping[str, Any]) -> str:
    named = ((_text(record[name]), word) for name, word in (("request_id", "request"), ("task_id", "job")))
    return ", ".join([_text(record["channel"]), *(f"{word} {value}" for value, word in named if value != "nothing")])


def _change(value: Any) -> str:
    match value:
        case [old, new]:
            return f"{_value(old)} -> {_value(new)}"
        case _:
            return _value(value)


def _value(value: Any) -> str:
    return "nothing" if value is None else plain(json.dumps(value, ensure_ascii=False))


def _text(value: Any) -> str:
    return "nothing" if value is None else plain(str(value))


def plain(text: str) -> str:
    """The text with everything that a terminal would obey, and every hidden character, spelled out."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
