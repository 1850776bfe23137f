"""Undo in sentences: what a change did, what was put back, what was kept and why. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from console.trail_wording import fields_in_words
from console.wording import field_in_sentence, field_label, plural
from leads_core.audit.queries import EntryRead
from leads_core.undoing import Author, Kept, KeptOf, Undone, UndoneNow

ERASED_LEAD = "an erased lead"
PARTS = {"person": "the person's details", "text": "description and notes", "data": "the company's details"}
#: What came of leads, of several at once.
MANY = {"put_back": "put back", "to_bin": "moved to the bin", "restored": "back from the bin"}
SENTENCES = {
    "changed": "{fields} kept: {who} changed {them} since.",
    "edited": "Kept out of the bin: {who} changed {fields} since.",
    "merged": "Left where it is: {who} merged it with another lead since.",
    "erased": "Nothing comes back: the person was erased.",
    "identity": "{label} kept as it is: {other} has the one of that time now.",
    "no_identity": "{fields} kept: without {them} there would be neither email nor domain.",
    "owner": "Owner kept: the one of that time is not here any more.",
    "refused": "{fields} kept: the value of that time does not pass today's rules.",
    "unreadable": "Kept: its trail cannot be read. Tell an administrator.",
}
AS_BEFORE = "It stands as before already. Nothing was changed."


def done_in_words(entry: EntryRead, name: str) -> str | None:
    """What one entry did to the lead of this name, for whoever did it just now; None for what cannot be undone."""
    match entry.action:
        case "CREATE":
            return f"{name} added."
        case "DELETE":
            return f"{name} moved to the bin."
        case "RESTORE":
            return f"{name} is back."
        case "UPDATE" | "REVERT":
            fields = _said_fields(entry.new_values)
            word = "put back" if entry.action == "REVERT" else "changed"
            return f"{name}: {fields_in_words(fields)} {word}." if fields else f"{name} {word}."
        case "MERGE":
            return f"Merged into {name}."
    return None


def undone_in_words(result: UndoneNow, viewer_id: UUID | None) -> str:
    """What came of it in one line, and the first of what was kept."""
    done = [each for each in result.undone if each.outcome in MANY]
    said = [_of_one(done[0], result.names)] if len(done) == 1 else _of_many(done)
    if not done and not result.kept:
        return AS_BEFORE
    sentences = [sentence for each in result.kept[:1] for sentence in kept_in_words(each, viewer_id)]
    if len(result.undone) > 1 and sentences:
        sentences = [f"{name_of(result.kept[0].lead_id, result.names)}: {sentences[0]}", *sentences[1:]]
    more = [f"{plural(len(result.kept) - 1, 'other lead')} kept as well."] if len(result.kept) > 1 else []
    return " ".join([*said, *sentences, *more])


def kept_in_words(kept_of: KeptOf, viewer_id: UUID | None) -> list[str]:
    """`Company and city kept: Idris Bello changed them since.` One sentence for each reason."""
    groups: dict[tuple[str, str | None, UUID | None], list[Kept]] = {}
    for kept in kept_of.kept:
        who = who_changed(kept_of.authors.get(kept.entry) if kept.entry else None, viewer_id)
        groups.setdefault((kept.reason, who, kept.lead_id), []).append(kept)
    return [
        _sentence(reason, [kept.field for kept in group], who or "somebody", name_of(other, kept_of.names))
        for (reason, who, other), group in groups.items()
    ]


def who_changed(author: Author | None, viewer_id: UUID | None) -> str | None:
    """Who wrote an entry, in the middle of a sentence."""
    if author is None:
        return None
    if author.by_machine:
        return "enrichment"
    who = "you" if viewer_id is not None and author.id == viewer_id else author.name or "somebody who was erased"
    by_job = {"import": "an import", "worker": "a job"}.get(author.channel)
    return f"{by_job} of {'yours' if who == 'you' else who}" if by_job else who


def name_of(lead_id: UUID | None, names: Any) -> str:
    """What the lead is called."""
    name = names.get(lead_id) if lead_id else None
    return name.name if name and name.name else ERASED_LEAD


def _sentence(reason: str, fields: Sequence[str], who: str, other: str) -> str:
    if reason == "erased" and any(fields):
        gone = " and ".join(PARTS.get(field, field_in_sentence(field)) for field in fields)
        return f"Not put back: what stood in {gone} was erased."
    words = {
        "fields": fields_in_words(fields) if any(fields) else "it",
        "label": field_label(fields[0]) if any(fields) else "",
        "them": "them" if len(fields) > 1 else "it",
        "who": who,
        "other": other,
    }
    return _capital(SENTENCES[reason].format(**words))


def _of_one(undone: Undone, names: Any) -> str:
    name = name_of(undone.lead_id, names)
    if undone.outcome == "put_back":
        what = fields_in_words(undone.fields) if undone.fields else "it"
        return f"{name}: {what} put back."
    return f"{name} {'moved to the bin' if undone.outcome == 'to_bin' else 'is back'}."


def _of_many(done: Iterable[Undone]) -> list[str]:
    counts: Counter[str] = Counter(each.outcome for each in done)
    said = [f"{plural(counts[outcome], 'lead')} {words}" for outcome, words in MANY.items() if counts[outcome]]
    return [f"{', '.join(said)}."] if said else []


def _said_fields(values: Iterable[str]) -> list[str]:
    unsaid = {"registrable_domain", "provenance"}
    return [name for name in values if name not in unsaid and not name.startswith("enrich")]


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
