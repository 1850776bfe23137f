"""The trail beside a lead: which entries were asked for, in the address, and what can be done with each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import urlencode
from uuid import UUID

from console.list_filters import Chip, Choice, Group
from console.trail_wording import ACTIONS, ORDER, Names, TrailLine, trail_line
from console.wording import field_label
from leads_core.audit.queries import EntryRead, TrailChoices, TrailFilter
from leads_core.audit.record.entry import PART_OF
from leads_core.leads.history import REVERTIBLE
from leads_core.leads.schemas import LeadRead

#: Entries shown at once; older ones are a link away.
SHOWN = 50
#: The value of `actor` for what enrichment did by itself.
MACHINE = "enrichment"
#: Fields that say nothing to choose by.
UNCHOSEN = frozenset({"registrable_domain", "enrichment_task_id", "enriched_at"})
#: Whatever these name as their old value is not what a person would put back.
NOT_UNDONE = frozenset({"ERASE", "DISMISS", "CREATE"})


@dataclass(frozen=True, slots=True)
class TrailAddress:
    """What a lead's address asks of the trail: filters, from before which entry on, and the moment to go back to."""

    lead_id: UUID
    actors: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    before: UUID | None = None
    at: int | None = None

    @classmethod
    def read(cls, lead_id: UUID, given: Iterable[tuple[str, str]]) -> Self:
        """The query's pairs. What is no actor, action, field or entry is passed over, and no chip claims otherwise."""
        pairs = list(given)
        actors = [_actor(value) for name, value in pairs if name == "actor" and _actor(value)]
        actions = [value for name, value in pairs if name == "action" and value in ACTIONS]
        fields = [value for name, value in pairs if name == "field" and value in PART_OF and value not in UNCHOSEN]
        before = next((_uuid(value) for name, value in pairs if name == "before"), None)
        at = next((int(value) for name, value in pairs if name == "at" and is_entry_number(value)), None)
        return cls(lead_id, _once(actors), _once(actions), _once(fields), before, at)

    @property
    def only(self) -> TrailFilter:
        """The filters as the query takes them."""
        ids = tuple(UUID(actor) for actor in self.actors if actor != MACHINE)
        return TrailFilter(ids, MACHINE in self.actors, self.actions, self.fields)

    @property
    def url(self) -> str:
        """Where this is read again."""
        pairs = [("at", str(self.at))] if self.at is not None else []
        for name, values in (("actor", self.actors), ("action", self.actions), ("field", self.fields)):
            pairs += [(name, value) for value in values]
        pairs += [("before", str(self.before))] if self.before is not None else []
        return f"/leads/{self.lead_id}" + (f"?{urlencode(pairs)}" if pairs else "")

    def without(self, value: str) -> str:
        """The address without one filter, from the newest entry on. No value is of two kinds."""
        return replace(
            self,
            actors=_other(self.actors, value),
            actions=_other(self.actions, value),
            fields=_other(self.fields, value),
            before=None,
        ).url

    @property
    def unfiltered(self) -> str:
        return replace(self, actors=(), actions=(), fields=(), before=None).url

    @property
    def newest(self) -> str:
        return replace(self, before=None).url

    def older_than(self, entry_id: UUID) -> str:
        return replace(self, before=entry_id).url

    def standing_at(self, seq: int) -> str:
        """The lead as it stood at an entry, with the same trail beside it."""
        return replace(self, at=seq).url


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """An entry with what can be done: the fields whose old value can be put back, and whether the lead can."""

    line: TrailLine
    url: str | None
    puts_back: frozenset[str]
    back_to_here: bool
    current: bool


@dataclass(frozen=True, slots=True)
class TrailView:
    """Everything the trail's section shows."""

    address: TrailAddress
    entries: Sequence[ShownEntry]
    older: str | None
    chips: Sequence[Chip]
    groups: Sequence[Group]


def trail_view(
    address: TrailAddress,
    lead: LeadRead,
    entries: Sequence[EntryRead],
    choices: TrailChoices,
    *,
    viewer_id: UUID | None,
    sees_origins: bool,
    can_put_back: bool,
    names: Names,
) -> TrailView:
    """entries: the newest that were asked for, up to one more than SHOWN."""
    shown, more = entries[:SHOWN], len(entries) > SHOWN
    now = lead.model_dump(mode="json")
    may_put_back = can_put_back and not lead.is_deleted and lead.erased_at is None
    actors = {**{str(key): name for key, name in choices.actors.items()}, MACHINE: "Enrichment"}
    if viewer_id is not None and str(viewer_id) in actors:
        actors[str(viewer_id)] = "You"
    return TrailView(
        address=address,
        entries=[
            ShownEntry(
                line=trail_line(entry, viewer_id, shows_addresses=sees_origins, names=names),
                url=address.standing_at(entry.seq) if entry.seq is not None else None,
                puts_back=_put_back(entry, now) if may_put_back else frozenset(),
                back_to_here=may_put_back and entry.seq is not None and entry.seq < lead.version,
                current=entry.seq is not None and entry.seq == address.at,
            )
            for entry in shown
        ],
        older=address.older_than(shown[-1].id) if more else None,
        chips=_chips(address, actors),
        groups=_groups(address, choices, actors),
    )


def is_entry_number(text: str) -> bool:
    """Whether this can be the number of an entry."""
    return text.isascii() and text.isdigit() and 0 < len(text) < 10


def _put_back(entry: EntryRead, now: Mapping[str, Any]) -> frozenset[str]:
    """The fields of an entry that stood otherwise before it, and stand otherwise now."""
    if entry.action in NOT_UNDONE or entry.seq is None:
        return frozenset()
    return frozenset(
        field
        for field, old in entry.old_values.items()
        if field in REVERTIBLE and _plain(field, old) != _plain(field, now[field])
    )


def _plain(field: str, value: Any) -> Any:
    return [] if field == "tags" and value is None else value


def _chips(address: TrailAddress, actors: Mapping[str, str | None]) -> list[Chip]:
    named = {actor: actors.get(actor) or "somebody" for actor in address.actors}
    return [
        *(Chip("Who", "is", word, address.without(actor)) for actor, word in named.items()),
        *(Chip("What", "is", ACTIONS[action], address.without(action)) for action in address.actions),
        *(Chip("Field", "is", field_label(field), address.without(field)) for field in address.fields),
    ]


def _groups(address: TrailAddress, choices: TrailChoices, actors: Mapping[str, str | None]) -> list[Group]:
    """What the filter menu offers: what the trail holds, and what is chosen already."""
    who = [str(actor) for actor in choices.actors] + ([MACHINE] if choices.by_machine else [])
    who.sort(key=lambda actor: (actors[actor] != "You", actor == MACHINE, (actors[actor] or "").casefold()))
    did = [action for action in ACTIONS if action in choices.actions]
    fields = [field for field in choices.fields if field not in UNCHOSEN]
    fields.sort(key=lambda field: (ORDER.get(field, 99), field))
    return [
        _group(
            "actor",
            "Who",
            {actor: actors.get(actor) or "Somebody" for actor in _once([*who, *address.actors])},
            address.actors,
        ),
        _group("action", "What", {action: ACTIONS[action] for action in did}, address.actions),
        _group("field", "Field", {field: field_label(field) for field in fields}, address.fields),
    ]


def _group(name: str, label: str, words: Mapping[str, str], chosen: Sequence[str]) -> Group:
    values = _once([*words, *chosen])
    shown = {value: words.get(value) or ACTIONS.get(value) or field_label(value) for value in values}
    return Group(name, label, "checkbox", [Choice(value, shown[value], value in chosen) for value in values])


def _other(values: Iterable[str], value: str) -> tuple[str, ...]:
    return tuple(other for other in values if other != value)


def _actor(text: str) -> str:
    """The actor as addresses spell it; empty for what is none."""
    return text if text == MACHINE else str(_uuid(text) or "")


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
