"""Which parts may be digests: those that an ERASE covers. Pure.

An ERASE on a lead covers the parts it contains, in that lead's earlier entries. An ERASE on a user covers the origin
of every earlier entry in which that user, or a token of that user, acted, and the person part of the user's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson


class ErasedActors:
    """Actor id -> the id of the last ERASE that covers the origins of what they did before it."""

    def __init__(self, erased: Mapping[str, str] | None = None) -> None:
        self._erased = dict(erased or {})

    @classmethod
    def of(cls, intact: Iterable[Any]) -> ErasedActors:
        """From intact entries (an EntryRow's values): the ERASE of users, the CREATE of tokens."""
        erased: dict[str, str] = {}
        owners: dict[str, str] = {}
        for row in intact:
            if row[1] == "user" and row[4] == "ERASE":
                erased[row[2]] = max(row[0], erased.get(row[2], ""))
            elif row[1] == "token" and row[4] == "CREATE" and (owner := _owner(row[12])):
                owners[row[2]] = owner
        tokens = {token: erased[owner] for token, owner in owners.items() if owner in erased}
        return cls({**erased, **tokens})

    def __bool__(self) -> bool:
        return bool(self._erased)

    def covers(self, row: Any) -> bool:
        """Whether the origin of this entry was to be erased."""
        return bool(row[0] < self._erased.get(row[6], ""))


class PartsOfSubject:
    """The erased and the plain parts of one subject's entries so far, until an ERASE accounts for them."""

    __slots__ = ("_erased", "_plain")

    def __init__(self) -> None:
        self._erased: dict[str, list[str]] = {}
        self._plain: dict[str, list[str]] = {}

    def note(self, entry_id: str, parts: Mapping[str, Any]) -> None:
        """Count an entry's parts in, the origin aside."""
        for name, part in parts.items():
            if name != "origin":
                where = self._erased if part.__class__ is str else self._plain
                where.setdefault(name, []).append(entry_id)

    def erase(self, names: Iterable[str]) -> dict[str, list[str]]:
        """An ERASE of these parts. Gives part -> the entries before it in which the part can still be read."""
        readable = {}
        for name in names:
            if name != "origin":
                self._erased.pop(name, None)
                if entries := self._plain.pop(name, None):
                    readable[name] = entries
        return readable

    @property
    def uncovered(self) -> dict[str, list[str]]:
        """Part -> the entries in which it is a digest, with no ERASE to say why."""
        return self._erased


def _owner(parts: str) -> str | None:
    try:
        owner = orjson.loads(parts)["data"][1]["owner_id"][1]
    except (ValueError, KeyError, TypeError, IndexError):
        return None
    return owner if isinstance(owner, str) else None
