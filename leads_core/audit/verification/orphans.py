"""Entries of which only a trace is left: a leaf, or a place in the queue for the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from leads_core.audit.verification.evidence import LeafRow
from leads_core.audit.verification.moments import millisecond_of

#: More than anybody asks about one by one.
LIMIT = 10_000
#: Stands for the leaf of an entry that waited for one.
NO_LEAF = -1


class Orphans:
    """Leaves, and places in the queue, whose entry is gone; until each is accounted for."""

    def __init__(self, leaves: Sequence[LeafRow], waiting: Sequence[str] = ()) -> None:
        self.is_cut_off = len(leaves) >= LIMIT
        all_of_them = [*leaves, *(LeafRow(NO_LEAF, entry_id, b"") for entry_id in waiting)]
        self._left = {leaf.entry_id: leaf for leaf in sorted(all_of_them, key=lambda leaf: leaf.entry_id)}

    def ids(self) -> list[str]:
        return list(self._left)

    def take(self, entry_id: str) -> None:
        self._left.pop(entry_id, None)

    def with_checksum(self, checksum: bytes) -> str | None:
        """The entry that a leaf with this checksum names."""
        return next((entry_id for entry_id, leaf in self._left.items() if leaf.checksum == checksum), None)

    def between(self, after: str, before: str, count: int) -> list[str]:
        """Take up to count whose ids lie between these two; an empty text is an open end."""
        return self._taken(lambda entry_id: entry_id > after and (not before or entry_id < before), count)

    def made_within(self, first: int, last: int, count: int) -> list[str]:
        """Take up to count that were made in this span of milliseconds."""
        return self._taken(lambda entry_id: first <= millisecond_of(entry_id) <= last, count)

    def rest(self) -> list[LeafRow]:
        return list(self._left.values())

    def _taken(self, wanted: Callable[[str], bool], count: int) -> list[str]:
        found = [entry_id for entry_id in self._left if wanted(entry_id)][:count]
        for entry_id in found:
            self.take(entry_id)
        return found
