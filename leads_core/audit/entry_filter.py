"""Which entries of the whole trail, read from query parameters into a frozen value. Pure.

A filter given twice means any of. `occurred_from` and `occurred_to` include what they name: a date its whole day
(UTC), a timestamp its instant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlencode
from uuid import UUID

from leads_core.audit.models import ACTOR_KINDS, CHANNELS, Action, SubjectKind
from leads_core.audit.record.entry import PART_OF
from leads_core.context import SYSTEM_ACTOR_ID
from leads_core.errors import FieldError, Invalid
from leads_core.parameters import ParameterReader, moment, one_of

Value = TypeVar("Value")
Parameters = Mapping[str, Sequence[str]]

#: They stand beside the filters in an address, and say nothing of which entries.
PAGING_PARAMETERS = frozenset({"limit", "cursor"})
#: What entries of users, tokens, exports and the log say. Some names are a lead's too, in another part.
OTHER_FIELDS = frozenset(
    {
        "name",
        "email",
        "owner_id",
        "role",
        "disabled_at",
        "password",
        "method",
        "sign_in_link",
        "prefix",
        "scopes",
        "expires_at",
        "revoked_at",
    }
    | {"what", "format", "filter", "columns", "rows", "sha256", "complete"}
    | {"size", "root", "place", "reason", "log_name", "kept_size"}
    | {"abandoned_log_name", "abandoned_size", "abandoned_root", "abandoned_note"}
)
FIELDS = frozenset(PART_OF) | OTHER_FIELDS
UNKNOWN = "There is no such filter. Check its spelling, or leave it out."
_REQUEST_ID_LIMIT = 200


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries; without anything all. since is the first instant that belongs to it, until the first after it."""

    actor_id: UUID | None = None
    actor_kind: str | None = None
    actions: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    subject_kinds: tuple[str, ...] = ()
    subject_id: UUID | None = None
    field: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    task_id: UUID | None = None
    request_id: str | None = None

    @classmethod
    def from_query(cls, parameters: Parameters, *, me: UUID | None = None, paging: bool = True) -> EntryFilter:
        """Read filters by their names; me is who `actor=me` means. paging: the parameters of pages may be among them.

        Raises Invalid, with fields such as `query.action`, for values no entry can have and for unknown names: a
        mistyped filter must not widen what is shown or exported.
        """
        reader = _Reader({name: list(given) for name, given in parameters.items() if given}, me)
        found = reader.filter()
        unknown = [name for name in reader.left if not (paging and name in PAGING_PARAMETERS)]
        errors = [*reader.errors, *(FieldError(f"query.{name}", UNKNOWN) for name in unknown)]
        if errors:
            raise Invalid(errors)
        return found

    @property
    def is_everything(self) -> bool:
        return self == EntryFilter()

    def digest(self) -> str:
        """The same for the same filter: what a cursor is bound to."""
        return hashlib.sha256(repr(astuple(self)).encode()).hexdigest()

    def as_query(self) -> list[tuple[str, str]]:
        """The filter as parameters that read back to it, times as exact instants. Empty for everything."""
        pairs: list[tuple[str, str | None]] = [
            ("actor", _text(self.actor_id)),
            ("actor_kind", self.actor_kind),
            *(("action", action) for action in self.actions),
            *(("channel", channel) for channel in self.channels),
            *(("subject_kind", kind) for kind in self.subject_kinds),
            ("subject_id", _text(self.subject_id)),
            ("field", self.field),
            ("occurred_from", self.since.isoformat() if self.since else None),
            ("occurred_to", (self.until - timedelta(microseconds=1)).isoformat() if self.until else None),
            ("task_id", _text(self.task_id)),
            ("request_id", self.request_id),
        ]
        return [(name, value) for name, value in pairs if value is not None]

    def canonical(self) -> str:
        """as_query as one text: the filter as an export's entry keeps it."""
        return urlencode(self.as_query())


class _Reader(ParameterReader):
    """Takes one filter after the other out of the parameters and gathers what is wrong with them."""

    def __init__(self, left: dict[str, list[str]], me: UUID | None) -> None:
        super().__init__(left)
        self.me = me

    def filter(self) -> EntryFilter:
        since, until = self.once("occurred_from", moment), self.once("occurred_to", moment)
        return EntryFilter(
            actor_id=self.once("actor", self._actor),
            actor_kind=self.once("actor_kind", one_of(ACTOR_KINDS)),
            actions=self._any("action", one_of(Action)),
            channels=self._any("channel", one_of(CHANNELS)),
            subject_kinds=self._any("subject_kind", one_of(SubjectKind)),
            subject_id=self.once("subject_id", _id),
            field=self.once("field", _field),
            since=since and since[0],
            until=until and until[1],
            task_id=self.once("task_id", _id),
            request_id=self.once("request_id", _request_id),
        )

    def _any(self, name: str, read: Callable[[str], str]) -> tuple[str, ...]:
        values = [self.read(name, read, text) for text in self.left.pop(name, [])]
        return tuple(sorted({value for value in values if value is not None}))

    def _actor(self, text: str) -> UUID:
        if text == "me" and self.me is not None:
            return self.me
        if text == "system":
            return SYSTEM_ACTOR_ID
        try:
            return UUID(text)
        except ValueError:
            raise ValueError("Give me, system, or the id of a user or a token.") from None


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValueError("Give an id, such as 0193f5a0-0000-7000-8000-0000000000aa.") from None


def _field(text: str) -> str:
    if text not in FIELDS:
        raise ValueError("No entry has this field. Give the name of a field of a lead, such as stage.")
    return text


def _request_id(text: str) -> str:
    if not text or len(text) > _REQUEST_ID_LIMIT or not text.isprintable():
        raise ValueError("Give a request's id as X-Request-Id said it.")
    return text


def _text(identifier: UUID | None) -> str | None:
    return None if identifier is None else str(identifier)
