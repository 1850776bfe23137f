"""Pages in keyset order, and the cursors between them: opaque, signed, and of use in one list only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer

from leads_core.errors import Invalid

T = TypeVar("T")
Relation = Literal["exact", "at_least", "about"]
TotalPolicy = Literal["count", "none"]

SMALLEST_PAGE, LARGEST_PAGE, USUAL_PAGE = 1, 200, 50
FOREIGN = "This cursor does not belong to this list: leave it out to begin at the first page."


@dataclass(frozen=True, slots=True)
class Total:
    """How many there are in all pages; at_least where counting stopped, about where it is an estimate."""

    value: int
    relation: Relation = "exact"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page. A cursor is None where there is no such page; no cursor at all asks for the first page.

    total is None when it was not asked for. note is a sentence for people when the list is not quite what was asked
    for (a search of two letters, a search too broad to be sorted).
    """

    items: list[T]
    next_cursor: str | None
    previous_cursor: str | None
    last_cursor: str | None = None
    total: Total | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins: after the row with this key (before it, when backwards).

    part numbers the piece of the order that the key belongs to (rows with a value before rows without one, say).
    Without a key: at the very beginning, or at the end when backwards. seen counts the rows before the page that it
    begins (of those before the key, when backwards), where known.
    """

    part: int = 0
    key: tuple[Any, ...] | None = None
    backwards: bool = False
    seen: int | None = 0

    @property
    def is_first(self) -> bool:
        return self.key is None and not self.backwards


@dataclass(frozen=True, slots=True)
class Around:
    """The positions of the pages to both sides, and how many rows stand before this page, where known."""

    following: Position | None
    preceding: Position | None
    before: int | None


FIRST = Position()
LAST = Position(backwards=True, seen=None)


class Cursors:
    """Writes positions as signed text and reads them back."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def write(self, position: Position, of: str) -> str:
        """`of` says which list: its order and its filter. In another list the cursor is not valid."""
        key = None if position.key is None else [_plain(value) for value in position.key]
        written = self._serializer(of).dumps([position.part, key, int(position.backwards), position.seen])
        return written.decode() if isinstance(written, bytes) else written

    def read(self, cursor: str | None, of: str) -> Position:
        """The position; without a cursor the first page's. Raises Invalid for one that we wrote for no such list."""
        if cursor is None:
            return FIRST
        try:
            part, key, backwards, seen = self._serializer(of).loads(cursor)
        except BadData as error:
            raise Invalid.of("query.cursor", FOREIGN) from error
        return Position(part, None if key is None else tuple(map(_typed, key)), bool(backwards), seen)

    def _serializer(self, of: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._secret, salt=f"cursor\n{of}", signer_kwargs={"digest_method": hashlib.sha256})


def page_size(text: str | int | None) -> int:
    """The number of rows a page shows, 1 to 200. Raises Invalid for anything else."""
    if text is None:
        return USUAL_PAGE
    try:
        size = int(text)
    except ValueError:
        size = 0
    if not SMALLEST_PAGE <= size <= LARGEST_PAGE:
        raise Invalid.of("query.limit", f"Give a whole number from {SMALLEST_PAGE} to {LARGEST_PAGE}.")
    return size


def around(position: Position, first: Position, last: Position, count: int, *, more: bool) -> Around:
    """What lies to both sides of a page of count rows, whose outer rows are first and last.

    more says whether further rows follow in the direction of reading.
    """
    before = position.seen
    if position.backwards:
        before = 0 if not more else None if position.seen is None else max(position.seen - count, 0)
    has_next = position.key is not None if position.backwards else more
    has_previous = more if position.backwards else position.key is not None
    following = replace(last, backwards=False, seen=None if before is None else before + count)
    preceding = replace(first, backwards=True, seen=before)
    return Around(following if has_next else None, preceding if has_previous else None, before)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return ["t", value.isoformat()]
    if isinstance(value, date):
        return ["d", value.isoformat()]
    if isinstance(value, UUID):
        return ["u", value.hex]
    return value


def _typed(value: Any) -> Any:
    match value:
        case ["t", text]:
            return datetime.fromisoformat(text)
        case ["d", text]:
            return date.fromisoformat(text)
        case ["u", text]:
            return UUID(text)
    return value
